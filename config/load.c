#include "config/load.h"

#include <stdio.h>
#include <string.h>

#include "config/catalogue.h"
#include "config/nearest.h"
#include "config/options.h"
#include "config/routes.h"
#include "config/yaml.h"
#include "engine/base/error.h"

enum { PATH_MAX_BYTES = 160, PLACE_MAX = 480 };

struct loader {
    struct asb_options *options;
    struct asbi_yaml y;
    struct asb_message *why;
};

/* One entry of a mapping and the way down to it. */
struct entry {
    const struct asbi_yaml_node *key, *value;
    char path[PATH_MAX_BYTES]; /* "batch_processing.max_workers" */
    size_t prefix_len;         /* of the path: what stands above the key */
};

/* Where a path leads: a row, through one of its keys or by its name. */
struct target {
    const struct asbi_option *row;
    const struct asbi_option_key *key; /* NULL for the option's own name */
    unsigned rank;                     /* 1 is the strongest */
};

/* ---- what can stand in a file ----------------------------------------- */

typedef int (*read_map)(struct loader *l, const struct asbi_yaml_node *map);

static int read_models(struct loader *l, const struct asbi_yaml_node *map)
{
    return asbi_records_read(
        &l->options->catalogue->models[ASBI_CATALOGUE_CONFIG], &l->y, map,
        l->why);
}

static int read_providers(struct loader *l, const struct asbi_yaml_node *map)
{
    return asbi_records_read(
        &l->options->catalogue->providers[ASBI_CATALOGUE_CONFIG], &l->y, map,
        l->why);
}

static int read_windows(struct loader *l, const struct asbi_yaml_node *map)
{
    return asbi_catalogue_read_windows(l->options->catalogue, &l->y, map,
                                       l->why);
}

static int read_latencies(struct loader *l, const struct asbi_yaml_node *map)
{
    return asbi_catalogue_read_latencies(l->options->catalogue, &l->y, map,
                                         l->why);
}

/* Mappings whose keys are names of the user. */
static const struct {
    const char *path;
    read_map read;
} maps[] = {
    { "models", read_models },
    { "providers", read_providers },
    { "batch_processing.model_context_windows", read_windows },
    { "batch_processing.latency_model", read_latencies },
};

enum { MAP_COUNT = sizeof(maps) / sizeof(maps[0]) };

/* Calls back with every path a file may hold, until told to stop. */
static void each_path(bool (*visit)(const char *path, void *arg), void *arg)
{
    for (size_t i = 0; i < MAP_COUNT; i++) {
        if (!visit(maps[i].path, arg))
            return;
    }
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];

        if (!row->command_only && !visit(row->info.name, arg))
            return;
        for (size_t k = 0; k < row->key_count; k++) {
            if (!visit(row->keys[k].path, arg))
                return;
        }
    }
}

static bool is_switch_key(const struct asbi_option_key *key)
{
    return key->on_true || key->on_false;
}

static bool find_target(const struct entry *e, struct target *out)
{
    asbi_str path = asbi_str_c(e->path);

    if (e->prefix_len == 0) {
        *out = (struct target){ asbi_option_row(path), NULL, 2 };
        if (out->row)
            return true;
    }
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];

        for (unsigned k = 0; k < row->key_count; k++) {
            const struct asbi_option_key *key = &row->keys[k];

            if (!asbi_option_same_name(path, asbi_str_c(key->path)))
                continue;
            *out = (struct target){ row, key, is_switch_key(key) ? 1 : k + 3 };
            return true;
        }
    }
    return false;
}

/* ---- values ----------------------------------------------------------- */

static void place_of(const struct loader *l, const struct entry *e,
                     char out[PLACE_MAX])
{
    (void)snprintf(out, PLACE_MAX, "%.200s:%u:%u: %s", l->y.shown,
                   e->value->line, e->value->column, e->path);
}

/* The text that the row is given: NULL for "leave it as it is". */
static int text_of(const struct loader *l, const struct entry *e,
                   const struct target *t, char room[64], const char **out)
{
    const char *text = e->value->text.at;

    *out = text;
    if (!t->key || (!t->key->unit && !is_switch_key(t->key)))
        return ASB_OK;
    if (is_switch_key(t->key)) {
        bool yes = strcmp(text, "true") == 0;

        *out = yes ? t->key->on_true : t->key->on_false;
        if (yes || strcmp(text, "false") == 0)
            return ASB_OK;
        return asbi_yaml_fail(&l->y, e->value, l->why,
                              "%s: takes true or false", e->path);
    }
    size_t len = strlen(text);
    if (len > 0 && len < 40 && strspn(text, "0123456789.") == len) {
        (void)snprintf(room, 64, "%s%s", text, t->key->unit);
        *out = room;
    }
    return ASB_OK;
}

/* Twice the same option by the same right: -batch-size- and -batch_size-. */
static int set_twice(const struct loader *l, const struct entry *e,
                     const struct asbi_option_state *state)
{
    return asbi_yaml_fail(&l->y, e->key, l->why,
                          "%s: is already set in line %u; remove one of them",
                          e->path, state->line);
}

static bool takes_list(const struct asbi_option *row)
{
    return row->type == ASBI_OPTION_ROUTES || row->type == ASBI_OPTION_SPARES;
}

/* Lanes as a list of mappings. */
static int set_list(struct loader *l, const struct entry *e,
                    const struct asbi_option *row)
{
    struct asbi_option_state *state = asbi_option_state(l->options, row);
    struct asbi_buf text;
    char place[PLACE_MAX];

    if (state->rank)
        return set_twice(l, e, state);
    state->rank = 2;
    state->line = e->key->line;
    place_of(l, e, place);
    asbi_buf_init(&text, l->options->mem, ASBI_OPTION_TEXT_MAX);
    int rc = asbi_routes_from_yaml(
        &l->y, e->value, row->type == ASBI_OPTION_SPARES, &text, l->why);
    if (!rc)
        rc = asbi_options_set_row(l->options, row, text.data, ASB_FROM_FILE,
                                  place, l->why);
    asbi_buf_fini(&text);
    return rc;
}

static int set_option(struct loader *l, const struct entry *e,
                      const struct target *t)
{
    struct asbi_option_state *state = asbi_option_state(l->options, t->row);
    char place[PLACE_MAX], room[64];
    const char *text;
    union asbi_value ignored;

    if (t->row->command_only)
        return asbi_yaml_fail(&l->y, e->key, l->why,
                              "%s: is given on the command line, not in a "
                              "file",
                              e->path);
    if (e->value->type == ASBI_YAML_SEQUENCE && takes_list(t->row))
        return set_list(l, e, t->row);
    if (e->value->type != ASBI_YAML_SCALAR)
        return asbi_yaml_fail(
            &l->y, e->value, l->why, "%s: takes one value, not a %s", e->path,
            e->value->type == ASBI_YAML_MAPPING ? "mapping" : "list");
    if (asbi_yaml_is_null(e->value))
        return asbi_yaml_fail(&l->y, e->value, l->why,
                              "%s: has no value; give one or remove the key",
                              e->path);
    int rc = text_of(l, e, t, room, &text);
    if (rc || !text)
        return rc;
    if (state->rank == t->rank)
        return set_twice(l, e, state);
    place_of(l, e, place);
    if (state->rank && state->rank < t->rank)
        return asbi_option_parse(t->row, text, place, &ignored, l->why);
    state->rank = t->rank;
    state->line = e->key->line;
    return asbi_options_set_row(l->options, t->row, text, ASB_FROM_FILE, place,
                                l->why);
}

/* ---- unknown keys ----------------------------------------------------- */

struct lookalike {
    const struct entry *entry;
    struct asbi_nearest near; /* among the keys that may stand here */
    const char *elsewhere;    /* the same key in another place */
};

static bool offer(const char *path, void *arg)
{
    struct lookalike *look = arg;
    size_t prefix = look->entry->prefix_len;
    const char *last = strrchr(path, '.');

    last = last ? last + 1 : path;
    if (asbi_option_same_name(asbi_str_c(last), look->near.wanted))
        look->elsewhere = path;
    if (strncmp(path, look->entry->path, prefix) == 0)
        asbi_nearest_offer(
            &look->near,
            asbi_str_of(path + prefix, strcspn(path + prefix, ".")));
    return true;
}

static int unknown_key(const struct loader *l, const struct entry *e)
{
    struct lookalike look = { .entry = e };

    asbi_nearest_init(&look.near, asbi_str_c(e->path + e->prefix_len));
    each_path(offer, &look);
    if (look.elsewhere)
        return asbi_yaml_fail(&l->y, e->key, l->why,
                              "%s: no such key here; did you mean %s?", e->path,
                              look.elsewhere);
    if (look.near.best.len)
        return asbi_yaml_fail(&l->y, e->key, l->why,
                              "%s: no such key; did you mean %.*s?", e->path,
                              (int)look.near.best.len, look.near.best.at);
    return asbi_yaml_fail(&l->y, e->key, l->why, "%s: no such key", e->path);
}

/* ---- the walk --------------------------------------------------------- */

struct group {
    const char *path;
    bool found;
};

static bool is_inside(const char *path, void *arg)
{
    struct group *g = arg;
    size_t len = strlen(g->path);

    g->found = strncmp(path, g->path, len) == 0 && path[len] == '.';
    return !g->found;
}

static bool is_group(const char *path)
{
    struct group g = { .path = path };

    each_path(is_inside, &g);
    return g.found;
}

static int read_group(struct loader *l, const struct asbi_yaml_node *map,
                      const char *prefix);

static int read_entry(struct loader *l, const struct entry *e)
{
    struct target t;

    if (find_target(e, &t))
        return set_option(l, e, &t);
    for (size_t i = 0; i < MAP_COUNT; i++) {
        if (strcmp(e->path, maps[i].path) == 0)
            return maps[i].read(l, e->value);
    }
    if (!is_group(e->path))
        return unknown_key(l, e);
    if (e->value->type != ASBI_YAML_MAPPING)
        return asbi_yaml_fail(&l->y, e->value, l->why,
                              "%s: takes a mapping of further keys", e->path);
    return read_group(l, e->value, e->path);
}

/* Dashes become underscores, so that paths compare as they are. */
static int fill_entry(const struct loader *l, const char *prefix,
                      struct entry *e)
{
    asbi_str key = e->key->text;
    int len = snprintf(e->path, sizeof(e->path), "%s%s", prefix,
                       prefix[0] ? "." : "");

    e->prefix_len = (size_t)len;
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.at[i];

        if (key.len > 64 || c < 0x20 || c == 0x7f)
            return asbi_yaml_fail(&l->y, e->key, l->why,
                                  "no option has a key like this one");
        e->path[len++] = c == '-' ? '_' : (char)c;
    }
    e->path[len] = '\0';
    return ASB_OK;
}

static int read_group(struct loader *l, const struct asbi_yaml_node *map,
                      const char *prefix)
{
    struct entry e = { .key = asbi_yaml_first(&l->y, map) };
    int rc = ASB_OK;

    while (e.key && !rc) {
        e.value = asbi_yaml_after(&l->y, map, e.key);
        rc = fill_entry(l, prefix, &e);
        if (!rc)
            rc = read_entry(l, &e);
        e.key = asbi_yaml_after(&l->y, map, e.value);
    }
    return rc;
}

int asbi_options_load_text(struct asb_options *options, const char *text,
                           size_t len, const char *shown,
                           struct asb_message *why)
{
    struct loader l = { .options = options, .why = why };

    for (size_t i = 0; i < asbi_option_count; i++)
        options->states[i].rank = options->states[i].line = 0;
    int rc = asbi_yaml_parse(&l.y, options->mem, &asbi_yaml_config_limits, text,
                             len, shown, why);
    const struct asbi_yaml_node *root = rc ? NULL : asbi_yaml_root(&l.y);
    if (root && root->type == ASBI_YAML_MAPPING)
        rc = read_group(&l, root, "");
    else if (root && !asbi_yaml_is_null(root))
        rc = asbi_yaml_fail(&l.y, root, why,
                            "a configuration is a mapping, such as "
                            "\"workers: 8\"");
    asbi_yaml_fini(&l.y);
    return rc;
}
