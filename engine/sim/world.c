#include "engine/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sim/world_state.h"

/* Exchanges carried at once, as a process with many descriptors could. */
enum { CAPACITY = 4096 };
#define FIRST_NS ASBI_SECOND
#define FIRST_WALL_MS UINT64_C(1700000000000)

static struct asbi_sim_world *of(struct asbi_world *world)
{
    return (struct asbi_sim_world *)(void *)world;
}

static const struct asbi_sim_world *of_const(const struct asbi_world *world)
{
    return (const struct asbi_sim_world *)(const void *)world;
}

void asbi_sim_world_plan(struct asbi_sim_world *w, struct asbi_sim_event *e,
                         uint64_t at_ns)
{
    uint64_t at = at_ns > w->now_ns ? at_ns : w->now_ns;

    if (e->node.at) {
        asbi_heap_rekey(&w->events, &e->node, at);
    } else {
        int rc = asbi_heap_push(&w->events, &e->node, at);
        assert(rc == ASB_OK);
        (void)rc;
    }
}

void asbi_sim_world_note(struct asbi_sim_world *w, uint64_t what,
                         uint64_t serial, uint64_t detail)
{
    const uint64_t event[] = { what, w->now_ns, serial, detail };

    w->trace = asbi_hash64(event, sizeof(event), w->trace);
}

/* ---- the engine's clock and timer ------------------------------------- */

static uint64_t world_now(struct asbi_world *world)
{
    return of(world)->now_ns;
}

static uint64_t world_wall_ms(struct asbi_world *world)
{
    const struct asbi_sim_world *w = of(world);

    return FIRST_WALL_MS + w->now_ns / ASBI_MS + (uint64_t)w->wall_off_ms;
}

static void world_arm(struct asbi_world *world, uint64_t at_ns)
{
    struct asbi_sim_world *w = of(world);

    if (at_ns == ASBI_NEVER)
        asbi_heap_remove(&w->events, &w->timer.node);
    else
        asbi_sim_world_plan(w, &w->timer, at_ns);
}

static void world_wake(struct asbi_world *world)
{
    struct asbi_sim_world *w = of(world);

    if (!w->wake.node.at)
        asbi_sim_world_plan(w, &w->wake, w->now_ns);
}

static void turn(struct asbi_sim_world *w, void *arg)
{
    (void)arg;
    asbi_sim_world_note(w, 't', 0, 0);
    if (w->base.on_turn)
        w->base.on_turn(w->base.arg);
}

static void world_free(struct asbi_world *world)
{
    struct asbi_sim_world *w = of(world);

    asbi_sim_transits_free(w);
    for (size_t i = 0; i < w->site_count; i++)
        asbi_sim_provider_free(w->sites[i].provider);
    asbi_heap_fini(&w->events);
    asbi_free(w->base.mem, w);
}

static const struct asbi_world_ops world_ops = {
    .now = world_now,
    .wall_ms = world_wall_ms,
    .arm = world_arm,
    .wake = world_wake,
    .free = world_free,
};

/* ---- driving it ------------------------------------------------------- */

static int add_site(struct asbi_sim_world *w, const char *host,
                    const struct asbi_sim_options *options)
{
    struct asbi_sim_site *site = &w->sites[w->site_count];

    if (w->site_count == ASBI_SIM_SITES)
        return ASB_EFULL;
    (void)snprintf(site->host, sizeof(site->host), "%s", host);
    int rc = asbi_sim_provider_new(w->base.mem, options, &site->provider);
    w->site_count += !rc;
    return rc;
}

int asbi_sim_world_add_site(struct asbi_world *world, const char *host,
                            const struct asbi_sim_options *options)
{
    return add_site(of(world), host, options);
}

static struct asbi_sim_site *find_site(const struct asbi_world *world,
                                       const char *host)
{
    const struct asbi_sim_world *w = of_const(world);

    for (size_t i = 0; i < w->site_count; i++) {
        if (strcmp(w->sites[i].host, host) == 0)
            return (struct asbi_sim_site *)(uintptr_t)&w->sites[i];
    }
    return NULL;
}

void asbi_sim_world_site_down(struct asbi_world *world, const char *host,
                              bool down)
{
    struct asbi_sim_site *site = find_site(world, host);

    if (!site)
        return;
    site->down = down;
    if (down)
        asbi_sim_transits_break(of(world), site);
}

const struct asbi_sim_stats *
asbi_sim_world_site_stats(const struct asbi_world *world, const char *host)
{
    const struct asbi_sim_site *site = find_site(world, host);

    return site ? asbi_sim_provider_stats(site->provider) : NULL;
}

int asbi_sim_world_new(const struct asbi_mem *mem, uint64_t seed,
                       const struct asbi_sim_options *options,
                       struct asbi_world **out)
{
    struct asbi_sim_world *w = asbi_calloc(mem, 1, sizeof(*w));

    *out = NULL;
    if (!w)
        return ASB_ENOMEM;
    w->base = (struct asbi_world){
        .ops = &world_ops,
        .mem = mem,
        .transport = &w->transport,
        .seed = seed,
    };
    w->transport.ops = &asbi_sim_transport_ops;
    w->transport.capacity = CAPACITY;
    w->options = *options;
    w->now_ns = FIRST_NS;
    w->timer.happen = w->wake.happen = turn;
    asbi_rng_seed(&w->rng, ~seed);
    asbi_heap_init(&w->events, mem);
    asbi_list_init(&w->transits);
    if (asbi_heap_reserve(&w->events, ASBI_SIM_WORLD_EVENTS) ||
        add_site(w, "", options)) {
        world_free(&w->base);
        return ASB_ENOMEM;
    }
    *out = &w->base;
    return ASB_OK;
}

bool asbi_sim_world_step(struct asbi_world *world)
{
    struct asbi_sim_world *w = of(world);
    struct asbi_heap_node *node = asbi_heap_pop(&w->events);

    if (!node)
        return false;
    struct asbi_sim_event *e = ASBI_OF(node, struct asbi_sim_event, node);
    if (node->key > w->now_ns)
        w->now_ns = node->key;
    e->happen(w, e->arg);
    return true;
}

bool asbi_sim_world_run(struct asbi_world *world, bool (*done)(void *arg),
                        void *arg, uint64_t most_steps)
{
    while (!done || !done(arg)) {
        if (most_steps-- == 0)
            return false;
        if (!asbi_sim_world_step(world))
            break;
    }
    return true;
}

void asbi_sim_world_jump(struct asbi_world *world, uint64_t ns, int64_t wall_ms)
{
    struct asbi_sim_world *w = of(world);

    asbi_sim_world_note(w, 'j', ns, (uint64_t)wall_ms);
    w->now_ns = asbi_add_ns(w->now_ns, ns);
    w->wall_off_ms += wall_ms;
}

uint64_t asbi_sim_world_trace(const struct asbi_world *world)
{
    return of_const(world)->trace;
}

size_t asbi_sim_world_pending(const struct asbi_world *world)
{
    return of_const(world)->events.count;
}

const struct asbi_sim_stats *
asbi_sim_world_stats(const struct asbi_world *world)
{
    return asbi_sim_provider_stats(of_const(world)->sites[0].provider);
}
