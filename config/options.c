#include "config/options.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/catalogue.h"
#include "config/nearest.h"
#include "engine/base/error.h"

/* ---- the table -------------------------------------------------------- */

static bool same_name(asbi_str a, asbi_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.at[i] == '-' ? '_' : a.at[i];
        char y = b.at[i] == '-' ? '_' : b.at[i];

        if (x != y)
            return false;
    }
    return true;
}

bool asbi_option_same_name(asbi_str a, asbi_str b)
{
    return same_name(a, b);
}

const struct asbi_option *asbi_option_row(asbi_str name)
{
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option *row = &asbi_option_table[i];

        if (same_name(name, asbi_str_c(row->info.name)) ||
            (row->alias && same_name(name, asbi_str_c(row->alias))))
            return row;
    }
    return NULL;
}

const char *asbi_option_nearest(asbi_str name)
{
    struct asbi_nearest near;

    asbi_nearest_init(&near, name);
    for (size_t i = 0; i < asbi_option_count; i++)
        asbi_nearest_offer(&near, asbi_str_c(asbi_option_table[i].info.name));
    return near.best.len ? near.best.at : NULL;
}

const struct asb_option_info *asb_option_at(size_t index)
{
    return index < asbi_option_count ? &asbi_option_table[index].info : NULL;
}

const struct asb_option_info *asb_option_find(const char *name)
{
    const struct asbi_option *row = asbi_option_row(asbi_str_c(name));

    return row ? &row->info : NULL;
}

bool asbi_option_variable(const struct asbi_option *row, size_t index,
                          char name[64])
{
    if (index > (row->variable ? 1 : 0))
        return false;
    if (index == 1) {
        (void)snprintf(name, 64, "%s", row->variable);
        return true;
    }
    (void)snprintf(name, 64, "ASYNCBATCH_%s", row->info.name);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return true;
}

/* ---- values ----------------------------------------------------------- */

/* Default or text in place, read into the configuration.  Both were checked:
 * the default by the tests, the text when it was set. */
static void restore(struct asb_options *options, const struct asbi_option *row)
{
    const struct asbi_option_state *state = asbi_option_state(options, row);
    const char *text = state->text ? state->text : row->info.fallback;
    union asbi_value value;

    int rc = asbi_option_parse(row, text, row->info.name, &value, NULL);
    assert(rc == ASB_OK || !state->text);
    if (rc == ASB_OK)
        asbi_option_store(row, value, &options->values);
}

static void restore_name(struct asb_options *options, const char *name)
{
    const struct asbi_option *row = asbi_option_row(asbi_str_c(name));

    assert(row);
    restore(options, row);
}

/* Values that follow from others.  Read anew each time, so that the order in
 * which options are set does not matter. */
static void settle(struct asb_options *options)
{
    enum { FIXED_DEFAULT = 25 };
    struct asbi_config *c = &options->values;

    restore_name(options, "batch_size");
    restore_name(options, "dynamic_sizing");
    restore_name(options, "model");
    if (c->batch_size)
        c->dynamic_sizing = false;
    else if (!c->dynamic_sizing)
        c->batch_size = c->batch_items_max < FIXED_DEFAULT ? c->batch_items_max
                                                           : FIXED_DEFAULT;
    if (!c->model[0] && strcmp(c->provider, "sim") == 0)
        c->model = "sim-1";
}

/* Takes the catalogue, also when it fails; NULL for one that failed. */
static struct asb_options *shell_new(const struct asbi_mem *mem,
                                     struct asbi_catalogue *catalogue)
{
    struct asb_options *options =
        catalogue ? asbi_calloc(mem, 1, sizeof(*options)) : NULL;

    if (!options) {
        asbi_catalogue_free(catalogue);
        return NULL;
    }
    options->mem = mem;
    options->catalogue = catalogue;
    options->states =
        asbi_calloc(mem, asbi_option_count, sizeof(*options->states));
    if (options->states)
        return options;
    asb_options_free(options);
    return NULL;
}

struct asb_options *asbi_options_new(const struct asbi_mem *mem)
{
    struct asb_options *options = shell_new(mem, asbi_catalogue_new(mem));

    if (!options)
        return NULL;
    for (size_t i = 0; i < asbi_option_count; i++)
        restore(options, &asbi_option_table[i]);
    settle(options);
    return options;
}

struct asb_options *asb_options_new(void)
{
    return asbi_options_new(&asbi_mem_system);
}

void asb_options_free(struct asb_options *options)
{
    if (!options)
        return;
    for (size_t i = 0; options->states && i < asbi_option_count; i++)
        asbi_free(options->mem, options->states[i].text);
    asbi_free(options->mem, options->states);
    asbi_catalogue_free(options->catalogue);
    asbi_free(options->mem, options);
}

struct asb_options *asbi_options_copy(const struct asb_options *options,
                                      const struct asbi_mem *mem)
{
    struct asb_options *copy =
        shell_new(mem, asbi_catalogue_copy(options->catalogue, mem));

    if (!copy)
        return NULL;
    for (size_t i = 0; i < asbi_option_count; i++) {
        const struct asbi_option_state *from = &options->states[i];
        struct asbi_option_state *to = &copy->states[i];

        to->origin = from->origin;
        if (from->text) {
            to->text = asbi_strndup(mem, from->text, strlen(from->text));
            if (!to->text) {
                asb_options_free(copy);
                return NULL;
            }
        }
        restore(copy, &asbi_option_table[i]);
    }
    settle(copy);
    copy->prices = options->prices;
    return copy;
}

int asbi_options_set_row(struct asb_options *options,
                         const struct asbi_option *row, const char *value,
                         enum asb_origin origin, const char *place,
                         struct asb_message *why)
{
    struct asbi_option_state *state = asbi_option_state(options, row);
    union asbi_value parsed;

    int rc = asbi_option_parse(row, value, place, &parsed, why);
    if (rc || state->origin > origin)
        return rc;
    char *text = asbi_strndup(options->mem, value, strlen(value));
    if (!text)
        return asbi_fail(why, ASB_ENOMEM, "%s: out of memory", place);
    char *old = state->text;
    state->text = text;
    state->origin = origin;
    restore(options, row);
    settle(options);
    asbi_free(options->mem, old);
    return ASB_OK;
}

/* As it is written in a file, or on a command line. */
static void show_name(const char *name, bool dashed, char *out, size_t size)
{
    (void)snprintf(out, size, "%s%s", dashed ? "--" : "", name);
    for (char *c = out; dashed && *c; c++)
        *c = *c == '_' ? '-' : *c;
}

static int unknown(const char *name, enum asb_origin origin,
                   struct asb_message *why)
{
    bool dashed = origin == ASB_FROM_COMMAND_LINE;
    const char *dashes = dashed ? "--" : "";
    const char *near = asbi_option_nearest(asbi_str_c(name));
    char shown[80];

    if (near) {
        show_name(near, dashed, shown, sizeof(shown));
        return asbi_fail(why, ASB_ENOENT,
                         "%s%.64s: no such option; did you mean %s?", dashes,
                         name, shown);
    }
    return asbi_fail(why, ASB_ENOENT, "%s%.64s: no such option", dashes, name);
}

int asbi_options_set_name(struct asb_options *options, const char *name,
                          const char *value, enum asb_origin origin,
                          struct asb_message *why)
{
    char place[80];

    if (why)
        why->text[0] = '\0';
    if (!options || !name || !value || origin > ASB_FROM_HOST)
        return asbi_fail(why, ASB_EINVAL, "no options, name or value given");
    const struct asbi_option *row = asbi_option_row(asbi_str_c(name));
    if (!row)
        return unknown(name, origin, why);
    show_name(row->info.name, origin == ASB_FROM_COMMAND_LINE, place,
              sizeof(place));
    return asbi_options_set_row(options, row, value, origin, place, why);
}

const char *asbi_option_text(const struct asb_options *options,
                             const struct asbi_option *row)
{
    const struct asbi_option_state *state = asbi_option_state(options, row);

    /* A text may follow from other options: the model of provider sim. */
    if (row->type == ASBI_OPTION_TEXT)
        return *(
            const char *const *)(const void *)((const char *)&options->values +
                                               row->at);
    return state->text ? state->text : row->info.fallback;
}

const char *asb_options_get(const struct asb_options *options, const char *name,
                            enum asb_origin *origin)
{
    const struct asbi_option *row = asbi_option_row(asbi_str_c(name));

    if (!options || !row)
        return NULL;
    if (origin)
        *origin = asbi_option_state(options, row)->origin;
    return asbi_option_text(options, row);
}
