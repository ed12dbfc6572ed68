/*
 * poll.h -- when to ask again about work that a provider does on its own time.
 *
 * The wait grows with the time that has passed, so that a job of a minute is
 * found done within seconds of its end and one of a day is not asked about
 * thousands of times; jitter keeps many jobs from being asked about at once.
 */
#ifndef ASBI_SCHEDULER_POLL_H
#define ASBI_SCHEDULER_POLL_H

#include <stdint.h>

struct asbi_poll_policy {
    uint64_t least_ns, most_ns; /* between two questions */
    double share;               /* of the time that has passed */
};

extern const struct asbi_poll_policy
    asbi_poll_batches; /* 1 s, 2 min, an eighth */

/**
 * Nanoseconds to wait before the next question.
 * @param passed_ns  since the work was submitted
 * @param asked_ns   what the provider asks for; 0 for nothing.  Not less than
 *                   that is waited
 * @param unit       uniform in [0, 1): a tenth less or more
 */
uint64_t asbi_poll_wait(const struct asbi_poll_policy *p, uint64_t passed_ns,
                        uint64_t asked_ns, double unit);

#endif
