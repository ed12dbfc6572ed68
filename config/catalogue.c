#include "config/catalogue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/nearest.h"
#include "engine/base/error.h"

enum {
    ASSUMED_CONTEXT = 128000,
    ASSUMED_MAX_OUTPUT = 8192,
    HALF_PRICE = 50, /* percent, for what is handed in in bulk */
};

/* ---- layers ----------------------------------------------------------- */

static struct asbi_catalogue *empty_new(const struct asbi_mem *mem)
{
    struct asbi_catalogue *c = asbi_calloc(mem, 1, sizeof(*c));

    if (!c)
        return NULL;
    c->mem = mem;
    c->default_context = ASSUMED_CONTEXT;
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        asbi_records_init(&c->models[i], &asbi_model_kind, mem);
        asbi_records_init(&c->providers[i], &asbi_provider_kind, mem);
    }
    return c;
}

void asbi_catalogue_free(struct asbi_catalogue *c)
{
    if (!c)
        return;
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        asbi_records_fini(&c->models[i]);
        asbi_records_fini(&c->providers[i]);
    }
    asbi_free(c->mem, c->file);
    asbi_free(c->mem, c);
}

struct asbi_catalogue *asbi_catalogue_copy(const struct asbi_catalogue *from,
                                           const struct asbi_mem *mem)
{
    struct asbi_catalogue *c = empty_new(mem);
    int rc = c ? ASB_OK : ASB_ENOMEM;

    for (int i = 0; i < ASBI_CATALOGUE_LAYERS && !rc; i++) {
        rc = asbi_records_copy(&c->models[i], &from->models[i]);
        if (!rc)
            rc = asbi_records_copy(&c->providers[i], &from->providers[i]);
    }
    if (!rc && from->file) {
        c->file = asbi_strndup(mem, from->file, strlen(from->file));
        rc = c->file ? ASB_OK : ASB_ENOMEM;
    }
    if (rc) {
        asbi_catalogue_free(c);
        return NULL;
    }
    c->default_context = from->default_context;
    c->default_latency = from->default_latency;
    return c;
}

static int read_top(struct asbi_catalogue *c, enum asbi_catalogue_layer layer,
                    const struct asbi_yaml *y, const struct asbi_yaml_node *key,
                    const struct asbi_yaml_node *value, struct asb_message *why)
{
    if (asbi_str_eq(key->text, ASBI_STR("models")))
        return asbi_records_read(&c->models[layer], y, value, why);
    if (asbi_str_eq(key->text, ASBI_STR("providers")))
        return asbi_records_read(&c->providers[layer], y, value, why);
    return asbi_yaml_fail(y, key, why,
                          "a catalogue has no \"%.64s\", only \"models\" and "
                          "\"providers\"",
                          key->text.at);
}

static int read_layer(struct asbi_catalogue *c, enum asbi_catalogue_layer layer,
                      const char *text, size_t len, const char *shown,
                      struct asb_message *why)
{
    struct asbi_yaml y;

    int rc = asbi_yaml_parse(&y, c->mem, &asbi_yaml_config_limits, text, len,
                             shown, why);
    const struct asbi_yaml_node *root = rc ? NULL : asbi_yaml_root(&y);
    if (root && root->type != ASBI_YAML_MAPPING && !asbi_yaml_is_null(root))
        rc = asbi_yaml_fail(&y, root, why, "a catalogue is a mapping");
    const struct asbi_yaml_node *key = NULL;
    if (!rc && root && root->type == ASBI_YAML_MAPPING)
        key = asbi_yaml_first(&y, root);
    while (key && !rc) {
        const struct asbi_yaml_node *value = asbi_yaml_after(&y, root, key);

        rc = read_top(c, layer, &y, key, value, why);
        key = asbi_yaml_after(&y, root, value);
    }
    asbi_yaml_fini(&y);
    return rc;
}

struct asbi_catalogue *asbi_catalogue_new(const struct asbi_mem *mem)
{
    struct asbi_catalogue *c = empty_new(mem);

    if (c && read_layer(c, ASBI_CATALOGUE_BUILTIN,
                        (const char *)asbi_catalogue_builtin,
                        asbi_catalogue_builtin_len, "models.yaml", NULL)) {
        asbi_catalogue_free(c);
        return NULL;
    }
    return c;
}

int asbi_catalogue_load(struct asbi_catalogue *c, const char *text, size_t len,
                        const char *shown, struct asb_message *why)
{
    asbi_free(c->mem, c->file);
    c->file = NULL;
    asbi_records_fini(&c->models[ASBI_CATALOGUE_FILE]);
    asbi_records_fini(&c->providers[ASBI_CATALOGUE_FILE]);
    int rc = read_layer(c, ASBI_CATALOGUE_FILE, text, len, shown, why);
    if (rc)
        return rc;
    c->file = asbi_strndup(c->mem, shown, strlen(shown));
    return c->file ? ASB_OK : asbi_fail(why, ASB_ENOMEM, "out of memory");
}

/* ---- maps of the batch_processing block ------------------------------- */

/* One record to hold what is given for "default". */
static int read_default(struct asbi_catalogue *c, const struct asbi_yaml *y,
                        const struct asbi_yaml_node *name, const char *field,
                        const struct asbi_yaml_node *value,
                        struct asb_message *why)
{
    struct asbi_records one;

    asbi_records_init(&one, &asbi_model_kind, c->mem);
    int rc = asbi_records_set(&one, y, name, field, value, why);
    if (!rc) {
        const struct asbi_model *m = &one.at[0].value.model;

        if (m->context_tokens)
            c->default_context = m->context_tokens;
        if (m->latency_ms_per_token > 0)
            c->default_latency = m->latency_ms_per_token;
    }
    asbi_records_fini(&one);
    return rc;
}

static int read_map(struct asbi_catalogue *c, const struct asbi_yaml *y,
                    const struct asbi_yaml_node *map, const char *field,
                    struct asb_message *why)
{
    int rc = ASB_OK;

    if (map->type != ASBI_YAML_MAPPING)
        return asbi_yaml_fail(y, map, why,
                              "a mapping of models to numbers is wanted here");
    const struct asbi_yaml_node *name = asbi_yaml_first(y, map);
    while (name && !rc) {
        const struct asbi_yaml_node *value = asbi_yaml_after(y, map, name);

        if (asbi_str_eq(name->text, ASBI_STR("default")))
            rc = read_default(c, y, name, field, value, why);
        else
            rc = asbi_records_set(&c->models[ASBI_CATALOGUE_CONFIG], y, name,
                                  field, value, why);
        name = asbi_yaml_after(y, map, value);
    }
    return rc;
}

int asbi_catalogue_read_windows(struct asbi_catalogue *c,
                                const struct asbi_yaml *y,
                                const struct asbi_yaml_node *map,
                                struct asb_message *why)
{
    return read_map(c, y, map, "context", why);
}

int asbi_catalogue_read_latencies(struct asbi_catalogue *c,
                                  const struct asbi_yaml *y,
                                  const struct asbi_yaml_node *map,
                                  struct asb_message *why)
{
    return read_map(c, y, map, "latency_ms_per_token", why);
}

/* ---- models ----------------------------------------------------------- */

static const char *known_model(const struct asbi_catalogue *c, asbi_str name)
{
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        const struct asbi_record *r = asbi_records_find(&c->models[i], name);

        if (r)
            return r->name;
    }
    return NULL;
}

/* Matches the end of a name: '0' any digit, else the character itself. */
static bool ends_like(asbi_str s, const char *pattern)
{
    size_t len = strlen(pattern);

    if (s.len <= len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = s.at[s.len - len + i];

        if (pattern[i] == '0' ? !isdigit((unsigned char)c) : c != pattern[i])
            return false;
    }
    return true;
}

static const char *known_or_dated(const struct asbi_catalogue *c, asbi_str name)
{
    static const char *const endings[] = { "-0000-00-00", "-00000000",
                                           "-latest" };
    const char *known = known_model(c, name);

    for (size_t i = 0; !known && i < 3; i++) {
        if (ends_like(name, endings[i]))
            known = known_model(
                c, asbi_str_of(name.at, name.len - strlen(endings[i])));
    }
    return known;
}

/* The name in the catalogue that a model's name stands for, or NULL. */
static const char *resolve(const struct asbi_catalogue *c, const char *name)
{
    const char *known = known_or_dated(c, asbi_str_c(name));
    const char *slash = strrchr(name, '/');

    return known || !slash ? known : known_or_dated(c, asbi_str_c(slash + 1));
}

/* Whether a price by the piece or by the second is told. */
static bool is_media(const struct asbi_record_kind *kind,
                     const struct asbi_record *r)
{
    return asbi_record_has(kind, r, "per_item") ||
           asbi_record_has(kind, r, "per_second") ||
           asbi_record_has(kind, r, "credits_per_item") ||
           asbi_record_has(kind, r, "credits_per_second");
}

/* Lays all layers of a name over *out; says whether its prices are known and
 * whether it is a listed model, more than a window or a latency. */
static void overlay_model(const struct asbi_catalogue *c, const char *name,
                          struct asbi_model *out)
{
    bool input = false, cached = false, output = false, media = false;

    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        const struct asbi_record_kind *kind = &asbi_model_kind;
        const struct asbi_record *r =
            asbi_records_find(&c->models[i], asbi_str_c(name));

        if (!r)
            continue;
        asbi_record_overlay(kind, r, out);
        input = input || asbi_record_has(kind, r, "input");
        cached = cached || asbi_record_has(kind, r, "cached");
        output = output || asbi_record_has(kind, r, "output");
        media = media || is_media(kind, r);
        if (asbi_record_has(kind, r, "max_output") || input || output || media)
            out->assumed = false;
    }
    out->priced = media || (input && output);
    if (!input || !output)
        out->input_price = out->output_price = out->cached_price =
            out->cache_write_price = 0;
    else if (!cached)
        out->cached_price = out->input_price;
}

static void assume(const struct asbi_catalogue *c, const char *name,
                   struct asbi_model *out)
{
    *out = (struct asbi_model){
        .name = name,
        .provider = "",
        .context_tokens = c->default_context,
        .latency_ms_per_token = c->default_latency,
        .tokenizer = "o200k",
        .token_factor = 1,
        .source = "assumed",
        .dated = "",
        .assumed = true,
    };
}

/* What a model costs elsewhere says nothing where many offer it. */
static void price_by_host(const struct asb_options *options,
                          struct asbi_model *out)
{
    if (!out->hosted || strcmp(out->provider, options->values.provider) == 0)
        return;
    out->input_price = out->cached_price = out->output_price = 0;
    out->cache_write_price = 0;
    out->priced = false;
}

/* What is free or simulated has a price whatever the model. */
static void price_by_provider(const struct asb_options *options,
                              struct asbi_model *out)
{
    const char *name = options->values.provider;
    struct asbi_provider provider;

    if (asbi_catalogue_provider(options, name, &provider, NULL))
        return;
    if (strcmp(provider.dialect, "json") == 0)
        out->assumed = false; /* what it would assume means nothing there */
    if (provider.free) {
        out->input_price = out->cached_price = out->output_price = 0;
        out->cache_write_price = 0;
        out->priced = true;
    } else if (strcmp(provider.dialect, "json") == 0) {
        out->input_price = out->cached_price = provider.price;
        out->output_price = out->cache_write_price = 0;
        out->priced = provider.price > 0;
    } else if (strcmp(name, "sim") == 0 && !out->priced) {
        struct asbi_model sim;

        assume(options->catalogue, "sim-1", &sim);
        overlay_model(options->catalogue, "sim-1", &sim);
        out->input_price = sim.input_price;
        out->cached_price = sim.cached_price;
        out->output_price = sim.output_price;
        out->priced = sim.priced;
        assume(options->catalogue, "sim-video", &sim);
        overlay_model(options->catalogue, "sim-video", &sim);
        out->second_price = sim.second_price;
        out->default_seconds = sim.default_seconds;
    }
}

/* A lane's own prices beat what is known of its model. */
static void price_by_lane(const struct asb_options *options, const char *name,
                          struct asbi_model *out)
{
    const struct asbi_own_prices *own = &options->prices;

    if (!own->given || strcmp(name, options->values.model) != 0)
        return;
    out->input_price = out->cache_write_price = own->input;
    out->cached_price = own->cached < 0 ? own->input : own->cached;
    out->output_price = own->output;
    out->priced = true;
}

void asbi_catalogue_model(const struct asb_options *options, const char *name,
                          struct asbi_model *out)
{
    const struct asbi_catalogue *c = options->catalogue;
    const char *known = resolve(c, name);

    assume(c, known ? known : name, out);
    if (known)
        overlay_model(c, known, out);
    price_by_host(options, out);
    price_by_provider(options, out);
    price_by_lane(options, name, out);
    if (!out->max_output_tokens)
        out->max_output_tokens = out->context_tokens / 2 < ASSUMED_MAX_OUTPUT
                                     ? out->context_tokens / 2
                                     : ASSUMED_MAX_OUTPUT;
    if (out->max_output_tokens > out->context_tokens)
        out->max_output_tokens = out->context_tokens;
}

void asbi_catalogue_entry(const struct asbi_catalogue *c, const char *name,
                          struct asbi_model *out)
{
    assume(c, name, out);
    overlay_model(c, name, out);
}

const char *asbi_catalogue_model_of(const struct asbi_catalogue *c,
                                    const char *provider, size_t index)
{
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        for (size_t n = 0; n < c->models[i].count; n++) {
            const char *name = c->models[i].at[n].name;
            struct asbi_model m;

            assume(c, name, &m);
            overlay_model(c, name, &m);
            bool earlier = false;
            for (int j = 0; j < i; j++)
                earlier = earlier ||
                          asbi_records_find(&c->models[j], asbi_str_c(name));
            if (!earlier && (!provider || strcmp(m.provider, provider) == 0) &&
                index-- == 0)
                return name;
        }
    }
    return NULL;
}

/* ---- providers -------------------------------------------------------- */

static int unknown_provider(const struct asbi_catalogue *c, const char *name,
                            struct asb_message *why)
{
    struct asbi_nearest near;
    char names[512] = "";
    size_t len = 0;

    asbi_nearest_init(&near, asbi_str_c(name));
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        for (size_t n = 0; n < c->providers[i].count; n++) {
            const char *known = c->providers[i].at[n].name;

            asbi_nearest_offer(&near, asbi_str_c(known));
            if (len + strlen(known) + 3 < sizeof(names))
                len += (size_t)snprintf(names + len, sizeof(names) - len,
                                        "%s%s", len ? ", " : "", known);
        }
    }
    if (near.best.len)
        return asbi_fail(why, ASB_ENOENT,
                         "provider \"%.64s\" is not known; did you mean "
                         "\"%s\"? Known are: %s",
                         name, near.best.at, names);
    return asbi_fail(why, ASB_ENOENT,
                     "provider \"%.64s\" is not known; known are: %s. For a "
                     "server that speaks OpenAI's chat completions use "
                     "provider openai with base_url",
                     name, names);
}

int asbi_catalogue_provider(const struct asb_options *options, const char *name,
                            struct asbi_provider *out, struct asb_message *why)
{
    const struct asbi_catalogue *c = options->catalogue;
    bool found = false;

    *out = (struct asbi_provider){
        .name = "",
        .dialect = "openai",
        .base_url = "",
        .key_variable = "",
        .batch_percent = HALF_PRICE,
    };
    for (int i = 0; i < ASBI_CATALOGUE_LAYERS; i++) {
        const struct asbi_record *r =
            asbi_records_find(&c->providers[i], asbi_str_c(name));

        if (!r)
            continue;
        asbi_record_overlay(&asbi_provider_kind, r, out);
        out->name = r->name;
        found = true;
    }
    return found ? ASB_OK : unknown_provider(c, name, why);
}
