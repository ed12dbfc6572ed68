/*
 * rows.h -- makes rows of what a format has read: numbers them, gives nameless
 * ones an id, says what is wrong with bad ones, and holds the rules for fields
 * that all formats share.
 *
 * Knows nothing of bytes and pieces.  No message contains text of a row.
 */
#ifndef ASBI_ADAPTERS_ROWS_H
#define ASBI_ADAPTERS_ROWS_H

#include "adapters/format.h"
#include "engine/base/json.h"

struct asbi_rows {
    asbi_row_cb on_row;
    void *arg;
    const char *place;   /* "line", "message": what row.line counts */
    uint64_t count;      /* items handed out */
    bool takes_answers;  /* JSON: rows may bring theirs */
    struct asbi_row row; /* the one being made */
    char number[24];     /* its number as an id */
    char message[512];   /* what is wrong with it */
};

void asbi_rows_init(struct asbi_rows *r, const char *place, asbi_row_cb on_row,
                    void *arg);

/* Starts a row. */
void asbi_rows_begin(struct asbi_rows *r, uint64_t line);

/* Makes the row bad; the first reason stays.  `code` is static text, the
 * message says cause and remedy; the place goes before it. */
void asbi_rows_fail(struct asbi_rows *r, const char *code, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/* Gives the row to the callback; its return value. */
int asbi_rows_emit(struct asbi_rows *r);

/* The rules for fields: text as written, empty for absent.  A value that will
 * not do makes the row bad. */
void asbi_rows_set_priority(struct asbi_rows *r, asbi_str text);
void asbi_rows_set_deadline(struct asbi_rows *r, asbi_str text);
void asbi_rows_set_max_length(struct asbi_rows *r, asbi_str text);

/* True, and the row bad, when there is nothing in the text but white space. */
bool asbi_rows_lacks_text(struct asbi_rows *r, asbi_str text);

/* Fills the row from the root of a document, as JSON lines and msgpack have
 * it.  `controls`: {"op": ...} maps are understood.  The row borrows from
 * `json`.  ASB_OK (also for a bad row) or ASB_ENOMEM. */
int asbi_rows_from_json(struct asbi_rows *r, struct asbi_json *json,
                        bool wants_fields, bool controls);

#endif
