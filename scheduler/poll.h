/*
 * poll.h -- when to ask after work that a provider does on its own time.
 *
 * Waits grow with the age of the work, so that asking costs little whatever it
 * takes (what takes T is asked after about log T times) and its end is seen
 * late by a share of T at most.  Once it is known how long such work takes,
 * nobody asks much before that.  Jitter keeps many jobs from being asked after
 * at once.  Randomness is an argument.
 */
#ifndef ASBI_SCHEDULER_POLL_H
#define ASBI_SCHEDULER_POLL_H

#include <stdint.h>

struct asbi_poll_policy {
    double share;               /* of the age */
    uint64_t least_ns, most_ns; /* between two questions */
};

extern const struct asbi_poll_policy asbi_poll_media; /* a tenth, 1 s to 20 s */
extern const struct asbi_poll_policy
    asbi_poll_batches; /* an eighth, 1 s to 2 min */

/* How long such work takes: the mean of what ended, the latest counting most.
 * Zero it. */
struct asbi_poll_typical {
    double seconds; /* 0: unknown */
};

void asbi_poll_learn(struct asbi_poll_typical *t, uint64_t took_ns);

/**
 * Nanoseconds to wait before the next question.
 * @param typical  NULL: nothing is known of such work
 * @param age_ns   since the work was begun
 * @param hint_ns  what the provider asks for at least; 0 for nothing
 * @param unit     uniform in [0, 1): a fifth less or more
 */
uint64_t asbi_poll_wait(const struct asbi_poll_policy *p,
                        const struct asbi_poll_typical *typical,
                        uint64_t age_ns, uint64_t hint_ns, double unit);

#endif
