/*
 * native.c -- whether calls are handed to the provider in bulk, and what that
 * takes.
 */
#include "engine/native_batch.h"

#include <string.h>

#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/memory.h"

enum {
    WINDOW_HOURS = 24, /* what providers promise */
    MOST_TRIES = 2,    /* in batches; then an item is asked directly */
};

/* Direct calls may take longer than it seems beforehand. */
static const double direct_slack = 2;

unsigned asbi_native_percent(const struct asb_engine *e)
{
    return (unsigned)e->lane->provider.batch_percent;
}

/* ---- whether ---------------------------------------------------------- */

uint64_t asbi_native_direct_ns(const struct asb_engine *e, uint64_t calls,
                               uint64_t input, uint64_t output)
{
    double s = asbi_lane_seconds(e->lane, calls, input, output);

    return (uint64_t)(direct_slack * s * 1e9) + ASBI_SECOND;
}

/* A body that names another model or address has no place among the lines. */
static bool fits(const struct asb_engine *e, const struct asbi_item *item)
{
    if (item->payload == ASB_BODY && (item->other_model || item->url.len))
        return false;
    return item->priority != ASB_URGENT && item->native_tries < MOST_TRIES &&
           (!item->packed || e->way != ASBI_ARRAY ||
            e->native.api->takes_arrays);
}

bool asbi_native_wants(const struct asb_engine *e, const struct asbi_batch *b,
                       uint64_t now)
{
    const struct asbi_item *first =
        asbi_item_of_link(asbi_list_first(&b->parcels));
    uint64_t window = WINDOW_HOURS * 3600 * ASBI_SECOND;
    uint64_t deadline = ASBI_NEVER;

    if (!asbi_native_is_on(&e->native) || !fits(e, first))
        return false;
    ASBI_LIST_EACH (link, &b->parcels) {
        const struct asbi_item *item = asbi_item_of_link(link);

        if (item->deadline_ns < deadline)
            deadline = item->deadline_ns;
    }
    if (deadline == ASBI_NEVER)
        return e->native.forced;
    uint64_t left = deadline > now ? deadline - now : 0;
    uint64_t direct = asbi_native_direct_ns(e, 1, b->load.input_tokens,
                                            b->load.output_tokens);
    if (e->native.forced && first->native_tries == 0)
        return left > 4 * direct;
    return left >= window + direct && (e->native.forced || e->patient);
}

enum asbi_gate asbi_native_gate(struct asb_engine *e,
                                const struct asbi_demand *demand,
                                uint64_t *ready_ns)
{
    const struct asbi_native *n = &e->native;

    *ready_ns = ASBI_NEVER;
    if (demand->worst_cost > asbi_budget_left(&e->purse.budget))
        return ASBI_GATE_BUDGET;
    if (n->tokens_most && n->tokens &&
        n->tokens + demand->input_tokens > n->tokens_most)
        return ASBI_GATE_CONCURRENCY;
    return ASBI_GATE_OPEN;
}

/* ---- birth and death -------------------------------------------------- */

static bool has_batches(const struct asb_engine *e)
{
    return e->lane->dialect->batches && e->lane->provider.batches;
}

static bool is_asked_for(const struct asbi_config *c)
{
    uint64_t window = WINDOW_HOURS * 3600 * ASBI_SECOND;

    if (strcmp(c->native_batch, "off") == 0)
        return false;
    return strcmp(c->native_batch, "on") == 0 || c->deadline_ns >= window;
}

int asbi_native_enable(struct asbi_native *n)
{
    struct asb_engine *e = n->engine;
    const struct asbi_lane *lane = e->lane;
    const struct asbi_batch_api *api = lane->dialect->batches;
    const struct asbi_config *c = e->config;

    if (n->api)
        return ASB_OK;
    asbi_memory_for_native(e->options);
    n->json = asbi_json_new(&e->mem, 8 * c->max_answer_bytes);
    n->decoder = lane->dialect->decoder_twin(lane->decoder);
    if (!n->json || !n->decoder)
        return ASB_ENOMEM;
    n->tokens_most = lane->provider.batch_tokens;
    n->requests_most = api->requests_most;
    n->array_texts = api->array_texts;
    n->bytes_most = api->bytes_most < c->max_memory_bytes ? api->bytes_most
                                                          : c->max_memory_bytes;
    n->api = api;
    return ASB_OK;
}

bool asbi_native_may_be(const struct asb_engine *e)
{
    return is_asked_for(e->config) && has_batches(e);
}

int asbi_native_init(struct asbi_native *n, struct asb_engine *e,
                     struct asb_message *why)
{
    *n = (struct asbi_native){ .engine = e };
    asbi_list_init(&n->batches);
    asbi_remote_jobs_init(&n->remote, e, &asbi_native_job_ops,
                          &asbi_poll_batches);
    asbi_buf_init(&n->scratch, &e->mem, 8 * e->config->max_answer_bytes);
    n->forced = strcmp(e->config->native_batch, "on") == 0;
    if (!is_asked_for(e->config))
        return ASB_OK;
    if (has_batches(e))
        return asbi_native_enable(n);
    return n->forced ? asbi_fail(why, ASB_ECONFIG,
                                 "native_batch: provider %s has no batches; "
                                 "leave it at auto",
                                 e->config->provider)
                     : ASB_OK;
}

static void free_lines(struct asbi_native_batch *b)
{
    struct asb_engine *e = b->native->engine;
    struct asbi_link *link;

    for (size_t i = 0; i < b->count; i++) {
        struct asbi_call *call = b->calls[i];

        if (!call)
            continue;
        while (call->batch && (link = asbi_list_pop(&call->batch->parcels)))
            asbi_item_free(&e->mem, asbi_item_of_link(link));
        if (call->batch)
            asbi_former_recycle(&e->former, call->batch);
        asbi_call_free(call);
    }
}

void asbi_native_fini(struct asbi_native *n)
{
    struct asbi_link *link;

    if (!n->engine)
        return;
    while ((link = asbi_list_first(&n->batches))) {
        struct asbi_native_batch *b =
            ASBI_OF(link, struct asbi_native_batch, link);

        free_lines(b);
        asbi_native_batch_free(b);
    }
    if (n->decoder)
        n->engine->lane->dialect->decoder_free(n->decoder);
    asbi_remote_jobs_fini(&n->remote);
    asbi_json_free(n->json);
    asbi_buf_fini(&n->scratch);
    *n = (struct asbi_native){ .engine = NULL };
    asbi_list_init(&n->batches);
}
