/*
 * utf8.h -- code points of text that is known to be well-formed UTF-8.
 */
#ifndef ASBI_BASE_UTF8_H
#define ASBI_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

/* Decodes the code point at *at (before `end`) and moves past it.  A malformed
 * byte gives U+FFFD and moves by one. */
static inline uint32_t asbi_utf8_next(const char **at, const char *end)
{
    const unsigned char *s = (const unsigned char *)*at;
    size_t left = (size_t)(end - *at);
    unsigned more = s[0] < 0x80   ? 0
                    : s[0] < 0xc2 ? 9
                    : s[0] < 0xe0 ? 1
                    : s[0] < 0xf0 ? 2
                    : s[0] < 0xf5 ? 3
                                  : 9;
    uint32_t c = more == 0 ? s[0] : s[0] & (0x3fU >> more);

    if (more > 3 || more >= left) {
        *at += 1;
        return more == 0 && left > 0 ? c : 0xfffd;
    }
    for (unsigned i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *at += 1;
            return 0xfffd;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *at += more + 1;
    return c;
}

/* Code points in a text. */
static inline size_t asbi_utf8_length(asbi_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return n;
}

#endif
