#include "config/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/nearest.h"
#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"

#define MODEL(member) offsetof(struct asbi_model, member)
#define PROVIDER(member) offsetof(struct asbi_provider, member)

static const struct asbi_field model_fields[] = {
    { "provider", ASBI_FIELD_TEXT, MODEL(provider), 0, 0, NULL },
    { "context", ASBI_FIELD_COUNT, MODEL(context_tokens), 256, 1e9, NULL },
    { "max_output", ASBI_FIELD_COUNT, MODEL(max_output_tokens), 1, 1e9, NULL },
    { "input", ASBI_FIELD_PRICE, MODEL(input_price), 0, 1e6, NULL },
    { "cached", ASBI_FIELD_PRICE, MODEL(cached_price), 0, 1e6, NULL },
    { "output", ASBI_FIELD_PRICE, MODEL(output_price), 0, 1e6, NULL },
    { "cache_write", ASBI_FIELD_PRICE, MODEL(cache_write_price), 0, 1e6, NULL },
    { "dimensions", ASBI_FIELD_COUNT, MODEL(dimensions), 1, 1e5, NULL },
    { "latency_ms_per_token", ASBI_FIELD_REAL, MODEL(latency_ms_per_token),
      0.0001, 1e5, NULL },
    { "requests_per_minute", ASBI_FIELD_COUNT, MODEL(requests_per_minute), 1,
      1e9, NULL },
    { "tokens_per_minute", ASBI_FIELD_COUNT, MODEL(tokens_per_minute), 1, 1e12,
      NULL },
    { "hosted", ASBI_FIELD_FLAG, MODEL(hosted), 0, 0, NULL },
    { "tokenizer", ASBI_FIELD_TEXT, MODEL(tokenizer), 0, 0, "o200k|cl100k" },
    { "images", ASBI_FIELD_TEXT, MODEL(images), 0, 0,
      "tiles_85|tiles_75|tiles_70|tiles_2833|patches_1.62|patches_1.72|"
      "patches_2.46|area|crops" },
    { "token_factor", ASBI_FIELD_REAL, MODEL(token_factor), 0.1, 10, NULL },
    { "per_item", ASBI_FIELD_MONEY, MODEL(item_price), 0, 1e6, NULL },
    { "per_second", ASBI_FIELD_MONEY, MODEL(second_price), 0, 1e6, NULL },
    { "credits_per_item", ASBI_FIELD_REAL, MODEL(item_credits), 0, 1e6, NULL },
    { "credits_per_second", ASBI_FIELD_REAL, MODEL(second_credits), 0, 1e6,
      NULL },
    { "default_seconds", ASBI_FIELD_REAL, MODEL(default_seconds), 0, 3600,
      NULL },
    { "size_factors", ASBI_FIELD_TEXT, MODEL(size_factors), 0, 0, NULL },
    { "source", ASBI_FIELD_TEXT, MODEL(source), 0, 0, NULL },
    { "dated", ASBI_FIELD_TEXT, MODEL(dated), 0, 0, NULL },
};

static const struct asbi_field provider_fields[] = {
    { "dialect", ASBI_FIELD_TEXT, PROVIDER(dialect), 0, 0, NULL },
    { "base_url", ASBI_FIELD_TEXT, PROVIDER(base_url), 0, 0, NULL },
    { "key_variable", ASBI_FIELD_TEXT, PROVIDER(key_variable), 0, 0, NULL },
    { "key_optional", ASBI_FIELD_FLAG, PROVIDER(key_optional), 0, 0, NULL },
    { "free", ASBI_FIELD_FLAG, PROVIDER(free), 0, 0, NULL },
    { "structured", ASBI_FIELD_FLAG, PROVIDER(structured), 0, 0, NULL },
    { "max_completion_tokens", ASBI_FIELD_FLAG, PROVIDER(max_completion_tokens),
      0, 0, NULL },
    { "counts_max_tokens", ASBI_FIELD_FLAG, PROVIDER(counts_max_tokens), 0, 0,
      NULL },
    { "limits_apart", ASBI_FIELD_FLAG, PROVIDER(limits_apart), 0, 0, NULL },
    { "requests_per_day", ASBI_FIELD_FLAG, PROVIDER(requests_per_day), 0, 0,
      NULL },
    { "array_items", ASBI_FIELD_COUNT, PROVIDER(array_items), 1, 10000, NULL },
    { "array_tokens", ASBI_FIELD_COUNT, PROVIDER(array_tokens), 1, 1e9, NULL },
    { "batches", ASBI_FIELD_FLAG, PROVIDER(batches), 0, 0, NULL },
    { "batch_percent", ASBI_FIELD_COUNT, PROVIDER(batch_percent), 1, 100,
      NULL },
    { "batch_tokens", ASBI_FIELD_COUNT, PROVIDER(batch_tokens), 1, 1e12, NULL },
    { "path", ASBI_FIELD_TEXT, PROVIDER(path), 0, 0, NULL },
    { "encoding", ASBI_FIELD_TEXT, PROVIDER(encoding), 0, 0, "json|form" },
    { "body", ASBI_FIELD_TEXT, PROVIDER(body), 0, 0, NULL },
    { "texts", ASBI_FIELD_TEXT, PROVIDER(texts), 0, 0, NULL },
    { "one_text", ASBI_FIELD_FLAG, PROVIDER(one_text), 0, 0, NULL },
    { "answers", ASBI_FIELD_TEXT, PROVIDER(answers), 0, 0, NULL },
    { "error", ASBI_FIELD_TEXT, PROVIDER(error), 0, 0, NULL },
    { "message", ASBI_FIELD_TEXT, PROVIDER(message), 0, 0, NULL },
    { "usage", ASBI_FIELD_TEXT, PROVIDER(usage), 0, 0, NULL },
    { "key_header", ASBI_FIELD_TEXT, PROVIDER(key_header), 0, 0, NULL },
    { "bills_characters", ASBI_FIELD_FLAG, PROVIDER(bills_characters), 0, 0,
      NULL },
    { "price", ASBI_FIELD_PRICE, PROVIDER(price), 0, 1e6, NULL },
    { "credit", ASBI_FIELD_MONEY, PROVIDER(credit), 0, 1e6, NULL },
    { "idempotency_header", ASBI_FIELD_TEXT, PROVIDER(idempotency_header), 0, 0,
      NULL },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* One bit of a record's `set` for each. */
_Static_assert(COUNT_OF(model_fields) <= 32, "more fields than bits");
_Static_assert(COUNT_OF(provider_fields) <= 32, "more fields than bits");

const struct asbi_record_kind asbi_model_kind = { "model", model_fields,
                                                  COUNT_OF(model_fields) };
const struct asbi_record_kind asbi_provider_kind = {
    "provider", provider_fields, COUNT_OF(provider_fields)
};

static void *member(void *value, const struct asbi_field *f)
{
    return (char *)value + f->at;
}

/* A text is owned through the const pointer that readers see. */
static const char **owned_text(struct asbi_record *record,
                               const struct asbi_field *f)
{
    return member(&record->value, f);
}

static void free_text(const struct asbi_mem *mem, const char **text)
{
    asbi_free(mem, (void *)(uintptr_t)*text);
    *text = NULL;
}

void asbi_records_init(struct asbi_records *r,
                       const struct asbi_record_kind *kind,
                       const struct asbi_mem *mem)
{
    *r = (struct asbi_records){ .kind = kind, .mem = mem };
}

void asbi_records_fini(struct asbi_records *r)
{
    for (size_t i = 0; i < r->count; i++) {
        asbi_free(r->mem, r->at[i].name);
        for (size_t f = 0; f < r->kind->field_count; f++) {
            if (r->kind->fields[f].type == ASBI_FIELD_TEXT)
                free_text(r->mem, owned_text(&r->at[i], &r->kind->fields[f]));
        }
    }
    asbi_free(r->mem, r->at);
    asbi_records_init(r, r->kind, r->mem);
}

const struct asbi_record *asbi_records_find(const struct asbi_records *r,
                                            asbi_str name)
{
    for (size_t i = 0; i < r->count; i++) {
        if (asbi_str_eq(name, asbi_str_c(r->at[i].name)))
            return &r->at[i];
    }
    return NULL;
}

/* NULL when out of memory or full. */
static struct asbi_record *add(struct asbi_records *r, asbi_str name)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct asbi_record *at = asbi_resize(r->mem, r->at, cap, sizeof(*at));

        if (!at)
            return NULL;
        r->at = at;
        r->cap = cap;
    }
    struct asbi_record *record = &r->at[r->count];
    memset(record, 0, sizeof(*record));
    record->name = asbi_strndup(r->mem, name.at, name.len);
    if (!record->name)
        return NULL;
    r->count++;
    return record;
}

static size_t field_size(const struct asbi_field *f)
{
    switch (f->type) {
    case ASBI_FIELD_TEXT:
        return sizeof(const char *);
    case ASBI_FIELD_COUNT:
        return sizeof(uint64_t);
    case ASBI_FIELD_PRICE:
    case ASBI_FIELD_MONEY:
        return sizeof(int64_t);
    case ASBI_FIELD_REAL:
        return sizeof(double);
    case ASBI_FIELD_FLAG:
        return sizeof(bool);
    }
    return 0;
}

int asbi_records_copy(struct asbi_records *to, const struct asbi_records *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct asbi_record *source = &from->at[i];
        struct asbi_record *copy = add(to, asbi_str_c(source->name));

        if (!copy)
            return ASB_ENOMEM;
        copy->set = source->set;
        for (size_t n = 0; n < from->kind->field_count; n++) {
            const struct asbi_field *f = &from->kind->fields[n];

            if (!(source->set & UINT32_C(1) << n))
                continue;
            if (f->type != ASBI_FIELD_TEXT) {
                memcpy(member(&copy->value, f), member(&source->value, f),
                       field_size(f));
                continue;
            }
            const char *text = *owned_text(source, f);
            char *dup = asbi_strndup(to->mem, text, strlen(text));
            if (!dup)
                return ASB_ENOMEM;
            *owned_text(copy, f) = dup;
        }
    }
    return ASB_OK;
}

void asbi_record_overlay(const struct asbi_record_kind *kind,
                         const struct asbi_record *from, void *value)
{
    for (size_t n = 0; n < kind->field_count; n++) {
        const struct asbi_field *f = &kind->fields[n];

        if (from->set & UINT32_C(1) << n)
            memcpy((char *)value + f->at, (const char *)&from->value + f->at,
                   field_size(f));
    }
}

static const struct asbi_field *find_field(const struct asbi_record_kind *kind,
                                           asbi_str key)
{
    for (size_t n = 0; n < kind->field_count; n++) {
        if (asbi_str_eq(key, asbi_str_c(kind->fields[n].key)))
            return &kind->fields[n];
    }
    return NULL;
}

bool asbi_record_has(const struct asbi_record_kind *kind,
                     const struct asbi_record *record, const char *key)
{
    const struct asbi_field *f = find_field(kind, asbi_str_c(key));

    assert(f);
    return record->set & UINT32_C(1) << (f - kind->fields);
}

/* ---- reading ---------------------------------------------------------- */

static bool parse_count(const struct asbi_field *f, asbi_str s, uint64_t *out)
{
    return asbi_parse_u64(s, out) && (double)*out >= f->least &&
           (double)*out <= f->most;
}

static bool parse_price(const struct asbi_field *f, asbi_str s, int64_t *out)
{
    return asbi_parse_usd(s, out) && *out >= 0 &&
           (double)*out <= f->most * (double)ASBI_USD;
}

static bool parse_real(const struct asbi_field *f, asbi_str s, double *out)
{
    return asbi_parse_double(s, out) && *out >= f->least && *out <= f->most;
}

static bool parse_flag(asbi_str s, bool *out)
{
    *out = asbi_str_eq(s, ASBI_STR("true"));
    return *out || asbi_str_eq(s, ASBI_STR("false"));
}

/* Anything but a text; *to is untouched when it is refused. */
static bool parse_field(const struct asbi_field *f, asbi_str s, void *to)
{
    union {
        uint64_t count;
        int64_t price;
        double real;
        bool flag;
    } v;
    bool ok = false;

    switch (f->type) {
    case ASBI_FIELD_COUNT:
        ok = parse_count(f, s, &v.count);
        break;
    case ASBI_FIELD_PRICE:
    case ASBI_FIELD_MONEY:
        ok = parse_price(f, s, &v.price);
        break;
    case ASBI_FIELD_REAL:
        ok = parse_real(f, s, &v.real);
        break;
    case ASBI_FIELD_FLAG:
        ok = parse_flag(s, &v.flag);
        break;
    case ASBI_FIELD_TEXT:
        break;
    }
    if (ok)
        memcpy(to, &v, field_size(f));
    return ok;
}

static int refuse(const struct asbi_yaml *y, const struct asbi_yaml_node *node,
                  const struct asbi_field *f, struct asb_message *why)
{
    switch (f->type) {
    case ASBI_FIELD_COUNT:
        return asbi_yaml_fail(y, node, why,
                              "%s takes a whole number from %.0f to %.0f",
                              f->key, f->least, f->most);
    case ASBI_FIELD_PRICE:
        return asbi_yaml_fail(y, node, why,
                              "%s takes US dollars per million tokens, such "
                              "as 0.40, at most %.0f",
                              f->key, f->most);
    case ASBI_FIELD_MONEY:
        return asbi_yaml_fail(y, node, why,
                              "%s takes US dollars, such as 0.05, at most "
                              "%.0f",
                              f->key, f->most);
    case ASBI_FIELD_REAL:
        return asbi_yaml_fail(y, node, why, "%s takes a number from %g to %g",
                              f->key, f->least, f->most);
    case ASBI_FIELD_FLAG:
        return asbi_yaml_fail(y, node, why, "%s takes true or false", f->key);
    case ASBI_FIELD_TEXT:
        break;
    }
    if (f->choices)
        return asbi_yaml_fail(y, node, why, "%s takes one of %s", f->key,
                              f->choices);
    return asbi_yaml_fail(y, node, why,
                          "%s takes one line of text of at most 1024 bytes",
                          f->key);
}

static bool is_line(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return false;
    }
    return s.len <= 1024;
}

static int set_field(struct asbi_records *r, struct asbi_record *record,
                     const struct asbi_yaml *y, const struct asbi_field *f,
                     const struct asbi_yaml_node *value,
                     struct asb_message *why)
{
    if (value->type != ASBI_YAML_SCALAR || asbi_yaml_is_null(value))
        return refuse(y, value, f, why);
    if (f->type != ASBI_FIELD_TEXT) {
        if (!parse_field(f, value->text, member(&record->value, f)))
            return refuse(y, value, f, why);
    } else {
        if (!is_line(value->text) ||
            (f->choices && asbi_choice_index(f->choices, value->text) < 0))
            return refuse(y, value, f, why);
        char *text = asbi_strndup(r->mem, value->text.at, value->text.len);
        if (!text)
            return asbi_fail(why, ASB_ENOMEM, "out of memory");
        free_text(r->mem, owned_text(record, f));
        *owned_text(record, f) = text;
    }
    record->set |= UINT32_C(1) << (f - r->kind->fields);
    return ASB_OK;
}

/* The entry of a name, made when there is none. */
static int entry(struct asbi_records *r, const struct asbi_yaml *y,
                 const struct asbi_yaml_node *name, struct asbi_record **out,
                 struct asb_message *why)
{
    const struct asbi_record *found = asbi_records_find(r, name->text);

    *out = found ? &r->at[found - r->at] : NULL;
    if (found)
        return ASB_OK;
    if (name->text.len == 0 || !is_line(name->text))
        return asbi_yaml_fail(y, name, why, "this cannot be the name of a %s",
                              r->kind->noun);
    if (r->count >= ASBI_RECORDS_MAX)
        return asbi_yaml_fail(y, name, why, "more than %d %ss",
                              ASBI_RECORDS_MAX, r->kind->noun);
    *out = add(r, name->text);
    return *out ? ASB_OK : asbi_fail(why, ASB_ENOMEM, "out of memory");
}

int asbi_records_set(struct asbi_records *r, const struct asbi_yaml *y,
                     const struct asbi_yaml_node *name, const char *key,
                     const struct asbi_yaml_node *value,
                     struct asb_message *why)
{
    const struct asbi_field *f = find_field(r->kind, asbi_str_c(key));
    struct asbi_record *record;

    assert(f);
    int rc = entry(r, y, name, &record, why);
    return rc ? rc : set_field(r, record, y, f, value, why);
}

static int unknown_field(const struct asbi_record_kind *kind,
                         const struct asbi_yaml *y,
                         const struct asbi_yaml_node *key,
                         struct asb_message *why)
{
    struct asbi_nearest near;

    asbi_nearest_init(&near, key->text);
    for (size_t n = 0; n < kind->field_count; n++)
        asbi_nearest_offer(&near, asbi_str_c(kind->fields[n].key));
    if (near.best.len)
        return asbi_yaml_fail(y, key, why,
                              "a %s has no \"%.64s\"; did you mean \"%s\"?",
                              kind->noun, key->text.at, near.best.at);
    return asbi_yaml_fail(y, key, why, "a %s has no \"%.64s\"", kind->noun,
                          key->text.at);
}

static int read_entry(struct asbi_records *r, const struct asbi_yaml *y,
                      const struct asbi_yaml_node *name,
                      const struct asbi_yaml_node *map, struct asb_message *why)
{
    struct asbi_record *record;
    int rc = entry(r, y, name, &record, why);

    if (!rc && map->type != ASBI_YAML_MAPPING)
        return asbi_yaml_fail(y, map, why,
                              "a %s is a mapping, such as {%s: ...}",
                              r->kind->noun, r->kind->fields[0].key);
    const struct asbi_yaml_node *key = rc ? NULL : asbi_yaml_first(y, map);
    while (key && !rc) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, key);
        const struct asbi_field *f = find_field(r->kind, key->text);

        rc = f ? set_field(r, record, y, f, value, why)
               : unknown_field(r->kind, y, key, why);
        key = asbi_yaml_after(y, map, value);
    }
    return rc;
}

int asbi_records_read(struct asbi_records *r, const struct asbi_yaml *y,
                      const struct asbi_yaml_node *map, struct asb_message *why)
{
    int rc = ASB_OK;

    if (map->type != ASBI_YAML_MAPPING)
        return asbi_yaml_fail(y, map, why, "a mapping of %ss is wanted here",
                              r->kind->noun);
    const struct asbi_yaml_node *name = asbi_yaml_first(y, map);
    while (name && !rc) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, name);

        rc = read_entry(r, y, name, value, why);
        name = asbi_yaml_after(y, map, value);
    }
    return rc;
}
