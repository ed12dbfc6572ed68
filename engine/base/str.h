/*
 * str.h -- a borrowed run of bytes.  Not NUL-terminated, never owned.
 *
 * The public `struct asb_bytes` under a name that reads well inside.
 */
#ifndef ASBI_BASE_STR_H
#define ASBI_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <asyncbatch/asyncbatch.h>

typedef struct asb_bytes asbi_str;

/* For string literals only. */
#define ASBI_STR(literal) ((asbi_str){ (literal), sizeof("" literal) - 1 })

static inline asbi_str asbi_str_of(const char *at, size_t len)
{
    asbi_str s = { at, len }; /* plain enough for C++, too */

    return s;
}

/* Behind the last byte; of {NULL, 0}, to whose pointer C adds nothing, NULL. */
static inline const char *asbi_str_end(asbi_str s)
{
    return s.len ? s.at + s.len : s.at;
}

/* Of a NUL-terminated string; NULL gives the empty one. */
static inline asbi_str asbi_str_c(const char *text)
{
    return asbi_str_of(text, text ? strlen(text) : 0);
}

static inline bool asbi_str_eq(asbi_str a, asbi_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Equal but for ASCII case: header names, format names. */
static inline bool asbi_str_eq_nocase(asbi_str a, asbi_str b)
{
    return a.len == b.len &&
           (a.len == 0 || ((a.at[0] | 0x20) == (b.at[0] | 0x20) &&
                           strncasecmp(a.at, b.at, a.len) == 0));
}

static inline bool asbi_str_starts(asbi_str s, asbi_str prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

/* The white space of JSON and of HTTP. */
static inline bool asbi_char_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies it with a NUL behind; false, and nothing is written, when it is too
 * long for `size` bytes. */
static inline bool asbi_str_copy(asbi_str s, char *to, size_t size)
{
    if (s.len >= size)
        return false;
    if (s.len)
        memcpy(to, s.at, s.len);
    to[s.len] = '\0';
    return true;
}

/* Cuts the first line off `rest`, which is not empty; its end is in neither. */
static inline asbi_str asbi_str_take_line(asbi_str *rest)
{
    const char *end = (const char *)memchr(rest->at, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->at) : rest->len;
    asbi_str line = asbi_str_of(rest->at, len);

    len += end != NULL;
    *rest = asbi_str_of(rest->at + len, rest->len - len);
    return line;
}

/* Without leading and trailing white space. */
static inline asbi_str asbi_str_trim(asbi_str s)
{
    while (s.len && asbi_char_is_space(s.at[0]))
        s.at++, s.len--;
    while (s.len && asbi_char_is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

#endif
