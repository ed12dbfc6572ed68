/*
 * format_impl.h -- what format.c and the formats agree on; nobody else looks
 * in here.
 */
#ifndef ASBI_ADAPTERS_FORMAT_IMPL_H
#define ASBI_ADAPTERS_FORMAT_IMPL_H

#include "adapters/format.h"
#include "adapters/rows.h"
#include "engine/base/json.h"

/* One input format. */
struct asbi_reader_ops {
    int (*feed)(struct asbi_reader *r, const char *at, size_t len, size_t *used,
                struct asb_message *why);
    int (*end)(struct asbi_reader *r, struct asb_message *why);
    asbi_str (*header)(const struct asbi_reader *r); /* NULL: has none */
    void (*free)(struct asbi_reader *r);
};

/* First member of every reader. */
struct asbi_reader {
    const struct asbi_reader_ops *ops;
    const struct asbi_mem *mem;
    size_t max_item_bytes;
    bool wants_fields;
    struct asbi_rows rows;
};

/* NULL when out of memory.  format.c fills in the first member's shared part
 * before it hands the reader out. */
struct asbi_reader *asbi_csv_reader_new(const struct asbi_mem *mem,
                                        const struct asbi_reader_options *o);
struct asbi_reader *asbi_jsonl_reader_new(const struct asbi_mem *mem,
                                          const struct asbi_reader_options *o);
struct asbi_reader *
asbi_msgpack_reader_new(const struct asbi_mem *mem,
                        const struct asbi_reader_options *o);

struct asbi_writer {
    const struct asbi_mem *mem;
    enum asbi_format input, output;
    struct asbi_json *json; /* reads answers that are JSON; JSONL, msgpack */
};

/* The word for `status`, `source` and an error without a code. */
const char *asbi_status_word(const struct asb_result *result);
const char *asbi_source_word(enum asb_source source);
const char *asbi_error_word(const struct asb_result *result);

/* Whether an id may be written as a number: an optional '-' and digits, as
 * JSON has them. */
bool asbi_id_is_integer(asbi_str id);

/* How an OpenAI batch line answers: with a response, with an error, or, for a
 * call that was answered but whose answer will not do, with both. */
struct asbi_batch_shape {
    bool response;
    bool error;
    int status_code;
};
struct asbi_batch_shape asbi_batch_shape_of(const struct asb_result *result);

/* The id of a batch output line: made from `seq`, so that a resumed run writes
 * the same.  Needs 32 bytes. */
void asbi_batch_id(uint64_t seq, char *to);

void asbi_csv_write_header(asbi_str reader_header, struct asbi_buf *out);
void asbi_csv_write_row(const struct asbi_row_memo *memo,
                        const struct asb_result *result, struct asbi_buf *out);
void asbi_jsonl_write_row(struct asbi_writer *w,
                          const struct asbi_row_memo *memo,
                          const struct asb_result *result,
                          struct asbi_buf *out);
void asbi_msgpack_write_row(struct asbi_writer *w,
                            const struct asbi_row_memo *memo,
                            const struct asb_result *result,
                            struct asbi_buf *out);

#endif
