/*
 * loop.h -- the real world: a libevent loop, the machine's clock, libcurl.
 *
 * Knows nothing of items or batches.  Starts no thread, touches no signal.
 */
#ifndef ASBI_REAL_LOOP_H
#define ASBI_REAL_LOOP_H

#include <asyncbatch/asyncbatch.h>

#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/real/http.h"
#include "engine/world.h"

struct asbi_parts;

struct asbi_real_options {
    struct asbi_http_options http;
    const uint64_t *seed; /* NULL: from the kernel */
    bool no_http;         /* no transport: the caller brings its own */
    /* Clocks of the host, see struct asb_hooks; NULL: the machine's. */
    uint64_t (*now_ns)(void *arg);
    uint64_t (*wall_ms)(void *arg);
    void *time_arg;
};

/**
 * Makes the real world on `base`, or on a loop of its own when that is NULL.
 * `mem`, `log` and what `options` points to are borrowed; the first two must
 * outlive the world, the rest only this call.
 * @param why  may be NULL; says what is wrong with a certificate file, a proxy
 * @return ASB_OK and *out, or ASB_ECONFIG, ASB_EIO, ASB_ENOMEM
 */
int asbi_real_world_new(const struct asbi_mem *mem, struct event_base *base,
                        const struct asbi_real_options *options,
                        const struct asbi_log *log, struct asbi_world **out,
                        struct asb_message *why);

/* Waits for events once and handles them.  ASB_OK or ASB_ELOOP. */
int asbi_real_world_turn(struct asbi_world *world);

/* The loop it lives on. */
struct event_base *asbi_real_world_base(struct asbi_world *world);

/* Whether a callback of the loop it lives on is on the stack, of this world or
 * of anybody else. */
bool asbi_real_world_is_looped(struct asbi_world *world);

/* What a file reader or writer on the same loop is built with. */
const struct asbi_parts *asbi_real_world_parts(struct asbi_world *world);

#endif
