/*
 * world_state.h -- the inside of the simulated world: for world.c and transit.c
 * only.
 */
#ifndef ASBI_SIM_WORLD_STATE_H
#define ASBI_SIM_WORLD_STATE_H

#include "engine/base/heap.h"
#include "engine/sim/provider.h"
#include "engine/sim/world.h"

struct asbi_sim_world;

/* Something that will happen once; its node is in the world's heap until it
 * does. */
struct asbi_sim_event {
    struct asbi_heap_node node;
    void (*happen)(struct asbi_sim_world *w, void *arg);
    void *arg;
};

/* A provider with an address of its own. */
struct asbi_sim_site {
    char host[64]; /* "" for whatever is not another's */
    struct asbi_sim_provider *provider;
    bool down;
};

enum { ASBI_SIM_SITES = 8 };

struct asbi_sim_world {
    struct asbi_world base; /* first: the engine's view */
    struct asbi_transport transport;
    struct asbi_sim_options options;
    struct asbi_sim_site sites[ASBI_SIM_SITES]; /* the first is ours */
    size_t site_count;
    struct asbi_rng rng; /* the network's */
    uint64_t now_ns;
    int64_t wall_off_ms; /* what the calendar was set ahead */
    struct asbi_heap events;
    struct asbi_sim_event timer, wake; /* the engine's */
    struct asbi_list transits;
    unsigned live;   /* transits whose exchange is not over */
    uint64_t serial; /* of the last exchange */
    uint64_t trace;
};

/* Plans an event, or moves it; room was reserved, so this cannot fail. */
void asbi_sim_world_plan(struct asbi_sim_world *w, struct asbi_sim_event *e,
                         uint64_t at_ns);

/* Adds to the trace. */
void asbi_sim_world_note(struct asbi_sim_world *w, uint64_t what,
                         uint64_t serial, uint64_t detail);

/* transit.c: the transport's side. */
extern const struct asbi_transport_ops asbi_sim_transport_ops;

/* What is on its way to a site gets no answer. */
void asbi_sim_transits_break(struct asbi_sim_world *w,
                             const struct asbi_sim_site *site);
void asbi_sim_transits_free(struct asbi_sim_world *w);

/* Events each exchange may have planned at once, and the world's own. */
enum { ASBI_SIM_TRANSIT_EVENTS = 3, ASBI_SIM_WORLD_EVENTS = 2 };

#endif
