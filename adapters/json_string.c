#include "adapters/json_string.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/json_plain.h"

enum state { PLAIN, BACKSLASH, HEX };

#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

void asbi_json_string_begin(struct asbi_json_string *s)
{
    s->state = PLAIN;
    s->high = 0;
    s->more = 0;
}

/* The high bit of each byte that is a quote, a backslash or a control
 * character; bytes above the first such one may be set wrongly, by borrow. */
static uint64_t specials(uint64_t w)
{
    uint64_t quote = w ^ ALL('"'), backslash = w ^ ALL('\\');

    return (((w - ALL(0x20)) & ~w) | ((quote - ALL(1)) & ~quote) |
            ((backslash - ALL(1)) & ~backslash)) &
           ALL(0x80);
}

static bool is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* The first of eight bytes whose bit in `marks` is set. */
static size_t first_of(const char *p, uint64_t marks)
{
    size_t n = 0;

    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        return (size_t)__builtin_ctzll(marks) / 8;
    while (!is_special(p[n]))
        n++;
    return n;
}

/* Where the run of plain bytes from `p` on ends.  *high gets a bit of ALL(0x80)
 * when one of them, or a neighbour, is not ASCII. */
static const char *plain_end(const char *p, const char *end, uint64_t *high)
{
    uint64_t w, v, seen = 0, marks = 0;

    while (end - p >= 16) {
        memcpy(&w, p, 8);
        memcpy(&v, p + 8, 8);
        seen |= w | v;
        if (specials(w) | specials(v))
            break;
        p += 16;
    }
    while (end - p >= 8) {
        memcpy(&w, p, 8);
        seen |= w;
        marks = specials(w);
        if (marks)
            break;
        p += 8;
    }
    if (marks)
        p += first_of(p, marks);
    else
        for (; p < end && !is_special(*p); p++)
            seen |= (unsigned char)*p & 0x80;
    *high = seen & ALL(0x80);
    return p;
}

/* Takes the first byte of a sequence; Unicode table 3-7.  False when none may
 * begin with it. */
static bool utf8_lead(struct asbi_json_string *s, unsigned char c)
{
    s->least = 0x80;
    s->most = 0xbf;
    s->more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c == 0xe0)
        s->least = 0xa0;
    else if (c == 0xed)
        s->most = 0x9f;
    else if (c == 0xf0)
        s->least = 0x90;
    else if (c == 0xf4)
        s->most = 0x8f;
    return c >= 0xc2 && c <= 0xf4;
}

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Past whole sequences that no rule but the shape applies to: most of what is
 * not ASCII. */
static const char *skip_common(const char *p, const char *end)
{
    uint64_t w;

    for (;;) {
        unsigned char c = p < end ? (unsigned char)*p : 0xff;

        if (c < 0x80) {
            p++;
            while (end - p >= 8 && (memcpy(&w, p, 8), !(w & ALL(0x80))))
                p += 8;
        } else if (end - p >= 2 && c >= 0xc2 && c < 0xe0 && is_tail(p[1])) {
            p += 2;
        } else if (end - p >= 3 && c > 0xe0 && c < 0xf0 && c != 0xed &&
                   is_tail(p[1]) && is_tail(p[2])) {
            p += 3;
        } else {
            return p;
        }
    }
}

/* Past most of a run at once; a sequence that may go on behind it is left. */
static const char *skip_valid(const char *p, const char *end)
{
    enum { WORTH = 48 }; /* bytes: less is faster one by one */
    size_t tail = 0;

    if (end - p < WORTH)
        return p;
    while (tail < 3 && is_tail(end[-1 - (ptrdiff_t)tail]))
        tail++;
    tail += (unsigned char)end[-1 - (ptrdiff_t)tail] >= 0xc0;
    return asbi_utf8_valid(p, (size_t)(end - p) - tail) ? end - tail : p;
}

/* The first byte that is wrong, or `end`. */
static const char *check_utf8(struct asbi_json_string *s, const char *p,
                              const char *end)
{
    if (s->more == 0)
        p = skip_valid(p, end);
    for (;;) {
        if (s->more == 0)
            p = skip_common(p, end);
        if (p == end)
            return p;
        unsigned char c = (unsigned char)*p;
        if (s->more == 0) {
            if (!utf8_lead(s, c))
                return p;
        } else if (c < s->least || c > s->most) {
            return p;
        } else {
            s->more--;
            s->least = 0x80;
            s->most = 0xbf;
        }
        p++;
    }
}

static void put_code_point(char *out, asbi_str *piece, uint32_t c)
{
    char *o = out + piece->len;

    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
        *o++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    } else {
        *o++ = (char)(0xf0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 0x3f));
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    }
    *piece = asbi_str_of(out, (size_t)(o - out));
}

/* Half a pair that found no other half. */
static void put_lone(struct asbi_json_string *s, asbi_str *piece)
{
    if (s->high)
        put_code_point(s->out, piece, 0xfffd);
    s->high = 0;
}

static void end_of_unit(struct asbi_json_string *s, asbi_str *piece)
{
    bool low = s->unit >= 0xdc00 && s->unit < 0xe000;
    uint32_t high = s->high;

    s->state = PLAIN;
    if (low && high) {
        s->high = 0;
        put_code_point(s->out, piece,
                       0x10000 + ((high - 0xd800) << 10) +
                           (uint32_t)(s->unit - 0xdc00));
        return;
    }
    put_lone(s, piece);
    if (s->unit >= 0xd800 && s->unit < 0xdc00)
        s->high = s->unit;
    else
        put_code_point(s->out, piece, low ? 0xfffd : s->unit);
}

static bool take_hex(struct asbi_json_string *s, char c, asbi_str *piece)
{
    unsigned lower = (unsigned char)c | 0x20U, digit;

    if (c >= '0' && c <= '9')
        digit = (unsigned)(c - '0');
    else if (lower >= 'a' && lower <= 'f')
        digit = lower - 'a' + 10;
    else
        return false;
    s->unit = (uint16_t)((unsigned)s->unit << 4 | digit);
    if (--s->digits == 0)
        end_of_unit(s, piece);
    return true;
}

/* What a letter behind a backslash stands for; 0 for none and for \u. */
static const char escaped[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static bool take_escape(struct asbi_json_string *s, char c, asbi_str *piece)
{
    if (c == 'u') {
        s->state = HEX;
        s->digits = 4;
        s->unit = 0;
        return true;
    }
    if (!escaped[(unsigned char)c])
        return false;
    s->state = PLAIN;
    put_lone(s, piece);
    put_code_point(s->out, piece, (unsigned char)escaped[(unsigned char)c]);
    return true;
}

/* Inside an escape, until it gives text or the bytes are used up. */
static enum asbi_json_string_event take_escapes(struct asbi_json_string *s,
                                                const char **at,
                                                const char *end,
                                                asbi_str *piece)
{
    while (s->state != PLAIN && *at < end) {
        if (!(s->state == HEX ? take_hex(s, **at, piece)
                              : take_escape(s, **at, piece)))
            return ASBI_JSON_STRING_BAD;
        *at += 1;
    }
    return piece->len || *at < end ? ASBI_JSON_STRING_PIECE
                                   : ASBI_JSON_STRING_MORE;
}

/* At a byte that is special, or cannot follow half a pair. */
static enum asbi_json_string_event take_special(struct asbi_json_string *s,
                                                const char **at,
                                                const char *end,
                                                asbi_str *piece)
{
    if (s->more)
        return ASBI_JSON_STRING_BAD;
    if (**at == '\\') {
        s->state = BACKSLASH;
        *at += 1;
        return take_escapes(s, at, end, piece);
    }
    if (s->high) {
        put_lone(s, piece);
        return ASBI_JSON_STRING_PIECE;
    }
    if (**at != '"')
        return ASBI_JSON_STRING_BAD;
    *at += 1;
    return ASBI_JSON_STRING_END;
}

static enum asbi_json_string_event take_plain(struct asbi_json_string *s,
                                              const char **at, const char *end,
                                              asbi_str *piece)
{
    const char *from = *at;
    uint64_t high;

    if (s->high || is_special(*from))
        return take_special(s, at, end, piece);
    const char *plain = plain_end(from, end, &high);
    *at = s->more || high ? check_utf8(s, from, plain) : plain;
    *piece = asbi_str_of(from, (size_t)(*at - from));
    return *at == plain ? ASBI_JSON_STRING_PIECE : ASBI_JSON_STRING_BAD;
}

enum asbi_json_string_event asbi_json_string_next(struct asbi_json_string *s,
                                                  const char **at,
                                                  const char *end,
                                                  asbi_str *piece)
{
    *piece = asbi_str_of(s->out, 0);
    if (*at == end)
        return ASBI_JSON_STRING_MORE;
    if (s->state == PLAIN)
        return take_plain(s, at, end, piece);
    return take_escapes(s, at, end, piece);
}

/* At most `most` bytes of plain ASCII. */
static size_t copy_plain(const char *from, size_t most, char *out)
{
    size_t n = asbi_json_plain_run(from, most);

    if (most >= 16 && n <= 16)
        memcpy(out, from, 16); /* quicker than as many as there are */
    else
        memcpy(out, from, n);
    return n;
}

size_t asbi_json_string_copy(const struct asbi_json_string *s, const char **at,
                             const char *end, char *out, size_t room)
{
    enum { SHORT = 64 };
    const char *p = *at;
    size_t n = 0;

    if (s->state != PLAIN || s->high || s->more)
        return 0;
    while (end - p >= SHORT && room - n >= SHORT) {
        size_t run = copy_plain(p, SHORT, out + n);

        if (run == SHORT)
            break;
        p += run;
        n += run;
        if (*p != '\\' || end - p < 2 || !escaped[(unsigned char)p[1]])
            break;
        out[n++] = escaped[(unsigned char)p[1]];
        p += 2;
    }
    *at = p;
    return n;
}
