#include "cache/token.h"

#include <stdint.h>

#include "engine/base/utf8.h"

/* ---- characters ------------------------------------------------------- */

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 ||
           c == 0x3000;
}

/* Ideographs, kana, Hangul, their punctuation, and the wide forms. */
static bool stands_alone(uint32_t c)
{
    return (c >= 0x2e80 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0xff00 && c <= 0xffef) || (c >= 0x20000 && c <= 0x3ffff);
}

/* Dashes, quotation marks and the ellipsis of typesetting. */
static bool is_fine_punctuation(uint32_t c)
{
    return c == 0xab || c == 0xbb || c == 0xa1 || c == 0xbf ||
           (c >= 0x2010 && c <= 0x2027) || c == 0x2039 || c == 0x203a;
}

/* Arrows, brackets of mathematics and their like: what people build marks of.
 */
static bool is_symbol(uint32_t c)
{
    return c >= 0x2000 && c < 0x2e80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters of ASCII, and all beyond ASCII that comes here: letters, mostly. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* ---- runs without a space --------------------------------------------- */

/* Bytes to the next space, or piece that stands alone. */
static size_t run_length(asbi_str s)
{
    const char *at = s.at, *end = asbi_str_end(s);

    while (at < end) {
        const char *before = at;
        uint32_t c = asbi_utf8_next(&at, end);

        if (is_space(c) || stands_alone(c) || is_fine_punctuation(c))
            return (size_t)(before - s.at);
    }
    return s.len;
}

static size_t leading(asbi_str s)
{
    size_t n = 0;

    while (n < s.len && is_one_of(s.at[n], "\"'(,.;:!?"))
        n++;
    return n;
}

static asbi_str without_trailing(asbi_str s)
{
    while (s.len && is_one_of(s.at[s.len - 1], "\"'),.;:!?"))
        s.len--;
    return s;
}

static size_t count_if(asbi_str s, bool (*is)(char c))
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += is(s.at[i]);
    return n;
}

static bool has_symbols(asbi_str s)
{
    const char *at = s.at, *end = asbi_str_end(s);

    while (at < end) {
        if (is_symbol(asbi_utf8_next(&at, end)))
            return true;
    }
    return false;
}

static bool joins_words(char c)
{
    return is_letter(c) || c == '\'' || c == '-';
}

static bool joins_digits(char c)
{
    return is_digit(c) || is_one_of(c, ".,:/-+%");
}

static bool fits_an_address(char c)
{
    return (c > ' ' && c < 0x7f && !is_one_of(c, "{}<>[]\"'`\\^|*$")) ||
           (unsigned char)c >= 0x80;
}

static bool starts_as_link(asbi_str s)
{
    return asbi_str_starts(s, ASBI_STR("https://")) ||
           asbi_str_starts(s, ASBI_STR("http://"));
}

/* Something, one @, something with a dot inside; no percent sign, which may
 * begin a mark. */
static bool is_mail(asbi_str s)
{
    const char *at = memchr(s.at, '@', s.len);
    const char *end = asbi_str_end(s);

    if (!at || at == s.at || memchr(s.at, '%', s.len) ||
        memchr(s.at, '/', s.len))
        return false;
    const char *dot = memchr(at, '.', (size_t)(end - at));
    return dot && dot > at + 1 && dot + 1 < end &&
           !memchr(at + 1, '@', (size_t)(end - at - 1));
}

static enum asbi_token_kind kind_of(asbi_str s)
{
    size_t digits = count_if(s, is_digit);

    if (digits == s.len)
        return s.at[0] == '0' ? ASBI_TOKEN_FIGURE : ASBI_TOKEN_NUMBER;
    if (digits == 0 && count_if(s, joins_words) == s.len)
        return has_symbols(s) ? ASBI_TOKEN_MARK : ASBI_TOKEN_WORD;
    if (digits && count_if(s, joins_digits) == s.len)
        return ASBI_TOKEN_FIGURE;
    if (count_if(s, fits_an_address) == s.len &&
        (starts_as_link(s) || is_mail(s)))
        return ASBI_TOKEN_ADDRESS;
    return ASBI_TOKEN_MARK;
}

/* ---- pieces ----------------------------------------------------------- */

static size_t spaces(asbi_str s)
{
    const char *at = s.at, *end = asbi_str_end(s);

    while (at < end) {
        const char *before = at;

        if (!is_space(asbi_utf8_next(&at, end)))
            return (size_t)(before - s.at);
    }
    return s.len;
}

static void cut(asbi_str *rest, size_t len, enum asbi_token_kind kind,
                struct asbi_token *token)
{
    *token = (struct asbi_token){ kind, asbi_str_of(rest->at, len) };
    *rest = asbi_str_of(rest->at + len, rest->len - len);
}

bool asbi_token_next(asbi_str *rest, struct asbi_token *token)
{
    if (rest->len == 0)
        return false;
    const char *at = rest->at;
    uint32_t c = asbi_utf8_next(&at, rest->at + rest->len);
    size_t first = (size_t)(at - rest->at);
    if (is_space(c)) {
        cut(rest, spaces(*rest), ASBI_TOKEN_SPACE, token);
        return true;
    }
    if (stands_alone(c) || is_fine_punctuation(c)) {
        cut(rest, first,
            stands_alone(c) ? ASBI_TOKEN_WORD : ASBI_TOKEN_PUNCTUATION, token);
        return true;
    }
    asbi_str run = asbi_str_of(rest->at, run_length(*rest));
    size_t punctuation = leading(run);
    asbi_str core = without_trailing(run);
    if (punctuation || core.len == 0)
        cut(rest, punctuation ? punctuation : run.len, ASBI_TOKEN_PUNCTUATION,
            token);
    else
        cut(rest, core.len, kind_of(core), token);
    return true;
}
