/*
 * json.h -- JSON behind one door: json.cc (simdjson) reads, json_write.c
 * writes.
 *
 * Reading gives a flat array of nodes in document order, each with the bytes
 * it was written as, so that a body can be passed through untouched and
 * nothing is copied until it is asked for.  The whole text is validated: UTF-8,
 * grammar, one value and nothing after it.
 */
#ifndef ASBI_BASE_JSON_H
#define ASBI_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

enum asbi_json_type {
    ASBI_JSON_NULL,
    ASBI_JSON_FALSE,
    ASBI_JSON_TRUE,
    ASBI_JSON_NUMBER,
    ASBI_JSON_STRING,
    ASBI_JSON_ARRAY,
    ASBI_JSON_OBJECT,
};

struct asbi_json_node {
    enum asbi_json_type type;
    uint32_t next;  /* index of the node after this one and its children */
    uint32_t count; /* elements of an array, members of an object */
    asbi_str key;   /* of a member, still escaped, without quotes */
    asbi_str raw;   /* the value as written; strings with their quotes */
};

#ifdef __cplusplus
extern "C" {
#endif

/* A parser and the last document it read; reused for the next. */
struct asbi_json;

/* Most nesting that is read; deeper is ASB_ETOOBIG. */
#define ASBI_JSON_MAX_DEPTH 64

/* NULL when out of memory.  `max_bytes` bounds a document. */
struct asbi_json *asbi_json_new(const struct asbi_mem *mem, size_t max_bytes);
void asbi_json_free(struct asbi_json *json);

/**
 * Reads one document.  The text is copied; nodes point into the copy and live
 * until the next parse.
 * @return ASB_OK, ASB_EPARSE, ASB_ETOOBIG or ASB_ENOMEM
 */
int asbi_json_parse(struct asbi_json *json, const char *at, size_t len);

/* Where (byte offset, best effort) and why the last parse failed. */
size_t asbi_json_error_at(const struct asbi_json *json);
const char *asbi_json_error(const struct asbi_json *json);

/* Node 0 of the last document. */
const struct asbi_json_node *asbi_json_root(const struct asbi_json *json);

/* A member of an object by its unescaped name; NULL for none, for NULL and for
 * what is no object.  Of a repeated name the last wins, as elsewhere. */
const struct asbi_json_node *asbi_json_get(const struct asbi_json *json,
                                           const struct asbi_json_node *object,
                                           asbi_str key);

/* First child of an array or object, and the one after `child` in `parent`;
 * NULL at the end. */
const struct asbi_json_node *
asbi_json_child(const struct asbi_json *json,
                const struct asbi_json_node *parent);
const struct asbi_json_node *
asbi_json_after(const struct asbi_json *json,
                const struct asbi_json_node *parent,
                const struct asbi_json_node *child);

/* The text of a string node, unescaped.  Points into the document when
 * nothing was escaped, else into memory of `json` that lives until the next
 * parse.  {NULL, 0} for what is no string or when out of memory; an empty
 * string has a non-NULL `at`. */
asbi_str asbi_json_text(struct asbi_json *json,
                        const struct asbi_json_node *node);

/* As asbi_json_text(), of the node's key. */
asbi_str asbi_json_key(struct asbi_json *json,
                       const struct asbi_json_node *node);

/* Numbers.  False (and *out untouched) for NULL, what is no number, has a
 * fraction, or does not fit. */
bool asbi_json_u64(const struct asbi_json_node *node, uint64_t *out);
bool asbi_json_double(const struct asbi_json_node *node, double *out);

/* Whether the bytes are well-formed UTF-8. */
bool asbi_utf8_valid(const char *at, size_t len);

/* Bytes of the well-formed character at the start, 0 when there is none: for
 * text that is to be mended. */
size_t asbi_utf8_first(asbi_str s);

/* ---- writing: json_write.c ------------------------------------------- */

/* "text" with quotes.  Only what JSON demands is escaped; the bytes must be
 * UTF-8 (what is not is written as U+FFFD). */
void asbi_json_put_string(struct asbi_buf *out, asbi_str text);

/* As put_string, without the quotes around: for text that comes in parts. */
void asbi_json_put_escaped(struct asbi_buf *out, asbi_str text);

/* ,"key": or "key": right after { -- looks at the last byte of `out`. */
void asbi_json_put_key(struct asbi_buf *out, const char *key);

/* A finite number in its shortest exact form; not finite gives null. */
void asbi_json_put_double(struct asbi_buf *out, double value);

/* Nano-dollars as dollars, exactly: 11400 gives 0.0000114. */
void asbi_json_put_usd(struct asbi_buf *out, int64_t nano_usd);

#ifdef __cplusplus
}
#endif

#endif
