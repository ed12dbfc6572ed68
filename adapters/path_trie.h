/*
 * path_trie.h -- a table of JSON paths, in the form a reader walks down.
 *
 * A path is names and array indices joined by dots: "choices.0.message".  A
 * segment of digits is an index in an array and a name in an object; "*" is
 * any member or element that no other segment names.  At each level an exact
 * name beats "*", and is not taken back: with "a.b" and "*.c", a.c is not
 * found.
 */
#ifndef ASBI_ADAPTERS_PATH_TRIE_H
#define ASBI_ADAPTERS_PATH_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

enum {
    ASBI_PATH_NODES = 128,   /* most segments in a table, shared ones once */
    ASBI_PATH_ROOT = 0,      /* the node of the document */
    ASBI_PATH_NOWHERE = 255, /* no path leads here */
    ASBI_PATH_NAME_MAX = 48, /* bytes of a segment */
};

/* How a chosen value is handed over. */
enum asbi_path_mode {
    /* Whole and bounded, at its end; a container at its start, without its
     * text. */
    ASBI_PICK_VALUE,
    /* In pieces, unbounded: strings unescaped, all else as it is written. */
    ASBI_PICK_STREAM,
};

struct asbi_path {
    const char *path;
    enum asbi_path_mode mode;
};

struct asbi_path_node {
    const char *name;
    uint8_t name_len;
    uint8_t parent;
    uint8_t first, next; /* child, sibling; 0 for none */
    uint8_t any;         /* the child for any name or index; 0 for none */
    uint8_t same;        /* the next of its bucket; 0 for none */
    bool chosen;         /* a path ends here, ... */
    uint8_t path;        /* ... this one of the table */
    uint8_t mode;
    uint32_t index; /* of an array; UINT32_MAX for a name */
};

struct asbi_path_trie {
    struct asbi_path_node nodes[ASBI_PATH_NODES];
    size_t count;
    uint8_t buckets[256]; /* first node of a parent, length and letter */
};

/* Keeps pointers into the paths, which are static tables: one that is too
 * large is our own bug. */
void asbi_path_trie_init(struct asbi_path_trie *t,
                         const struct asbi_path *paths, size_t count);

/* The child of `node` with that name, in an object, or at that index, in an
 * array; ASBI_PATH_NOWHERE for none. */
uint8_t asbi_path_trie_name(const struct asbi_path_trie *t, uint8_t node,
                            asbi_str name);
uint8_t asbi_path_trie_index(const struct asbi_path_trie *t, uint8_t node,
                             uint32_t index);

#endif
