#include "engine/base/json.h"

#include <math.h>

#include "engine/base/decimal.h"
#include "engine/base/json_plain.h"
#include "engine/base/units.h"

/* What JSON demands to be escaped: the letter after the backslash, or 'u'. */
static const char escapes[256] = {
    ['\0'] = 'u', [1] = 'u',  [2] = 'u',    [3] = 'u',     [4] = 'u',
    [5] = 'u',    [6] = 'u',  [7] = 'u',    ['\b'] = 'b',  ['\t'] = 't',
    ['\n'] = 'n', [11] = 'u', ['\f'] = 'f', ['\r'] = 'r',  [14] = 'u',
    [15] = 'u',   [16] = 'u', [17] = 'u',   [18] = 'u',    [19] = 'u',
    [20] = 'u',   [21] = 'u', [22] = 'u',   [23] = 'u',    [24] = 'u',
    [25] = 'u',   [26] = 'u', [27] = 'u',   [28] = 'u',    [29] = 'u',
    [30] = 'u',   [31] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

/* High bit of each byte that is zero, and perhaps of one above such a byte:
 * good enough to say "none". */
static uint64_t zero_bytes(uint64_t x)
{
    return (x - EVERY(0x01)) & ~x & EVERY(0x80);
}

/* Whether one of eight bytes is a quote, a backslash or under 0x20. */
static bool eight_need_escape(const char *at)
{
    uint64_t x;

    memcpy(&x, at, sizeof(x));
    uint64_t low = (x - EVERY(0x20)) & ~x & EVERY(0x80);
    return (low | zero_bytes(x ^ EVERY('"')) | zero_bytes(x ^ EVERY('\\'))) !=
           0;
}

/* Length of the run at `at` that goes out as it is. */
static size_t clean_run(const char *at, size_t len)
{
    size_t n = 0;

    while (len - n >= 8 && !eight_need_escape(at + n))
        n += 8;
    while (n < len && !escapes[(unsigned char)at[n]])
        n++;
    return n;
}

static void put_escape(struct asbi_buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char seq[6] = { '\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15] };

    asbi_buf_add(out, seq, escapes[c] == 'u' ? 6 : 2);
}

static void put_valid(struct asbi_buf *out, asbi_str text)
{
    while (text.len) {
        size_t run = clean_run(text.at, text.len);

        asbi_buf_add(out, text.at, run);
        if (run == text.len)
            return;
        put_escape(out, (unsigned char)text.at[run]);
        text.at += run + 1;
        text.len -= run + 1;
    }
}

size_t asbi_utf8_first(asbi_str s)
{
    for (size_t n = 1; n <= 4 && n <= s.len; n++) {
        if (asbi_utf8_valid(s.at, n))
            return n;
    }
    return 0;
}

static void put_repaired(struct asbi_buf *out, asbi_str text)
{
    while (text.len) {
        size_t n = asbi_utf8_first(text);

        if (n)
            put_valid(out, asbi_str_of(text.at, n));
        else
            asbi_buf_c(out, "\xef\xbf\xbd");
        n += n == 0;
        text.at += n;
        text.len -= n;
    }
}

void asbi_json_put_escaped(struct asbi_buf *out, asbi_str text)
{
    if (asbi_utf8_valid(text.at, text.len))
        put_valid(out, text);
    else
        put_repaired(out, text);
}

void asbi_json_put_string(struct asbi_buf *out, asbi_str text)
{
    size_t plain = asbi_json_plain_run(text.at, text.len);

    asbi_buf_char(out, '"');
    asbi_buf_add(out, text.at, plain);
    if (plain < text.len)
        asbi_json_put_escaped(out,
                              asbi_str_of(text.at + plain, text.len - plain));
    asbi_buf_char(out, '"');
}

void asbi_json_put_key(struct asbi_buf *out, const char *key)
{
    bool first = out->len == 0 || out->data[out->len - 1] == '{';
    size_t len = strlen(key);

    if (clean_run(key, len) != len) {
        asbi_buf_c(out, first ? "" : ",");
        asbi_json_put_string(out, asbi_str_of(key, len));
        asbi_buf_char(out, ':');
        return;
    }
    /* The usual case, as one piece. */
    char *to = asbi_buf_reserve(out, len + 3 + !first);
    if (!to)
        return;
    if (!first)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, key, len);
    to[len] = '"';
    to[len + 1] = ':';
    out->len += len + 3 + !first;
}

void asbi_json_put_double(struct asbi_buf *out, double value)
{
    char text[32];

    if (!isfinite(value)) {
        asbi_buf_c(out, "null");
        return;
    }
    asbi_buf_add(out, text, asbi_decimal_write(value, text));
}

void asbi_json_put_usd(struct asbi_buf *out, int64_t nano_usd)
{
    const uint64_t usd = (uint64_t)ASBI_USD;
    uint64_t nano = nano_usd < 0 ? 0 - (uint64_t)nano_usd : (uint64_t)nano_usd;
    uint64_t part = nano % usd;
    char digits[10] = ".";
    size_t len = 10;

    if (nano_usd < 0)
        asbi_buf_char(out, '-');
    asbi_buf_u64(out, nano / usd);
    if (part == 0)
        return;
    for (size_t i = 9; i > 0; i--, part /= 10)
        digits[i] = (char)('0' + part % 10);
    while (digits[len - 1] == '0')
        len--;
    asbi_buf_add(out, digits, len);
}
