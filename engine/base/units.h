/*
 * units.h -- durations, sizes and money as people write them.
 *
 * Time inside is uint64_t nanoseconds of a monotonic clock; money is int64_t
 * nano-dollars.
 */
#ifndef ASBI_BASE_UNITS_H
#define ASBI_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

#define ASBI_US UINT64_C(1000)
#define ASBI_MS UINT64_C(1000000)
#define ASBI_SECOND UINT64_C(1000000000)
#define ASBI_NEVER UINT64_MAX
#define ASBI_USD INT64_C(1000000000)

/* "200ms", "1.5s", "2h30m", "1d"; a bare number is in `bare_unit_ns`. */
bool asbi_parse_duration(asbi_str text, uint64_t bare_unit_ns, uint64_t *ns);

/* "64MiB", "10kB", "4096": k, M, G are powers of 1000, Ki, Mi, Gi of 1024. */
bool asbi_parse_size(asbi_str text, uint64_t *bytes);

/* "12.50", "$0.0000114", exact to the nano-dollar; more digits round up. */
bool asbi_parse_usd(asbi_str text, int64_t *nano_usd);

/* Whole text must be one decimal number in range. */
bool asbi_parse_u64(asbi_str text, uint64_t *n);
bool asbi_parse_double(asbi_str text, double *x);

/* tokens x price (nano-dollars per million tokens), rounded up; saturates. */
int64_t asbi_price_of(uint64_t tokens, int64_t nano_usd_per_million);

/* "3h12m", "4m10s", "12s", "0.4s": two units at most. */
void asbi_format_duration(struct asbi_buf *out, uint64_t ns);

/* 1234567 as "1,234,567". */
void asbi_format_count(struct asbi_buf *out, uint64_t n);

/* "$12.50", "$0.0141", "$0.000031": to the cent, or finer for what is less. */
void asbi_format_usd(struct asbi_buf *out, int64_t nano_usd);

enum { ASBI_USD_TEXT = 24 };

/* "12.50", "0.00003": exact, at least to the cent.  Returns `out`. */
const char *asbi_usd_text(int64_t nano_usd, char out[ASBI_USD_TEXT]);

static inline uint64_t asbi_add_ns(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? ASBI_NEVER : a + b;
}

#endif
