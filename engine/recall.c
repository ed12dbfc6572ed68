#include "engine/recall.h"

#include "cache/record.h"
#include "engine/base/units.h"
#include "engine/engine.h"
#include "engine/queue.h"
#include "engine/recall_keep.h"
#include "engine/recall_near.h"
#include "engine/recall_store.h"
#include "engine/refresh.h"
#include "engine/way.h"

#include <string.h>

/* Below it the table of what is kept would be larger than what is. */
enum { LEAST_MEMORY = 65536 };

/* ---- birth and death -------------------------------------------------- */

void asbi_recall_prepare(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    asbi_buf_init(&r->bytes, &e->mem, SIZE_MAX / 4);
    asbi_flights_init(&r->flights, &e->mem, 0);
    asbi_list_init(&r->following);
    asbi_list_init(&r->asked);
    asbi_list_init(&r->looking);
    asbi_list_init(&r->unsaved);
    r->save_at_ns = ASBI_NEVER;
}

static int set_scope(struct asb_engine *e, const char *task)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_buf prompt;
    struct asbi_cache_scope scope = {
        .dialect = asbi_str_c(e->lane->dialect->name),
        .model = asbi_str_c(e->lane->model.name),
        .task = asbi_str_c(task),
        .temperature = e->config->temperature,
    };

    asbi_buf_init(&prompt, &e->mem, SIZE_MAX / 4);
    asbi_buf_str(&prompt, asbi_task_core(e->task));
    asbi_way_put_scope(e, &prompt);
    asbi_routes_put_models(e, &prompt);
    scope.prompt = asbi_buf_view(&prompt);
    scope.choices = asbi_task_choices(e->task, &scope.choice_count);
    asbi_cache_put_scope(&r->bytes, &scope);
    bool ok =
        !asbi_buf_failed(&prompt) && !asbi_buf_failed(&r->bytes) &&
        asbi_cache_key_of(&r->hasher, asbi_buf_view(&r->bytes), &r->scope);
    asbi_buf_shrink(&r->bytes, 0);
    asbi_buf_fini(&prompt);
    return ok ? ASB_OK : ASB_ENOMEM;
}

static int make_memory(struct asb_engine *e)
{
    struct asbi_memory_options o = {
        .max_bytes = e->config->cache_memory_bytes,
        .max_items = e->config->cache_memory_items,
        .lru = strcmp(e->config->cache_policy, "lru") == 0,
        .seed = asbi_rng_u64(&e->rng),
    };

    if (o.max_bytes < LEAST_MEMORY)
        return ASB_OK;
    return asbi_memory_new(&e->mem, &o, &e->recall.memory);
}

int asbi_recall_init(struct asb_engine *e, const char *task,
                     struct asb_message *why)
{
    struct asbi_recall *r = &e->recall;

    r->flights.by_key.seed = asbi_rng_u64(&e->rng);
    r->hasher.seed = asbi_rng_u64(&e->rng);
    r->on = strcmp(e->config->reuse, "off") != 0;
    if (!r->on)
        return ASB_OK;
    if (asbi_recall_outlives(r) && !(r->hasher.digest = asbi_digest_new()))
        return ASB_ENOMEM;
    asbi_recall_listen(e);
    int rc = set_scope(e, task);
    if (!rc)
        rc = make_memory(e);
    return rc ? rc : asbi_recall_near_init(e, task, why);
}

void asbi_recall_fini(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    asbi_recall_save_all(e);
    asbi_recall_close(e);
    asbi_memory_free(r->memory);
    asbi_near_free(r->near);
    asbi_flights_fini(&r->flights);
    asbi_digest_free(r->hasher.digest);
    asbi_buf_fini(&r->bytes);
}

void asbi_recall_free_items(struct asb_engine *e)
{
    struct asbi_list *lists[] = { &e->recall.following, &e->recall.asked,
                                  &e->recall.looking };
    struct asbi_link *link;

    for (int i = 0; i < 3; i++) {
        while ((link = asbi_list_pop(lists[i])))
            asbi_item_free(&e->mem, ASBI_OF(link, struct asbi_item, link));
    }
}

/* ---- which request is it ---------------------------------------------- */

bool asbi_recall_key_of(struct asb_engine *e, const struct asbi_item *item,
                        struct asbi_cache_key *key)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_cache_item request = {
        .tenant = item->tenant,
        .text = item->text,
        .body = item->body,
        .url = item->url,
        .payload = item->payload,
        .packed = item->packed,
        .max_length = item->max_length,
    };

    /* A body says its temperature itself. */
    if (!r->on || (item->payload != ASB_BODY && e->config->temperature > 0))
        return false;
    asbi_buf_clear(&r->bytes);
    if (!asbi_cache_put_item(&r->bytes, &r->scope, &request, e->json) ||
        asbi_buf_failed(&r->bytes))
        return false;
    return asbi_cache_key_of(&r->hasher, asbi_buf_view(&r->bytes), key);
}

/* ---- answers that are known ------------------------------------------- */

static char *copy_of(struct asb_engine *e, asbi_str text)
{
    return text.len ? asbi_strndup(&e->mem, text.at, text.len) : NULL;
}

/* As the provider did a moment ago. */
static void refuse(struct asb_engine *e, struct asbi_item *item,
                   asbi_str message)
{
    asbi_item_fail(&e->mem, item, asbi_refused_code, message, false);
    item->source = ASB_DUPLICATE;
}

bool asbi_recall_answer(struct asb_engine *e, struct asbi_item *item,
                        asbi_str record, const struct asbi_cache_key *key,
                        enum asb_source source)
{
    struct asbi_cache_answer answer;

    if (!asbi_cache_record_read(record, key, &answer))
        return false;
    if (answer.refused) {
        refuse(e, item, answer.output);
        return true;
    }
    char *output = asbi_strndup(&e->mem, answer.output.at, answer.output.len);
    char *body = copy_of(e, answer.body);
    if (!output || (answer.body.len && !body)) {
        asbi_free(&e->mem, output);
        asbi_free(&e->mem, body);
        return false;
    }
    asbi_item_answer(&e->mem, item, output, answer.output.len,
                     answer.output_is_json);
    item->raw_body = body;
    item->raw_body_len = answer.body.len;
    item->http_status = answer.http_status;
    item->source = source;
    item->saved = asbi_price_call(&item->prices, &answer.usage) +
                  asbi_item_flat_cost(item);
    e->stats.saved_nano_usd += item->saved;
    e->stats.items_cached += source == ASB_CACHE;
    e->stats.items_duplicate += source == ASB_DUPLICATE;
    return true;
}

/* What this run has asked itself already is its duplicate. */
static bool answer_from_memory(struct asb_engine *e, struct asbi_item *item,
                               const struct asbi_cache_key *key)
{
    struct asbi_memory *m = e->recall.memory;
    struct asbi_memory_note note;
    asbi_str record;

    if (!m)
        return false;
    e->recall.tiers[ASBI_TIER_MEMORY].asked++;
    if (!asbi_memory_get(m, key, asbi_wall_ms(e->world), &record, &note))
        return false;
    if (!asbi_recall_answer(e, item, record, key,
                            note.mark ? ASB_DUPLICATE : ASB_CACHE)) {
        asbi_memory_drop(m, key);
        return false;
    }
    e->recall.tiers[ASBI_TIER_MEMORY].found++;
    e->recall.tiers[ASBI_TIER_MEMORY].saved_nano_usd += item->saved;
    asbi_engine_finish(e, item);
    if (!note.lent)
        asbi_refresh(e, item, key, note.expires_ms);
    return true;
}

/* ---- answers to come -------------------------------------------------- */

static struct asbi_item *item_of(struct asbi_seat *seat)
{
    return ASBI_OF(seat, struct asbi_item, seat);
}

static bool is_more_pressing(const struct asbi_item *a,
                             const struct asbi_item *b)
{
    unsigned mine = asbi_queue_urgency(a->priority);
    unsigned theirs = asbi_queue_urgency(b->priority);

    return mine < theirs || (mine == theirs && a->deadline_ns < b->deadline_ns);
}

static void follow(struct asb_engine *e, struct asbi_item *item)
{
    asbi_item_enter(item, ASBI_ITEM_FOLLOWING);
    asbi_list_append(&e->recall.following, &item->link);
}

/* What was paid so far is paid for the answer that the heir will get. */
static void take_over_bill(struct asbi_item *heir, struct asbi_item *item)
{
    heir->usage.input_tokens += item->usage.input_tokens;
    heir->usage.cached_tokens += item->usage.cached_tokens;
    heir->usage.output_tokens += item->usage.output_tokens;
    heir->cost += item->cost;
    item->usage = (struct asb_usage){ 0 };
    item->cost = 0;
}

/* Goes on where the other was; a try that was made is not made again. */
static void take_over(struct asb_engine *e, struct asbi_item *heir,
                      struct asbi_item *item)
{
    asbi_list_remove(&heir->link);
    take_over_bill(heir, item);
    heir->attempts = item->attempts;
    heir->unknowns = item->unknowns;
    heir->alone = item->alone;
    heir->parcel.load = item->parcel.load;
    asbi_media_hand_on(item, heir);
    asbi_free(&e->mem, heir->complaint);
    heir->complaint = item->complaint;
    heir->complaint_tokens = item->complaint_tokens;
    item->complaint = NULL;
}

/* The new leader goes where the old one was. */
static void put_leader(struct asb_engine *e, struct asbi_item *item,
                       enum asbi_item_state where)
{
    if (where == ASBI_ITEM_ASKED) {
        asbi_recall_look_up(e, item);
        return;
    }
    asbi_engine_enqueue(e, item);
    if (e->draining)
        asbi_former_flush(&e->former, NULL);
}

/* A queued leader must not hold up one that is more pressing. */
static void overtake(struct asb_engine *e, struct asbi_item *item,
                     struct asbi_item *leader)
{
    if (leader->state == ASBI_ITEM_ASKED)
        asbi_recall_stop_look(leader);
    else
        asbi_former_remove(&e->former, asbi_parcel_batch(&leader->parcel),
                           &leader->parcel);
    asbi_queue_leave(e, leader);
    enum asbi_item_state where = leader->state;
    take_over(e, item, leader);
    asbi_flight_overtake(&item->seat);
    follow(e, leader); /* before the new one is put, which may end both */
    put_leader(e, item, where);
}

static bool may_overtake(const struct asbi_item *item,
                         const struct asbi_item *leader)
{
    return (leader->state == ASBI_ITEM_QUEUED ||
            leader->state == ASBI_ITEM_ASKED) &&
           is_more_pressing(item, leader);
}

void asbi_recall_miss(struct asb_engine *e, struct asbi_item *item)
{
    if (asbi_recall_near_ask(e, item))
        asbi_engine_finish(e, item);
    else
        asbi_engine_enqueue(e, item);
}

static void ask_provider(struct asb_engine *e, struct asbi_item *item,
                         const struct asbi_cache_key *key)
{
    struct asbi_recall *r = &e->recall;

    if (asbi_flight_join(&r->flights, key, &item->seat)) {
        asbi_engine_enqueue(e, item); /* then it goes by itself */
        return;
    }
    struct asbi_item *leader = item_of(item->seat.flight->leader);
    if (leader == item && asbi_recall_outlives(r))
        asbi_recall_look_up(e, item);
    else if (leader == item)
        asbi_recall_miss(e, item);
    else if (may_overtake(item, leader))
        overtake(e, item, leader);
    else
        follow(e, item);
}

static void expect(const struct asbi_recall *r,
                   const struct asbi_cache_key *key)
{
    if (r->memory)
        asbi_memory_expect(r->memory, key);
    asbi_flight_expect(&r->flights, key);
}

void asbi_recall_ask(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_cache_key key;

    if (!asbi_recall_key_of(e, item, &key)) {
        asbi_engine_enqueue(e, item);
        return;
    }
    expect(&e->recall, &key);
    if (!answer_from_memory(e, item, &key))
        ask_provider(e, item, &key);
}

/* ---- an item is done -------------------------------------------------- */

/* Its own doing, which says nothing of the request. */
static bool failed_by_itself(const struct asbi_item *item)
{
    return !item->ok && (strcmp(item->error_code, "cancelled") == 0 ||
                         strcmp(item->error_code, "deadline_exceeded") == 0);
}

static void tell(struct asb_engine *e, struct asbi_item *follower,
                 struct asbi_item *leader)
{
    asbi_list_remove(&follower->link);
    asbi_item_share(&e->mem, follower, leader);
    if (leader->ok) {
        follower->saved = leader->cost + leader->saved;
        e->stats.saved_nano_usd += follower->saved;
        e->stats.items_duplicate++;
    }
    asbi_engine_finish(e, follower);
}

static void leave(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_seat *next = asbi_flight_leave(&e->recall.flights, &item->seat);

    if (!next)
        return;
    take_over(e, item_of(next), item);
    put_leader(e, item_of(next), item->state);
}

void asbi_recall_expect(const struct asb_engine *e,
                        const struct asbi_item *item)
{
    if (item->seat.flight)
        expect(&e->recall, &item->seat.flight->key);
}

void asbi_recall_settle(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_seat *next;

    asbi_recall_near_settle(e, item);
    if (!asbi_seat_leads(&item->seat) || failed_by_itself(item)) {
        leave(e, item);
        return;
    }
    if (item->ok && item->source == ASB_API_CALL && !item->cut_short &&
        !asbi_routes_stood_in(e, item->lane))
        asbi_recall_keep(e, item);
    else if (!item->ok && strcmp(item->error_code, asbi_refused_code) == 0)
        asbi_recall_keep_refusal(e, item);
    while ((next = asbi_flight_pop(&item->seat)))
        tell(e, item_of(next), item);
    (void)asbi_flight_leave(&e->recall.flights, &item->seat);
}

void asbi_recall_hand_over(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_seat *next;

    if (!asbi_seat_leads(&item->seat))
        return;
    next = asbi_flight_leave(&e->recall.flights, &item->seat);
    if (!next)
        return;
    take_over(e, item_of(next), item);
    if (item->state == ASBI_ITEM_AWAY)
        asbi_media_replace(e, item, item_of(next));
    else
        asbi_call_replace(item->call, item, item_of(next));
}
