/*
 * buf.h -- growable bytes with a limit chosen at birth.
 *
 * Appending never half-succeeds.  A refused append marks the buffer failed and
 * every later one is refused too, so a builder appends without looking and
 * asks once, at the end, with asbi_buf_failed().
 */
#ifndef ASBI_BASE_BUF_H
#define ASBI_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_buf {
    const struct asbi_mem *mem;
    char *data; /* NULL while nothing was ever appended */
    size_t len;
    size_t cap;
    size_t max;  /* most bytes it may hold */
    bool failed; /* an append was refused: too large or out of memory */
};

/* No allocation.  `max` bytes is the most it will ever hold. */
void asbi_buf_init(struct asbi_buf *b, const struct asbi_mem *mem, size_t max);
void asbi_buf_fini(struct asbi_buf *b);

/* Empties it and forgives a failure; keeps the memory. */
void asbi_buf_clear(struct asbi_buf *b);

/* As clear, but gives memory beyond `keep` bytes back. */
void asbi_buf_shrink(struct asbi_buf *b, size_t keep);

/* What asbi_buf_add() does when there is no room at hand. */
void asbi_buf_add_more(struct asbi_buf *b, const void *at, size_t len);

/* Mostly there is room: then it is a copy where it is called. */
static inline void asbi_buf_add(struct asbi_buf *b, const void *at, size_t len)
{
    /* `<`, as one byte more than `max` may be allocated. */
    if (b->failed || len >= b->cap - b->len || len == 0) {
        asbi_buf_add_more(b, at, len);
        return;
    }
    memcpy(b->data + b->len, at, len);
    b->len += len;
}

static inline void asbi_buf_str(struct asbi_buf *b, asbi_str s)
{
    asbi_buf_add(b, s.at, s.len);
}

static inline void asbi_buf_char(struct asbi_buf *b, char c)
{
    asbi_buf_add(b, &c, 1);
}

/* For string literals only. */
#define ASBI_BUF_LIT(b, literal) \
    asbi_buf_add((b), (literal), sizeof("" literal) - 1)

void asbi_buf_c(struct asbi_buf *b, const char *text);
void asbi_buf_u64(struct asbi_buf *b, uint64_t n);
void asbi_buf_i64(struct asbi_buf *b, int64_t n);
void asbi_buf_fmt(struct asbi_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes at data + len, or NULL (and failed).  The caller
 * writes there and then adds to `len` what it wrote. */
char *asbi_buf_reserve(struct asbi_buf *b, size_t len);

/* Drops the first `len` bytes. */
void asbi_buf_consume(struct asbi_buf *b, size_t len);

/* The text with a NUL after it (not counted in len); "" when empty, NULL when
 * there is no room for the NUL. */
const char *asbi_buf_cstr(struct asbi_buf *b);

static inline bool asbi_buf_failed(const struct asbi_buf *b)
{
    return b->failed;
}

static inline asbi_str asbi_buf_view(const struct asbi_buf *b)
{
    return asbi_str_of(b->data, b->len);
}

#endif
