/*
 * clock.h -- one reading of the monotonic clock for each callback.
 *
 * Whatever the loop calls enters the clock first and leaves it last; between
 * the two the time stands still.  Outside of callbacks (a host's own call) it
 * is read anew each time.  It never looks at the wall.
 */
#ifndef ASBI_REAL_CLOCK_H
#define ASBI_REAL_CLOCK_H

#include <stdint.h>
#include <time.h>

struct asbi_clock {
    uint64_t now_ns; /* the reading while depth > 0 */
    unsigned depth;  /* callbacks under way */
};

static inline uint64_t asbi_clock_read(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static inline uint64_t asbi_clock_now(const struct asbi_clock *clock)
{
    return clock->depth ? clock->now_ns : asbi_clock_read();
}

static inline void asbi_clock_enter(struct asbi_clock *clock)
{
    if (clock->depth++ == 0)
        clock->now_ns = asbi_clock_read();
}

static inline void asbi_clock_leave(struct asbi_clock *clock)
{
    clock->depth--;
}

#endif
