/*
 * packed_answer.h -- finds the items in the text a model answered with, while
 * it comes in.
 *
 * The text should be {"items":[{"id":...,"output":...}, ...]}.  Models wrap it
 * in prose, in code fences, in another object, behind a <think> block, leave
 * the outer object away, get cut, or write an item that is no JSON.  What
 * counts are the objects directly in the first array that will do; whatever
 * stands in strings is text and is never looked into, later arrays are left
 * alone.  Each item is told as soon as its closing brace is read.
 *
 * Judges no id: an unknown or repeated one is told like any other.
 */
#ifndef ASBI_ADAPTERS_PACKED_ANSWER_H
#define ASBI_ADAPTERS_PACKED_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/json_pick.h"
#include "engine/base/buf.h"

/* One item, valid for the call.  `output` is JSON text when `is_json`; its
 * `at` is NULL when there was an answer, but it could not be kept. */
typedef void (*asbi_packed_cb)(void *arg, asbi_str id, asbi_str output,
                               bool is_json);

/* What all readers share: what they look for.  Private. */
struct asbi_packed_paths {
    struct asbi_path_trie frame, item;
};

void asbi_packed_paths_init(struct asbi_packed_paths *paths);

/* Private but for its size. */
struct asbi_packed_answer {
    asbi_packed_cb on_item;
    void *arg;
    size_t max_element;
    const struct asbi_packed_paths *paths;
    struct asbi_pick_sink frame_sink, item_sink;
    struct asbi_pick pick;

    /* -- of the text */
    uint8_t state;
    uint8_t matched; /* bytes of the tag that is looked for */
    bool named;      /* the array is the value of "items" */
    bool junk;       /* something in the array was malformed */
    size_t items;    /* told, of the array */
    bool found;

    /* -- of a malformed element that is being skipped */
    unsigned depth;
    bool in_string, escaped, newlines;

    /* -- of the element being read */
    size_t element_len;
    bool has_id, has_output, has_spare, is_json;
    unsigned strings; /* members besides id and output */
    uint8_t taking;   /* what goes to `output` now */
    size_t id_len;
    char id[ASBI_PICK_VALUE_MAX];
    struct asbi_buf output; /* kept from text to text */
};

/* Allocates nothing yet; keeps `paths`.  Of an element of more than
 * `max_element` bytes, or one there is no memory for, only the id is told: who
 * hears another answer for it must know that it is not the only one. */
void asbi_packed_init(struct asbi_packed_answer *a, const struct asbi_mem *mem,
                      const struct asbi_packed_paths *paths, size_t max_element,
                      asbi_packed_cb on_item, void *arg);
void asbi_packed_fini(struct asbi_packed_answer *a);

/* Starts on a text. */
void asbi_packed_begin(struct asbi_packed_answer *a);
void asbi_packed_feed(struct asbi_packed_answer *a, asbi_str piece);

/* An array of items was there: one that is whole, or has told an item. */
bool asbi_packed_found(const struct asbi_packed_answer *a);

#endif
