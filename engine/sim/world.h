/*
 * world.h -- the simulated world: the engine's surroundings in virtual time.
 *
 * A clock that jumps to the next event, a transport that hands exchanges to the
 * provider model and plays the answers back in pieces split at random, and
 * faults of a network in between.  Everything follows from the seeds: two
 * worlds with the same ones, driven alike, are the same to the last event.
 *
 * The exchange limits hold as in the real world.  No callback runs but from
 * asbi_sim_world_step().
 */
#ifndef ASBI_SIM_WORLD_H
#define ASBI_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/sim/options.h"
#include "engine/sim/stats.h"
#include "engine/world.h"

/**
 * Makes a world; asbi_world.ops->free ends it, calling nobody back.  Copies
 * `options`, whose seed is the provider's; `seed` is the engine's and the
 * network's.  All memory, the provider's too, comes from `mem`.
 * @return ASB_OK and *out, or ASB_ENOMEM
 */
int asbi_sim_world_new(const struct asbi_mem *mem, uint64_t seed,
                       const struct asbi_sim_options *options,
                       struct asbi_world **out);

/* Jumps to the next event and lets it happen.  False when there is none. */
bool asbi_sim_world_step(struct asbi_world *world);

/* Steps until `done` says so (NULL: never), nothing is left, or `most_steps`
 * were made.  True unless the last stopped it. */
bool asbi_sim_world_run(struct asbi_world *world, bool (*done)(void *arg),
                        void *arg, uint64_t most_steps);

/* The clocks go ahead: the monotonic one by `ns`, as when a machine was asleep,
 * the calendar by `wall_ms` more, which may be negative, as when it was set.
 * What was due meanwhile happens late. */
void asbi_sim_world_jump(struct asbi_world *world, uint64_t ns,
                         int64_t wall_ms);

/* Another provider in the same world, at "http://HOST".  `host` is shorter than
 * 64 bytes.  Of `options` those of the network are not used.  ASB_OK, ASB_EFULL
 * when there are eight, or ASB_ENOMEM. */
int asbi_sim_world_add_site(struct asbi_world *world, const char *host,
                            const struct asbi_sim_options *options);

/* A provider goes away, and what is under way to it gets no answer; or it comes
 * back.  "" is the world's first. */
void asbi_sim_world_site_down(struct asbi_world *world, const char *host,
                              bool down);

/* What such a provider saw; NULL for none of that name. */
const struct asbi_sim_stats *
asbi_sim_world_site_stats(const struct asbi_world *world, const char *host);

/* A hash over all events so far: what, when, for which exchange, with which
 * bytes. */
uint64_t asbi_sim_world_trace(const struct asbi_world *world);

/* Events that are still to come: 0 when all is at rest. */
size_t asbi_sim_world_pending(const struct asbi_world *world);

const struct asbi_sim_stats *
asbi_sim_world_stats(const struct asbi_world *world);

#endif
