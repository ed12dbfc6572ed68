#include "engine/base/json_lex.h"

#include <stdint.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const char *at, const char *end)
{
    int32_t value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = is_digit(c)              ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Reads what follows a backslash-u, of a pair both halves; moves past it.
 * -1 for what is no code point. */
static int32_t take_unicode(const char **at, const char *end)
{
    int32_t high = hex4(*at, end);

    if (high < 0)
        return -1;
    *at += 4;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return -1;
    int32_t low = hex4(*at + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return -1;
    *at += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* The character a one-letter escape stands for; 0 for none. */
static char simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)(c);
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* Length of the run without a backslash.  Escapes come in clusters, where a
 * call of memchr() for each would cost more than it saves. */
static size_t clean_run(const char *at, const char *end)
{
    const char *s = at;

    while (s < end && s < at + 16) {
        if (*s == '\\')
            return (size_t)(s - at);
        s++;
    }
    const char *hit = memchr(s, '\\', (size_t)(end - s));
    return (size_t)((hit ? hit : end) - at);
}

ptrdiff_t asbi_json_unescape(asbi_str s, char *to)
{
    const char *at = s.at, *end = asbi_str_end(s);
    char *out = to;
    char scratch[4] = { 0 };

    while (at < end) {
        size_t run = clean_run(at, end);
        if (to && run) {
            memcpy(out, at, run);
            out += run;
        }
        at += run;
        if (at == end)
            break;
        if (end - at < 2)
            return -1;
        char c = simple_escape(at[1]);
        int32_t code = (unsigned char)c;
        at += 2;
        if (!c && at[-1] == 'u')
            code = take_unicode(&at, end);
        else if (!c)
            return -1;
        if (code < 0)
            return -1;
        char *place = to ? out : scratch;
        size_t put = (size_t)(put_utf8(place, (uint32_t)code) - place);
        out = to ? out + put : out;
    }
    return to ? out - to : 0;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

bool asbi_json_number_valid(asbi_str s)
{
    const char *at = s.at, *end = s.at + s.len, *from;

    at += at < end && *at == '-';
    from = at;
    at = skip_digits(at, end);
    if (at == from || (*from == '0' && at > from + 1))
        return false;
    if (at < end && *at == '.') {
        from = ++at;
        at = skip_digits(at, end);
        if (at == from)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        from = at;
        at = skip_digits(at, end);
        if (at == from)
            return false;
    }
    return at == end;
}
