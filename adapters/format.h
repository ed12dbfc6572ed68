/*
 * format.h -- files of items: CSV, JSON lines, msgpack.  Bytes in any pieces
 * go in, rows come out; results go in, bytes come out.
 *
 * Pure: whoever reads and writes the bytes is elsewhere.  Both directions hold
 * one row at a time.
 */
#ifndef ASBI_ADAPTERS_FORMAT_H
#define ASBI_ADAPTERS_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

enum asbi_format { ASBI_CSV, ASBI_JSONL, ASBI_MSGPACK };

/* Control maps of the stream: {"op": ...}. */
enum asbi_op {
    ASBI_OP_ITEM,
    ASBI_OP_FLUSH,
    ASBI_OP_CANCEL,
    ASBI_OP_STATS,
    ASBI_OP_SET
};

/* One row as read.  Lives until the callback returns. */
struct asbi_row {
    enum asbi_op op;
    const char *place; /* "line", "message": what the next one counts */
    uint64_t line; /* of the file, 1-based, where the row starts; for msgpack
                      the number of the message */
    struct asb_request request; /* id is never empty for ASBI_OP_ITEM */
    bool id_is_number;    /* msgpack, JSON: write the id back as a number */
    bool batch_line;      /* OpenAI batch file: answer in that shape */
    bool names_class;     /* request.priority is the row's own */
    uint64_t due_wall_ms; /* a deadline by the calendar, in milliseconds since
                             1970, for who knows what time it is; 0: none */

    /* What the writer needs of the input to write the answer: for CSV the
     * row's columns encoded by the reader, empty otherwise.  The owner keeps a
     * copy and hands it to the writer. */
    asbi_str original;

    /* CSV whose target_text is filled already: written back, never sent.  JSON
     * with target_text or output, for takes_answers. */
    bool answered;
    asbi_str answer;

    asbi_str option, value; /* of ASBI_OP_SET */

    /* A bad row: what is wrong with it, with line, cause and remedy; NULL for
     * a good one.  `request.id` is set when it could be read, else it is the
     * row number. */
    const char *error_code; /* "malformed", "invalid_utf8", "too_large",
                               "no_text", "ambiguous", "invalid_field" */
    const char *error_message;
};

struct asbi_reader_options {
    enum asbi_format format;
    const char *id_column; /* NULL: string_id or id */
    const char
        *text_column; /* NULL: tokenized_zh, source_zh, source_text, text */
    size_t max_item_bytes; /* a row over this is bad; 1 to 2^30 */
    bool wants_fields;     /* fill request.fields (a template); a row then
                              needs no text */
    bool takes_answers;    /* rows of JSON may bring theirs */
};

struct asbi_reader;

/* Returns nonzero to pause: feed() and end() then return early. */
typedef int (*asbi_row_cb)(void *arg, const struct asbi_row *row);

/**
 * @return ASB_OK, ASB_EINVAL or ASB_ENOMEM
 */
int asbi_reader_new(const struct asbi_mem *mem,
                    const struct asbi_reader_options *options,
                    asbi_row_cb on_row, void *arg, struct asbi_reader **out);
void asbi_reader_free(struct asbi_reader *r);

/**
 * Takes bytes, calls on_row for each whole row.  When on_row pauses, *used says
 * how many bytes were consumed (perhaps none, or all with rows still to come);
 * the rest is fed again later.  After an error only asbi_reader_free() is of
 * use.
 * @return ASB_OK, ASB_ENOMEM, or ASB_EPARSE when the whole input cannot be
 *         read (CSV header without a text column): `why` says so
 */
int asbi_reader_feed(struct asbi_reader *r, const char *at, size_t len,
                     size_t *used, struct asb_message *why);

/* The input ended: a last row without newline, an unclosed quote.  As
 * asbi_reader_feed(), but ASB_EBUSY when on_row paused and there are more rows
 * (the lines after that quote): it is called again for them. */
int asbi_reader_end(struct asbi_reader *r, struct asb_message *why);

/* CSV: the header row for the output, ready to write; empty otherwise.  Valid
 * once the first row was read or the input ended. */
asbi_str asbi_reader_header(const struct asbi_reader *r);

/* What the writer is to know of a row besides its result. */
struct asbi_row_memo {
    asbi_str original;
    uint64_t seq; /* 0-based place in the input */
    bool id_is_number;
    bool batch_line;
};

struct asbi_writer;

/* `input` may differ from `output`: then CSV output has columns string_id,
 * target_text, asb_status, asb_error. */
int asbi_writer_new(const struct asbi_mem *mem, enum asbi_format input,
                    enum asbi_format output, struct asbi_writer **out);
void asbi_writer_free(struct asbi_writer *w);

/* Appends the header, if the format has one. */
void asbi_writer_header(struct asbi_writer *w, asbi_str reader_header,
                        struct asbi_buf *out);

/* Appends one answer.  A failed buffer means too large or out of memory. */
void asbi_writer_row(struct asbi_writer *w, const struct asbi_row_memo *memo,
                     const struct asb_result *result, struct asbi_buf *out);

/* Appends what is no answer: a JSON object, as a line or a map; nothing in a
 * format that has no place for it, CSV. */
void asbi_writer_note(struct asbi_writer *w, asbi_str object,
                      struct asbi_buf *out);

/* From a path's suffix; `fallback` for "-" and unknown ones. */
enum asbi_format asbi_format_of_path(const char *path,
                                     enum asbi_format fallback);
bool asbi_format_find(const char *name, enum asbi_format *out);

#endif
