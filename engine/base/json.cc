extern "C" {
#include "engine/base/json.h"
}

#include <cmath>
#include <cstring>
#include <memory>

#include <simdjson.h>

#include "engine/base/bytes16.h"
#include "engine/base/decimal.h"
#include "engine/base/json_lex.h"

/*
 * simdjson's first stage finds, with SIMD, where every token starts, and
 * refuses malformed UTF-8, control characters in strings and unclosed strings.
 * Its second stages are not used: on demand does not look at what is not asked
 * for, and the DOM neither keeps the bytes a value was written as nor takes
 * integers over 64 bits.  The walk here checks all the rest of the grammar.
 */

namespace
{

using stage_one = simdjson::internal::dom_parser_implementation;

/* Memory above this is given back when a much smaller document comes. */
constexpr size_t KEEP_BYTES = 1 << 20;
constexpr size_t FIRST_BYTES = 4096;
/* Offsets and node indexes are 32 bits. */
constexpr size_t MOST_BYTES = UINT32_MAX / 2;

} // namespace

struct asbi_json {
    const struct asbi_mem *mem;
    size_t max_bytes;
    char *text;  /* copy of the document, padded */
    char *plain; /* unescaped strings, each at its offset in `text` */
    size_t cap;  /* of `text`, and of `plain` when there is one */
    size_t len;
    struct asbi_json_node *nodes;
    size_t node_cap;
    uint32_t node_count;
    stage_one *finder; /* simdjson's; holds the token offsets */
    size_t finder_cap;
    size_t error_at;
    const char *error;
};

namespace
{

/* One pass over the tokens. */
struct walk {
    asbi_json *json;
    const uint32_t *tokens;
    uint32_t count; /* of tokens */
    uint32_t at;    /* the token to look at */
    asbi_str key;   /* of the member whose value comes */
    uint32_t depth;
    uint32_t open[ASBI_JSON_MAX_DEPTH]; /* nodes of containers around */
};

int fail(asbi_json *json, int rc, size_t at, const char *why)
{
    json->error_at = at;
    json->error = why;
    json->node_count = 0;
    return rc;
}

int fail_here(walk *w, const char *why)
{
    size_t at = w->at < w->count ? w->tokens[w->at] : w->json->len;

    return fail(w->json, ASB_EPARSE, at, why);
}

/* The character a token starts with; 0 past the last. */
char peek(const walk *w)
{
    return w->at < w->count ? w->json->text[w->tokens[w->at]] : '\0';
}

bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* All of a token: up to the next one, without the white space between. */
asbi_str token(const walk *w)
{
    const char *text = w->json->text;
    size_t from = w->tokens[w->at];
    size_t to = w->at + 1 < w->count ? w->tokens[w->at + 1] : w->json->len;

    while (to > from + 1 && is_space(text[to - 1]))
        to--;
    return { text + from, to - from };
}

bool grow_nodes(asbi_json *json)
{
    size_t cap = json->node_cap ? json->node_cap * 2 : 64;
    void *nodes =
        asbi_resize(json->mem, json->nodes, cap, sizeof(json->nodes[0]));

    if (!nodes)
        return false;
    json->nodes = static_cast<asbi_json_node *>(nodes);
    json->node_cap = cap;
    return true;
}

/* Adds a node for the value that starts here; NULL when out of memory. */
asbi_json_node *add(walk *w, asbi_json_type type, asbi_str raw)
{
    asbi_json *json = w->json;

    if (json->node_count == json->node_cap && !grow_nodes(json))
        return nullptr;
    if (w->depth)
        json->nodes[w->open[w->depth - 1]].count++;
    asbi_json_node *n = &json->nodes[json->node_count++];
    *n = { type, json->node_count, 0, w->key, raw };
    w->key = {};
    return n;
}

/* Literal or number. */
int scalar(walk *w, asbi_str raw)
{
    static const struct {
        asbi_str word;
        asbi_json_type type;
    } words[] = {
        { { "null", 4 }, ASBI_JSON_NULL },
        { { "true", 4 }, ASBI_JSON_TRUE },
        { { "false", 5 }, ASBI_JSON_FALSE },
    };

    for (const auto &word : words) {
        if (asbi_str_eq(raw, word.word))
            return add(w, word.type, raw) ? ASB_OK : ASB_ENOMEM;
    }
    if (!asbi_json_number_valid(raw))
        return fail_here(w, "not a JSON value");
    return add(w, ASBI_JSON_NUMBER, raw) ? ASB_OK : ASB_ENOMEM;
}

/* Whether there is an escape in a part of the document, behind which there is
 * padding to read. */
bool has_escape(asbi_str inside)
{
    for (size_t i = 0; i < inside.len; i += 16) {
        asbi_bytes16 v = asbi_bytes16_load(inside.at + i);
        size_t n = asbi_bytes16_first(asbi_bytes16_is(v, '\\'));

        if (n < 16)
            return n < inside.len - i;
    }
    return false;
}

/* The inside of a string token whose escapes are good. */
bool string_inside(asbi_str raw, asbi_str *inside)
{
    if (raw.len < 2 || raw.at[raw.len - 1] != '"')
        return false;
    *inside = { raw.at + 1, raw.len - 2 };
    return !has_escape(*inside) || asbi_json_unescape(*inside, nullptr) >= 0;
}

int string(walk *w, asbi_str raw)
{
    asbi_str inside;

    if (!string_inside(raw, &inside))
        return fail_here(w, "bad escape in a string");
    return add(w, ASBI_JSON_STRING, raw) ? ASB_OK : ASB_ENOMEM;
}

/* "key": before a value. */
int member_key(walk *w)
{
    if (peek(w) != '"')
        return fail_here(w, "a quoted name was expected");
    if (!string_inside(token(w), &w->key))
        return fail_here(w, "bad escape in a name");
    w->at++;
    if (peek(w) != ':')
        return fail_here(w, "':' was expected");
    w->at++;
    return ASB_OK;
}

int open_container(walk *w, asbi_json_type type)
{
    if (w->depth == ASBI_JSON_MAX_DEPTH)
        return fail(w->json, ASB_ETOOBIG, w->tokens[w->at],
                    "nested too deeply");
    asbi_str raw = { w->json->text + w->tokens[w->at], 0 };
    if (!add(w, type, raw))
        return ASB_ENOMEM;
    w->open[w->depth++] = w->json->node_count - 1;
    w->at++;
    if (peek(w) == (type == ASBI_JSON_OBJECT ? '}' : ']'))
        return ASB_OK;
    return type == ASBI_JSON_OBJECT ? member_key(w) : ASB_OK;
}

/* Reads a scalar, or the start of a container. */
int value(walk *w)
{
    int rc;

    switch (peek(w)) {
    case '{':
        return open_container(w, ASBI_JSON_OBJECT);
    case '[':
        return open_container(w, ASBI_JSON_ARRAY);
    case '"':
        rc = string(w, token(w));
        break;
    case '\0':
        return fail_here(w, "a value was expected");
    default:
        rc = scalar(w, token(w));
        break;
    }
    w->at++;
    return rc;
}

/* The innermost container ends here. */
void close_container(walk *w)
{
    asbi_json_node *n = &w->json->nodes[w->open[--w->depth]];

    n->raw.len =
        static_cast<size_t>(w->json->text + w->tokens[w->at] - n->raw.at) + 1;
    n->next = w->json->node_count;
    w->at++;
}

/* After a value: closes what ends here and moves to the next value.  *done
 * when there is none. */
int after_value(walk *w, bool *done)
{
    if (w->key.at)
        return ASB_OK; /* a name was read: its value comes */
    while (w->depth) {
        asbi_json_node *n = &w->json->nodes[w->open[w->depth - 1]];
        bool object = n->type == ASBI_JSON_OBJECT;
        char c = peek(w);

        if (c == (object ? '}' : ']')) {
            close_container(w);
            continue;
        }
        if (n->count == 0)
            return ASB_OK; /* the first value comes here */
        if (c != ',')
            return fail_here(w, object ? "',' or '}' was expected"
                                       : "',' or ']' was expected");
        w->at++;
        return object ? member_key(w) : ASB_OK;
    }
    *done = true;
    return ASB_OK;
}

int walk_all(walk *w)
{
    bool done = false;

    while (!done) {
        int rc = value(w);
        if (!rc)
            rc = after_value(w, &done);
        if (rc)
            return rc;
    }
    if (w->at < w->count)
        return fail_here(w, "more follows the value");
    return ASB_OK;
}

void drop_memory(asbi_json *json)
{
    asbi_free(json->mem, json->text);
    asbi_free(json->mem, json->plain);
    asbi_free(json->mem, json->nodes);
    delete json->finder;
    json->text = json->plain = nullptr;
    json->nodes = nullptr;
    json->finder = nullptr;
    json->cap = json->node_cap = json->finder_cap = 0;
}

/* simdjson's offsets are in memory of its own. */
int reserve_finder(asbi_json *json)
{
    if (json->finder && json->finder_cap >= json->cap)
        return ASB_OK;
    std::unique_ptr<stage_one> finder;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            json->cap, ASBI_JSON_MAX_DEPTH, finder))
        return ASB_ENOMEM;
    delete json->finder;
    json->finder = finder.release();
    json->finder_cap = json->cap;
    return ASB_OK;
}

int reserve_text(asbi_json *json, size_t len)
{
    size_t cap = FIRST_BYTES;

    if (json->cap > KEEP_BYTES && len < json->cap / 8)
        drop_memory(json);
    if (len > json->cap) {
        while (cap < len)
            cap *= 2;
        asbi_free(json->mem, json->text);
        asbi_free(json->mem, json->plain);
        json->plain = nullptr;
        json->cap = 0;
        json->text = static_cast<char *>(
            asbi_alloc(json->mem, cap + simdjson::SIMDJSON_PADDING));
        if (!json->text)
            return ASB_ENOMEM;
        json->cap = cap;
    }
    return reserve_finder(json);
}

const char *stage_error(simdjson::error_code code)
{
    switch (code) {
    case simdjson::EMPTY:
        return "there is no value";
    case simdjson::UTF8_ERROR:
        return "not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
        return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
        return "a control character in a string is not escaped";
    default:
        return "malformed";
    }
}

/* The unescaped form of the inside of a string. */
asbi_str plain_of(asbi_json *json, asbi_str inside)
{
    if (inside.len == 0)
        return { "", 0 };
    if (!memchr(inside.at, '\\', inside.len))
        return inside;
    if (!json->plain)
        json->plain = static_cast<char *>(asbi_alloc(json->mem, json->cap));
    if (!json->plain)
        return {};
    char *to = json->plain + (inside.at - json->text);
    return { to, static_cast<size_t>(asbi_json_unescape(inside, to)) };
}

/* Whether the escaped name stands for `key`. */
bool key_is(asbi_str escaped, asbi_str key)
{
    char small[256];

    if (escaped.len < key.len || escaped.len > key.len * 6)
        return false;
    if (asbi_str_eq(escaped, key))
        return !memchr(key.at ? key.at : "", '\\', key.len);
    if (escaped.len > sizeof(small) || !memchr(escaped.at, '\\', escaped.len))
        return false;
    ptrdiff_t len = asbi_json_unescape(escaped, small);
    return asbi_str_eq({ small, static_cast<size_t>(len) }, key);
}

} // namespace

struct asbi_json *asbi_json_new(const struct asbi_mem *mem, size_t max_bytes)
{
    void *block = asbi_calloc(mem, 1, sizeof(asbi_json));

    if (!block)
        return nullptr;
    auto *json = static_cast<asbi_json *>(block);
    json->mem = mem;
    json->max_bytes = max_bytes < MOST_BYTES ? max_bytes : MOST_BYTES;
    return json;
}

void asbi_json_free(struct asbi_json *json)
{
    if (!json)
        return;
    drop_memory(json);
    asbi_free(json->mem, json);
}

int asbi_json_parse(struct asbi_json *json, const char *at, size_t len)
{
    (void)fail(json, ASB_OK, 0, "");
    json->len = 0;
    if (len > json->max_bytes)
        return fail(json, ASB_ETOOBIG, json->max_bytes, "too long");
    if (len == 0)
        return fail(json, ASB_EPARSE, 0, stage_error(simdjson::EMPTY));
    int rc = reserve_text(json, len);
    if (rc)
        return fail(json, rc, 0, "out of memory");
    memcpy(json->text, at, len);
    memset(json->text + len, ' ', simdjson::SIMDJSON_PADDING);
    json->len = len;
    auto code =
        json->finder->stage1(reinterpret_cast<const uint8_t *>(json->text), len,
                             simdjson::stage1_mode::regular);
    if (code)
        return fail(json, ASB_EPARSE, 0, stage_error(code));
    walk w;
    w.json = json;
    w.tokens = json->finder->structural_indexes.get();
    w.count = json->finder->n_structural_indexes;
    w.at = w.depth = 0;
    w.key = {};
    rc = walk_all(&w);
    if (rc == ASB_ENOMEM)
        return fail(json, rc, 0, "out of memory");
    return rc;
}

size_t asbi_json_error_at(const struct asbi_json *json)
{
    return json->error_at;
}

const char *asbi_json_error(const struct asbi_json *json)
{
    return json->error ? json->error : "";
}

const struct asbi_json_node *asbi_json_root(const struct asbi_json *json)
{
    return json->node_count ? json->nodes : nullptr;
}

const struct asbi_json_node *
asbi_json_child(const struct asbi_json *json,
                const struct asbi_json_node *parent)
{
    (void)json;
    if (!parent || parent->count == 0)
        return nullptr;
    return parent + 1;
}

const struct asbi_json_node *
asbi_json_after(const struct asbi_json *json,
                const struct asbi_json_node *parent,
                const struct asbi_json_node *child)
{
    return child->next < parent->next ? json->nodes + child->next : nullptr;
}

const struct asbi_json_node *asbi_json_get(const struct asbi_json *json,
                                           const struct asbi_json_node *object,
                                           asbi_str key)
{
    const struct asbi_json_node *found = nullptr;

    if (!object || object->type != ASBI_JSON_OBJECT)
        return nullptr;
    for (auto *n = asbi_json_child(json, object); n;
         n = asbi_json_after(json, object, n)) {
        if (key_is(n->key, key))
            found = n;
    }
    return found;
}

asbi_str asbi_json_text(struct asbi_json *json,
                        const struct asbi_json_node *node)
{
    if (!node || node->type != ASBI_JSON_STRING)
        return {};
    return plain_of(json, { node->raw.at + 1, node->raw.len - 2 });
}

asbi_str asbi_json_key(struct asbi_json *json,
                       const struct asbi_json_node *node)
{
    return node && node->key.at ? plain_of(json, node->key) : asbi_str{};
}

bool asbi_json_u64(const struct asbi_json_node *node, uint64_t *out)
{
    uint64_t value = 0;
    double real;

    if (!node || node->type != ASBI_JSON_NUMBER)
        return false;
    for (size_t i = 0; i < node->raw.len; i++) {
        unsigned d = static_cast<unsigned char>(node->raw.at[i]) - '0';

        if (d <= 9 && value <= (UINT64_MAX - d) / 10) {
            value = value * 10 + d;
            continue;
        }
        /* 12.0 and 1e3 are whole, too, as far as a double counts exactly. */
        if (d <= 9 || !asbi_json_double(node, &real) || !(real >= 0) ||
            real > 9007199254740992.0 || real != std::floor(real))
            return false;
        *out = static_cast<uint64_t>(real);
        return true;
    }
    *out = value;
    return true;
}

bool asbi_json_double(const struct asbi_json_node *node, double *out)
{
    return node && node->type == ASBI_JSON_NUMBER &&
           asbi_decimal_read(node->raw.at, node->raw.len, out);
}

bool asbi_utf8_valid(const char *at, size_t len)
{
    size_t i = 0;

    /* Most texts are short and ASCII: seen here sooner than called there. */
    for (uint64_t x; len - i >= 8; i += 8) {
        memcpy(&x, at + i, sizeof(x));
        if (x & UINT64_C(0x8080808080808080))
            return simdjson::validate_utf8(at + i, len - i);
    }
    for (; i < len; i++) {
        if (at[i] & 0x80)
            return simdjson::validate_utf8(at + i, len - i);
    }
    return true;
}
