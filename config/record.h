/*
 * record.h -- named entries of the catalogue, described by a table of fields.
 *
 * An entry knows which of its fields are set, so that a user's entry can lie
 * over the built-in one and change only what it names.
 */
#ifndef ASBI_CONFIG_RECORD_H
#define ASBI_CONFIG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/yaml.h"
#include "engine/base/mem.h"

enum asbi_field_type {
    ASBI_FIELD_TEXT,  /* const char *, owned by the record */
    ASBI_FIELD_COUNT, /* uint64_t in [least, most] */
    ASBI_FIELD_PRICE, /* USD per 10^6 tokens -> int64_t nano-dollars */
    ASBI_FIELD_MONEY, /* USD -> int64_t nano-dollars */
    ASBI_FIELD_REAL,  /* double in [least, most] */
    ASBI_FIELD_FLAG,  /* bool */
};

struct asbi_field {
    const char *key;
    enum asbi_field_type type;
    size_t at; /* offset in the value */
    double least, most;
    const char *choices; /* of a text: "one|two"; NULL for any */
};

/* At most 32 fields: a record has one bit for each. */
struct asbi_record_kind {
    const char *noun; /* "model", for messages */
    const struct asbi_field *fields;
    size_t field_count;
};

extern const struct asbi_record_kind asbi_model_kind, asbi_provider_kind;

struct asbi_record {
    char *name;
    uint32_t set; /* bit i: field i has a value */
    union {
        struct asbi_model model;
        struct asbi_provider provider;
    } value;
};

struct asbi_records {
    const struct asbi_record_kind *kind;
    const struct asbi_mem *mem;
    struct asbi_record *at;
    size_t count, cap;
};

/* Most entries of one list. */
enum { ASBI_RECORDS_MAX = 4096 };

void asbi_records_init(struct asbi_records *r,
                       const struct asbi_record_kind *kind,
                       const struct asbi_mem *mem);
void asbi_records_fini(struct asbi_records *r);

/* Into an initialised, empty list.  ASB_OK or ASB_ENOMEM. */
int asbi_records_copy(struct asbi_records *to, const struct asbi_records *from);

/* NULL for none. */
const struct asbi_record *asbi_records_find(const struct asbi_records *r,
                                            asbi_str name);

/* Sets one field of an entry, made when there is none, from a scalar.  ASB_OK,
 * ASB_ECONFIG with file, line and column, or ASB_ENOMEM. */
int asbi_records_set(struct asbi_records *r, const struct asbi_yaml *y,
                     const struct asbi_yaml_node *name, const char *key,
                     const struct asbi_yaml_node *value,
                     struct asb_message *why);

/* Reads a mapping of names to mappings of fields over what is there. */
int asbi_records_read(struct asbi_records *r, const struct asbi_yaml *y,
                      const struct asbi_yaml_node *map,
                      struct asb_message *why);

/* Copies the fields that are set in `from` into a value; strings are shared. */
void asbi_record_overlay(const struct asbi_record_kind *kind,
                         const struct asbi_record *from, void *value);

/* Whether a record has a value for `key`. */
bool asbi_record_has(const struct asbi_record_kind *kind,
                     const struct asbi_record *record, const char *key);

#endif
