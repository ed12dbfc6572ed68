/*
 * judge.c -- an exchange has ended: what was paid, what the lane learns, and
 * what becomes of each item.
 *
 * Only what failed is asked again.  A refusal of the whole batch's content
 * halves it; trouble of the provider puts the batch back or makes its items
 * wait; whatever may have been paid for without an answer is counted as such.
 */
#include "engine/judgement.h"
#include "engine/native_batch.h"

#include <string.h>

#include "engine/base/prefetch.h"
#include "engine/base/units.h"
#include "engine/call_hold.h"

enum {
    MAX_UNKNOWNS = 2,  /* calls of one item whose outcome stayed unknown */
    MORE_IF_NAMED = 4, /* times as many attempts */
};

/* ---- the bill --------------------------------------------------------- */

/* A good answer without usage is billed as estimated; an error is free. */
static void find_usage(const struct asbi_call *call,
                       const struct asbi_reply *reply, struct asbi_judgement *j)
{
    j->has_usage = reply->has_usage;
    j->usage = reply->usage;
    if (j->has_usage || j->unknown || call->way == ASBI_JOB ||
        reply->status < 200 || reply->status > 299)
        return;
    j->usage =
        (struct asb_usage){ .input_tokens = call->demand.input_tokens,
                            .output_tokens = call->demand.output_tokens };
}

static void add_share(struct asbi_item *item, const struct asb_usage *usage,
                      int64_t cost)
{
    if (!item)
        return;
    item->usage.input_tokens += usage->input_tokens;
    item->usage.cached_tokens += usage->cached_tokens;
    item->usage.output_tokens += usage->output_tokens;
    item->cost += cost;
}

static void share_bill(struct asbi_call *call, const struct asbi_prices *prices,
                       const struct asbi_judgement *j)
{
    struct asb_engine *e = call->engine;

    if (call->count == 1) {
        add_share(call->entries[0].item, &j->usage, j->cost);
        return;
    }
    double *weights = asbi_calloc(&e->mem, 2 * call->count, sizeof(*weights));
    struct asb_usage *shares =
        asbi_calloc(&e->mem, call->count, sizeof(*shares));
    int64_t *costs = asbi_calloc(&e->mem, call->count, sizeof(*costs));

    if (weights && shares && costs) {
        for (size_t i = 0; i < call->count; i++) {
            weights[i] = call->entries[i].weight_in;
            weights[call->count + i] = call->entries[i].weight_out;
        }
        asbi_price_split_usage(prices, &j->usage, j->cost, weights,
                               weights + call->count, call->count, shares,
                               costs);
        for (size_t i = 0; i < call->count; i++)
            add_share(call->entries[i].item, &shares[i], costs[i]);
    }
    asbi_free(&e->mem, weights);
    asbi_free(&e->mem, shares);
    asbi_free(&e->mem, costs);
}

/* Where the limits are apart, reads from the cache do not count. */
static double used_of_rate(const struct asbi_call *call,
                           const struct asb_usage *usage)
{
    return call->lane->provider.limits_apart
               ? (double)(usage->input_tokens - usage->cached_tokens)
               : (double)(usage->input_tokens + usage->output_tokens);
}

static void pay(struct asbi_call *call, const struct asbi_reply *reply,
                struct asbi_judgement *j)
{
    struct asb_stats *stats = &call->engine->stats;
    const struct asbi_prices *prices = &call->lane->prices;
    const struct asbi_item *first =
        call->body_of ? call->body_of : call->entries[0].item;

    if (first && first->other_model)
        prices = &first->prices;
    find_usage(call, reply, j);
    j->cost = asbi_price_writing(prices, &j->usage, reply->cache_writes);
    if (call->native)
        j->cost = asbi_price_part(j->cost, asbi_native_percent(call->engine));
    j->settlement.spent = j->cost;
    /* OpenAI-like servers keep what was reserved for max_tokens, and count
     * failed requests too. */
    j->settlement.rate_tokens =
        call->lane->provider.counts_max_tokens || !j->has_usage
            ? call->demand.rate_tokens
            : used_of_rate(call, &j->usage);
    j->settlement.rate_output =
        j->has_usage && !call->lane->provider.counts_max_tokens
            ? (double)j->usage.output_tokens
            : call->demand.rate_output;
    /* The budget must hold even if all of it was billed; what was told of the
     * usage before the answer broke off may be a part of it. */
    if (j->unknown && j->cost < call->demand.worst_cost)
        j->settlement.spent = call->demand.worst_cost;
    /* A job that was named is not begun twice: it counts when it is known. */
    bool named =
        call->once[0] && j->fate == ASBI_FATE_RETRY && call->entries[0].item;
    if (j->unknown && named)
        j->settlement.spent = 0;
    else if (j->unknown && !j->has_usage && j->fate == ASBI_FATE_RETRY)
        stats->maybe_paid_twice_nano_usd += call->demand.worst_cost;
    stats->input_tokens += j->usage.input_tokens;
    stats->cached_tokens += j->usage.cached_tokens;
    stats->output_tokens += j->usage.output_tokens;
    stats->cost_nano_usd += j->cost;
    call->lane->cost += j->cost;
    call->lane->calls++;
    if (j->usage.input_tokens || j->usage.output_tokens)
        share_bill(call, prices, j);
}

/* ---- what becomes of the items ---------------------------------------- */

/* Takes an item off the wire; it is in no place until put into one. */
static void take_off(struct asbi_item *item)
{
    asbi_list_remove(&item->parcel.link);
    item->call = NULL;
}

/* Where the outcome comes from; `request_id` is the whole call's. */
static void keep_origin(struct asbi_call *call, struct asbi_item *item,
                        const struct asbi_reply *reply,
                        struct asbi_shared *request_id)
{
    item->lane = (uint8_t)(call->lane->place + 1);
    item->http_status = reply->status;
    asbi_shared_drop(&call->engine->mem, item->request_id);
    item->request_id = asbi_shared_hold(request_id);
}

static void fail(struct asbi_call *call, struct asbi_item *item,
                 const char *code, const char *message, bool retryable)
{
    take_off(item);
    asbi_engine_fail(call->engine, item, code, asbi_str_c(message), retryable);
}

static void wait_and_retry(struct asbi_call *call, struct asbi_item *item,
                           uint64_t wait)
{
    struct asb_engine *e = call->engine;
    uint64_t due = asbi_add_ns(asbi_now(e->world), wait);

    take_off(item);
    if (due >= item->deadline_ns ||
        asbi_heap_push(&e->backoff, &item->due, due)) {
        asbi_engine_fail(e, item, "deadline_exceeded",
                         ASBI_STR("the deadline would pass before another try"),
                         true);
        return;
    }
    asbi_item_enter(item, ASBI_ITEM_BACKOFF);
}

static void retry_or_fail(struct asbi_call *call, struct asbi_item *item,
                          const struct asbi_judgement *j, uint64_t wait)
{
    struct asb_engine *e = call->engine;
    uint64_t most = e->config->max_attempts;

    item->unknowns += j->unknown;
    /* A job that was named is not begun twice, however often it is asked; but
     * who stops asking never knows what came of it. */
    if (item->unknowns && call->once[0])
        most *= MORE_IF_NAMED;
    else if (j->unknown && item->unknowns >= MAX_UNKNOWNS)
        most = 0;
    bool again = j->fate == ASBI_FATE_RETRY && wait != ASBI_NEVER &&
                 item->attempts < most;
    if (!again || e->stopped || asbi_routes_over(e)) {
        char message[ASBI_JUDGEMENT_MESSAGE];

        asbi_judgement_message(j, message);
        fail(call, item, j->code, message, j->retryable);
        return;
    }
    e->stats.items_retried += item->attempts == 1;
    if (wait) {
        wait_and_retry(call, item, wait);
        return;
    }
    take_off(item);
    asbi_engine_enqueue(e, item);
}

static void settle_invalid(struct asbi_call *call,
                           struct asbi_call_entry *entry)
{
    struct asb_engine *e = call->engine;
    struct asbi_item *item = entry->item;

    /* An API without a prompt cannot be told what was wrong. */
    if (!entry->retryable || call->way == ASBI_ARRAY ||
        item->attempts >= e->config->max_attempts || e->stopped ||
        asbi_routes_over(e)) {
        fail(call, item, entry->code,
             item->complaint ? item->complaint : "the answer will not do",
             entry->retryable);
        return;
    }
    e->stats.items_retried += item->attempts == 1;
    item->alone = true;
    take_off(item);
    asbi_engine_enqueue(e, item);
}

static void settle_answered(struct asbi_call *call,
                            struct asbi_call_entry *entry)
{
    take_off(entry->item);
    call->lane->items++;
    asbi_item_answer(&call->engine->mem, entry->item, entry->answer,
                     entry->answer_len, entry->is_json);
    entry->answer = NULL; /* now the item's */
    asbi_engine_finish(call->engine, entry->item);
}

/* Left out of two answers, an item may be better off without the others.  Where
 * a whole call failed they are likelier to have shared its luck: many calls in
 * place of one are for the last attempt. */
static bool blames_company(const struct asbi_call *call,
                           const struct asbi_call_entry *entry)
{
    unsigned attempts = entry->item->attempts;

    if (attempts < 2)
        return false;
    return call->answers || attempts + 1 >= call->engine->config->max_attempts;
}

static void settle_missing(struct asbi_call *call,
                           struct asbi_call_entry *entry,
                           struct asbi_judgement *j, uint64_t wait,
                           bool truncated)
{
    if (entry->state == ASBI_ENTRY_CONFLICT)
        asbi_judgement_say(j, "conflicting_answers",
                           "the model gave two different answers for this item",
                           asbi_str_of("", 0));
    /* A lone item that did not fit gets twice the room. */
    if (truncated && call->count == 1)
        entry->item->parcel.load.output_tokens *= 2;
    entry->item->alone = entry->item->alone || blames_company(call, entry);
    retry_or_fail(call, entry->item, j, wait);
}

/* Items were last touched when they were sent: what settling them touches is on
 * its way while others are settled. */
static void expect_settling(const struct asbi_call *call, size_t next)
{
    enum { ITEM = 6, FLIGHT = 4, PLACES = 2 }; /* how long before */
    const struct asbi_call_entry *e = &call->entries[next];
    size_t left = call->count - next;

    if (left > ITEM && e[ITEM].item)
        asbi_item_expect(e[ITEM].item);
    if (left > FLIGHT && e[FLIGHT].item)
        asbi_prefetch(e[FLIGHT].item->seat.flight);
    if (left > PLACES && e[PLACES].item)
        asbi_recall_expect(call->engine, e[PLACES].item);
}

static void settle_packed(struct asbi_call *call,
                          const struct asbi_reply *reply,
                          struct asbi_judgement *j, uint64_t wait,
                          struct asbi_shared *request_id)
{
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_call_entry *entry = &call->entries[i];

        expect_settling(call, i);
        if (!entry->item)
            continue;
        keep_origin(call, entry->item, reply, request_id);
        entry->item->attempts++;
        if (entry->state == ASBI_ENTRY_ANSWERED)
            settle_answered(call, entry);
        else if (entry->state == ASBI_ENTRY_INVALID)
            settle_invalid(call, entry);
        else
            settle_missing(call, entry, j, wait,
                           reply->verdict == ASBI_TRUNCATED);
    }
}

/* The provider's body goes out only as a whole. */
static void keep_body(struct asbi_call *call, struct asbi_item *item)
{
    const struct asbi_mem *mem = &call->engine->mem;

    asbi_free(mem, item->raw_body);
    item->raw_body = NULL;
    item->raw_body_len = 0;
    if (asbi_buf_failed(&call->reply) || item->payload != ASB_BODY)
        return;
    item->raw_body = asbi_strndup(mem, call->reply.data, call->reply.len);
    item->raw_body_len = item->raw_body ? call->reply.len : 0;
}

/* What a call that carries one item alone is judged by. */
static bool is_answer(const struct asbi_reply *reply)
{
    return reply->verdict == ASBI_ACCEPTED || reply->verdict == ASBI_TRUNCATED;
}

static void settle_single(struct asbi_call *call,
                          const struct asbi_reply *reply,
                          struct asbi_judgement *j, uint64_t wait,
                          struct asbi_shared *request_id, bool complete)
{
    struct asbi_call_entry *entry = &call->entries[0];
    struct asbi_item *item = entry->item;
    bool answered = complete && is_answer(reply);

    if (!item && answered && call->way == ASBI_JOB)
        asbi_media_unwanted(call);
    if (!item)
        return;
    keep_origin(call, item, reply, request_id);
    keep_body(call, item);
    item->attempts++;
    if (answered && call->way == ASBI_JOB) {
        take_off(item);
        asbi_media_begin(call, item);
        return;
    }
    if (answered && !asbi_buf_failed(&call->text)) {
        entry->answer =
            asbi_strndup(&call->engine->mem, call->text.data, call->text.len);
        entry->answer_len = call->text.len;
        item->cut_short = reply->verdict == ASBI_TRUNCATED;
    }
    if (entry->answer)
        settle_answered(call, entry);
    else
        retry_or_fail(call, item, j, wait);
}

/* ---- what becomes of the batch ---------------------------------------- */

/* The items go back as they are, without an attempt counted. */
static void put_back(struct asbi_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_item *item = call->entries[i].item;

        if (!item)
            continue;
        asbi_item_enter(item, ASBI_ITEM_QUEUED);
        item->call = NULL;
    }
    asbi_former_untake(&call->engine->former, call->batch);
    call->batch = NULL;
}

static void bisect(struct asbi_call *call)
{
    struct asbi_batch *rest = call->batch, *first;
    struct asb_engine *e = call->engine;
    size_t half = rest->parcels.count / 2;

    put_back(call);
    /* Without memory for a second batch the first goes again as it is. */
    if (half)
        (void)asbi_former_split(&e->former, rest, half, &first);
}

static uint64_t wait_of(struct asbi_call *call, const struct asbi_judgement *j)
{
    unsigned attempt = 1;

    if (!j->waits)
        return 0;
    if (call->entries[0].item)
        attempt += call->entries[0].item->attempts;
    return asbi_retry_wait(&asbi_retry_default, attempt, j->retry_after_ns,
                           asbi_rng_unit(&call->engine->rng));
}

/* Halted or stopped: nothing is sent again, whatever its fate was. */
static void fix_fate(const struct asbi_call *call, struct asbi_judgement *j)
{
    if (!asbi_routes_over(call->engine) && !call->engine->stopped)
        return;
    if (j->fate == ASBI_FATE_SEND_AGAIN || j->fate == ASBI_FATE_BISECT) {
        j->fate = ASBI_FATE_FAIL;
        j->retryable = true;
    }
}

static void settle_items(struct asbi_call *call, const struct asbi_reply *reply,
                         struct asbi_judgement *j, bool complete)
{
    fix_fate(call, j);
    if (j->fate == ASBI_FATE_SEND_AGAIN && call->batch->parcels.count) {
        put_back(call);
        return;
    }
    if (j->fate == ASBI_FATE_BISECT && call->batch->parcels.count) {
        bisect(call);
        return;
    }
    uint64_t wait = wait_of(call, j);
    struct asbi_shared *request_id =
        asbi_shared_new(&call->engine->mem, reply->request_id);
    if (call->packed)
        settle_packed(call, reply, j, wait, request_id);
    else
        settle_single(call, reply, j, wait, request_id, complete);
    asbi_shared_drop(&call->engine->mem, request_id);
}

/* Cut off at a limit that we set lower than the model's: the estimate was
 * wrong, the batch was not too large. */
static bool cut_by_estimate(const struct asbi_call *call,
                            const struct asbi_reply *reply)
{
    uint64_t most = call->lane->model.max_output_tokens;

    return reply->verdict == ASBI_TRUNCATED &&
           (most == 0 || call->demand.max_output_tokens < most);
}

/* Without a stream the first byte comes with the last. */
static double first_seconds(const struct asbi_call *call)
{
    if (!call->lane->style.stream || call->body_ns <= call->started_ns)
        return 0;
    return (double)(call->body_ns - call->started_ns) / 1e9;
}

static void learn(struct asbi_call *call, const struct asbi_reply *reply,
                  const struct asbi_judgement *j)
{
    bool short_of_room = cut_by_estimate(call, reply);
    struct asbi_lesson lesson = {
        .way = call->way,
        .truncated = reply->verdict == ASBI_TRUNCATED && !short_of_room,
        .usage = j->has_usage ? &j->usage : NULL,
        .seconds = j->settlement.seconds,
        .first_seconds = first_seconds(call),
        .beside = call->beside,
        .raw_input = call->raw_input,
        .items = call->count,
        .answered = call->count,
    };

    bool good = !call->packed && is_answer(reply); /* its entry says nothing */
    for (size_t i = 0; i < call->count && !good; i++) {
        const struct asbi_call_entry *e = &call->entries[i];
        bool missing = e->state == ASBI_ENTRY_MISSING;

        lesson.bad +=
            e->state != ASBI_ENTRY_ANSWERED && !(missing && short_of_room);
        lesson.answered -= missing;
        /* Weights are one more than the estimate, so that none is 0. */
        lesson.raw_items += missing ? 0 : e->weight_in - 1;
        if (e->answer_len > lesson.longest_answer)
            lesson.longest_answer = e->answer_len;
    }
    call->engine->stats.batches++;
    call->engine->stats.batch_items += call->count;
    asbi_lane_learn(call->lane, &lesson);
}

void asbi_call_judge(struct asbi_call *call,
                     const struct asbi_exchange_end *end,
                     const struct asbi_reply *reply)
{
    struct asb_engine *e = call->engine;
    uint64_t now = asbi_now(e->world);
    struct asbi_judgement j;
    bool complete = end->outcome == ASBI_COMPLETE;

    asbi_judgement_find(call, end, reply, now, &j);
    pay(call, reply, &j);
    if (call->way != ASBI_JOB) /* that may have to stay open */
        asbi_hold_end(call, j.cost, j.settlement.spent);
    if (!call->native) {
        j.settlement.seconds = (double)(now - call->started_ns) / 1e9;
        e->stats.latency_ms_sum += (now - call->started_ns) / ASBI_MS;
    }
    e->stats.calls_failed += j.settlement.outcome != ASBI_LIMITER_OK;
    if (call->native) {
        asbi_budget_settle(&call->lane->purse->budget, call->demand.worst_cost,
                           j.settlement.spent);
    } else {
        asbi_lane_settle(call->lane, &call->demand, &j.settlement, now);
        asbi_lane_hint(call->lane, &reply->rate, now);
    }
    if (complete && j.settlement.outcome == ASBI_LIMITER_OK)
        learn(call, reply, &j);
    asbi_media_keep_open(call, j.unknown);
    settle_items(call, reply, &j, complete);
    if (call->way == ASBI_JOB)
        asbi_hold_end(call, j.cost, j.settlement.spent);
    if (call->batch)
        asbi_former_recycle(&e->former, call->batch);
    asbi_call_recycle(call);
    e->world->ops->wake(e->world);
}
