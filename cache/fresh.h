/*
 * fresh.h -- when to ask anew for an answer that is still there.
 *
 * Past its time an answer may serve for a while, being refreshed meanwhile
 * (stale-while-revalidate, RFC 5861).  Before its time it is refreshed with a
 * probability that grows as the time comes near, so that of many who share a
 * store one is early and not all are late at once: XFetch (Vattani,
 * Chierichetti and Lowenstein 2015).
 */
#ifndef ASBI_CACHE_FRESH_H
#define ASBI_CACHE_FRESH_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Whether to refresh: now - delta ln(draw) >= fresh_until.
 * @param delta_ms  how long it takes to ask
 * @param draw      uniform in [0, 1)
 */
bool asbi_fresh_ends(uint64_t now_ms, uint64_t fresh_until_ms,
                     uint64_t delta_ms, double draw);

#endif
