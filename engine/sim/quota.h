/*
 * quota.h -- the provider's own count of a rate limit: a true token bucket.
 *
 * 60 seconds deep, filled continuously, full at the start, exact in integers.
 * This is the judge that a client's pacing is measured by, so it shares no
 * code with the scheduler's bucket.
 */
#ifndef ASBI_SIM_QUOTA_H
#define ASBI_SIM_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"

/* A larger limit could overflow the count. */
#define ASBI_SIM_MAX_PER_MINUTE UINT64_C(250000000)

struct asbi_sim_quota {
    uint64_t per_minute; /* 0: no limit */
    uint64_t level;      /* what is there, in 1/60,000,000,000 of a unit */
    uint64_t at_ns;      /* when `level` was right */
};

/* `per_minute` is at most ASBI_SIM_MAX_PER_MINUTE. */
void asbi_sim_quota_init(struct asbi_sim_quota *q, uint64_t per_minute,
                         uint64_t now_ns);

/* Another limit from now on; what is there over it is gone. */
void asbi_sim_quota_limit(struct asbi_sim_quota *q, uint64_t per_minute,
                          uint64_t now_ns);

/* Whether so many units fit in at all. */
bool asbi_sim_quota_holds(const struct asbi_sim_quota *q, uint64_t units);

/* Takes all of them or none.  `now_ns` never goes back. */
bool asbi_sim_quota_take(struct asbi_sim_quota *q, uint64_t units,
                         uint64_t now_ns);

/* From the last take on: whole units left; how long until `units` are there
 * (rounded up to the nanosecond); how long until it is full. */
uint64_t asbi_sim_quota_left(const struct asbi_sim_quota *q);
uint64_t asbi_sim_quota_wait(const struct asbi_sim_quota *q, uint64_t units);
uint64_t asbi_sim_quota_full_in(const struct asbi_sim_quota *q);

/* As the headers x-ratelimit-reset-* have it, a duration in Go's notation,
 * rounded up to the millisecond: "0s", "12ms", "6m0s", "2m52.8s". */
void asbi_sim_put_go_duration(struct asbi_buf *out, uint64_t ns);

#endif
