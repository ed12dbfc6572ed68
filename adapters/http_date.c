#include "adapters/http_date.h"

#include <string.h>

struct date {
    unsigned year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 of a date in the Gregorian calendar, by Howard
 * Hinnant's days_from_civil. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = y / 400, year_of_era = y - era * 400;
    int64_t day_of_year =
        (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 -
           year_of_era / 100 + day_of_year - 719468;
}

/* Takes exactly `digits` digits, of which the first may be a space. */
static bool take_number(asbi_str *s, size_t digits, unsigned *n)
{
    *n = 0;
    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = s->at[i] == ' ' && i == 0 ? '0' : s->at[i];

        if (c < '0' || c > '9')
            return false;
        *n = *n * 10 + (unsigned)(c - '0');
    }
    s->at += digits;
    s->len -= digits;
    return true;
}

static bool take_text(asbi_str *s, asbi_str text)
{
    if (!asbi_str_starts(*s, text))
        return false;
    s->at += text.len;
    s->len -= text.len;
    return true;
}

static bool take_month(asbi_str *s, unsigned *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (*month = 1; *month <= 12; *month += 1) {
        if (take_text(s, asbi_str_of(names + (*month - 1) * 3, 3)))
            return true;
    }
    return false;
}

static bool take_time(asbi_str *s, struct date *d)
{
    return take_number(s, 2, &d->hour) && take_text(s, ASBI_STR(":")) &&
           take_number(s, 2, &d->minute) && take_text(s, ASBI_STR(":")) &&
           take_number(s, 2, &d->second);
}

/* 06 Nov 1994 08:49:37 GMT */
static bool read_fixed(asbi_str s, struct date *d)
{
    return take_number(&s, 2, &d->day) && take_text(&s, ASBI_STR(" ")) &&
           take_month(&s, &d->month) && take_text(&s, ASBI_STR(" ")) &&
           take_number(&s, 4, &d->year) && take_text(&s, ASBI_STR(" ")) &&
           take_time(&s, d) && asbi_str_eq(s, ASBI_STR(" GMT"));
}

/* 06-Nov-94 08:49:37 GMT, which in no case is 50 years ahead. */
static bool read_rfc850(asbi_str s, uint64_t wall_ms, struct date *d)
{
    unsigned this_year = 1970 + (unsigned)(wall_ms / 31556952000 % 8000);

    if (!take_number(&s, 2, &d->day) || !take_text(&s, ASBI_STR("-")) ||
        !take_month(&s, &d->month) || !take_text(&s, ASBI_STR("-")) ||
        !take_number(&s, 2, &d->year) || !take_text(&s, ASBI_STR(" ")) ||
        !take_time(&s, d) || !asbi_str_eq(s, ASBI_STR(" GMT")))
        return false;
    d->year += this_year / 100 * 100;
    if (d->year > this_year + 50)
        d->year -= 100;
    return true;
}

/* Nov  6 08:49:37 1994 */
static bool read_asctime(asbi_str s, struct date *d)
{
    return take_month(&s, &d->month) && take_text(&s, ASBI_STR(" ")) &&
           take_number(&s, 2, &d->day) && take_text(&s, ASBI_STR(" ")) &&
           take_time(&s, d) && take_text(&s, ASBI_STR(" ")) &&
           take_number(&s, 4, &d->year) && s.len == 0;
}

/* Past the name of the day, which says nothing new. */
static bool take_day_name(asbi_str *s)
{
    size_t n = 0;

    while (n < s->len && s->at[n] != ' ')
        n++;
    bool ok = n >= 3 && n < s->len;
    s->at += ok ? n + 1 : 0;
    s->len -= ok ? n + 1 : 0;
    return ok;
}

static bool make_sense(const struct date *d)
{
    return d->year >= 1970 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
           d->day <= 31 && d->hour <= 23 && d->minute <= 59 && d->second <= 60;
}

static int64_t seconds_of(const struct date *d)
{
    return days_of(d->year, d->month, d->day) * 86400 + d->hour * 3600 +
           d->minute * 60 + d->second;
}

bool asbi_http_date(asbi_str text, uint64_t wall_ms, uint64_t *ms)
{
    asbi_str s = asbi_str_trim(text);
    struct date d = { 0 };

    if (!take_day_name(&s) || (!read_fixed(s, &d) && !read_asctime(s, &d) &&
                               !read_rfc850(s, wall_ms, &d)))
        return false;
    if (!make_sense(&d))
        return false;
    *ms = (uint64_t)seconds_of(&d) * 1000;
    return true;
}

/* ---- RFC 3339 --------------------------------------------------------- */

static bool take_any(asbi_str *s, char a, char b)
{
    if (s->len == 0 || (s->at[0] != a && s->at[0] != b))
        return false;
    s->at++;
    s->len--;
    return true;
}

/* ".123456": milliseconds. */
static bool take_fraction(asbi_str *s, unsigned *ms)
{
    unsigned weight = 100;

    *ms = 0;
    if (!take_any(s, '.', ','))
        return true;
    size_t before = s->len;
    for (; s->len && s->at[0] >= '0' && s->at[0] <= '9'; s->at++, s->len--) {
        *ms += (unsigned)(s->at[0] - '0') * weight;
        weight /= 10;
    }
    return s->len < before;
}

/* Z, +02:00: seconds that local time is ahead. */
static bool take_offset(asbi_str *s, int64_t *ahead)
{
    unsigned hours, minutes;
    bool behind = s->len && s->at[0] == '-';

    *ahead = 0;
    if (take_any(s, 'Z', 'z'))
        return true;
    if (!take_any(s, '+', '-') || !take_number(s, 2, &hours) ||
        !take_text(s, ASBI_STR(":")) || !take_number(s, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ahead = (int64_t)(hours * 3600 + minutes * 60) * (behind ? -1 : 1);
    return true;
}

static bool read_date(asbi_str text, bool needs_offset, uint64_t *ms)
{
    asbi_str s = asbi_str_trim(text);
    struct date d = { 0 };
    unsigned fraction;
    int64_t ahead = 0;

    if (!take_number(&s, 4, &d.year) || !take_text(&s, ASBI_STR("-")) ||
        !take_number(&s, 2, &d.month) || !take_text(&s, ASBI_STR("-")) ||
        !take_number(&s, 2, &d.day) ||
        !(take_any(&s, 'T', 't') || take_any(&s, ' ', ' ')) ||
        !take_time(&s, &d) || !take_fraction(&s, &fraction) ||
        ((needs_offset || s.len) && !take_offset(&s, &ahead)) || s.len ||
        !make_sense(&d))
        return false;
    int64_t seconds = seconds_of(&d) - ahead;
    if (seconds < 0)
        return false;
    *ms = (uint64_t)seconds * 1000 + fraction;
    return true;
}

bool asbi_rfc3339_date(asbi_str text, uint64_t *ms)
{
    return read_date(text, true, ms);
}

bool asbi_iso8601_date(asbi_str text, uint64_t *ms)
{
    return read_date(text, false, ms);
}
