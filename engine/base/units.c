#include "engine/base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/decimal.h"

/* Reads a decimal number at the start; moves *s past it. */
static bool take_number(asbi_str *s, double *x)
{
    size_t n = 0;

    while (n < s->len && (isdigit((unsigned char)s->at[n]) || s->at[n] == '.'))
        n++;
    if (!asbi_decimal_read(s->at, n, x))
        return false;
    s->at += n;
    s->len -= n;
    return true;
}

struct unit {
    const char *name;
    double factor;
};

/* Takes the longest unit name at the start of *s. */
static bool take_unit(asbi_str *s, const struct unit *units, size_t n,
                      double *factor)
{
    size_t letters = 0;

    while (letters < s->len && isalpha((unsigned char)s->at[letters]))
        letters++;
    for (size_t i = 0; i < n; i++) {
        if (asbi_str_eq(asbi_str_of(s->at, letters),
                        asbi_str_c(units[i].name))) {
            *factor = units[i].factor;
            s->at += letters;
            s->len -= letters;
            return true;
        }
    }
    return false;
}

bool asbi_parse_duration(asbi_str text, uint64_t bare_unit_ns, uint64_t *ns)
{
    static const struct unit units[] = {
        { "ns", 1 },   { "us", 1e3 },   { "ms", 1e6 },   { "s", 1e9 },
        { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 },
    };
    asbi_str s = asbi_str_trim(text);
    double total = 0, x, factor;
    bool first = true;

    if (s.len == 0)
        return false;
    for (; s.len; first = false) {
        if (!take_number(&s, &x))
            return false;
        if (s.len == 0 && first)
            factor = (double)bare_unit_ns;
        else if (!take_unit(&s, units, sizeof(units) / sizeof(units[0]),
                            &factor))
            return false;
        total += x * factor;
        s = asbi_str_trim(s);
    }
    if (!(total < 9e18))
        return false;
    *ns = (uint64_t)llround(total);
    return true;
}

bool asbi_parse_size(asbi_str text, uint64_t *bytes)
{
    static const struct unit units[] = {
        { "B", 1 },         { "k", 1e3 },         { "kB", 1e3 },
        { "KB", 1e3 },      { "M", 1e6 },         { "MB", 1e6 },
        { "G", 1e9 },       { "GB", 1e9 },        { "K", 1e3 },
        { "Ki", 1024 },     { "KiB", 1024 },      { "Mi", 1048576 },
        { "MiB", 1048576 }, { "Gi", 1073741824 }, { "GiB", 1073741824 },
    };
    asbi_str s = asbi_str_trim(text);
    double x, factor = 1;

    if (!take_number(&s, &x))
        return false;
    s = asbi_str_trim(s);
    if (s.len &&
        !take_unit(&s, units, sizeof(units) / sizeof(units[0]), &factor))
        return false;
    if (s.len || !(x * factor < 9e15))
        return false;
    *bytes = (uint64_t)llround(x * factor);
    return true;
}

bool asbi_parse_usd(asbi_str text, int64_t *nano_usd)
{
    asbi_str s = asbi_str_trim(text);
    int64_t nano = 0, scale = ASBI_USD;
    bool point = false, digits = false, more = false;

    if (s.len && s.at[0] == '$')
        s.at++, s.len--;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)s.at[i]))
            return false;
        digits = true;
        int64_t d = s.at[i] - '0';
        if (point && scale == 1) {
            more = more || d != 0;
            continue;
        }
        if (nano > (INT64_MAX - 9) / 10)
            return false;
        if (point)
            scale /= 10;
        nano = nano * 10 + d;
    }
    if (!digits || nano > (INT64_MAX - 1) / scale)
        return false;
    *nano_usd = nano * scale + more;
    return true;
}

bool asbi_parse_u64(asbi_str text, uint64_t *n)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned d = (unsigned char)text.at[i] - (unsigned)'0';

        if (d > 9 || value > (UINT64_MAX - d) / 10)
            return false;
        value = value * 10 + d;
    }
    *n = value;
    return true;
}

bool asbi_parse_double(asbi_str text, double *x)
{
    if (text.len > 1 && text.at[0] == '+' && text.at[1] != '-')
        text.at++, text.len--;
    return asbi_decimal_read(text.at, text.len, x);
}

int64_t asbi_price_of(uint64_t tokens, int64_t nano_usd_per_million)
{
    const uint64_t million = 1000000;
    uint64_t price =
        nano_usd_per_million > 0 ? (uint64_t)nano_usd_per_million : 0;
    uint64_t whole = tokens / million, rest = tokens % million;

    /* rest * price is under 10^6 times the price: split that too, so that no
     * price a catalogue can hold overflows. */
    if (price && whole > (uint64_t)INT64_MAX / 2 / price)
        return INT64_MAX / 2;
    uint64_t part = price / million * rest +
                    (price % million * rest + million - 1) / million;
    return (int64_t)(whole * price + part);
}

void asbi_format_duration(struct asbi_buf *out, uint64_t ns)
{
    static const struct {
        uint64_t seconds;
        char name;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    uint64_t s = ns / ASBI_SECOND + (ns % ASBI_SECOND >= ASBI_SECOND / 2);

    if (ns < 9950 * ASBI_MS) {
        uint64_t tenths = (ns + 50 * ASBI_MS) / (100 * ASBI_MS);

        asbi_buf_fmt(out, "%u.%us", (unsigned)(tenths / 10),
                     (unsigned)(tenths % 10));
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        if (s < units[i].seconds)
            continue;
        asbi_buf_fmt(out, "%u%c", (unsigned)(s / units[i].seconds),
                     units[i].name);
        s %= units[i].seconds;
        if (i < 3)
            asbi_buf_fmt(out, "%02u%c", (unsigned)(s / units[i + 1].seconds),
                         units[i + 1].name);
        return;
    }
}

void asbi_format_count(struct asbi_buf *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%ju", (uintmax_t)n);

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            asbi_buf_char(out, ',');
        asbi_buf_char(out, digits[i]);
    }
}

void asbi_format_usd(struct asbi_buf *out, int64_t nano_usd)
{
    double usd = (double)nano_usd / 1e9;
    int digits = usd >= 1 || nano_usd <= 0 ? 2 : usd >= 0.01 ? 4 : 6;

    asbi_buf_fmt(out, "$%.*f", digits, usd);
}

const char *asbi_usd_text(int64_t nano_usd, char out[ASBI_USD_TEXT])
{
    uint64_t nano = nano_usd < 0 ? 0 - (uint64_t)nano_usd : (uint64_t)nano_usd;
    uint64_t usd = (uint64_t)ASBI_USD;
    int len =
        snprintf(out, ASBI_USD_TEXT, "%s%ju.%09ju", nano_usd < 0 ? "-" : "",
                 (uintmax_t)(nano / usd), (uintmax_t)(nano % usd));

    for (int cents = len - 7; len > cents && out[len - 1] == '0'; len--)
        out[len - 1] = '\0';
    return out;
}
