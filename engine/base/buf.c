#include "engine/base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void asbi_buf_init(struct asbi_buf *b, const struct asbi_mem *mem, size_t max)
{
    *b = (struct asbi_buf){ .mem = mem, .max = max };
}

void asbi_buf_fini(struct asbi_buf *b)
{
    if (b->mem)
        asbi_free(b->mem, b->data);
    *b = (struct asbi_buf){ .mem = b->mem, .max = b->max };
}

void asbi_buf_clear(struct asbi_buf *b)
{
    b->len = 0;
    b->failed = false;
}

void asbi_buf_shrink(struct asbi_buf *b, size_t keep)
{
    asbi_buf_clear(b);
    if (b->cap <= keep)
        return;
    asbi_free(b->mem, b->data);
    b->data = NULL;
    b->cap = 0;
}

/* Doubles, so that n appends copy O(n) bytes; one byte more than `max` may be
 * allocated, for asbi_buf_cstr(). */
static char *grow(struct asbi_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;

    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *data = asbi_resize(b->mem, b->data, cap, 1);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return data + b->len;
}

char *asbi_buf_reserve(struct asbi_buf *b, size_t len)
{
    if (b->failed || len > b->max || b->len > b->max - len) {
        b->failed = true;
        return NULL;
    }
    if (b->data && b->len + len <= b->cap)
        return b->data + b->len;
    return grow(b, b->len + len);
}

void asbi_buf_add_more(struct asbi_buf *b, const void *at, size_t len)
{
    char *to = asbi_buf_reserve(b, len);

    if (!to || len == 0)
        return;
    memcpy(to, at, len);
    b->len += len;
}

void asbi_buf_c(struct asbi_buf *b, const char *text)
{
    asbi_buf_add(b, text, strlen(text));
}

static void add_integer(struct asbi_buf *b, uint64_t n, bool negative)
{
    char digits[21];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    if (negative)
        digits[--at] = '-';
    asbi_buf_add(b, digits + at, sizeof(digits) - at);
}

void asbi_buf_u64(struct asbi_buf *b, uint64_t n)
{
    add_integer(b, n, false);
}

void asbi_buf_i64(struct asbi_buf *b, int64_t n)
{
    add_integer(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, n < 0);
}

void asbi_buf_fmt(struct asbi_buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* vsnprintf writes a NUL too, so one byte more is taken than kept. */
    char *to = len < 0 ? NULL : asbi_buf_reserve(b, (size_t)len);
    if (to && b->cap - b->len == (size_t)len)
        to = grow(b, b->len + (size_t)len + 1);
    if (to)
        b->len += (size_t)vsnprintf(to, (size_t)len + 1, format, again);
    else
        b->failed = true;
    va_end(again);
}

void asbi_buf_consume(struct asbi_buf *b, size_t len)
{
    assert(len <= b->len);
    b->len -= len;
    if (b->len)
        memmove(b->data, b->data + len, b->len);
}

const char *asbi_buf_cstr(struct asbi_buf *b)
{
    if (b->failed)
        return NULL;
    if ((!b->data || b->len == b->cap) && !grow(b, b->len + 1))
        return NULL;
    b->data[b->len] = '\0';
    return b->data;
}
