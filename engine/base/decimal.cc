#include "engine/base/decimal.h"

#include <charconv>
#include <cmath>

namespace
{

/* from_chars() also knows "inf" and "nan". */
bool plain(const char *at, size_t len)
{
    bool digit = false;

    for (size_t i = 0; i < len; i++) {
        char c = at[i];

        if (c >= '0' && c <= '9')
            digit = true;
        else if (c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E')
            return false;
    }
    return digit;
}

/* Of a number that from_chars() could not hold: whether it is too small. */
bool vanishes(const char *at, size_t len)
{
    size_t i = 0;
    long magnitude = 0, exponent = 0;
    bool point = false, leading = true, negative = false;

    for (; i < len && at[i] != 'e' && at[i] != 'E'; i++) {
        point = point || at[i] == '.';
        leading = leading && (at[i] < '1' || at[i] > '9');
        if (at[i] >= '0' && at[i] <= '9')
            magnitude += point ? (leading ? -1 : 0) : (leading ? 0 : 1);
    }
    for (i++; i < len; i++) {
        negative = negative || at[i] == '-';
        if (at[i] >= '0' && at[i] <= '9' && exponent < 1000000000)
            exponent = exponent * 10 + (at[i] - '0');
    }
    return magnitude + (negative ? -exponent : exponent) < 0;
}

} // namespace

bool asbi_decimal_read(const char *at, size_t len, double *out)
{
    double value = 0;

    if (!plain(at, len))
        return false;
    auto got = std::from_chars(at, at + len, value);
    if (got.ptr != at + len)
        return false;
    if (got.ec == std::errc::result_out_of_range) {
        if (!vanishes(at, len))
            return false;
        value = 0;
    } else if (got.ec != std::errc() || !std::isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

size_t asbi_decimal_write(double value, char *to)
{
    for (int digits = 15;; digits++) {
        double back = 0;
        auto put = std::to_chars(to, to + 32, value, std::chars_format::general,
                                 digits);
        size_t len = static_cast<size_t>(put.ptr - to);

        if (digits == 17 ||
            (asbi_decimal_read(to, len, &back) && back == value))
            return len;
    }
}
