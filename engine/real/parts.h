/*
 * parts.h -- what everything on the real loop is built with, and time as
 * libevent wants it.
 */
#ifndef ASBI_REAL_PARTS_H
#define ASBI_REAL_PARTS_H

#include <stdint.h>
#include <sys/time.h>

#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/real/clock.h"

struct event_base;

/* Borrowed by whoever is given it; all of it outlives them. */
struct asbi_parts {
    const struct asbi_mem *mem;
    struct event_base *base;
    struct asbi_clock *clock;
    const struct asbi_log *log; /* may be NULL */
};

/* A wait of `ns`, rounded up to what libevent can tell apart. */
static inline struct timeval asbi_timeval(uint64_t ns)
{
    uint64_t us = ns / 1000 + (ns % 1000 != 0);

    return (struct timeval){ .tv_sec = (time_t)(us / 1000000),
                             .tv_usec = (suseconds_t)(us % 1000000) };
}

#endif
