#include "tools/asyncbatch/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

/* What one argument named. */
struct named {
    const struct asb_option_info *info;
    const char **own_value; /* where it goes, or NULL for the engine's */
    bool negated;
};

static int refuse(struct asb_message *why, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(struct asb_message *why, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return rc;
}

/* Dashes and underscores are the same letter. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
            return false;
    }
    return *a == *b;
}

bool args_take(const struct args *args, const struct asb_option_info *info)
{
    return !args->prefix ||
           strncmp(args->prefix, info->name, strlen(args->prefix)) == 0;
}

/* With the prefix first: sim's --seed is sim_seed, not the engine's seed. */
static bool find_engine(const struct args *args, const char *name,
                        struct named *out)
{
    char full[NAME_MAX_BYTES * 2];

    *out = (struct named){ .negated = out->negated };
    if (args->prefix) {
        (void)snprintf(full, sizeof(full), "%s%s", args->prefix, name);
        out->info = asb_option_find(full);
    }
    if (!out->info)
        out->info = asb_option_find(name);
    return out->info && args_take(args, out->info);
}

static bool find_long(const struct args *args, const char *name,
                      struct named *out)
{
    out->negated = false;
    for (const struct args_own *own = args->own; own->info.name; own++) {
        if (same_name(own->info.name, name)) {
            out->info = &own->info;
            out->own_value = own->value;
            return true;
        }
    }
    if (find_engine(args, name, out))
        return true;
    if (strncmp(name, "no-", 3) != 0 && strncmp(name, "no_", 3) != 0)
        return false;
    out->negated = true;
    return find_engine(args, name + 3, out) && !out->info->argument;
}

static bool is_short(const struct asb_option_info *info, char letter)
{
    return info->short_name && info->short_name[0] == letter;
}

static bool find_short(const struct args *args, char letter, struct named *out)
{
    const struct asb_option_info *info;

    *out = (struct named){ 0 };
    for (const struct args_own *own = args->own; own->info.name; own++) {
        if (is_short(&own->info, letter)) {
            out->info = &own->info;
            out->own_value = own->value;
            return true;
        }
    }
    for (size_t i = 0; (info = asb_option_at(i)); i++) {
        if (is_short(info, letter) && args_take(args, info)) {
            out->info = info;
            return true;
        }
    }
    return false;
}

/* The library knows its names and says which one is nearest; to sim's --rmp
 * that is --sim-rpm, which sim takes as well. */
static int refuse_unknown(const struct args *args, const char *name,
                          struct asb_message *why)
{
    bool is_sim = args->prefix && args->prefix[0] != ' ';
    char full[NAME_MAX_BYTES * 2];

    (void)snprintf(full, sizeof(full), "%s%s", is_sim ? args->prefix : "",
                   name);
    if (!asb_option_find(name))
        return asb_options_set(args->options, full, "", ASB_FROM_COMMAND_LINE,
                               why);
    return refuse(why, ASB_ENOENT, "--%s: this command has no such option",
                  name);
}

static int store(const struct args *args, const struct named *found,
                 const char *value, struct asb_message *why)
{
    if (!found->own_value)
        return asb_options_set(args->options, found->info->name, value,
                               ASB_FROM_COMMAND_LINE, why);
    *found->own_value = value;
    return ASB_OK;
}

/* The value of an option: attached, or the next argument, which it uses up. */
static int store_next(const struct args *args, const struct named *found,
                      const char *attached, char ***at, char **end,
                      struct asb_message *why)
{
    const char *shown = **at;

    if (!found->info->argument) {
        if (attached && (found->negated || found->own_value))
            return refuse(why, ASB_ECONFIG, "%s: this option takes no value",
                          shown);
        return store(args, found,
                     attached         ? attached
                     : found->negated ? "false"
                                      : "true",
                     why);
    }
    if (attached)
        return store(args, found, attached, why);
    if (*at + 1 >= end)
        return refuse(why, ASB_ECONFIG, "%s: a value is missing (%s)", shown,
                      found->info->argument);
    *at += 1;
    return store(args, found, **at, why);
}

static int take_long(const struct args *args, char ***at, char **end,
                     struct asb_message *why)
{
    const char *text = **at + 2, *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    char name[NAME_MAX_BYTES];
    struct named found = { 0 };

    if (len >= sizeof(name))
        return refuse(why, ASB_ENOENT, "there is no option of %zu letters",
                      len);
    memcpy(name, text, len);
    name[len] = '\0';
    if (!find_long(args, name, &found))
        return refuse_unknown(args, name, why);
    return store_next(args, &found, equals ? equals + 1 : NULL, at, end, why);
}

/* -x value, -xvalue, and switches run together as in -ab. */
static int take_short(const struct args *args, char ***at, char **end,
                      struct asb_message *why)
{
    for (const char *letter = **at + 1; *letter; letter++) {
        struct named found;

        if (!find_short(args, *letter, &found))
            return refuse(why, ASB_ENOENT, "-%c: unknown option", *letter);
        if (found.info->argument)
            return store_next(args, &found, letter[1] ? letter + 1 : NULL, at,
                              end, why);
        int rc = store(args, &found, "true", why);
        if (rc)
            return rc;
    }
    return ASB_OK;
}

int args_parse(const struct args *args, int argc, char **argv,
               struct asb_message *why)
{
    char **end = argv + argc;
    unsigned positional = 0;
    bool options_ended = false;

    for (char **at = argv; at < end; at++) {
        const char *text = *at;
        int rc = ASB_OK;

        if (!options_ended && strcmp(text, "--") == 0)
            options_ended = true;
        else if (!options_ended && strncmp(text, "--", 2) == 0)
            rc = take_long(args, &at, end, why);
        else if (!options_ended && text[0] == '-' && text[1])
            rc = take_short(args, &at, end, why);
        else if (positional < args->positional_max)
            args->positional[positional++] = text;
        else
            rc = refuse(why, ASB_ECONFIG,
                        "%.200s: this argument belongs to no option", text);
        if (rc)
            return rc;
    }
    if (args->positional)
        args->positional[positional] = NULL;
    return ASB_OK;
}
