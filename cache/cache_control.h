/*
 * cache_control.h -- what an HTTP answer says of its own life: Cache-Control
 * (RFC 9111) with stale-while-revalidate (RFC 5861), and Age.
 */
#ifndef ASBI_CACHE_CACHE_CONTROL_H
#define ASBI_CACHE_CACHE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

/* Zero it. */
struct asbi_cache_control {
    bool no_store;
    bool no_cache;    /* to be checked each time, whatever max_age says */
    bool limited;     /* one of no_cache and max_age is said */
    bool shared;      /* by s-maxage, which beats max-age */
    uint64_t max_age; /* seconds */
    uint64_t stale_while_revalidate;
    uint64_t age;
};

/* Takes in one header; others are ignored, as are directives that are not
 * understood. */
void asbi_cache_control_read(struct asbi_cache_control *c, asbi_str name,
                             asbi_str value);

/* Until when an answer that came now is fresh, and until when it serves: at
 * most `most_ms`, which is all when nothing is said. */
void asbi_cache_control_life(const struct asbi_cache_control *c,
                             uint64_t now_ms, uint64_t most_ms,
                             uint64_t *fresh_until_ms,
                             uint64_t *serves_until_ms);

#endif
