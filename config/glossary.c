#include "config/glossary.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/cells.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

enum { KEY_MAX = 48 };

/* The names under which the terms of one language may stand. */
struct side {
    const char *plain;  /* "source" */
    char full[KEY_MAX]; /* "term_zh_cn"; "" when the language is unknown */
    char base[KEY_MAX]; /* "term_zh" */
};

struct gathering {
    struct asbi_glossary *g;
    struct side source, target;
    struct asb_message *why;
};

static int fail_at(const struct gathering *ga, unsigned line, unsigned column,
                   const char *what)
{
    return asbi_fail(ga->why, ASB_ECONFIG, "%.200s:%u:%u: %s", ga->g->shown,
                     line, column, what);
}

static int no_memory(const struct gathering *ga)
{
    return asbi_fail(ga->why, ASB_ENOMEM, "out of memory");
}

static void side_init(struct side *s, const char *plain, const char *lang)
{
    *s = (struct side){ .plain = plain };
    if (!lang[0] || strlen(lang) > KEY_MAX - 8)
        return;
    (void)snprintf(s->full, sizeof(s->full), "term_%s", lang);
    for (char *c = s->full; *c; c++)
        *c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
    size_t base = 5 + strcspn(s->full + 5, "_");
    memcpy(s->base, s->full, base);
}

/* How well a key names a side: 0 not at all. */
static unsigned side_match(const struct side *s, asbi_str key)
{
    char folded[KEY_MAX];

    if (key.len >= sizeof(folded))
        return 0;
    for (size_t i = 0; i < key.len; i++)
        folded[i] =
            key.at[i] == '-' ? '_' : (char)tolower((unsigned char)key.at[i]);
    folded[key.len] = '\0';
    if (strcmp(folded, s->plain) == 0)
        return 3;
    if (s->full[0] && strcmp(folded, s->full) == 0)
        return 2;
    return s->base[0] && strcmp(folded, s->base) == 0;
}

static bool is_term_key(asbi_str key)
{
    return key.len > 5 &&
           asbi_str_eq_nocase(asbi_str_of(key.at, 5), ASBI_STR("term_"));
}

/* ---- terms ------------------------------------------------------------ */

static bool one_line(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.at[i] < 0x20)
            return false;
    }
    return s.len > 0 && s.len <= 1024;
}

static int grow(struct asbi_glossary *g)
{
    size_t cap = g->cap ? g->cap * 2 : 64;
    struct asbi_glossary_term *terms =
        asbi_resize(g->mem, g->terms, cap, sizeof(*terms));

    if (!terms)
        return ASB_ENOMEM;
    g->terms = terms;
    g->cap = cap;
    return ASB_OK;
}

/* The map keeps indices as pointers: `terms` moves while it grows. */
static void *as_value(size_t index)
{
    return (void *)(uintptr_t)(index + 1);
}

static int add_term(struct gathering *ga, asbi_str source, asbi_str target,
                    asbi_str notes, unsigned line, unsigned column)
{
    struct asbi_glossary *g = ga->g;

    source = asbi_str_trim(source);
    target = asbi_str_trim(target);
    if (!one_line(source) || !one_line(target))
        return fail_at(ga, line, column,
                       "a term and its translation are one line of text each, "
                       "of at most 1024 bytes");
    void *before = asbi_map_get(&g->lines, source);
    if (before) {
        const struct asbi_glossary_term *first =
            &g->terms[(uintptr_t)before - 1];

        if (asbi_str_eq(first->target, target))
            return ASB_OK;
        return asbi_fail(ga->why, ASB_ECONFIG,
                         "%.200s:%u:%u: the same term is translated otherwise "
                         "in line %u; remove one of them",
                         g->shown, line, column, first->line);
    }
    if (g->count == ASBI_GLOSSARY_MAX_TERMS)
        return fail_at(ga, line, column, "too many terms in one glossary");
    if (g->count == g->cap && grow(g))
        return no_memory(ga);
    if (asbi_map_put(&g->lines, source, as_value(g->count)))
        return no_memory(ga);
    g->terms[g->count++] =
        (struct asbi_glossary_term){ source, target, asbi_str_trim(notes),
                                     line };
    return ASB_OK;
}

/* ---- named cells: an entry of YAML, or a row under a heading ---------- */

struct named {
    asbi_str key, value;
};

/* The value that names a side best; without a language the only other one. */
static const struct named *pick(const struct side *s, const struct side *other,
                                const struct named *cells, size_t count)
{
    const struct named *best = NULL, *only = NULL;
    unsigned match = 0, candidates = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned m = side_match(s, cells[i].key);

        if (m > match) {
            match = m;
            best = &cells[i];
        }
        if (is_term_key(cells[i].key) && !side_match(other, cells[i].key)) {
            only = &cells[i];
            candidates++;
        }
    }
    if (best)
        return best;
    return !s->full[0] && other->full[0] && candidates == 1 ? only : NULL;
}

static asbi_str value_of(const struct named *cells, size_t count,
                         const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (asbi_str_eq_nocase(cells[i].key, asbi_str_c(key)))
            return asbi_str_trim(cells[i].value);
    }
    return ASBI_STR("");
}

static int lacks_side(struct gathering *ga, const struct side *s, unsigned line,
                      unsigned column)
{
    char text[200];

    if (s->full[0])
        (void)snprintf(text, sizeof(text), "the entry has no \"%s\" or \"%s\"",
                       s->base, s->plain);
    else
        (void)snprintf(text, sizeof(text),
                       "the entry has no \"%s\"; if it has term_ keys, say "
                       "the languages with --source-lang and --target-lang",
                       s->plain);
    return fail_at(ga, line, column, text);
}

static int add_named(struct gathering *ga, const struct named *cells,
                     size_t count, unsigned line, unsigned column)
{
    asbi_str status = value_of(cells, count, "status");

    if (status.len && !asbi_str_eq_nocase(status, ASBI_STR("approved")))
        return ASB_OK;
    const struct named *source = pick(&ga->source, &ga->target, cells, count);
    const struct named *target = pick(&ga->target, &ga->source, cells, count);
    if (!source)
        return lacks_side(ga, &ga->source, line, column);
    if (!target)
        return lacks_side(ga, &ga->target, line, column);
    return add_term(ga, source->value, target->value,
                    value_of(cells, count, "notes"), line, column);
}

/* ---- YAML ------------------------------------------------------------- */

static int read_entry(struct gathering *ga, const struct asbi_yaml_node *entry)
{
    const struct asbi_yaml *y = &ga->g->yaml;
    struct named cells[ASBI_CELLS_MAX];
    size_t count = 0;

    if (entry->type != ASBI_YAML_MAPPING)
        return fail_at(ga, entry->line, entry->column,
                       "an entry is a mapping such as {term_en: ..., "
                       "term_de: ...}");
    const struct asbi_yaml_node *key = asbi_yaml_first(y, entry);
    while (key) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, entry, key);

        if (count == ASBI_CELLS_MAX)
            return fail_at(ga, key->line, key->column, "more than 64 keys");
        bool text =
            value->type == ASBI_YAML_SCALAR && !asbi_yaml_is_null(value);
        cells[count++] =
            (struct named){ key->text, text ? value->text : ASBI_STR("") };
        key = asbi_yaml_after(y, entry, value);
    }
    return add_named(ga, cells, count, entry->line, entry->column);
}

static int read_yaml(struct gathering *ga, const char *text, size_t len)
{
    static const struct asbi_yaml_limits limits = {
        .max_bytes = ASBI_GLOSSARY_MAX_BYTES,
        .max_nodes = 400000,
        .max_depth = 16,
    };
    struct asbi_glossary *g = ga->g;

    int rc = asbi_yaml_parse(&g->yaml, g->mem, &limits, text, len, g->shown,
                             ga->why);
    const struct asbi_yaml_node *list = rc ? NULL : asbi_yaml_root(&g->yaml);
    if (!list || asbi_yaml_is_null(list))
        return rc;
    const struct asbi_yaml_node *root = list;
    if (root->type == ASBI_YAML_MAPPING)
        list = asbi_yaml_get(&g->yaml, root, "entries");
    if (list && asbi_yaml_is_null(list))
        return ASB_OK;
    if (!list || list->type != ASBI_YAML_SEQUENCE)
        return fail_at(ga, list ? list->line : root->line,
                       list ? list->column : root->column,
                       "a glossary has a list under the key \"entries\"");
    const struct asbi_yaml_node *entry = asbi_yaml_first(&g->yaml, list);
    while (entry && !rc) {
        rc = read_entry(ga, entry);
        entry = asbi_yaml_after(&g->yaml, list, entry);
    }
    return rc;
}

/* ---- tables ----------------------------------------------------------- */

struct heading {
    asbi_str names[ASBI_CELLS_MAX];
    size_t count; /* 0: the columns are source, target, notes */
};

/* A first row names its columns when one of them is a name we look for. */
static void read_heading(const struct gathering *ga, const struct asbi_cells *c,
                         struct heading *h)
{
    bool named = false;

    for (size_t i = 0; i < c->count; i++) {
        h->names[i] = asbi_str_trim(c->cell[i]);
        named = named || is_term_key(h->names[i]) ||
                side_match(&ga->source, h->names[i]) ||
                side_match(&ga->target, h->names[i]);
    }
    h->count = named ? c->count : 0;
}

static int read_row(struct gathering *ga, const struct asbi_cells *c,
                    const struct heading *h)
{
    struct named cells[ASBI_CELLS_MAX];

    if (h->count == 0) {
        if (c->count < 2)
            return fail_at(ga, c->row_line, 1,
                           "a row has a term, its translation and perhaps "
                           "notes");
        return add_term(ga, c->cell[0], c->cell[1],
                        c->count > 2 ? c->cell[2] : ASBI_STR(""), c->row_line,
                        1);
    }
    if (c->count > h->count)
        return fail_at(ga, c->row_line, c->column[h->count],
                       "more cells than the first row has names");
    for (size_t i = 0; i < c->count; i++)
        cells[i] = (struct named){ h->names[i], c->cell[i] };
    return add_named(ga, cells, c->count, c->row_line, 1);
}

static int read_table(struct gathering *ga, const char *text, size_t len,
                      char separator)
{
    struct asbi_glossary *g = ga->g;
    struct heading heading = { .count = 0 };
    struct asbi_cells c;
    bool first = true;
    int rc = ASB_OK, end;

    if (len > ASBI_GLOSSARY_MAX_BYTES)
        return fail_at(ga, 1, 1, "the glossary is larger than 4 MiB");
    if (!asbi_utf8_valid(text, len))
        return fail_at(ga, 1, 1, "the glossary is not valid UTF-8");
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3, len -= 3;
    asbi_buf_init(&g->cells, g->mem, len + 1);
    if (!asbi_buf_reserve(&g->cells, len + 1))
        return no_memory(ga);
    asbi_cells_init(&c, text, len, separator, &g->cells);
    while (!rc && (end = asbi_cells_next(&c)) != ASB_ENOENT) {
        if (end)
            return fail_at(ga, c.row_line, c.error_column, c.error);
        if (first)
            read_heading(ga, &c, &heading);
        if (!first || heading.count == 0)
            rc = read_row(ga, &c, &heading);
        first = false;
    }
    return rc;
}

static bool ends_with(const char *name, const char *suffix)
{
    asbi_str n = asbi_str_c(name), s = asbi_str_c(suffix);

    return n.len >= s.len &&
           asbi_str_eq_nocase(asbi_str_of(n.at + n.len - s.len, s.len), s);
}

int asbi_glossary_parse(struct asbi_glossary *g, const struct asbi_mem *mem,
                        const char *text, size_t len, const char *shown,
                        const char *source_lang, const char *target_lang,
                        struct asb_message *why)
{
    struct gathering ga = { .g = g, .why = why };

    *g = (struct asbi_glossary){ .mem = mem, .shown = shown };
    g->yaml.mem = mem;
    asbi_buf_init(&g->yaml.text, mem, 0);
    asbi_buf_init(&g->cells, mem, 0);
    asbi_map_init(&g->lines, mem, 0);
    side_init(&ga.source, "source", source_lang);
    side_init(&ga.target, "target", target_lang);
    if (ends_with(shown, ".csv"))
        return read_table(&ga, text, len, ',');
    if (ends_with(shown, ".tsv"))
        return read_table(&ga, text, len, '\t');
    return read_yaml(&ga, text, len);
}

void asbi_glossary_fini(struct asbi_glossary *g)
{
    asbi_free(g->mem, g->terms);
    asbi_yaml_fini(&g->yaml);
    asbi_buf_fini(&g->cells);
    asbi_map_fini(&g->lines);
    *g = (struct asbi_glossary){ .mem = g->mem };
}
