/*
 * world.h -- all that the engine asks of its surroundings.
 *
 * The real world (engine/real/world.c) is libevent, libcurl and getrandom; the
 * simulated one (engine/sim/world.c) a number that jumps to the next event, a
 * provider model and a seed.  One engine runs in both.
 */
#ifndef ASBI_WORLD_H
#define ASBI_WORLD_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/transport.h"

struct asbi_world;

struct asbi_world_ops {
    /* Monotonic nanoseconds; the same within one callback. */
    uint64_t (*now)(struct asbi_world *w);
    /* Milliseconds since 1970, for headers, metrics and what outlives the
     * process; the same within one callback, too. */
    uint64_t (*wall_ms)(struct asbi_world *w);
    /* Has on_turn() called at `at_ns` or soon after; replaces the one timer.
     * ASBI_NEVER disarms. */
    void (*arm)(struct asbi_world *w, uint64_t at_ns);
    /* Has on_turn() called once in the next turn of the loop. */
    void (*wake)(struct asbi_world *w);
    /* Has `what` called when no callback of this world is on the stack any
     * more, from the last of them; `what` may free the world.
     * ASB_OK; ASB_ENOENT when none is, and nothing will be called; ASB_EBUSY
     * when the world could not be freed even then.  NULL: no such world. */
    int (*afterwards)(struct asbi_world *w, void (*what)(void *arg), void *arg);
    void (*free)(struct asbi_world *w);
};

struct asbi_world {
    const struct asbi_world_ops *ops;
    const struct asbi_mem *mem;
    struct asbi_transport *transport;
    uint64_t seed; /* all randomness of the engine grows from it */
    /* The engine's; set before anything is armed. */
    void (*on_turn)(void *arg);
    void *arg;
};

static inline uint64_t asbi_now(struct asbi_world *w)
{
    return w->ops->now(w);
}

static inline uint64_t asbi_wall_ms(struct asbi_world *w)
{
    return w->ops->wall_ms(w);
}

#endif
