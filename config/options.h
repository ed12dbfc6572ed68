/*
 * options.h -- the one table of options and what is read from it.
 *
 * Defaults, range checks, --help, environment and YAML all read the table in
 * option_table.c; nothing else names an option.  Nothing here opens a file or
 * looks into the environment: engine/api_options.c does and hands in text.
 */
#ifndef ASBI_CONFIG_OPTIONS_H
#define ASBI_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

/* Each type stores into one type of member of struct asbi_config. */
enum asbi_option_type {
    ASBI_OPTION_TEXT,     /* const char * */
    ASBI_OPTION_PATH,     /* const char * */
    ASBI_OPTION_SECRET,   /* const char *: a reference, never a value */
    ASBI_OPTION_ROUTES,   /* const char *: see routes.h */
    ASBI_OPTION_SPARES,   /* the same, of lanes that take over */
    ASBI_OPTION_CHOICE,   /* const char *, one of `argument` */
    ASBI_OPTION_INDEX,    /* enum: place in `argument` */
    ASBI_OPTION_EITHER,   /* bool: the second of two in `argument` */
    ASBI_OPTION_SWITCH,   /* bool */
    ASBI_OPTION_COUNT,    /* uint64_t */
    ASBI_OPTION_DURATION, /* uint64_t nanoseconds; bare numbers are seconds */
    ASBI_OPTION_SIZE,     /* uint64_t bytes */
    ASBI_OPTION_MONEY,    /* int64_t nano-dollars */
    ASBI_OPTION_REAL,     /* double */
};

/* A place in a YAML file that sets an option, beside the option's own name. */
struct asbi_option_key {
    const char *path; /* "batch_processing.max_workers" */
    const char *unit; /* put after a bare number: "ms"; NULL for none */
    /* For keys that are a switch while their option is not: what true and
     * false set; NULL leaves the option as it is. */
    const char *on_true, *on_false;
};

struct asbi_option {
    struct asb_option_info info; /* `argument` of choices is "one|two" */
    enum asbi_option_type type;
    size_t at;         /* offset in struct asbi_config */
    uint64_t min, max; /* of counts, durations, sizes and money */
    double real_min, real_max;
    const char *word; /* stands for `word_value`: "auto"; NULL for none */
    int64_t word_value;
    const char *alias;    /* second name, or NULL */
    const char *variable; /* environment variable beside ASYNCBATCH_<NAME> */
    const struct asbi_option_key *keys; /* strongest first */
    size_t key_count;
    bool command_only; /* means nothing in a file */
};

extern const struct asbi_option asbi_option_table[];
extern const size_t asbi_option_count;

/* What is known of one row in one struct asb_options. */
struct asbi_option_state {
    char *text; /* as set; NULL while the default holds */
    enum asb_origin origin;
    unsigned line, rank; /* load.c: where and how strongly this file set it */
};

union asbi_value {
    const char *text; /* borrowed from what was parsed */
    uint64_t count;
    int64_t money;
    double real;
    bool yes;
    unsigned index;
};

/* Longest text of a value. */
enum { ASBI_OPTION_TEXT_MAX = 65535 };

/* A row by name or alias, dashes and underscores alike; NULL for none. */
const struct asbi_option *asbi_option_row(asbi_str name);

/* The known name nearest to one that is not known, or NULL. */
const char *asbi_option_nearest(asbi_str name);

/* Whether two names are the same but for dashes and underscores. */
bool asbi_option_same_name(asbi_str a, asbi_str b);

/* Reads and checks a value.  `place` ("pipeline.yaml:3:5: workers", "--budget")
 * starts the message.  ASB_OK or ASB_ECONFIG. */
int asbi_option_parse(const struct asbi_option *row, const char *text,
                      const char *place, union asbi_value *out,
                      struct asb_message *why);

/* Place of `text` among "one|two|three", or -1. */
int asbi_choice_index(const char *choices, asbi_str text);

/* Puts a value where it belongs. */
void asbi_option_store(const struct asbi_option *row, union asbi_value value,
                       struct asbi_config *config);

/* All defaults, with the built-in catalogue.  NULL when out of memory. */
struct asb_options *asbi_options_new(const struct asbi_mem *mem);

/* As asb_options_set(), of a known row, with `place` for the message. */
int asbi_options_set_row(struct asb_options *options,
                         const struct asbi_option *row, const char *value,
                         enum asb_origin origin, const char *place,
                         struct asb_message *why);

/* As asb_options_set(), by name. */
int asbi_options_set_name(struct asb_options *options, const char *name,
                          const char *value, enum asb_origin origin,
                          struct asb_message *why);

static inline struct asbi_option_state *
asbi_option_state(const struct asb_options *options,
                  const struct asbi_option *row)
{
    return &options->states[row - asbi_option_table];
}

/* The value as text, as asb_options_get(). */
const char *asbi_option_text(const struct asb_options *options,
                             const struct asbi_option *row);

/* Environment variable `index` of a row, strongest first, into `name`; false
 * past the last. */
bool asbi_option_variable(const struct asbi_option *row, size_t index,
                          char name[64]);

/* asb_options_check() but for texts whose form only their users know. */
int asbi_options_check(const struct asb_options *options,
                       struct asb_message *why);

/* What is worth saying but stops nothing; false past the last. */
bool asbi_options_warning(const struct asb_options *options, size_t index,
                          struct asb_message *out);

#endif
