#include "engine/way.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/prefetch.h"
#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/queue.h"
#include "engine/recall_near.h"

enum {
    MAX_SPARE_CALLS = 128,
    COMPLAINT_FORM = 8, /* tokens around a complaint in a prompt */
};

static struct asbi_call *call_of(struct asbi_exchange *x)
{
    return ASBI_OF(x, struct asbi_call, exchange);
}

/* ---- what comes back -------------------------------------------------- */

static struct asbi_call_entry *entry_of(struct asbi_call *call, asbi_str id)
{
    /* Answers mostly come in the order asked: try there first. */
    for (size_t n = 0; n < call->count; n++) {
        struct asbi_call_entry *e =
            &call->entries[(call->expected + n) % call->count];

        if (asbi_str_eq(asbi_str_of(e->wire_id, e->wire_id_len), id)) {
            call->expected = (size_t)(e - call->entries + 1);
            return e;
        }
    }
    return NULL;
}

/* Items were last touched when they were sent: what the next answers will need
 * of theirs is on its way meanwhile. */
static void expect_next(const struct asbi_call *call)
{
    const struct asbi_call_entry *e = &call->entries[call->expected];

    if (call->expected + 2 > call->count)
        return;
    if (e[1].item)
        asbi_prefetch(&e[1].item->text);
    if (e[0].item)
        asbi_prefetch(e[0].item->text.at);
}

static void entry_drop_answer(struct asbi_call *call, struct asbi_call_entry *e)
{
    asbi_free(&call->engine->mem, e->answer);
    e->answer = NULL;
}

/* The task has its say at once, so that a cut reply loses nothing. */
static void entry_answer(struct asbi_call *call, struct asbi_call_entry *e,
                         asbi_str output, bool is_json)
{
    struct asb_engine *engine = call->engine;
    struct asbi_verdict_on_item verdict = { .code = NULL };
    asbi_str accepted = output;

    asbi_task_check(engine->task, e->item->text, e->item->max_length, output,
                    is_json, &accepted, &verdict);
    if (verdict.code) {
        e->state = ASBI_ENTRY_INVALID;
        e->code = verdict.code;
        e->retryable = verdict.retryable;
        asbi_item_complain(&engine->mem, e->item, verdict.message);
        e->item->complaint_tokens =
            COMPLAINT_FORM + asbi_count_tokens(&call->lane->counter,
                                               asbi_str_c(e->item->complaint));
        return;
    }
    e->answer = asbi_strndup(&engine->mem, accepted.at, accepted.len);
    if (!e->answer)
        return; /* stays missing: asked again */
    e->answer_len = accepted.len;
    e->is_json = is_json && asbi_task_keeps_json(engine->task);
    e->state = ASBI_ENTRY_ANSWERED;
    e->weight_out = (double)output.len + 1;
    asbi_hold_part(call);
}

static void on_answer(void *arg, asbi_str wire_id, asbi_str output,
                      bool is_json)
{
    struct asbi_call *call = arg;
    struct asbi_call_entry *e = entry_of(call, wire_id);
    uint64_t hash = asbi_hash64(output.at, output.len, output.at ? is_json : 2);

    if (!e) {
        call->strangers++;
        return;
    }
    expect_next(call);
    call->answers++;
    if (e->told) {
        if (e->answer_hash == hash)
            return;
        entry_drop_answer(call, e);
        e->state = ASBI_ENTRY_CONFLICT;
        return;
    }
    e->told = true;
    e->answer_hash = hash;
    if (e->item && output.at) /* else it stays missing: asked again */
        entry_answer(call, e, output, is_json);
}

static void on_text(void *arg, asbi_str piece)
{
    struct asbi_call *call = arg;

    asbi_buf_str(&call->text, piece);
}

static void on_status(struct asbi_exchange *x, int status)
{
    struct asbi_call *call = call_of(x);

    call->lane->dialect->on_status(call->decoder, status);
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct asbi_call *call = call_of(x);

    if (!call->wall_ms)
        call->wall_ms = asbi_wall_ms(call->engine->world);
    call->lane->dialect->on_header(call->decoder, name, value, call->wall_ms);
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct asbi_call *call = call_of(x);

    if (!call->body_ns)
        call->body_ns = asbi_now(call->engine->world);
    if (!call->packed)
        asbi_buf_add(&call->reply, at, len);
    return call->lane->dialect->on_body(call->decoder, at, len);
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct asbi_call *call = call_of(x);
    struct asbi_reply reply;

    call->lane->dialect->end(call->decoder, end->outcome == ASBI_COMPLETE,
                             &reply);
    asbi_way_check_places(call, &reply);
    if (call->way == ASBI_JOB)
        asbi_media_accept(end, &reply);
    asbi_call_judge(call, end, &reply);
}

static const struct asbi_exchange_ops exchange_ops = {
    .on_status = on_status,
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
};

/* ---- before it is sent ------------------------------------------------ */

/* What an item is charged by on this lane: a body may name its own model. */
static const struct asbi_prices *prices_of(const struct asbi_lane *lane,
                                           const struct asbi_item *item)
{
    return item->other_model ? &item->prices : &lane->prices;
}

void asbi_call_weigh(struct asb_engine *e, struct asbi_lane *lane,
                     const struct asbi_batch *batch, struct asbi_demand *demand)
{
    struct asbi_item *first =
        asbi_item_of_link(asbi_list_first(&batch->parcels));
    double raw = first->packed ? (double)lane->system_tokens : 0;
    uint64_t output = 0;

    ASBI_LIST_EACH (link, &batch->parcels) {
        struct asbi_item *item = asbi_item_of_link(link);

        uint64_t expected = asbi_lane_expect_output(lane, item->input_estimate);
        uint64_t load = item->parcel.load.output_tokens;

        /* More may be known now than when it was queued. */
        raw += asbi_item_input(e, item);
        output += load > expected ? load : expected;
    }
    uint64_t limit = first->packed         ? 0
                     : first->output_limit ? first->output_limit
                                           : lane->model.max_output_tokens;
    asbi_lane_weigh(lane, raw, output, limit, prices_of(lane, first), demand);
    demand->urgent = first->priority == ASB_URGENT;
    if (lane->way == ASBI_JOB) {
        *demand = (struct asbi_demand){ .lane = lane,
                                        .worst_cost = asbi_media_worst(first) };
        return;
    }
    if (first->packed)
        return;
    /* Nothing is sent that limits a single answer unless the user did: then
     * what is expected stands for it. */
    if (first->output_limit)
        demand->output_tokens = output < limit ? output : limit;
    else if (!lane->provider.limits_apart)
        demand->rate_tokens = asbi_lane_rate_tokens(lane, demand, output);
}

/* Its decoder is the lane's. */
static struct asbi_call *spare_of(struct asb_engine *e,
                                  const struct asbi_lane *lane)
{
    ASBI_LIST_EACH (link, &e->spare_calls) {
        struct asbi_call *call = ASBI_OF(link, struct asbi_call, link);

        if (call->lane == lane) {
            asbi_list_remove(&call->link);
            return call;
        }
    }
    return NULL;
}

static struct asbi_call *call_new(struct asb_engine *e, struct asbi_lane *lane,
                                  bool native)
{
    struct asbi_call *spare = native ? NULL : spare_of(e, lane);

    if (spare)
        return spare;
    struct asbi_call *call = asbi_calloc(&e->mem, 1, sizeof(*call));
    if (!call)
        return NULL;
    size_t body_max = e->config->max_memory_bytes;
    if (body_max < 4 * e->config->max_item_bytes)
        body_max = 4 * e->config->max_item_bytes;
    call->engine = e;
    call->lane = lane;
    call->native = native;
    asbi_buf_init(&call->body, &e->mem, body_max);
    asbi_buf_init(&call->text, &e->mem, lane->config->max_answer_bytes);
    asbi_buf_init(&call->reply, &e->mem, lane->config->max_answer_bytes);
    if (native)
        return call;
    call->decoder = lane->dialect->decoder_twin(lane->decoder);
    if (!call->decoder) {
        asbi_call_free(call);
        return NULL;
    }
    return call;
}

static void keep(struct asbi_call *call, struct asbi_item *item)
{
    asbi_item_lend(item);
    call->body_of = item;
}

/* The item leaves; a body that is sent as it is stays until the exchange is
 * over. */
static void keep_body(struct asbi_call *call, struct asbi_item *item)
{
    if (!call->body_of && item->body.len &&
        call->exchange.body == item->body.at)
        keep(call, item);
}

static void drop_body(struct asbi_call *call)
{
    if (call->body_of)
        asbi_item_give_back(&call->engine->mem, call->body_of);
    call->body_of = NULL;
}

void asbi_call_free(struct asbi_call *call)
{
    if (!call)
        return;
    asbi_list_remove(&call->link);
    asbi_list_remove(&call->hold);
    asbi_list_remove(&call->parting);
    for (size_t i = 0; i < call->count; i++)
        entry_drop_answer(call, &call->entries[i]);
    drop_body(call);
    if (!call->native && call->decoder)
        call->lane->dialect->decoder_free(call->decoder);
    asbi_buf_fini(&call->body);
    asbi_buf_fini(&call->text);
    asbi_buf_fini(&call->reply);
    asbi_free(&call->engine->mem, call->entries);
    asbi_free(&call->engine->mem, call);
}

void asbi_call_recycle(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;

    if (call->native || e->spare_calls.count >= MAX_SPARE_CALLS) {
        asbi_call_free(call);
        return;
    }
    for (size_t i = 0; i < call->count; i++)
        entry_drop_answer(call, &call->entries[i]);
    drop_body(call);
    call->count = 0;
    call->batch = NULL;
    asbi_list_remove(&call->link);
    asbi_list_prepend(&e->spare_calls, &call->link);
}

static void begin_answer(struct asbi_call *call)
{
    struct asbi_reply_sink sink = { on_answer, on_text, call };

    call->lane->dialect->begin(call->decoder, call->way, &sink);
}

int asbi_call_make(struct asb_engine *e, struct asbi_batch *batch,
                   const struct asbi_demand *demand, bool native,
                   struct asbi_call **out)
{
    struct asbi_call *call = call_new(e, demand->lane, native);

    if (!call)
        return ASB_ENOMEM;
    call->demand = *demand;
    call->packed = e->way != ASBI_JOB &&
                   asbi_item_of_link(asbi_list_first(&batch->parcels))->packed;
    call->way =
        call->packed || e->way == ASBI_JOB ? call->lane->way : ASBI_SINGLE;
    call->started_ns = asbi_now(e->world);
    call->raw_input = call->packed ? (double)call->lane->system_tokens : 0;
    int rc = asbi_call_encode(call, batch);
    if (rc) {
        asbi_call_recycle(call);
        return rc;
    }
    call->exchange.ops = &exchange_ops;
    call->exchange.fresh = false;
    for (size_t i = 0; i < call->count; i++) {
        const struct asbi_item *item = call->entries[i].item;

        call->raw_input += asbi_item_input(e, item);
        call->exchange.fresh = call->exchange.fresh || item->unknowns > 0;
    }
    if (!native)
        begin_answer(call);
    *out = call;
    return ASB_OK;
}

/* From here on the items are on the wire. */
void asbi_call_commit(struct asbi_call *call, struct asbi_batch *batch)
{
    struct asb_engine *e = call->engine;

    asbi_former_take(&e->former, batch);
    call->batch = batch;
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_item *item = call->entries[i].item;

        asbi_item_enter(item, ASBI_ITEM_SENT);
        item->call = call;
    }
    e->stats.calls++;
    if (e->watch.on_send)
        e->watch.on_send(e->watch.arg, call);
}

int asbi_call_start(struct asb_engine *e, struct asbi_batch *batch,
                    const struct asbi_demand *demand)
{
    struct asbi_call *call;

    int rc = asbi_call_make(e, batch, demand, false, &call);
    if (rc)
        return rc;
    rc = e->journal && !asbi_media_reopen(call)
             ? asbi_hold_call(call)
             : e->world->transport->ops->start(e->world->transport,
                                               &call->exchange);
    if (rc) {
        asbi_media_keep_open(call, false);
        asbi_call_recycle(call);
        return rc;
    }
    asbi_list_append(&e->calls, &call->link);
    asbi_lane_take(call->lane, demand, call->started_ns);
    call->beside = call->lane->limiter.in_flight;
    asbi_call_commit(call, batch);
    return ASB_OK;
}

/* ---- lines of an earlier run ------------------------------------------ */

struct asbi_call *asbi_call_again(struct asb_engine *e, size_t count,
                                  uint64_t seed, int64_t worst)
{
    struct asbi_call *call = call_new(e, e->lane, true);

    if (!call)
        return NULL;
    call->seed = seed;
    call->demand.worst_cost = worst;
    call->started_ns = asbi_now(e->world);
    call->way = e->way;
    call->asked = e->lane->style;
    if (asbi_call_name_places(call, count)) {
        asbi_call_free(call);
        return NULL;
    }
    e->stats.calls++;
    return call;
}

/* The first of its items tells how it was asked. */
static bool begin_again(struct asbi_call *call, const struct asbi_item *item)
{
    struct asb_engine *e = call->engine;

    call->batch = asbi_former_taken(&e->former, call->started_ns);
    if (!call->batch)
        return false;
    call->packed = item->packed;
    call->way = item->packed ? e->way : ASBI_SINGLE;
    call->raw_input = item->packed ? (double)e->lane->system_tokens : 0;
    return true;
}

bool asbi_call_join(struct asbi_call *call, size_t place,
                    struct asbi_item *item)
{
    struct asbi_call_entry *entry = &call->entries[place];

    if (!call->batch && !begin_again(call, item))
        return false;
    asbi_queue_join(call->engine, item, call->batch);
    entry->item = item;
    entry->weight_in = item->input_estimate + 1;
    call->raw_input += asbi_item_input(call->engine, item);
    call->demand.input_tokens += item->parcel.load.input_tokens;
    call->demand.output_tokens += item->parcel.load.output_tokens;
    asbi_item_enter(item, ASBI_ITEM_SENT);
    item->call = call;
    return true;
}

void asbi_call_answer(struct asbi_call *call, struct asbi_decoder *decoder,
                      int status, asbi_str body)
{
    const struct asbi_exchange_end end = { .outcome = ASBI_COMPLETE,
                                           .status = status,
                                           .text = "complete" };

    call->decoder = decoder;
    begin_answer(call);
    on_status(&call->exchange, status);
    (void)on_body(&call->exchange, body.at, body.len);
    on_end(&call->exchange, &end);
}

void asbi_call_end(struct asbi_call *call, struct asbi_decoder *decoder,
                   enum asbi_outcome outcome, const char *text)
{
    const struct asbi_exchange_end end = { .outcome = outcome, .text = text };

    call->decoder = decoder;
    begin_answer(call);
    on_end(&call->exchange, &end);
}

void asbi_call_forget(struct asbi_call *call, struct asbi_item *item)
{
    if (call->way == ASBI_JOB)
        keep(call, item);
    else
        keep_body(call, item);
    for (size_t i = 0; i < call->count; i++) {
        if (call->entries[i].item == item)
            call->entries[i].item = NULL;
    }
    asbi_list_remove(&item->parcel.link);
    item->call = NULL;
}

void asbi_call_replace(struct asbi_call *call, struct asbi_item *item,
                       struct asbi_item *heir)
{
    keep_body(call, item);
    for (size_t i = 0; i < call->count; i++) {
        if (call->entries[i].item == item)
            call->entries[i].item = heir;
    }
    asbi_link_between(&heir->parcel.link, item->parcel.link.prev,
                      &item->parcel.link);
    asbi_list_remove(&item->parcel.link);
    heir->kind = item->kind;
    item->kind = NULL;
    heir->call = call;
    item->call = NULL;
    asbi_item_enter(heir, ASBI_ITEM_SENT);
    asbi_hold_heir(call);
}

void asbi_call_abort(struct asbi_call *call)
{
    struct asbi_transport *t = call->engine->world->transport;

    if (!call->hold.list)
        t->ops->cancel(t, &call->exchange);
}
