/*
 * json_pick.h -- reads JSON in pieces of any size and hands over what a table
 * of paths names, so that the replies of a provider are a table.
 *
 * Builds no tree and allocates nothing: memory is one struct whatever the size
 * of the document.  The whole document is held to the grammar, UTF-8 included;
 * what was handed over before a fault stays handed over.  A member that is
 * there twice is told twice.
 */
#ifndef ASBI_ADAPTERS_JSON_PICK_H
#define ASBI_ADAPTERS_JSON_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/json_string.h"
#include "adapters/path_trie.h"
#include "engine/base/json.h"

enum {
    ASBI_PICK_MAX_DEPTH = 64,
    ASBI_PICK_VALUE_MAX = 512, /* bytes of an ASBI_PICK_VALUE */
};

/* `path` is the row in the table of paths.  Texts live for the call. */
struct asbi_pick_sink {
    /* A scalar chosen as a value, at its end: strings unescaped and cut at
     * ASBI_PICK_VALUE_MAX bytes, numbers as written, or empty if longer than
     * that.  Of a container, at its start: its type and an empty text. */
    void (*on_value)(void *arg, unsigned path, enum asbi_json_type type,
                     asbi_str value);
    /* A value chosen as a stream: start, pieces, end.  Of streams that are
     * not strings, only the outermost at a time; it is told piecewise, so
     * other events may come before the text they stand in. */
    void (*on_begin)(void *arg, unsigned path, enum asbi_json_type type);
    void (*on_piece)(void *arg, unsigned path, asbi_str piece);
    void (*on_end)(void *arg, unsigned path);
    void *arg;
};

/* Private but for its size. */
struct asbi_pick {
    const struct asbi_path_trie *trie;
    const struct asbi_pick_sink *sink;
    const char *at, *end; /* of the piece being fed */
    int rc;               /* of the first fault, for ever */
    bool pause;
    uint8_t state;
    uint8_t here;        /* node of the value that comes or is being read */
    uint8_t use;         /* what the string being read is for */
    uint8_t number;      /* state of the number grammar */
    const char *literal; /* rest of true, false, null */
    enum asbi_json_type type;

    unsigned depth;  /* open containers */
    uint64_t arrays; /* bit d: the container at depth d + 1 is an array */
    uint8_t nodes[ASBI_PICK_MAX_DEPTH + 1];
    uint32_t index[ASBI_PICK_MAX_DEPTH + 1];

    bool raw; /* a stream that is no string is being read */
    uint8_t raw_path;
    unsigned raw_depth;
    const char *raw_from;

    struct asbi_json_string string;
    bool cut; /* the text below lacks its end */
    size_t len;
    char text[ASBI_PICK_VALUE_MAX];
};

/* Starts on a document.  Keeps both pointers. */
void asbi_pick_begin(struct asbi_pick *p, const struct asbi_path_trie *trie,
                     const struct asbi_pick_sink *sink);

/**
 * Reads on.  Stops behind the end of the value, at a fault or where a callback
 * asked for a pause; *used says how many bytes were read.
 * @return ASB_OK, ASB_EPARSE when malformed (*used is the place, as is every
 *         later one), or ASB_ETOOBIG when nested too deep
 */
int asbi_pick_feed(struct asbi_pick *p, const char *at, size_t len,
                   size_t *used);

/* No more comes: whether the value is whole.  A number at top level ends
 * here. */
bool asbi_pick_finish(struct asbi_pick *p);

/* The value is whole. */
bool asbi_pick_done(const struct asbi_pick *p);

/* From a callback: feed() returns after the byte that caused it. */
void asbi_pick_pause(struct asbi_pick *p);

/* Where it stands, also after a fault: open containers, and whether inside a
 * string. */
unsigned asbi_pick_depth(const struct asbi_pick *p);
bool asbi_pick_in_string(const struct asbi_pick *p);

#endif
