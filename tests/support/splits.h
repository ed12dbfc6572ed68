/*
 * splits.h -- feeds bytes in pieces, all ways to cut them in two and one by
 * one, to see that a cut makes no difference.
 */
#ifndef ASBI_TESTS_SPLITS_H
#define ASBI_TESTS_SPLITS_H

#include <stdlib.h>
#include <string.h>

#include "engine/base/str.h"

/* Hands `piece` bytes at a time; the first piece has `first`. */
struct splits {
    asbi_str text;
    size_t first, piece;
    size_t at;
};

/* The next piece in memory of its own, so that a sanitizer sees a read beyond
 * it; freed with free().  NULL at the end. */
static inline char *splits_next(struct splits *s, size_t *len)
{
    size_t want = s->at == 0 && s->first ? s->first : s->piece;
    size_t left = s->text.len - s->at;

    *len = want < left ? want : left;
    if (*len == 0)
        return NULL;
    char *copy = malloc(*len);
    if (!copy)
        abort();
    memcpy(copy, s->text.at + s->at, *len);
    s->at += *len;
    return copy;
}

/* Way `n` to cut a text: 0 whole, 1 byte by byte, then each cut in two.  False
 * when there are no more. */
static inline bool splits_way(asbi_str text, size_t n, struct splits *out)
{
    *out = (struct splits){ .text = text, .piece = text.len };
    if (n == 1)
        out->piece = 1;
    else if (n > 1)
        out->first = n - 1;
    return n <= 1 || n <= text.len;
}

#endif
