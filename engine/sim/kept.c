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

    if (s.len < 3 || !s.at[1] ||
        !(is_letter(s.at[1]) || strchr("/!#", s.at[1])))
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

static bool is_name(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

/* $NAME$ or %name%: a name between two of the same sign. */
static size_t between(asbi_str s)
{
    size_t end = least(s.len, MAX_MARK), at = 1;

    while (at < end && is_name(s.at[at]))
        at++;
    return at > 1 && at < end && s.at[at] == s.at[0] ? at + 1 : 0;
}

/* [b]  [/color]  [size=3]  but not [OK] or [see below]. */
static size_t bracket(asbi_str s)
{
    size_t end = least(s.len, MAX_MARK), at = 1;

    at += at < end && s.at[at] == '/';
    size_t name = at;
    while (at < end && islower((unsigned char)s.at[at]))
        at++;
    if (at == name)
        return 0;
    while (at < end && s.at[at] > ' ' && s.at[at] != ']' && s.at[at] != '[')
        at++;
    return at < end && s.at[at] == ']' ? at + 1 : 0;
}

/* %1$s  %-5.2f  %ld  %@  %%  %(name)s  %1 */
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
    size_t named = between(s);
    if (named)
        return named;
    at = skip_set(s, at, "0123456789$", 4);
    size_t numbered = at > 1 ? at : 0; /* Qt's %1 */
    at = skip_set(s, at, "-+0#'", 4);
    at = skip_set(s, at, "0123456789.*", 8);
    at = skip_set(s, at, "hlqjzt", 2);
    if (at < s.len && s.at[at] && strchr("@diouxXeEfFgGaAcsSp", s.at[at]))
        return at + 1;
    return numbered;
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

/* name@example.org */
static size_t email(asbi_str s)
{
    size_t end = least(s.len, MAX_MARK);
    const char *sign = memchr(s.at, '@', end);
    size_t at = 0;

    if (!sign || sign == s.at)
        return 0;
    while (s.at[at] && (is_name(s.at[at]) || strchr(".+-", s.at[at])))
        at++; /* stops at the sign at the latest */
    if (s.at + at != sign)
        return 0;
    at++;
    size_t host = at;
    while (at < end && s.at[at] &&
           (is_name(s.at[at]) || strchr(".-", s.at[at])))
        at++;
    while (at > host && !is_name(s.at[at - 1]))
        at--;
    return memchr(s.at + host, '.', at - host) ? at : 0;
}

/* An escape such as a written-out \n, \u00e9 or \c[1]. */
static size_t escape(asbi_str s)
{
    size_t digits = 0;

    if (s.len < 2 || (unsigned char)s.at[1] >= 0x80)
        return 0;
    if (s.len > 4 && s.at[2] == '[') {
        const char *close = memchr(s.at, ']', least(s.len, MAX_ENTITY));
        if (close)
            return (size_t)(close - s.at) + 1;
    }
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
    case '[':
        return bracket(rest);
    case '$':
        return between(rest);
    case '&':
        return entity(rest);
    case '\\':
        return escape(rest);
    case '\xe2':
        return mark(rest);
    case 'h':
        return url(rest) ? url(rest) : email(rest);
    default:
        return is_name(rest.at[0]) ? email(rest) : 0;
    }
}

/* ", plural," and the like right after the name of the argument. */
static size_t icu_header(asbi_str s)
{
    static const char *const types[] = { "plural", "select", "selectordinal" };
    const char *comma = memchr(s.at, ',', least(s.len, MAX_MARK));

    if (!comma || memchr(s.at + 1, '{', (size_t)(comma - s.at - 1)))
        return 0;
    size_t at = (size_t)(comma - s.at) + 1;
    asbi_str rest = asbi_str_of(s.at + at, s.len - at);
    const char *end = memchr(rest.at, ',', least(rest.len, MAX_MARK));
    if (!end)
        return 0;
    asbi_str type =
        asbi_str_trim(asbi_str_of(rest.at, (size_t)(end - rest.at)));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (asbi_str_eq(type, asbi_str_c(types[i])))
            return (size_t)(end - s.at) + 1;
    }
    return 0;
}

bool asbi_sim_next_branch(asbi_str message, size_t *from, asbi_str *branch)
{
    if (*from == 0)
        *from = icu_header(message);
    if (*from == 0)
        return false;
    asbi_str rest = asbi_str_of(message.at + *from, message.len - *from);
    const char *open = memchr(rest.at, '{', rest.len);
    if (!open)
        return false;
    rest = asbi_str_of(open, (size_t)(message.at + message.len - open));
    size_t len = braces(rest);
    if (len < 2)
        return false;
    *branch = asbi_str_of(open + 1, len - 2);
    *from = (size_t)(open - message.at) + len;
    return true;
}
