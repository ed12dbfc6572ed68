#include "config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "engine/base/error.h"
#include "engine/base/map.h"

const struct asbi_yaml_limits asbi_yaml_config_limits = { .max_bytes = 1 << 20,
                                                          .max_nodes = 65536,
                                                          .max_depth = 16 };

/* A mapping or sequence that is not closed yet. */
struct open {
    uint32_t node;
    uint32_t children;
};

struct reader {
    struct asbi_yaml *y;
    const struct asbi_yaml_limits *limits;
    struct asb_message *why;
    struct open open[ASBI_YAML_MAX_DEPTH];
    uint32_t depth;
    bool ended; /* the stream has */
    unsigned documents;
};

static int fail_at(const struct reader *r, size_t line, size_t column,
                   const char *what)
{
    return asbi_fail(r->why, ASB_ECONFIG, "%.200s:%zu:%zu: %s", r->y->shown,
                     line, column, what);
}

int asbi_yaml_fail(const struct asbi_yaml *y, const struct asbi_yaml_node *node,
                   struct asb_message *why, const char *format, ...)
{
    char text[700];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return asbi_fail(why, ASB_ECONFIG, "%.200s:%u:%u: %s", y->shown, node->line,
                     node->column, text);
}

/* libyaml gives only a byte offset for what it cannot read as characters. */
static int fail_at_byte(const struct reader *r, const char *text, size_t offset,
                        const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return fail_at(r, line, column, what);
}

/* ---- building --------------------------------------------------------- */

static int nodes_grow(struct asbi_yaml *y)
{
    uint32_t cap = y->cap ? y->cap * 2 : 64;
    struct asbi_yaml_node *nodes =
        asbi_resize(y->mem, y->nodes, cap, sizeof(*nodes));

    if (!nodes)
        return ASB_ENOMEM;
    y->nodes = nodes;
    y->cap = cap;
    return ASB_OK;
}

/* Counts the new node into its parent and checks that it may stand there. */
static int join_parent(struct reader *r, const yaml_event_t *event)
{
    size_t line = event->start_mark.line + 1;
    size_t column = event->start_mark.column + 1;

    if (r->depth == 0)
        return ASB_OK;
    struct open *parent = &r->open[r->depth - 1];
    struct asbi_yaml_node *node = &r->y->nodes[parent->node];
    bool key = node->type == ASBI_YAML_MAPPING && parent->children++ % 2 == 0;
    if (key && event->type != YAML_SCALAR_EVENT)
        return fail_at(r, line, column, "a key must be a single word or text");
    if (key || node->type == ASBI_YAML_SEQUENCE)
        node->count++;
    return ASB_OK;
}

static int add_node(struct reader *r, const yaml_event_t *event,
                    enum asbi_yaml_type type)
{
    struct asbi_yaml *y = r->y;
    size_t line = event->start_mark.line + 1;
    size_t column = event->start_mark.column + 1;

    if (y->count >= r->limits->max_nodes)
        return fail_at(r, line, column, "too many entries in one file");
    int rc = join_parent(r, event);
    if (rc)
        return rc;
    if (y->count == y->cap && nodes_grow(y))
        return asbi_fail(r->why, ASB_ENOMEM, "out of memory");
    y->nodes[y->count] = (struct asbi_yaml_node){
        .type = type,
        .line = (uint32_t)line,
        .column = (uint32_t)column,
        .next = y->count + 1,
    };
    y->count++;
    return ASB_OK;
}

static int add_scalar(struct reader *r, const yaml_event_t *event)
{
    struct asbi_buf *text = &r->y->text;
    const char *at = text->data + text->len;
    size_t len = event->data.scalar.length;

    int rc = add_node(r, event, ASBI_YAML_SCALAR);
    if (rc)
        return rc;
    if (memchr(event->data.scalar.value, '\0', len))
        return fail_at(r, event->start_mark.line + 1,
                       event->start_mark.column + 1,
                       "a text must not hold a NUL character");
    asbi_buf_add(text, event->data.scalar.value, len);
    asbi_buf_char(text, '\0');
    if (asbi_buf_failed(text))
        return asbi_fail(r->why, ASB_ENOMEM, "out of memory");
    struct asbi_yaml_node *node = &r->y->nodes[r->y->count - 1];
    node->text = asbi_str_of(at, len);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return ASB_OK;
}

static int open_node(struct reader *r, const yaml_event_t *event,
                     enum asbi_yaml_type type)
{
    if (r->depth >= r->limits->max_depth || r->depth >= ASBI_YAML_MAX_DEPTH)
        return fail_at(r, event->start_mark.line + 1,
                       event->start_mark.column + 1, "nested too deeply");
    int rc = add_node(r, event, type);
    if (rc == ASB_OK)
        r->open[r->depth++] = (struct open){ .node = r->y->count - 1 };
    return rc;
}

/* The first key of a mapping that stands in it twice is an error. */
static int check_keys(struct reader *r, const struct asbi_yaml_node *map)
{
    struct asbi_yaml *y = r->y;
    struct asbi_map seen;
    int rc = ASB_OK;

    asbi_map_init(&seen, y->mem, 0);
    const struct asbi_yaml_node *key = asbi_yaml_first(y, map);
    while (key && !rc) {
        const struct asbi_yaml_node *first = asbi_map_get(&seen, key->text);

        if (first)
            rc = asbi_yaml_fail(y, key, r->why,
                                "key \"%.64s\" is already set in line %u; "
                                "remove one of them",
                                key->text.at, first->line);
        else if (asbi_map_put(&seen, key->text, &y->nodes[key - y->nodes]))
            rc = asbi_fail(r->why, ASB_ENOMEM, "out of memory");
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, key);
        key = value ? asbi_yaml_after(y, map, value) : NULL;
    }
    asbi_map_fini(&seen);
    return rc;
}

static int close_node(struct reader *r)
{
    struct asbi_yaml_node *node = &r->y->nodes[r->open[--r->depth].node];

    node->next = r->y->count;
    return node->type == ASBI_YAML_MAPPING ? check_keys(r, node) : ASB_OK;
}

/* ---- events ----------------------------------------------------------- */

/* What makes a document larger than its text, or means more than its text. */
static const char *refused(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases (*name) are not supported; write the value out";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    default:
        return NULL;
    }
    if (anchor)
        return "anchors (&name) are not supported; write the value out";
    return tag ? "tags (!name) are not supported; remove it" : NULL;
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
    size_t line = event->start_mark.line + 1;
    size_t column = event->start_mark.column + 1;
    const char *problem = refused(event);

    if (problem)
        return fail_at(r, line, column, problem);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_scalar(r, event);
    case YAML_MAPPING_START_EVENT:
        return open_node(r, event, ASBI_YAML_MAPPING);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(r, event, ASBI_YAML_SEQUENCE);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return close_node(r);
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++ == 0)
            return ASB_OK;
        return fail_at(r, line, column,
                       "a second document starts here; only one is read");
    default:
        r->ended = event->type == YAML_STREAM_END_EVENT;
        return ASB_OK;
    }
}

static int malformed(const struct reader *r, const yaml_parser_t *parser,
                     const char *text, size_t len)
{
    const char *problem = parser->problem ? parser->problem : "malformed YAML";
    size_t offset = parser->problem_offset;

    if (parser->error == YAML_MEMORY_ERROR)
        return asbi_fail(r->why, ASB_ENOMEM, "out of memory");
    if (parser->error == YAML_READER_ERROR)
        return fail_at_byte(r, text, offset < len ? offset : len, problem);
    return fail_at(r, parser->problem_mark.line + 1,
                   parser->problem_mark.column + 1, problem);
}

static int read_events(struct reader *r, yaml_parser_t *parser,
                       const char *text, size_t len)
{
    yaml_event_t event;
    int rc = ASB_OK;

    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
    while (!rc && !r->ended) {
        if (!yaml_parser_parse(parser, &event))
            return malformed(r, parser, text, len);
        rc = on_event(r, &event);
        yaml_event_delete(&event);
    }
    return rc;
}

/* Room for all text at once, so that it never moves: an escape such as "\L"
 * gives three bytes for two, no character gives more than twice as many. */
static int reserve_text(struct asbi_yaml *y, const struct asbi_mem *mem,
                        size_t len)
{
    size_t room = 3 * len + 64;

    asbi_buf_init(&y->text, mem, room);
    return asbi_buf_reserve(&y->text, room) ? ASB_OK : ASB_ENOMEM;
}

int asbi_yaml_parse(struct asbi_yaml *y, const struct asbi_mem *mem,
                    const struct asbi_yaml_limits *limits, const char *text,
                    size_t len, const char *shown, struct asb_message *why)
{
    struct reader r = { .y = y, .limits = limits, .why = why };
    yaml_parser_t parser;

    *y = (struct asbi_yaml){ .mem = mem, .shown = shown };
    asbi_buf_init(&y->text, mem, 0);
    if (len > limits->max_bytes)
        return asbi_fail(why, ASB_ECONFIG,
                         "%.200s: has %zu bytes; at most %zu are read", shown,
                         len, limits->max_bytes);
    const char *nul = len ? memchr(text, '\0', len) : NULL;
    if (nul)
        return fail_at_byte(&r, text, (size_t)(nul - text),
                            "a NUL byte; is this a text file?");
    if (reserve_text(y, mem, len) || !yaml_parser_initialize(&parser))
        return asbi_fail(why, ASB_ENOMEM, "out of memory");
    int rc = read_events(&r, &parser, text ? text : "", len);
    yaml_parser_delete(&parser);
    return rc;
}

void asbi_yaml_fini(struct asbi_yaml *y)
{
    asbi_free(y->mem, y->nodes);
    asbi_buf_fini(&y->text);
    *y = (struct asbi_yaml){ .mem = y->mem };
}

/* ---- looking ---------------------------------------------------------- */

const struct asbi_yaml_node *asbi_yaml_root(const struct asbi_yaml *y)
{
    return y->count ? &y->nodes[0] : NULL;
}

const struct asbi_yaml_node *
asbi_yaml_first(const struct asbi_yaml *y, const struct asbi_yaml_node *parent)
{
    const struct asbi_yaml_node *end = &y->nodes[parent->next];

    return parent + 1 < end ? parent + 1 : NULL;
}

const struct asbi_yaml_node *
asbi_yaml_after(const struct asbi_yaml *y, const struct asbi_yaml_node *parent,
                const struct asbi_yaml_node *child)
{
    return child->next < parent->next ? &y->nodes[child->next] : NULL;
}

const struct asbi_yaml_node *asbi_yaml_get(const struct asbi_yaml *y,
                                           const struct asbi_yaml_node *map,
                                           const char *key)
{
    const struct asbi_yaml_node *at = asbi_yaml_first(y, map);

    while (at) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, at);

        if (!value || asbi_str_eq(at->text, asbi_str_c(key)))
            return value;
        at = asbi_yaml_after(y, map, value);
    }
    return NULL;
}

bool asbi_yaml_is_null(const struct asbi_yaml_node *node)
{
    return node->type == ASBI_YAML_SCALAR && node->plain &&
           (node->text.len == 0 || asbi_str_eq(node->text, ASBI_STR("~")) ||
            asbi_str_eq(node->text, ASBI_STR("null")));
}
