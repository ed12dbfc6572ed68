#include "config/routes.h"

#include <stdio.h>
#include <string.h>

#include "config/nearest.h"
#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"

enum { VALUE_MAX = 1024, PLACE_MAX = 120 };

static const char between_routes = ';', between_fields = ',';

/* What a route says itself, and options that it may have of its own. */
static const char *const own_keys[] = { "name", "weight", "input_price",
                                        "cached_price", "output_price" };
static const char *const option_keys[] = {
    "provider", "model",
    "base_url", "api_key",
    "workers",  "requests_per_minute",
    "rpm",      "tokens_per_minute",
    "tpm",      "structured",
    "stream",
};

enum {
    OWN_KEYS = sizeof(own_keys) / sizeof(own_keys[0]),
    OPTION_KEYS = sizeof(option_keys) / sizeof(option_keys[0]),
};

/* One text being read: without a route to fill in it is only checked. */
struct reading {
    struct asbi_route *route;
    const char *list; /* "routes" */
    bool spares;
    size_t number; /* of the route, from 1 */
    struct asb_message *why;
};

/* ---- parts of the text ------------------------------------------------ */

/* Takes the part before `end` off; false when nothing is left. */
static bool next_part(asbi_str *rest, char end, asbi_str *out)
{
    if (rest->len == 0)
        return false;
    const char *at = memchr(rest->at, end, rest->len);
    size_t len = at ? (size_t)(at - rest->at) : rest->len;
    size_t used = at ? len + 1 : len;

    *out = asbi_str_trim(asbi_str_of(rest->at, len));
    *rest = asbi_str_of(rest->at + used, rest->len - used);
    return true;
}

/* The part after `end`; *s becomes the one before it. */
static bool split(asbi_str *s, char end, asbi_str *after)
{
    const char *at = s->len ? memchr(s->at, end, s->len) : NULL;

    if (!at)
        return false;
    size_t len = (size_t)(at - s->at);
    *after = asbi_str_trim(asbi_str_of(at + 1, s->len - len - 1));
    *s = asbi_str_trim(asbi_str_of(s->at, len));
    return true;
}

static bool is_among(const char *const *names, size_t count, asbi_str key)
{
    for (size_t i = 0; i < count; i++) {
        if (asbi_option_same_name(key, asbi_str_c(names[i])))
            return true;
    }
    return false;
}

static const char *nearest_key(asbi_str key)
{
    struct asbi_nearest near;

    asbi_nearest_init(&near, key);
    for (size_t i = 0; i < OWN_KEYS; i++)
        asbi_nearest_offer(&near, asbi_str_c(own_keys[i]));
    for (size_t i = 0; i < OPTION_KEYS; i++)
        asbi_nearest_offer(&near, asbi_str_c(option_keys[i]));
    return near.best.len ? near.best.at : NULL;
}

/* ---- fields ----------------------------------------------------------- */

static int refuse(const struct reading *r, const char *key, const char *text)
{
    return asbi_fail(r->why, ASB_ECONFIG, "%s, lane %zu: %s: %s", r->list,
                     r->number, key, text);
}

static int set_option(const struct reading *r, const char *key,
                      const char *value)
{
    const struct asbi_option *row = asbi_option_row(asbi_str_c(key));
    char place[PLACE_MAX];
    union asbi_value ignored;

    (void)snprintf(place, sizeof(place), "%s, lane %zu: %s", r->list, r->number,
                   row->info.name);
    if (!r->route)
        return asbi_option_parse(row, value, place, &ignored, r->why);
    return asbi_options_set_row(r->route->options, row, value, ASB_FROM_HOST,
                                place, r->why);
}

static int set_weight(const struct reading *r, asbi_str value)
{
    uint64_t n;

    if (r->spares)
        return refuse(r, "weight",
                      "a fallback has none; they go in their order");
    if (!asbi_parse_u64(value, &n) || n > ASBI_ROUTE_WEIGHT_MOST)
        return refuse(r, "weight",
                      "use a whole number from 0, for a fallback, to 1000");
    if (r->route)
        r->route->weight = (unsigned)n;
    return ASB_OK;
}

static int set_price(const struct reading *r, const char *key, asbi_str value)
{
    int64_t nano;

    if (!asbi_parse_usd(value, &nano) || nano < 0)
        return refuse(r, key, "use US dollars per million tokens");
    if (!r->route)
        return ASB_OK;
    struct asbi_own_prices *p = &r->route->options->prices;
    if (!p->given)
        *p = (struct asbi_own_prices){ true, 0, -1, 0 };
    if (key[0] == 'i')
        p->input = nano;
    else if (key[0] == 'c')
        p->cached = nano;
    else
        p->output = nano;
    return ASB_OK;
}

static int set_name(const struct reading *r, asbi_str value)
{
    struct asbi_route *route = r->route;

    if (value.len == 0 || value.len >= sizeof(route->name) / 2)
        return refuse(r, "name", "use up to 60 bytes");
    if (!route)
        return ASB_OK;
    memcpy(route->name, value.at, value.len);
    route->name[value.len] = '\0';
    return ASB_OK;
}

static int set_own(const struct reading *r, const char *key, asbi_str value)
{
    if (strcmp(key, "weight") == 0)
        return set_weight(r, value);
    if (strcmp(key, "name") == 0)
        return set_name(r, value);
    return set_price(r, key, value);
}

static int set_field(const struct reading *r, asbi_str key, asbi_str value)
{
    char name[ASBI_NEAREST_MAX + 1], text[VALUE_MAX];

    if (key.len >= sizeof(name) || value.len >= sizeof(text))
        return asbi_fail(r->why, ASB_ECONFIG,
                         "%s, lane %zu: a field is too "
                         "long",
                         r->list, r->number);
    memcpy(name, key.at, key.len);
    name[key.len] = '\0';
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    if (is_among(own_keys, OWN_KEYS, key))
        return set_own(r, name, value);
    if (is_among(option_keys, OPTION_KEYS, key))
        return set_option(r, name, text);
    const char *near = nearest_key(key);
    return asbi_fail(r->why, ASB_ECONFIG,
                     "%s, lane %zu: %.64s: a lane has no such key%s%s%s",
                     r->list, r->number, name, near ? "; did you mean " : "",
                     near ? near : "", near ? "?" : "");
}

/* Who names another provider does not mean this one's address and key. */
static int set_provider(const struct reading *r, asbi_str provider)
{
    if (r->route &&
        asbi_str_eq(provider, asbi_str_c(r->route->options->values.provider)))
        return ASB_OK;
    int rc = set_field(r, ASBI_STR("base_url"), ASBI_STR(""));

    if (!rc)
        rc = set_field(r, ASBI_STR("api_key"), ASBI_STR(""));
    return rc ? rc : set_field(r, ASBI_STR("provider"), provider);
}

static int read_field(const struct reading *r, asbi_str field)
{
    asbi_str value = { NULL, 0 }, model = { NULL, 0 };

    if (field.len == 0)
        return asbi_fail(r->why, ASB_ECONFIG,
                         "%s, lane %zu: an empty field; use KEY=VALUE", r->list,
                         r->number);
    if (split(&field, '=', &value))
        return asbi_option_same_name(field, ASBI_STR("provider"))
                   ? set_provider(r, value)
                   : set_field(r, field, value);
    bool both = split(&field, '/', &model);
    int rc = set_provider(r, field);
    return rc || !both ? rc : set_field(r, ASBI_STR("model"), model);
}

static bool names_provider(asbi_str field)
{
    asbi_str value;

    return !split(&field, '=', &value) ||
           asbi_option_same_name(field, ASBI_STR("provider"));
}

/* The provider comes first, whatever the order: see set_provider(). */
static int read_route(const struct reading *r, asbi_str part)
{
    int rc = ASB_OK;

    for (int pass = 0; pass < 2; pass++) {
        asbi_str rest = part, field;

        while (!rc && next_part(&rest, between_fields, &field)) {
            if (names_provider(field) == (pass == 0))
                rc = read_field(r, field);
        }
    }
    return rc;
}

int asbi_routes_check(asbi_str text, bool spares, const char *place,
                      struct asb_message *why)
{
    struct reading r = { .list = place, .spares = spares, .why = why };
    asbi_str part;
    int rc = ASB_OK;

    while (!rc && next_part(&text, between_routes, &part)) {
        if (++r.number > ASBI_ROUTE_MOST)
            return asbi_fail(why, ASB_ECONFIG, "%s: at most %d lanes", place,
                             ASBI_ROUTE_MOST);
        rc = part.len ? read_route(&r, part)
                      : asbi_fail(why, ASB_ECONFIG, "%s, lane %zu: is empty",
                                  place, r.number);
    }
    return rc;
}

/* ---- lanes ------------------------------------------------------------ */

static size_t count_parts(const char *text)
{
    asbi_str rest = asbi_str_c(text), part;
    size_t n = 0;

    while (next_part(&rest, between_routes, &part))
        n++;
    return n;
}

size_t asbi_route_count(const struct asb_options *options)
{
    size_t proper = count_parts(options->values.routes);

    return (proper ? proper : 1) + count_parts(options->values.fallback);
}

static asbi_str part_of(const char *text, size_t index)
{
    asbi_str rest = asbi_str_c(text), part = { NULL, 0 };

    while (next_part(&rest, between_routes, &part) && index-- > 0)
        ;
    return part;
}

static void name_route(struct asbi_route *route)
{
    const struct asbi_config *c = &route->options->values;

    if (!route->name[0])
        (void)snprintf(route->name, sizeof(route->name), "%.48s%s%.72s",
                       c->provider, c->model[0] ? "/" : "", c->model);
}

/* Which part of which text lane `index` is; an empty one: the job's options as
 * they are. */
static asbi_str find_part(const struct asb_options *options, size_t index,
                          struct reading *r)
{
    const struct asbi_config *c = &options->values;
    size_t proper = count_parts(c->routes);
    asbi_str none = { NULL, 0 };

    if (!proper && index == 0)
        return none;
    if (!proper)
        proper = 1;
    r->spares = index >= proper;
    r->list = r->spares ? "fallback" : "routes";
    r->number = r->spares ? index - proper + 1 : index + 1;
    return r->spares ? part_of(c->fallback, index - proper)
                     : part_of(c->routes, index);
}

int asbi_route_read(const struct asb_options *options, size_t index,
                    const struct asbi_mem *mem, struct asbi_route *out,
                    struct asb_message *why)
{
    struct reading r = { .route = out, .why = why };

    *out = (struct asbi_route){ .weight = 1 };
    asbi_str part = find_part(options, index, &r);
    out->options = asbi_options_copy(options, mem);
    if (!out->options)
        return ASB_ENOMEM;
    if (r.spares)
        out->weight = 0;
    int rc = part.len ? read_route(&r, part) : ASB_OK;
    name_route(out);
    return rc;
}

void asbi_route_fini(struct asbi_route *route)
{
    asb_options_free(route->options);
    route->options = NULL;
}

int asbi_route_lead(struct asb_options *options, struct asbi_route *out,
                    struct asb_message *why)
{
    struct reading r = { .route = out, .why = why };

    *out = (struct asbi_route){ .options = options, .weight = 1 };
    asbi_str part = find_part(options, 0, &r);
    int rc = part.len ? read_route(&r, part) : ASB_OK;
    name_route(out);
    return rc;
}

/* ---- YAML ------------------------------------------------------------- */

static int put_pair(const struct asbi_yaml *y, const struct asbi_yaml_node *key,
                    const struct asbi_yaml_node *value, struct asbi_buf *out,
                    struct asb_message *why)
{
    bool known = is_among(own_keys, OWN_KEYS, key->text) ||
                 is_among(option_keys, OPTION_KEYS, key->text);
    const char *near = known ? NULL : nearest_key(key->text);

    if (!known)
        return asbi_yaml_fail(
            y, key, why, "%.64s: a lane has no such key%s%s%s", key->text.at,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    if (value->type != ASBI_YAML_SCALAR || asbi_yaml_is_null(value))
        return asbi_yaml_fail(y, value, why, "%s: takes one value",
                              key->text.at);
    if (memchr(value->text.at, between_fields, value->text.len) ||
        memchr(value->text.at, between_routes, value->text.len))
        return asbi_yaml_fail(y, value, why,
                              "%s: cannot hold a comma or a semicolon",
                              key->text.at);
    asbi_buf_str(out, key->text);
    asbi_buf_char(out, '=');
    asbi_buf_str(out, value->text);
    return ASB_OK;
}

static int put_map(const struct asbi_yaml *y, const struct asbi_yaml_node *map,
                   bool spares, struct asbi_buf *out, struct asb_message *why)
{
    const struct asbi_yaml_node *key = asbi_yaml_first(y, map);
    size_t start = out->len;
    int rc = ASB_OK;

    while (key && !rc) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, key);

        if (out->len > start)
            asbi_buf_char(out, between_fields);
        rc = put_pair(y, key, value, out, why);
        key = asbi_yaml_after(y, map, value);
    }
    if (rc || asbi_buf_failed(out))
        return rc ? rc : ASB_ENOMEM;
    /* What is wrong with a value is said with the place of its lane. */
    struct asb_message told;
    rc = asbi_routes_check(asbi_str_of(out->data + start, out->len - start),
                           spares, "", &told);
    if (rc == ASB_ECONFIG) {
        const char *at = strstr(told.text, ": ");

        return asbi_yaml_fail(y, map, why, "%s", at ? at + 2 : told.text);
    }
    return rc;
}

int asbi_routes_from_yaml(const struct asbi_yaml *y,
                          const struct asbi_yaml_node *list, bool spares,
                          struct asbi_buf *out, struct asb_message *why)
{
    const struct asbi_yaml_node *map = asbi_yaml_first(y, list);
    int rc = ASB_OK;

    for (; map && !rc; map = asbi_yaml_after(y, list, map)) {
        if (map->type != ASBI_YAML_MAPPING || map->count == 0)
            return asbi_yaml_fail(y, map, why,
                                  "a lane is a mapping, such as {provider: "
                                  "groq, model: NAME}");
        if (out->len)
            asbi_buf_char(out, between_routes);
        rc = put_map(y, map, spares, out, why);
    }
    asbi_buf_char(out, '\0');
    return rc ? rc : asbi_buf_failed(out) ? ASB_ENOMEM : ASB_OK;
}
