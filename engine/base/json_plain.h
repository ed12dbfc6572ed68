/*
 * json_plain.h -- how far a text is plain: ASCII that stands in a JSON string
 * as it is.  Most strings are so from end to end, and then there is nothing to
 * escape, to unescape or to check.
 */
#ifndef ASBI_BASE_JSON_PLAIN_H
#define ASBI_BASE_JSON_PLAIN_H

#include <stdbool.h>

#include "engine/base/bytes16.h"

static inline bool asbi_json_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' &&
           c != '\\';
}

/* The number of bytes before the first quote, backslash, control character or
 * byte over 0x7f; `len` when there is none.  Reads no byte beyond. */
static inline size_t asbi_json_plain_run(const char *at, size_t len)
{
    size_t n = 0;

    while (len - n >= 16) {
        asbi_bytes16 v = asbi_bytes16_load(at + n);
        asbi_bytes16 other = ~asbi_bytes16_among(v, 0x20, 0x60) |
                             asbi_bytes16_is(v, '"') | asbi_bytes16_is(v, '\\');
        size_t run = asbi_bytes16_first(other);

        n += run;
        if (run < 16)
            return n;
    }
    while (n < len && asbi_json_is_plain(at[n]))
        n++;
    return n;
}

#endif
