#include "engine/engine.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/memory.h"
#include "engine/native_batch.h"
#include "engine/queue.h"
#include "engine/recall_near.h"
#include "engine/way.h"

/* ---- items come and go ------------------------------------------------ */

void asbi_engine_finish(struct asb_engine *e, struct asbi_item *item)
{
    double work = item->input_estimate + 1;

    asbi_recall_settle(e, item); /* who shares its answer is done before it */
    if (item->media && (item->media->open_call || item->media->held))
        asbi_media_give_up(e, item);
    asbi_queue_leave(e, item);
    asbi_item_enter(item, ASBI_ITEM_DONE);
    asbi_list_append(&e->done, &item->link);
    e->work_done += work;
    e->world->ops->wake(e->world);
}

void asbi_engine_fail(struct asb_engine *e, struct asbi_item *item,
                      const char *code, asbi_str message, bool retryable)
{
    asbi_item_fail(&e->mem, item, code, message, retryable);
    asbi_engine_finish(e, item);
}

void asbi_engine_enqueue(struct asb_engine *e, struct asbi_item *item)
{
    uint64_t now = asbi_now(e->world);

    if (asbi_queue_add(e, item, now) == ASB_OK) {
        e->world->ops->wake(e->world);
        return;
    }
    asbi_engine_fail(e, item, "out_of_memory",
                     ASBI_STR("there was no memory to queue this item"), true);
}

/* When the first of those that wait may be asked again: its own wait is over
 * and the budget for retries has room. */
static uint64_t backoff_due(struct asb_engine *e, uint64_t now)
{
    struct asbi_heap_node *n = asbi_heap_first(&e->backoff);

    if (!n || n->key > now)
        return n ? n->key : ASBI_NEVER;
    return asbi_retry_budget_ready_at(&e->purse.retries, now);
}

static void requeue_due(struct asb_engine *e, uint64_t now)
{
    while (backoff_due(e, now) <= now) {
        struct asbi_heap_node *n = asbi_heap_pop(&e->backoff);
        struct asbi_item *item = ASBI_OF(n, struct asbi_item, due);

        asbi_retry_budget_spend(&e->purse.retries,
                                asbi_lane_part_of_call(e->lane, item->packed));
        asbi_engine_enqueue(e, item);
    }
}

/* ---- what cannot be sent ---------------------------------------------- */

static void fail_batch(struct asb_engine *e, struct asbi_batch *b,
                       const char *code, const char *message)
{
    struct asbi_link *link;

    asbi_former_take(&e->former, b);
    while ((link = asbi_list_pop(&b->parcels)))
        asbi_engine_fail(e, asbi_item_of_link(link), code, asbi_str_c(message),
                         true);
    asbi_former_recycle(&e->former, b);
}

void asbi_engine_fail_waiting(struct asb_engine *e, const char *code,
                              const char *message)
{
    struct asbi_heap_node *n;
    struct asbi_batch *b;

    while ((n = asbi_heap_pop(&e->backoff)))
        asbi_engine_fail(e, ASBI_OF(n, struct asbi_item, due), code,
                         asbi_str_c(message), true);
    asbi_former_flush(&e->former, NULL);
    while ((b = asbi_former_peek(&e->former, asbi_now(e->world))))
        fail_batch(e, b, code, message);
}

/* Background work that is held back must not fill the engine, or nothing else
 * would get in.  One batch a turn, as room is told only when it is delivered.
 */
static void shed_for_room(struct asb_engine *e, uint64_t now)
{
    struct asbi_batch *b;

    if (!asbi_pick_sheds(e) || asb_has_room(e) || e->done.count)
        return;
    b = asbi_former_peek(&e->former, now);
    if (b && e->held_of[ASB_BACKGROUND] == e->held_items)
        fail_batch(e, b, "shed_for_budget",
                   "the rest of the budget is kept for more urgent work; run "
                   "the same command again with a larger one");
}

static void fail_if_over(struct asb_engine *e)
{
    const struct asbi_lane *over = asbi_routes_over(e);

    if (over && over->halt == ASB_HALT_BUDGET)
        asbi_engine_fail_waiting(e, "budget_exceeded", over->halt_reason);
    else if (over)
        asbi_engine_fail_waiting(e, "provider_unusable", over->halt_reason);
    else if (e->stopped)
        asbi_engine_fail_waiting(
            e, "stopped", "the run was stopped before this item was sent");
}

/* Items whose deadline has passed while they waited.  An emptied batch is gone,
 * so only the count taken before tells where it ends. */
static void drop_expired(struct asb_engine *e, struct asbi_batch *b,
                         uint64_t now)
{
    struct asbi_link *next = b->parcels.head.next;

    for (size_t n = b->parcels.count; n > 0; n--) {
        struct asbi_item *item = asbi_item_of_link(next);

        next = next->next;
        if (item->deadline_ns > now)
            continue;
        asbi_former_remove(&e->former, b, &item->parcel);
        asbi_engine_fail(
            e, item, "deadline_exceeded",
            ASBI_STR("the deadline passed before the item could be sent"),
            true);
    }
}

/* ---- sending ---------------------------------------------------------- */

/* What is left may be much: a call without a limit on its answer may cost as
 * much as the model's longest one. */
static void halt_for_budget(struct asb_engine *e, int64_t worst_cost)
{
    const struct asbi_budget *b = &e->purse.budget;
    char limit[ASBI_USD_TEXT], left[ASBI_USD_TEXT], worst[ASBI_USD_TEXT];

    (void)asbi_usd_text(b->limit, limit);
    if (b->spent < b->limit)
        asbi_lane_halt(e->lane, ASB_HALT_BUDGET,
                       "the budget of $%s has $%s left, and the next call may "
                       "cost $%s; raise --budget and run the same command "
                       "again",
                       limit, asbi_usd_text(b->limit - b->spent, left),
                       asbi_usd_text(worst_cost, worst));
    else
        asbi_lane_halt(e->lane, ASB_HALT_BUDGET,
                       "the budget of $%s is spent; raise --budget and run the "
                       "same command again",
                       limit);
    asbi_routes_halt_others(e);
}

/* A budget that cannot hold this call even when all is settled may hold half of
 * it; one that cannot hold one item ends the run.  True: try again. */
static bool fit_budget(struct asb_engine *e, struct asbi_batch *b,
                       const struct asbi_demand *demand)
{
    struct asbi_batch *half;

    if ((e->calls.count || e->native.lines || asbi_media_count(&e->media)) &&
        asbi_budget_could(&e->purse.budget, demand->worst_cost))
        return false;
    if (b->parcels.count > 1 &&
        asbi_former_split(&e->former, b, b->parcels.count / 2, &half) == ASB_OK)
        return true;
    halt_for_budget(e, demand->worst_cost);
    return false;
}

/* Whether no lane takes even the smallest call now.  While that is so, waiting
 * costs an open batch nothing, and it may fill. */
static bool is_shut(struct asb_engine *e, uint64_t now)
{
    e->closed_gate = asbi_routes_gate(e, now, &e->gate_ready_ns);
    return e->closed_gate != ASBI_GATE_OPEN;
}

/* Jobs go one by one, at their pace; what their batch is for is the order.
 * False when this batch, of one job, may go to the other gates. */
static bool one_job(struct asb_engine *e, struct asbi_batch *b, uint64_t now)
{
    struct asbi_batch *first;

    e->gate_ready_ns = asbi_media_ready_at(e);
    if (e->gate_ready_ns > now) {
        e->closed_gate = ASBI_GATE_CONCURRENCY;
        return true;
    }
    if (b->parcels.count == 1)
        return false;
    if (asbi_former_split(&e->former, b, 1, &first)) {
        e->closed_gate = ASBI_GATE_CONCURRENCY; /* no memory: later */
        e->gate_ready_ns = now + ASBI_MS;
    }
    return true;
}

static void sent(struct asb_engine *e, const struct asbi_demand *demand,
                 size_t items, uint64_t now)
{
    asbi_pick_sent(e, demand);
    asbi_routes_sent(e, demand, items);
    if (e->way == ASBI_JOB)
        asbi_media_submitted(e, now);
}

/* Finds the way of a batch and the first gate on it that is closed. */
static bool choose_way(struct asb_engine *e, const struct asbi_batch *b,
                       uint64_t now, struct asbi_demand *demand)
{
    bool native = !e->lane->halt && asbi_native_wants(e, b, now);

    if (!native) {
        e->closed_gate =
            asbi_routes_choose(e, b, now, demand, &e->gate_ready_ns);
        return false;
    }
    asbi_call_weigh(e, e->lane, b, demand);
    demand->worst_cost =
        asbi_price_part(demand->worst_cost, asbi_native_percent(e));
    e->closed_gate = asbi_native_gate(e, demand, &e->gate_ready_ns);
    return true;
}

/* True when it is worth to look again: a batch left the queue, or was
 * halved. */
static bool send_one(struct asb_engine *e, uint64_t now)
{
    struct asbi_demand demand;

    if (!is_shut(e, now))
        asbi_former_close_due(&e->former, now);
    struct asbi_batch *b = asbi_pick_next(e, now);

    if (!b)
        return false;
    drop_expired(e, b, now);
    b = asbi_pick_next(e, now);
    if (!b)
        return false;
    if (e->way == ASBI_JOB && one_job(e, b, now))
        return e->closed_gate == ASBI_GATE_OPEN;
    bool native = choose_way(e, b, now, &demand);
    if (!demand.lane) {
        fail_batch(e, b, "provider_unusable",
                   "no lane that is left can carry this item");
        return true;
    }
    if (e->closed_gate == ASBI_GATE_BUDGET && fit_budget(e, b, &demand))
        return true;
    if (e->closed_gate != ASBI_GATE_OPEN)
        return false;
    if (!native && asbi_routes_split(e, b, &demand))
        return true;
    size_t items = b->parcels.count;
    int rc = native ? asbi_native_add(e, b, &demand)
                    : asbi_call_start(e, b, &demand);
    if (!rc)
        sent(e, &demand, items, now);
    else if (rc == ASB_EINVAL)
        fail_batch(e, b, "invalid_url",
                   "the url of this item is no plain path below the base URL");
    else if (rc != ASB_EFULL && e->calls.count + e->native.lines == 0)
        fail_batch(e, b, "out_of_memory", "there was no memory for the call");
    return !rc || rc == ASB_EINVAL;
}

/* When something will want to be done without an event from outside. */
static uint64_t next_due(struct asb_engine *e, uint64_t now)
{
    uint64_t due = backoff_due(e, now);

    if (e->closed_gate == ASBI_GATE_OPEN && asbi_former_due(&e->former) < due)
        due = asbi_former_due(&e->former);
    if (e->closed_gate != ASBI_GATE_OPEN && e->gate_ready_ns < due)
        due = e->gate_ready_ns;
    if (e->alarm_ns < due)
        due = e->alarm_ns;
    if (asbi_recall_due(e) < due)
        due = asbi_recall_due(e);
    if (asbi_native_due(&e->native) < due)
        due = asbi_native_due(&e->native);
    if (asbi_media_due(e) < due)
        due = asbi_media_due(e);
    uint64_t commit = asbi_hold_due(e);
    return commit < due ? commit : due;
}

static bool is_full(const struct asb_engine *e)
{
    return e->has_room ? !e->has_room(e->owner) : !asb_has_room(e);
}

static void send_all(struct asb_engine *e, uint64_t now)
{
    while (!e->stopped && !asbi_routes_over(e) && send_one(e, now))
        ;
    if (e->calls.count || e->closed_gate != ASBI_GATE_OPEN ||
        asbi_engine_owed(e) || !is_full(e))
        return;
    /* Nothing could move and nothing more gets in: company that is waited for
     * could not come. */
    asbi_former_flush(&e->former, NULL);
    while (!e->stopped && !asbi_routes_over(e) && send_one(e, now))
        ;
}

/* Calls stand idle for want of items, and these of bytes to hold them in. */
static bool is_short(const struct asb_engine *e)
{
    if (e->closed_gate != ASBI_GATE_OPEN ||
        !asbi_list_empty(&e->former.ready) ||
        !asbi_limiter_has_room(&e->lane->limiter) || e->draining)
        return false;
    return e->is_short ? e->is_short(e->owner) : !asb_has_room(e);
}

static void on_turn(void *arg)
{
    struct asb_engine *e = arg;
    uint64_t now = asbi_now(e->world);

    bool moved = asbi_engine_deliver(e);
    if (e->freed)
        return;
    if (e->alarm_ns <= now)
        e->on_alarm(e->owner);
    requeue_due(e, now);
    moved = asbi_recall_turn(e, now) || moved;
    e->closed_gate = ASBI_GATE_OPEN;
    send_all(e, now);
    shed_for_room(e, now);
    asbi_room_look(&e->room, is_short(e), now);
    asbi_native_turn(e, now);
    fail_if_over(e);
    moved = asbi_alerts_check(&e->alerts) || moved;
    moved = asbi_hold_settle(e, now) || moved;
    asbi_media_turn(e, now);
    unsigned in_flight =
        (unsigned)(e->calls.count + asbi_media_count(&e->media));
    if (in_flight > e->stats.in_flight_max)
        e->stats.in_flight_max = in_flight;
    asbi_eta_note(&e->eta, e->work_done, now);
    if (moved && e->on_progress)
        e->on_progress(e->owner);
    if (asbi_engine_owed(e))
        e->world->ops->wake(e->world);
    e->world->ops->arm(e->world, next_due(e, now));
}

bool asbi_engine_idle(const struct asb_engine *e)
{
    return e->held_items == 0 && e->native.lines == 0 && !e->alerts.busy &&
           asbi_list_empty(&e->media.farewells) && !asbi_recall_busy(e);
}

/* ---- birth and death -------------------------------------------------- */

const char *asbi_engine_task(const struct asbi_config *c)
{
    if (c->task[0])
        return c->task;
    return c->target_lang[0] ? "translate" : "raw";
}

struct asb_engine *asbi_engine_alloc(const struct asbi_mem *mem,
                                     const struct asbi_log *log)
{
    struct asb_engine *e = asbi_calloc(mem, 1, sizeof(*e));

    if (!e)
        return NULL;
    e->host_mem = e->mem = *mem;
    asbi_pool_init(&e->pool, &e->host_mem);
    /* A host's own allocator is used as it is. */
    if (mem->resize == asbi_mem_system.resize && !ASBI_POOL_HIDES_FAULTS)
        e->mem = e->pool.mem;
    e->log = *log;
    e->alarm_ns = ASBI_NEVER;
    asbi_slots_init(&e->numbers, &e->mem);
    asbi_former_init(&e->former, &e->mem);
    asbi_heap_init(&e->backoff, &e->mem);
    asbi_list_init(&e->calls);
    asbi_list_init(&e->held);
    asbi_list_init(&e->parting);
    asbi_list_init(&e->native.batches);
    asbi_list_init(&e->spare_calls);
    asbi_list_init(&e->done);
    asbi_list_init(&e->in_turn);
    asbi_buf_init(&e->scratch, &e->mem, SIZE_MAX / 4);
    asbi_map_init(&e->kinds, &e->mem, 0);
    asbi_recall_prepare(e);
    asbi_media_prepare(e);
    asbi_map_init(&e->tenants, &e->mem, 0);
    return e;
}

int asbi_engine_init(struct asb_engine *e, struct asbi_world *world,
                     const struct asb_options *options, asbi_str key,
                     const struct asbi_task_material *material,
                     struct asbi_store *store, struct asb_message *why)
{
    e->world = world;
    e->recall.store = store;
    world->on_turn = on_turn;
    world->arg = e;
    asbi_rng_seed(&e->rng, world->seed);
    asbi_map_init(&e->kinds, &e->mem, asbi_rng_u64(&e->rng));
    asbi_map_init(&e->tenants, &e->mem, asbi_rng_u64(&e->rng));
    asbi_eta_init(&e->eta, asbi_now(world));
    e->options = asbi_options_copy(options, &e->mem);
    if (!e->options)
        return ASB_ENOMEM;
    asbi_memory_for_workers(e->options);
    e->config = &e->options->values;
    e->json = asbi_json_new(&e->mem, e->config->max_item_bytes + 64);
    if (!e->json)
        return ASB_ENOMEM;
    struct asbi_task_material told = *material;
    told.examples = asbi_recall_shows_examples(e->config);
    e->options->values.grouping |= told.examples; /* near ones go together */
    int rc = asbi_task_new(&e->mem, asbi_engine_task(e->config), &told,
                           &e->task, why);
    if (rc)
        return rc;
    rc = asbi_pick_init(&e->pick, e, why);
    if (rc)
        return rc;
    rc = asbi_alerts_init(&e->alerts, e, why);
    if (rc)
        return rc;
    rc = asbi_routes_init(e, options, key, why);
    if (!rc)
        rc = asbi_media_init(e, key, why);
    if (!rc)
        rc = asbi_way_choose(e, why);
    if (!rc)
        rc = asbi_routes_join(e, options, why);
    if (!rc)
        rc = asbi_native_init(&e->native, e, why);
    asbi_memory_begin(e);
    return rc ? rc : asbi_recall_init(e, asbi_engine_task(e->config), why);
}

static void free_items_of(struct asb_engine *e, struct asbi_batch *b)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&b->parcels)))
        asbi_item_free(&e->mem, asbi_item_of_link(link));
}

static void free_calls(struct asb_engine *e)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&e->calls))) {
        struct asbi_call *call = ASBI_OF(link, struct asbi_call, link);

        asbi_call_abort(call);
        free_items_of(e, call->batch);
        asbi_former_recycle(&e->former, call->batch);
        asbi_call_free(call);
    }
    while ((link = asbi_list_first(&e->spare_calls)))
        asbi_call_free(ASBI_OF(link, struct asbi_call, link));
}

static void free_items(struct asb_engine *e)
{
    struct asbi_heap_node *n;
    struct asbi_batch *b;
    struct asbi_link *link;

    free_calls(e);
    asbi_native_fini(&e->native);
    while ((n = asbi_heap_pop(&e->backoff)))
        asbi_item_free(&e->mem, ASBI_OF(n, struct asbi_item, due));
    while ((link = asbi_list_pop(&e->done)))
        asbi_item_free(&e->mem, ASBI_OF(link, struct asbi_item, link));
    asbi_recall_free_items(e);
    asbi_former_flush(&e->former, NULL);
    while ((b = asbi_former_peek(&e->former, ASBI_NEVER))) {
        asbi_former_take(&e->former, b);
        free_items_of(e, b);
        asbi_former_recycle(&e->former, b);
    }
}

void asbi_engine_destroy(struct asb_engine *e)
{
    if (!e)
        return;
    struct asbi_mem mem = e->host_mem;

    if (e->lane) /* else nothing was ever taken in */
        free_items(e);
    asbi_media_fini(e);
    asbi_known_fini(e);
    asbi_recall_fini(e);
    asbi_alerts_fini(&e->alerts);
    asbi_queue_fini(e);
    asbi_pick_fini(&e->pick, &e->mem);
    asbi_former_fini(&e->former);
    asbi_heap_fini(&e->backoff);
    asbi_slots_fini(&e->numbers);
    asbi_routes_fini(e);
    asbi_task_free(e->task);
    asbi_json_free(e->json);
    asbi_buf_fini(&e->scratch);
    asb_options_free(e->options);
    if (e->world)
        e->world->ops->free(e->world);
    asbi_pool_fini(&e->pool);
    asbi_free(&mem, e);
}
