/*
 * routes.h -- the lanes of an engine, and which of them a batch goes by.
 *
 * Mostly there is one.  With several (options routes and fallback) each closed
 * batch is weighed on every lane at its prices and limits, and
 * scheduler/routing.h chooses among those that may take it.  A lane that is
 * lost gives its calls back, and the run is over when the last one is.
 */
#ifndef ASBI_ROUTES_H
#define ASBI_ROUTES_H

#include "config/routes.h"
#include "engine/lane.h"
#include "scheduler/routing.h"

struct asb_engine;
struct asbi_cache_scope;

/* The engine's. */
struct asbi_routes {
    struct asbi_lane *lanes[ASBI_ROUTES_MAX]; /* owned; engine->lane first */
    struct asb_options *options[ASBI_ROUTES_MAX]; /* owned; of the others */
    size_t count;
    size_t most_calls; /* in flight over all lanes */
    struct asbi_routing routing;
    enum asbi_standing stands[ASBI_ROUTES_MAX]; /* at the last choice */
    /* Keys of the lanes after the first, borrowed while the engine is being
     * made; NULL: none is needed. */
    const asbi_str *keys;
    struct asbi_tokenizer
        *tokenizer; /* a reference; NULL: tokens are estimated */
};

/* Makes engine->lane, the first.  `options` are the job's as they were given;
 * those of the engine become the first lane's.  ASB_OK, ASB_ECONFIG or
 * ASB_ENOMEM. */
int asbi_routes_init(struct asb_engine *e, const struct asb_options *options,
                     asbi_str key, struct asb_message *why);

/* Makes the others, when it is known how items go into calls. */
int asbi_routes_join(struct asb_engine *e, const struct asb_options *options,
                     struct asb_message *why);
void asbi_routes_fini(struct asb_engine *e);

/* Weighs a closed batch and finds the gate of the lane it may go by, which is
 * demand->lane; else the gate that opens first, and when.  demand->lane is NULL
 * when no lane can ever carry it. */
enum asbi_gate asbi_routes_choose(struct asb_engine *e,
                                  const struct asbi_batch *batch, uint64_t now,
                                  struct asbi_demand *demand,
                                  uint64_t *ready_ns);

/* The chosen lane took the batch. */
void asbi_routes_sent(struct asb_engine *e, const struct asbi_demand *demand,
                      size_t items);

/* Halves a batch, closed by the measures of the first lane, that is more than
 * the chosen one takes at once.  False: it may go as it is. */
bool asbi_routes_split(struct asb_engine *e, struct asbi_batch *batch,
                       const struct asbi_demand *demand);

/* The gate for the smallest call, on whichever lane is open first. */
enum asbi_gate asbi_routes_gate(struct asb_engine *e, uint64_t now,
                                uint64_t *ready_ns);

/* NULL while a lane is left; then the one whose halt ends the run. */
const struct asbi_lane *asbi_routes_over(const struct asb_engine *e);

/* Nothing can be sent any more, by whatever lane: the first one's halt and
 * reason hold for all. */
void asbi_routes_halt_others(struct asb_engine *e);

/* Calls that may be in flight over all lanes. */
unsigned asbi_routes_limit(const struct asb_engine *e);

/* Whether this was a fallback (item->lane): what it answered is not kept. */
bool asbi_routes_stood_in(const struct asb_engine *e, size_t lane);

/* The models that share the job, as the scope of its answers names them. */
void asbi_routes_put_models(const struct asb_engine *e, struct asbi_buf *out);

#endif
