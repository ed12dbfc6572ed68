/*
 * decimal.h -- numbers as text and back, the same in every locale.
 *
 * strtod() and printf() follow the host's LC_NUMERIC, and a library may not
 * change that; these do not look at it.
 */
#ifndef ASBI_BASE_DECIMAL_H
#define ASBI_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The whole text as one finite number: digits with an optional sign '-',
 * point and exponent.  Nothing too small is refused; it gives 0. */
bool asbi_decimal_read(const char *at, size_t len, double *out);

/* The shortest text of 15 to 17 digits that reads back as `value`, which is
 * finite.  Writes at most 32 bytes, no NUL; returns how many. */
size_t asbi_decimal_write(double value, char *to);

#ifdef __cplusplus
}
#endif

#endif
