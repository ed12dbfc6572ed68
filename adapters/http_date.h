/*
 * http_date.h -- a date as HTTP writes it: the three forms of RFC 9110,
 * 5.6.7; and as Anthropic's headers do, which is RFC 3339.
 *
 * Knows no clock; the caller says what year it is, for the form that gives two
 * digits of it.
 */
#ifndef ASBI_ADAPTERS_HTTP_DATE_H
#define ASBI_ADAPTERS_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

/* Milliseconds since 1970, as `wall_ms` is.  False for what is no date of that
 * kind, or is before 1970. */
bool asbi_http_date(asbi_str text, uint64_t wall_ms, uint64_t *ms);

/* "2025-01-28T00:00:00Z", with any fraction of a second and any offset. */
bool asbi_rfc3339_date(asbi_str text, uint64_t *ms);

/* The same as programs print it: without an offset it is UTC. */
bool asbi_iso8601_date(asbi_str text, uint64_t *ms);

#endif
