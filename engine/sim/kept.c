/*
 * kept.c -- what a translator must not touch.
 *
 * Every search is bounded, and an opening mark inside it ends most of them,
 * so that no text makes the whole quadratic.
 */
#include "engine/sim/pseudo.h"

#include <ctype.h>

enum {
    MAX_BRACES = 1024, /* bytes of one placeholder in braces */
    MAX_NESTING = 8,
    MAX_TAG = 512,
    MAX_MARK = 64, /* U+27E6 ... U+27E7 */
    MAX_ENTITY = 10,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c);
}

static bool is_digit(char c)
{
    return isdigit((unsigned char)c);
}

static size_t braces(asbi_str s)
{
    size_t end = least(s.len, MAX_BRACES);
    unsigned depth = 0;

    for (size_t i = 0; i < end; i++) {
        if (s.at[i] == '{' && ++depth > MAX_NESTING)
            return 0;
        if (s.at[i] == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static size_t tag(asbi_str s)
{
    size_t end = least(s.len, MAX_TAG);

    if (s.len < 3 || !(is_letter(s.at[1]) || s.at[1] == '/' || s.at[1] == '!'))
        return 0;
    for (size_t i = 1; i < end && s.at[i] != '<'; i++) {
        if (s.at[i] == '>')
            return i + 1;
    }
    return 0;
}

static size_t entity(asbi_str s)
{
    size_t end = least(s.len, MAX_ENTITY);

    for (size_t i = 1; i < end; i++) {
        if (s.at[i] == ';')
            return i > 1 ? i + 1 : 0;
        if (!is_letter(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '#')
            return 0;
    }
    return 0;
}

/* U+27E6 is e2 9f a6, U+27E7 is e2 9f a7. */
static size_t mark(asbi_str s)
{
    size_t end = least(s.len, MAX_MARK);

    if (!asbi_str_starts(s, ASBI_STR("\xe2\x9f\xa6")))
        return 0;
    for (size_t i = 3; i + 2 < end; i++) {
        if (memcmp(s.at + i, "\xe2\x9f\xa6", 3) == 0)
            return 0;
        if (memcmp(s.at + i, "\xe2\x9f\xa7", 3) == 0)
            return i + 3;
    }
    return 0;
}

static size_t skip_set(asbi_str s, size_t at, const char *set, size_t most)
{
    while (most-- && at < s.len && s.at[at] && strchr(set, s.at[at]))
        at++;
    return at;
}

/* %1$s  %-5.2f  %ld  %@  %%  %(name)s */
static size_t directive(asbi_str s)
{
    size_t at = 1;

    if (s.len > 1 && s.at[1] == '%')
        return 2;
    if (s.len > 1 && s.at[1] == '(') {
        const char *close = memchr(s.at, ')', least(s.len, MAX_MARK));
        if (!close)
            return 0;
        at = (size_t)(close - s.at) + 1;
    }
    at = skip_set(s, at, "0123456789$", 4);
    at = skip_set(s, at, "-+0#'", 4);
    at = skip_set(s, at, "0123456789.*", 8);
    at = skip_set(s, at, "hlqjzt", 2);
    if (at < s.len && s.at[at] && strchr("@diouxXeEfFgGaAcsSp", s.at[at]))
        return at + 1;
    return 0;
}

static size_t url(asbi_str s)
{
    size_t at = 0;

    if (!asbi_str_starts(s, ASBI_STR("http://")) &&
        !asbi_str_starts(s, ASBI_STR("https://")))
        return 0;
    while (at < s.len && s.at[at] > ' ' && s.at[at] < 0x7f &&
           !strchr("<>\"'{}", s.at[at]))
        at++;
    return at;
}

/* An escape such as a written-out \n or \u00e9. */
static size_t escape(asbi_str s)
{
    size_t digits = 0;

    if (s.len < 2 || (unsigned char)s.at[1] >= 0x80)
        return 0;
    if (s.at[1] != 'u')
        return 2;
    while (digits < 4 && 2 + digits < s.len &&
           isxdigit((unsigned char)s.at[2 + digits]))
        digits++;
    return 2 + digits;
}

size_t asbi_sim_kept_run(asbi_str rest)
{
    if (rest.len == 0)
        return 0;
    switch (rest.at[0]) {
    case '{':
        return braces(rest);
    case '%':
        return directive(rest);
    case '<':
        return tag(rest);
    case '&':
        return entity(rest);
    case '\\':
        return escape(rest);
    case 'h':
        return url(rest);
    case '\xe2':
        return mark(rest);
    default:
        return 0;
    }
}
