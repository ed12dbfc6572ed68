/*
 * witness.h -- stands between the engine and the network and sees what is
 * really sent, and when: the judge of limits, which the engine cannot talk to.
 */
#ifndef ASBI_TESTS_WITNESS_H
#define ASBI_TESTS_WITNESS_H

#include "engine/sim/quota.h"
#include "engine/world.h"
#include "tests/sim/scenario.h"

enum { WITNESS_CALLS = 4096, WITNESS_BROKEN = 400 };

struct witness_call {
    struct asbi_exchange *x;
    const struct asbi_exchange_ops *ops; /* the engine's */
    bool is_aside;
};

struct witness {
    struct asbi_transport base; /* the engine's view */
    struct asbi_transport *inner;
    struct asbi_world *world;
    const struct scenario *scenario;
    struct witness_call *calls; /* those on the wire, in no order */
    size_t count;               /* with errands */
    size_t aside;               /* of these, beside the calls */
    uint64_t started, ended;    /* without errands */
    struct asbi_sim_quota minute;
    /* Told of each call that goes out; may be NULL. */
    void (*on_start)(void *arg, struct asbi_exchange *x);
    /* Told of each end of a call before the engine is; may be NULL. */
    void (*on_end)(void *arg, struct asbi_exchange *x,
                   const struct asbi_exchange_end *end);
    /* Whether an exchange is none of a call; may be NULL. */
    bool (*is_errand)(const struct asbi_exchange *x);
    void *arg;
    char broken[WITNESS_BROKEN]; /* the first thing that must not be */
};

/* Puts itself into the world's place for the transport.  False when out of
 * memory. */
bool witness_init(struct witness *w, struct asbi_world *world,
                  const struct scenario *s);
void witness_fini(struct witness *w);

/* Keeps the first. */
void witness_say(struct witness *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
