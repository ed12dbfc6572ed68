#include "engine/routes.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/way.h"

/* A lane that has to wait for longer than this is no lane for now. */
#define BLOCK_PATIENCE (5 * ASBI_SECOND)
#define RATE_PATIENCE (60 * ASBI_SECOND)
/* A full lane that stood still for so long, or for so many slow calls of the
 * quickest lane, is stuck: its share goes to the others. */
#define STILL_PATIENCE (5 * ASBI_SECOND)
static const double slow_calls = 4;

/* ---- birth and death -------------------------------------------------- */

static int add_lane(struct asb_engine *e, const struct asb_options *options,
                    const struct asbi_route *route, asbi_str key,
                    struct asb_message *why)
{
    struct asbi_routes *r = &e->routes;
    struct asbi_lane *lane;

    int rc = asbi_lane_new(
        &e->mem, options, key, asbi_task_system(e->task), &e->purse, &e->log,
        asbi_transport_for_calls(e->world->transport), &lane, why);
    if (rc)
        return rc;
    if (r->tokenizer)
        asbi_lane_count_exactly(lane, r->tokenizer, asbi_task_system(e->task));
    lane->place = r->count;
    r->lanes[r->count++] = lane;
    (void)snprintf(lane->name, sizeof(lane->name), "%s", route->name);
    lane->weight = route->weight;
    (void)asbi_routing_add(&r->routing, route->weight);
    return ASB_OK;
}

/* Two keys of one account, two servers with one model: told apart by place. */
static void tell_apart(struct asbi_routes *r)
{
    for (size_t i = 1; i < r->count; i++) {
        char *name = r->lanes[i]->name;
        size_t len = strlen(name);
        bool same = false;

        for (size_t k = 0; k < i; k++)
            same = same || strcmp(name, r->lanes[k]->name) == 0;
        if (same && len + 12 < sizeof(r->lanes[i]->name))
            (void)snprintf(name + len, 12, "#%u", (unsigned)i + 1);
    }
}

static int add_others(struct asb_engine *e, const struct asb_options *options,
                      struct asb_message *why)
{
    struct asbi_routes *r = &e->routes;
    size_t count = asbi_route_count(options);
    int rc = ASB_OK;

    for (size_t i = 1; !rc && i < count && i < ASBI_ROUTES_MAX; i++) {
        struct asbi_route route;
        asbi_str key = r->keys ? r->keys[i] : asbi_str_of("", 0);

        rc = asbi_route_read(options, i, &e->mem, &route, why);
        if (!rc)
            rc = add_lane(e, route.options, &route, key, why);
        if (rc) {
            asbi_route_fini(&route);
            break;
        }
        r->options[i] = route.options; /* the lane lives off them */
        rc = asbi_way_join(e, r->lanes[i], why);
    }
    return rc;
}

int asbi_routes_init(struct asb_engine *e, const struct asb_options *options,
                     asbi_str key, struct asb_message *why)
{
    unsigned most = asbi_transport_for_calls(e->world->transport);
    uint64_t workers = options->values.workers;
    struct asbi_routes *r = &e->routes;
    struct asbi_route first;

    asbi_purse_init(&e->purse, e->config);
    asbi_routing_init(&r->routing);
    r->most_calls = workers && workers < most ? workers : most;
    int rc = asbi_route_lead(e->options, &first, why);
    if (!rc)
        rc = add_lane(e, e->options, &first, key, why);
    if (!rc)
        e->lane = r->lanes[0];
    return rc;
}

int asbi_routes_join(struct asb_engine *e, const struct asb_options *options,
                     struct asb_message *why)
{
    struct asbi_routes *r = &e->routes;
    int rc = add_others(e, options, why);

    r->keys = NULL;
    tell_apart(r);
    for (size_t i = 0; i < r->count; i++)
        r->lanes[i]->has_company = r->count > 1;
    return rc;
}

void asbi_routes_fini(struct asb_engine *e)
{
    struct asbi_routes *r = &e->routes;

    for (size_t i = 0; i < r->count; i++) {
        asbi_lane_free(r->lanes[i], e->world->transport);
        asb_options_free(r->options[i]);
    }
    asbi_tokenizer_unref(r->tokenizer);
    r->tokenizer = NULL;
    e->lane = NULL;
    r->count = 0;
}

/* ---- which lane ------------------------------------------------------- */

/* A body of the user's own is written in the dialect of the first lane. */
static bool can_carry(const struct asb_engine *e, const struct asbi_lane *lane,
                      const struct asbi_batch *batch)
{
    const struct asbi_item *first =
        asbi_item_of_link(asbi_list_first(&batch->parcels));

    if (lane == e->lane || first->packed)
        return true;
    return lane->dialect == e->lane->dialect ||
           (first->payload != ASB_BODY && lane->dialect->encode_single);
}

/* What each lane makes of a batch. */
struct look {
    struct asbi_demand demand;
    enum asbi_gate gate;
    uint64_t ready_ns;
};

static uint64_t patience_with_full(const struct asbi_routes *r,
                                   const struct asbi_batch *batch)
{
    double least = 1e9;

    for (size_t i = 0; i < r->count; i++) {
        double seconds =
            asbi_latency_p95(&r->lanes[i]->latency, batch->load.input_tokens,
                             batch->load.output_tokens);

        if (!r->lanes[i]->halt && seconds < least)
            least = seconds;
    }
    uint64_t patience = (uint64_t)(slow_calls * least * 1e9);
    return patience > STILL_PATIENCE ? patience : STILL_PATIENCE;
}

/* Corrects the time at which to ask again, too. */
static enum asbi_standing standing(const struct asbi_lane *lane,
                                   enum asbi_gate gate, uint64_t patience,
                                   uint64_t now, uint64_t *ready_ns)
{
    uint64_t wait = *ready_ns > now ? *ready_ns - now : 0;

    switch (gate) {
    case ASBI_GATE_OPEN:
        return ASBI_STANDS_OPEN;
    case ASBI_GATE_CONCURRENCY:
        *ready_ns = asbi_add_ns(lane->moved_ns, patience);
        if (*ready_ns > now)
            return ASBI_STANDS_FULL;
        *ready_ns = ASBI_NEVER;
        return ASBI_STANDS_AWAY;
    case ASBI_GATE_BLOCKED:
        return lane->unreachables || wait > BLOCK_PATIENCE ? ASBI_STANDS_AWAY
                                                           : ASBI_STANDS_HELD;
    case ASBI_GATE_RATE:
        return wait > RATE_PATIENCE ? ASBI_STANDS_AWAY : ASBI_STANDS_HELD;
    case ASBI_GATE_PACE:
        return ASBI_STANDS_HELD;
    case ASBI_GATE_BREAKER:
    case ASBI_GATE_BUDGET: /* another may be cheaper */
        break;
    }
    return ASBI_STANDS_AWAY;
}

static void look_at(struct asb_engine *e, size_t i,
                    const struct asbi_batch *batch, uint64_t now,
                    uint64_t patience, struct look *out)
{
    struct asbi_routes *r = &e->routes;
    struct asbi_lane *lane = r->lanes[i];

    if (lane->halt || !can_carry(e, lane, batch)) {
        r->stands[i] = ASBI_STANDS_LOST;
        return;
    }
    asbi_call_weigh(e, lane, batch, &out->demand);
    out->gate = asbi_lane_gate(lane, &out->demand, now, &out->ready_ns);
    if (e->calls.count >= r->most_calls)
        out->gate = ASBI_GATE_CONCURRENCY;
    r->stands[i] = standing(lane, out->gate, patience, now, &out->ready_ns);
}

/* Closed everywhere: a lane that is to wait for something beats one without
 * money, of which the cheapest counts. */
static bool is_nearer(const struct look *a, const struct look *b)
{
    bool broke_a = a->gate == ASBI_GATE_BUDGET;
    bool broke_b = b->gate == ASBI_GATE_BUDGET;

    if (broke_a != broke_b)
        return broke_b;
    if (broke_a)
        return a->demand.worst_cost < b->demand.worst_cost;
    return a->ready_ns < b->ready_ns;
}

static enum asbi_gate nearest(const struct asb_engine *e,
                              const struct look *looks,
                              struct asbi_demand *demand, uint64_t *ready_ns)
{
    const struct asbi_routes *r = &e->routes;
    const struct look *best = NULL;

    demand->lane = NULL;
    *ready_ns = ASBI_NEVER;
    for (size_t i = 0; i < r->count; i++) {
        if (r->stands[i] == ASBI_STANDS_LOST ||
            r->stands[i] == ASBI_STANDS_OPEN)
            continue;
        if (!best || is_nearer(&looks[i], best))
            best = &looks[i];
    }
    if (!best)
        return ASBI_GATE_BLOCKED;
    *demand = best->demand;
    *ready_ns = best->ready_ns;
    return best->gate;
}

static enum asbi_gate choose_among(struct asb_engine *e,
                                   const struct asbi_batch *batch, uint64_t now,
                                   struct asbi_demand *demand,
                                   uint64_t *ready_ns)
{
    struct asbi_routes *r = &e->routes;
    struct look looks[ASBI_ROUTES_MAX];
    uint64_t patience = patience_with_full(r, batch);

    for (size_t i = 0; i < r->count; i++)
        look_at(e, i, batch, now, patience, &looks[i]);
    size_t chosen = asbi_routing_pick(&r->routing, r->stands);
    if (chosen == ASBI_ROUTES_MAX)
        return nearest(e, looks, demand, ready_ns);
    *demand = looks[chosen].demand;
    *ready_ns = now;
    return ASBI_GATE_OPEN;
}

enum asbi_gate asbi_routes_choose(struct asb_engine *e,
                                  const struct asbi_batch *batch, uint64_t now,
                                  struct asbi_demand *demand,
                                  uint64_t *ready_ns)
{
    if (e->routes.count > 1)
        return choose_among(e, batch, now, demand, ready_ns);
    asbi_call_weigh(e, e->lane, batch, demand);
    return asbi_lane_gate(e->lane, demand, now, ready_ns);
}

void asbi_routes_sent(struct asb_engine *e, const struct asbi_demand *demand,
                      size_t items)
{
    struct asbi_routes *r = &e->routes;

    if (r->count > 1)
        asbi_routing_charge(&r->routing, demand->lane->place, r->stands,
                            (double)items);
}

static bool is_too_large(const struct asbi_batch *batch,
                         const struct asbi_demand *demand)
{
    const struct asbi_lane *lane = demand->lane;
    const struct asbi_batch_caps *caps = &lane->caps;

    if (lane->way == ASBI_ARRAY)
        return (caps->items && batch->parcels.count > caps->items) ||
               (caps->input_tokens &&
                demand->input_tokens > caps->input_tokens);
    return demand->input_tokens + demand->output_tokens >
               lane->model.context_tokens ||
           (lane->model.max_output_tokens &&
            demand->output_tokens > lane->model.max_output_tokens);
}

bool asbi_routes_split(struct asb_engine *e, struct asbi_batch *batch,
                       const struct asbi_demand *demand)
{
    struct asbi_batch *half;
    size_t count = batch->parcels.count;

    return demand->lane != e->lane && count > 1 &&
           is_too_large(batch, demand) &&
           asbi_former_split(&e->former, batch, count / 2, &half) == ASB_OK;
}

enum asbi_gate asbi_routes_gate(struct asb_engine *e, uint64_t now,
                                uint64_t *ready_ns)
{
    static const struct asbi_demand least = { .rate_tokens = 0 };
    enum asbi_gate nearest_gate = ASBI_GATE_BLOCKED;

    *ready_ns = ASBI_NEVER;
    for (size_t i = 0; i < e->routes.count; i++) {
        struct asbi_lane *lane = e->routes.lanes[i];
        uint64_t ready;

        if (lane->halt)
            continue;
        enum asbi_gate gate = asbi_lane_gate(lane, &least, now, &ready);
        if (gate == ASBI_GATE_OPEN)
            return gate;
        if (i == 0 || ready < *ready_ns) {
            nearest_gate = gate;
            *ready_ns = ready;
        }
    }
    return nearest_gate;
}

/* ---- the end ---------------------------------------------------------- */

const struct asbi_lane *asbi_routes_over(const struct asb_engine *e)
{
    for (size_t i = 0; i < e->routes.count; i++) {
        if (!e->routes.lanes[i]->halt)
            return NULL;
    }
    return e->lane;
}

void asbi_routes_halt_others(struct asb_engine *e)
{
    for (size_t i = 1; i < e->routes.count; i++)
        e->routes.lanes[i]->halt = e->lane->halt;
}

unsigned asbi_routes_limit(const struct asb_engine *e)
{
    unsigned all = 0;

    for (size_t i = 0; i < e->routes.count; i++) {
        if (!e->routes.lanes[i]->halt)
            all += asbi_limiter_limit(&e->routes.lanes[i]->limiter);
    }
    return all ? all : asbi_limiter_limit(&e->lane->limiter);
}

/* ---- whose answers are kept ------------------------------------------- */

bool asbi_routes_stood_in(const struct asb_engine *e, size_t lane)
{
    return lane && e->routes.lanes[lane - 1]->weight == 0;
}

static bool is_same_model(const struct asbi_lane *a, const struct asbi_lane *b)
{
    return a->dialect == b->dialect &&
           strcmp(a->model.name, b->model.name) == 0;
}

/* By name, so that their order in the options does not matter. */
static bool comes_before(const struct asbi_lane *a, const struct asbi_lane *b)
{
    int order = strcmp(a->dialect->name, b->dialect->name);

    return (order ? order : strcmp(a->model.name, b->model.name)) < 0;
}

/* The next model after `last` among the lanes with a share; NULL: no more. */
static const struct asbi_lane *next_model(const struct asbi_routes *r,
                                          const struct asbi_lane *last)
{
    const struct asbi_lane *next = NULL;

    for (size_t i = 0; i < r->count; i++) {
        const struct asbi_lane *lane = r->lanes[i];

        if (lane->weight && (!last || comes_before(last, lane)) &&
            (!next || comes_before(lane, next)))
            next = lane;
    }
    return next;
}

void asbi_routes_put_models(const struct asb_engine *e, struct asbi_buf *out)
{
    const struct asbi_routes *r = &e->routes;
    const struct asbi_lane *lane = next_model(r, NULL);
    bool one = true;

    for (size_t i = 1; i < r->count; i++)
        one = one &&
              (!r->lanes[i]->weight || is_same_model(e->lane, r->lanes[i]));
    for (; !one && lane; lane = next_model(r, lane))
        asbi_buf_fmt(out, "\n%s %s", lane->dialect->name, lane->model.name);
}
