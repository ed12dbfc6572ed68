/*
 * submit.c -- a request becomes an item: checked, copied, weighed, queued.
 */
#include "engine/way.h"

#include <stddef.h>
#include <string.h>

#include "engine/base/chat_body.h"
#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/base/utf8.h"
#include "engine/memory.h"
#include "engine/recall_keep.h"
#include "scheduler/body_tokens.h"
#include "scheduler/content.h"

enum {
    /* Room kept for one ordinary item when asked whether there is any. */
    ORDINARY_ITEM_BYTES = 4096,
    /* As many may wait for a call in any case... */
    MIN_PACKED_WAITING = 4096,
    /* ... and of those that go alone: few enough to be found in the
     * processor's cache when their turn comes. */
    MIN_SINGLE_WAITING = 256,
};

/* Items that wait for a call, of any size, beyond which more are of no use:
 * enough to fill the next calls while these fly. */
static uint64_t useful_waiting(const struct asb_engine *e)
{
    uint64_t limit = asbi_routes_limit(e);
    uint64_t each =
        e->task_packs && e->lane->caps.items ? e->lane->caps.items : 1;
    uint64_t least =
        e->task_packs || e->chooses ? MIN_PACKED_WAITING : MIN_SINGLE_WAITING;
    uint64_t most = e->chooses ? 2 * limit * each : limit * each / 2;

    return most > least ? most : least;
}

/* With native batches their bytes are the only limit. */
static bool enough_wait(const struct asb_engine *e)
{
    return !asbi_native_is_on(&e->native) &&
           e->former.waiting.items >= useful_waiting(e);
}

bool asb_has_room(const struct asb_engine *e)
{
    return !e->draining &&
           e->held_bytes + ORDINARY_ITEM_BYTES <= e->room.bytes &&
           !enough_wait(e);
}

static bool is_text(enum asb_payload p)
{
    return p == ASB_TEXT || p == ASB_PROMPT;
}

static int check(const struct asb_engine *e, const struct asb_request *r)
{
    size_t bytes = r->id.len + r->text.len + r->body.len + r->fields.len +
                   r->url.len + r->tenant.len;

    if (e->way == ASBI_JOB && !is_text(r->payload))
        return ASB_EINVAL;
    if (r->payload > ASB_BODY || r->priority > ASB_BACKGROUND)
        return ASB_EINVAL;
    if (is_text(r->payload) ? r->text.len == 0 && r->fields.len == 0
                            : r->body.len == 0)
        return ASB_EINVAL;
    if (!asbi_utf8_valid(r->text.at, r->text.len) ||
        !asbi_utf8_valid(r->id.at, r->id.len))
        return ASB_EINVAL;
    if (bytes > e->config->max_item_bytes)
        return ASB_ETOOBIG;
    if (e->draining)
        return ASB_ECLOSED;
    /* One item always fits into an empty engine, whatever its size. */
    if (e->held_items &&
        e->held_bytes + bytes > 2 * e->config->max_memory_bytes)
        return ASB_EFULL;
    return ASB_OK;
}

/* What a body asks for decides what it may cost. */
static void price_body(struct asb_engine *e, struct asbi_item *item,
                       asbi_str named, uint64_t max_tokens)
{
    struct asbi_model model;
    char name[128];

    item->output_limit = max_tokens;
    if (named.len == 0 || named.len >= sizeof(name) ||
        asbi_str_eq(named, asbi_str_c(e->lane->model.name)))
        return;
    memcpy(name, named.at, named.len);
    name[named.len] = '\0';
    item->other_model = true;
    asbi_catalogue_model(e->options, name, &model);
    item->prices = asbi_lane_prices(e->lane, &model);
    if (!max_tokens)
        item->output_limit = model.max_output_tokens;
}

static void read_body(struct asb_engine *e, struct asbi_item *item,
                      const struct asb_request *r)
{
    struct asbi_chat_body body = { r->body_model, r->body_max_tokens };

    /* A malformed one: the provider will say what is wrong with it. */
    if (body.model.len == 0 &&
        asbi_json_parse(e->json, item->body.at, item->body.len) == ASB_OK)
        asbi_chat_body_read(e->json, asbi_json_root(e->json), &body);
    price_body(e, item, body.model, body.max_tokens);
}

static double count_tokens(struct asb_engine *e, const struct asbi_item *item,
                           asbi_str what)
{
    const struct asbi_counter *c = &e->lane->counter;

    if (!is_text(item->payload) && asbi_body_may_hold_media(what) &&
        asbi_json_parse(e->json, what.at, what.len) == ASB_OK)
        return asbi_body_tokens(c, e->json);
    return asbi_count_tokens(c, what);
}

static void estimate(struct asb_engine *e, struct asbi_item *item,
                     const struct asb_request *r)
{
    asbi_str what = is_text(item->payload) ? item->text : item->body;

    if (e->way == ASBI_JOB)
        return; /* no tokens, a price of its own */
    item->prices = e->lane->prices;
    item->input_estimate = e->lane->provider.bills_characters
                               ? (double)asbi_utf8_length(what)
                               : count_tokens(e, item, what);
    if (item->payload == ASB_BODY)
        read_body(e, item, r);
}

/* Cheaper than to read fields that are none of a content request. */
static bool may_be_content(asbi_str fields)
{
    static const asbi_str name = { "\"content_type\"", 14 };
    const char *end = fields.len ? fields.at + fields.len : fields.at;
    const char *at = fields.at;

    while (at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
        if (asbi_str_starts(asbi_str_of(at, (size_t)(end - at)), name))
            return true;
        at++;
    }
    return false;
}

/* Who it may go with, and whom it is alike to. */
static void describe(struct asb_engine *e, struct asbi_item *item,
                     asbi_str fields)
{
    struct asbi_likeness *l = &item->parcel.likeness;
    struct asbi_content content;

    if (may_be_content(fields) &&
        asbi_json_parse(e->json, fields.at, fields.len) == ASB_OK &&
        asbi_content_read(e->json, asbi_json_root(e->json), &content)) {
        item->content_key = content.key;
        item->media_ms = (uint64_t)(content.seconds * 1000);
        *l = content.likeness;
    } else if (e->config->grouping) {
        asbi_likeness_of_text(l, item->text);
    }
}

/* What stands for the item in the prompt; into `scratch` when it is not its
 * text as it came. */
static bool render(struct asb_engine *e, const struct asb_request *r,
                   asbi_str *text, struct asbi_verdict_on_item *verdict)
{
    *text = r->text;
    if (e->way != ASBI_JOB && (r->payload != ASB_TEXT || !e->task_packs))
        return true;
    asbi_buf_clear(&e->scratch);
    if (!asbi_task_render(e->task, r->text, r->fields, &e->scratch, verdict))
        return false;
    *text = asbi_buf_view(&e->scratch);
    return true;
}

/* More than the clock holds is as good as never. */
static uint64_t ns_of(uint64_t ms)
{
    return ms < ASBI_NEVER / ASBI_MS ? ms * ASBI_MS : ASBI_NEVER;
}

static void take_in(struct asb_engine *e, struct asbi_item *item,
                    const struct asb_request *r)
{
    uint64_t now = asbi_now(e->world);

    item->packed = asbi_way_shares(e, r->payload);
    item->submitted_ns = item->parcel.arrived_ns = now;
    if (r->deadline_ms)
        item->deadline_ns = asbi_add_ns(now, ns_of(r->deadline_ms));
    e->held_items++;
    e->held_of[item->priority]++;
    e->seen_urgent_or_normal =
        e->seen_urgent_or_normal || item->priority != ASB_BACKGROUND;
    e->chooses = e->chooses || item->priority != ASB_NORMAL ||
                 item->deadline_ns != ASBI_NEVER || item->tenant.len;
    item->bytes += asbi_memory_of_answer(e);
    e->held_bytes += item->bytes;
    e->stats.items_total++;
    estimate(e, item, r);
    if (item->packed)
        describe(e, item, e->way == ASBI_JOB ? item->text : r->fields);
    e->work_accepted += item->input_estimate + 1;
}

static bool add_media(struct asb_engine *e, struct asbi_item *item,
                      int64_t cost)
{
    item->media = asbi_calloc(&e->mem, 1, sizeof(*item->media));
    if (item->media)
        item->media->cost = cost;
    return item->media != NULL;
}

/* An item with a number; NULL when out of memory. */
static struct asbi_item *make_item(struct asb_engine *e,
                                   const struct asb_request *r, asbi_str text,
                                   int64_t cost)
{
    struct asbi_item *item = asbi_item_new(&e->mem, r, text);

    if (!item)
        return NULL;
    if (e->way != ASBI_JOB || add_media(e, item, cost))
        item->number = asbi_slots_add(&e->numbers, item);
    if (item->number)
        return item;
    item->release = NULL; /* what is refused stays the host's */
    asbi_item_free(&e->mem, item);
    return NULL;
}

static int submit(struct asb_engine *e, const struct asb_request *request,
                  asb_done_cb done, void *arg, uint64_t *number)
{
    struct asbi_verdict_on_item verdict = { .code = NULL };
    asbi_str text = { NULL, 0 };

    int rc = check(e, request);
    if (rc)
        return rc;
    int64_t cost = 0;
    bool rendered = render(e, request, &text, &verdict);
    if (rendered && text.at != request->text.at && asbi_buf_failed(&e->scratch))
        return ASB_ENOMEM;
    if (rendered && e->way == ASBI_JOB)
        rendered = asbi_media_check(e, text, &cost, &verdict);
    if (rendered && text.len > e->config->max_item_bytes)
        return ASB_ETOOBIG;
    struct asbi_item *item =
        make_item(e, request, rendered ? text : request->text, cost);
    if (!item)
        return ASB_ENOMEM;
    item->done = done;
    item->arg = arg;
    if (e->in_order)
        asbi_list_append(&e->in_turn, &item->turn);
    take_in(e, item, request);
    if (number)
        *number = item->number;
    if (rendered) {
        asbi_recall_ask(e, item);
        return ASB_OK;
    }
    asbi_engine_fail(e, item, verdict.code, asbi_str_c(verdict.message),
                     verdict.retryable);
    return ASB_OK;
}

int asb_submit(struct asb_engine *e, const struct asb_request *request,
               asb_done_cb done, void *arg, uint64_t *number)
{
    if (!e || !request || !done ||
        request->size < offsetof(struct asb_request, text))
        return ASB_EINVAL;
    if (request->size >= sizeof(*request))
        return submit(e, request, done, arg, number);

    /* From a host that was built with an older header. */
    struct asb_request whole = { .size = sizeof(whole) };
    memcpy(&whole, request, request->size);
    return submit(e, &whole, done, arg, number);
}

/* Memory does not hold many: what makes a call of its own is left out. */
static bool is_worth_knowing(const struct asb_engine *e,
                             const struct asb_request *request,
                             const struct asb_result *result,
                             enum asbi_known_from from)
{
    if (from == ASBI_FROM_TABLE)
        return e->way != ASBI_JOB;
    return e->recall.memory && request->payload == ASB_TEXT && e->task_packs &&
           result->ok && result->source != ASB_NEAR;
}

bool asbi_submit_known(struct asb_engine *e, const struct asb_request *request,
                       const struct asb_result *result,
                       enum asbi_known_from from)
{
    struct asbi_verdict_on_item verdict = { .code = NULL };
    asbi_str text = { NULL, 0 };

    if (!is_worth_knowing(e, request, result, from) || check(e, request) ||
        !render(e, request, &text, &verdict) || asbi_buf_failed(&e->scratch))
        return false;
    struct asbi_item *item = asbi_item_new(&e->mem, request, text);
    if (!item)
        return false;
    item->release = NULL; /* what is lent is still the host's */
    item->packed = asbi_way_shares(e, request->payload);
    item->cost = result->cost_nano_usd;
    if (from == ASBI_FROM_TABLE) /* nobody says what it took */
        estimate(e, item, request);
    bool kept = asbi_recall_learn(e, item, result, from);
    asbi_item_free(&e->mem, item);
    return kept;
}
