/*
 * limiter.h -- how many calls may be in flight on a lane.
 *
 * Slow start, twice as many after the first answers and then half as many
 * again, counted answer by answer, so that those of a slow server tell at once;
 * then additive increase by windows of max(20, limit) answers; one
 * multiplicative decrease for each episode of 429s; a latency guard against
 * servers that never say 429.  The guard compares the typical call of a window
 * with that of the quickest of the last twenty (slowness.h). That base forgets,
 * so that a slower server is accepted; to tell it from one that we made slow
 * ourselves, a base well over the best ever seen is put to the test with half
 * the limit for a window, as BBR probes for its round trip. Slowness while the
 * limit was not used is not of its making: no guard then.
 *
 * Refuses to pace: that is the buckets' part, and without it every growth ends
 * in a 429.
 */
#ifndef ASBI_SCHEDULER_LIMITER_H
#define ASBI_SCHEDULER_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/slowness.h"

struct asbi_limiter {
    double limit;
    double max; /* --workers, or what descriptors allow */
    bool fixed; /* --workers: stay at max unless throttled */
    bool slow_start;
    double ceiling; /* limit at the last cut */
    uint64_t ceiling_until_ns, cooldown_until_ns;
    unsigned in_flight, in_flight_peak; /* peak within the window */
    struct asbi_slowness slowness;
    unsigned completions; /* in this window */
    double window_limit;  /* when it began; as many answers end it */
    unsigned troubles;    /* 5xx and time-outs in this window */
    /* -- the test with half the limit */
    bool probing;
    unsigned skip; /* answers sent before it */
    double probed_limit;
    struct asbi_took probed; /* a typical call before it */
};

/* `workers` > 0 is a fixed ceiling used at once, left only for a while after a
 * 429; 0 starts at 16 and adapts up to `max`.  `law` is for slowness.h. */
void asbi_limiter_init(struct asbi_limiter *l, unsigned workers, unsigned max,
                       const struct asbi_latency *law);

/* Before the first call: an earlier run ended with so many in flight, and had
 * met no limit if it was still in slow start.  Three quarters of it are a safe
 * beginning; a fixed number stays. */
void asbi_limiter_recall(struct asbi_limiter *l, double in_flight,
                         bool slow_start);

/* Most calls in flight now, at least 1. */
unsigned asbi_limiter_limit(const struct asbi_limiter *l);

bool asbi_limiter_has_room(const struct asbi_limiter *l);
void asbi_limiter_started(struct asbi_limiter *l);

/* Within an episode of 429s until then: what ends in it teaches nothing. */
bool asbi_limiter_cooling(const struct asbi_limiter *l, uint64_t now_ns);

enum asbi_limiter_outcome {
    ASBI_LIMITER_OK,       /* a clean first answer: counts */
    ASBI_LIMITER_NEUTRAL,  /* retried success, refused content: no sample */
    ASBI_LIMITER_TROUBLE,  /* 5xx, time-out, reset: no cut, and where they are
                            * over a tenth of a window no growth */
    ASBI_LIMITER_THROTTLED /* 429: one cut an episode */
};

/* `took` is how long the call took, and its size; NULL: not known.
 * `cooldown_ns` is the Retry-After of a 429 (0: unknown); with it the lane
 * should be blocked for as long. */
void asbi_limiter_ended(struct asbi_limiter *l,
                        enum asbi_limiter_outcome outcome,
                        const struct asbi_took *took, uint64_t cooldown_ns,
                        uint64_t now_ns);

#endif
