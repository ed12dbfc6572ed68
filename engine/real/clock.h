/*
 * clock.h -- one reading of the monotonic clock for each callback.
 *
 * Whatever the loop calls enters the clock first and leaves it last; between
 * the two the time stands still.  Outside of callbacks (a host's own call) it
 * is read anew each time.  It never looks at the wall.
 *
 * So it knows when none of our callbacks is on the stack any more, and what a
 * callback cannot do to itself is done then.
 */
#ifndef ASBI_REAL_CLOCK_H
#define ASBI_REAL_CLOCK_H

#include <stdint.h>
#include <stddef.h>
#include <time.h>

struct asbi_clock {
    uint64_t now_ns;  /* the reading while depth > 0 */
    uint64_t reading; /* its number */
    unsigned depth;   /* callbacks under way */

    /* -- set by whoever owns it */
    uint64_t (*read)(void *arg); /* a clock of the host; NULL: the machine's */
    void *read_arg;
    /* Called, once, when no callback is under way any more: may free the clock
     * and all that is around it.  NULL: nothing is owed. */
    void (*afterwards)(void *arg);
    void *afterwards_arg;
};

static inline uint64_t asbi_clock_read(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static inline uint64_t asbi_clock_look(const struct asbi_clock *clock)
{
    return clock->read ? clock->read(clock->read_arg) : asbi_clock_read();
}

static inline uint64_t asbi_clock_now(const struct asbi_clock *clock)
{
    return clock->depth ? clock->now_ns : asbi_clock_look(clock);
}

static inline void asbi_clock_enter(struct asbi_clock *clock)
{
    if (clock->depth++ == 0) {
        clock->now_ns = asbi_clock_look(clock);
        clock->reading++;
    }
}

static inline void asbi_clock_leave(struct asbi_clock *clock)
{
    if (--clock->depth == 0 && clock->afterwards)
        clock->afterwards(clock->afterwards_arg);
}

#endif
