/*
 * yaml.h -- the door to libyaml: a small document as a flat array of nodes,
 * each with its line and column.
 *
 * Reads one document of scalars, mappings with scalar keys, and sequences.
 * Refuses anchors, aliases and tags, so that nothing can be larger in memory
 * than it is in the file, and repeated keys, so that nothing is lost silently.
 * Depth, size and number of nodes are bounded.
 */
#ifndef ASBI_CONFIG_YAML_H
#define ASBI_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

enum asbi_yaml_type {
    ASBI_YAML_SCALAR,
    ASBI_YAML_MAPPING,
    ASBI_YAML_SEQUENCE,
};

struct asbi_yaml_node {
    enum asbi_yaml_type type;
    bool plain;            /* a scalar without quotes */
    uint32_t line, column; /* from 1; columns count code points */
    uint32_t next;         /* index of the node after this and its children */
    uint32_t count;        /* pairs of a mapping, elements of a sequence */
    asbi_str text;         /* of a scalar: UTF-8, NUL-terminated after len */
};

struct asbi_yaml_limits {
    size_t max_bytes;
    uint32_t max_nodes;
    uint32_t max_depth; /* at most ASBI_YAML_MAX_DEPTH */
};

enum { ASBI_YAML_MAX_DEPTH = 32 };

/* For configuration files: 1 MiB, 65536 nodes, 16 deep. */
extern const struct asbi_yaml_limits asbi_yaml_config_limits;

struct asbi_yaml {
    const struct asbi_mem *mem;
    const char *shown; /* the file's name, for messages; borrowed */
    struct asbi_yaml_node *nodes;
    uint32_t count, cap;
    struct asbi_buf text;
};

/**
 * Reads a whole text.  An empty one gives a document without a root.
 * *y is to be given to asbi_yaml_fini() in any case.
 * @param shown  name of the file for messages; kept until asbi_yaml_fini()
 * @return ASB_OK, ASB_ECONFIG with "file:line:column: cause" in `why`, or
 *         ASB_ENOMEM
 */
int asbi_yaml_parse(struct asbi_yaml *y, const struct asbi_mem *mem,
                    const struct asbi_yaml_limits *limits, const char *text,
                    size_t len, const char *shown, struct asb_message *why);
void asbi_yaml_fini(struct asbi_yaml *y);

/* NULL for an empty document. */
const struct asbi_yaml_node *asbi_yaml_root(const struct asbi_yaml *y);

/* First child of a mapping (a key) or sequence, and the one after `child`:
 * after a key its value, after that the next key.  NULL at the end. */
const struct asbi_yaml_node *
asbi_yaml_first(const struct asbi_yaml *y, const struct asbi_yaml_node *parent);
const struct asbi_yaml_node *
asbi_yaml_after(const struct asbi_yaml *y, const struct asbi_yaml_node *parent,
                const struct asbi_yaml_node *child);

/* The value of a key of a mapping, or NULL. */
const struct asbi_yaml_node *asbi_yaml_get(const struct asbi_yaml *y,
                                           const struct asbi_yaml_node *map,
                                           const char *key);

/* A plain scalar that YAML reads as nothing: empty, ~ or null. */
bool asbi_yaml_is_null(const struct asbi_yaml_node *node);

/* "file:line:column: " before a message.  Returns ASB_ECONFIG. */
int asbi_yaml_fail(const struct asbi_yaml *y, const struct asbi_yaml_node *node,
                   struct asb_message *why, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
