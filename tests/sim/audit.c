#include "tests/sim/audit.h"

#include <inttypes.h>

#include "engine/call.h"
#include "engine/native_batch.h"

struct sums {
    struct witness *w;
    size_t items, bytes, of[3];
    int64_t reserved; /* of the budget, for all that is under way */
};

static void look_at(struct sums *s, const struct asbi_item *item,
                    enum asbi_item_state state)
{
    if (item->state != state)
        witness_say(s->w,
                    "item %" PRIu64 " is in state %d, but in the place "
                    "of state %d",
                    item->number, (int)item->state, (int)state);
    s->reserved += item->media ? item->media->held : 0;
    s->items++;
    s->bytes += item->bytes;
    s->of[item->priority]++;
}

/* All of a batch are of one kind, or there is one only. */
static void look_at_batch(struct sums *s, const struct asbi_batch *b,
                          enum asbi_item_state state)
{
    const struct asbi_item *first = NULL;

    ASBI_LIST_EACH (link, &b->parcels) {
        const struct asbi_item *item = asbi_item_of_link(link);

        look_at(s, item, state);
        first = first ? first : item;
        if (!asbi_str_eq(item->tenant, first->tenant))
            witness_say(s->w, "two tenants' items are in one batch");
        if (item->kind != first->kind)
            witness_say(s->w, "items of two kinds are in one batch");
        if (item != first && (!item->packed || !first->packed))
            witness_say(s->w, "an item that goes alone has company");
    }
    if (!first && state == ASBI_ITEM_QUEUED)
        witness_say(s->w, "an empty batch waits");
}

static void look_at_list(struct sums *s, const struct asbi_list *list,
                         enum asbi_item_state state)
{
    ASBI_LIST_EACH (link, list)
        look_at(s, ASBI_OF(link, struct asbi_item, link), state);
}

static void look_at_queue(struct sums *s, const struct asbi_former *f)
{
    for (size_t i = 0; i < f->due.count; i++)
        look_at_batch(s, ASBI_OF(f->due.nodes[i], struct asbi_batch, due),
                      ASBI_ITEM_QUEUED);
    ASBI_LIST_EACH (ready, &f->ready) {
        const struct asbi_kind *k = ASBI_OF(ready, struct asbi_kind, ready);

        ASBI_LIST_EACH (link, &k->closed)
            look_at_batch(s, ASBI_OF(link, struct asbi_batch, link),
                          ASBI_ITEM_QUEUED);
    }
}

/* What its work at the provider may cost that is not told yet. */
static void look_at_jobs(struct sums *s, const struct asb_engine *e)
{
    ASBI_LIST_EACH (link, &e->media.jobs) {
        const struct asbi_media_job *job =
            ASBI_OF(link, struct asbi_media_job, link);

        if (job->item)
            look_at(s, job->item, ASBI_ITEM_AWAY);
        s->reserved += job->paid ? 0 : job->worst;
    }
    ASBI_LIST_EACH (link, &e->media.known)
        s->reserved += ASBI_OF(link, struct asbi_media_known, link)->worst;
}

static void look_at_lines(struct sums *s, const struct asb_engine *e)
{
    ASBI_LIST_EACH (link, &e->native.batches) {
        const struct asbi_native_batch *b =
            ASBI_OF(link, struct asbi_native_batch, link);

        for (size_t i = 0; i < b->count; i++) {
            if (!b->calls[i])
                continue;
            if (b->calls[i]->batch) /* else its rows are still to come */
                look_at_batch(s, b->calls[i]->batch, ASBI_ITEM_SENT);
            s->reserved += b->calls[i]->demand.worst_cost;
        }
    }
}

static void look_at_calls(struct sums *s, const struct asb_engine *e)
{
    ASBI_LIST_EACH (link, &e->calls) {
        const struct asbi_call *call = ASBI_OF(link, struct asbi_call, link);

        look_at_batch(s, call->batch, ASBI_ITEM_SENT);
        s->reserved += call->demand.worst_cost;
    }
    if (e->lane->limiter.in_flight != e->calls.count)
        witness_say(s->w, "the limiter counts %u of %zu calls",
                    e->lane->limiter.in_flight, e->calls.count);
}

static void check_sums(const struct sums *s, const struct asb_engine *e)
{
    if (s->items != e->held_items)
        witness_say(s->w, "%zu items are held, but %zu are in a place",
                    e->held_items, s->items);
    if (s->bytes != e->held_bytes)
        witness_say(s->w, "%zu bytes are held, but %zu are in a place",
                    e->held_bytes, s->bytes);
    for (int i = 0; i < 3; i++) {
        if (s->of[i] != e->held_of[i])
            witness_say(s->w, "%zu of class %d are held, %zu in a place",
                        e->held_of[i], i, s->of[i]);
    }
}

static void check_money(const struct sums *s, const struct asb_engine *e)
{
    const struct asbi_budget *b = &e->purse.budget;
    struct witness *w = s->w;

    if (s->reserved != b->reserved)
        witness_say(w, "%" PRId64 " are reserved, for what may cost %" PRId64,
                    b->reserved, s->reserved);
    if (w->scenario->budget && b->spent + b->reserved > b->limit)
        witness_say(w,
                    "spent %" PRId64 " and reserved %" PRId64
                    " of a budget of %" PRId64,
                    b->spent, b->reserved, b->limit);
}

void audit_engine(struct witness *w, const struct asb_engine *e)
{
    struct sums s = { .w = w };

    look_at_queue(&s, &e->former);
    look_at_calls(&s, e);
    look_at_jobs(&s, e);
    look_at_lines(&s, e);
    look_at_list(&s, &e->done, ASBI_ITEM_DONE);
    look_at_list(&s, &e->recall.following, ASBI_ITEM_FOLLOWING);
    look_at_list(&s, &e->recall.asked, ASBI_ITEM_ASKED);
    for (size_t i = 0; i < e->backoff.count; i++)
        look_at(&s, ASBI_OF(e->backoff.nodes[i], struct asbi_item, due),
                ASBI_ITEM_BACKOFF);
    check_sums(&s, e);
    check_money(&s, e);
    if (w->count - w->aside + e->held.count != e->calls.count)
        witness_say(w, "%zu exchanges for %zu calls, %zu of them held",
                    w->count - w->aside, e->calls.count, e->held.count);
}

void audit_idle(struct witness *w, const struct asb_engine *e)
{
    if (e->held_items || e->held_bytes)
        witness_say(w, "idle, but it holds %zu items", e->held_items);
    if (w->count)
        witness_say(w, "idle with %zu exchanges", w->count);
    if (e->kinds.count || e->tenants.count)
        witness_say(w, "idle, but it keeps %zu kinds, %zu tenants",
                    e->kinds.count, e->tenants.count);
    if (e->recall.flights.by_key.count)
        witness_say(w, "idle, but %zu flights are open",
                    e->recall.flights.by_key.count);
    if (e->former.waiting.items || e->former.waiting.input_tokens)
        witness_say(w, "idle, but the former counts what waits");
    if (e->lane->outstanding_tokens > 0.5)
        witness_say(w, "idle with %.1f tokens outstanding",
                    e->lane->outstanding_tokens);
    for (uint32_t i = 0; i < e->numbers.used; i++) {
        if (e->numbers.slots[i].object)
            witness_say(w, "idle, but a number is in use");
    }
}
