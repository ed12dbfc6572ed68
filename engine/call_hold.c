#include "engine/call_hold.h"

#include "engine/base/units.h"

static struct asbi_call *call_of(struct asbi_link *hold)
{
    return ASBI_OF(hold, struct asbi_call, hold);
}

/* ---- begin and end ---------------------------------------------------- */

int asbi_hold_call(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    uint64_t *rows = asbi_calloc(&e->mem, call->count, sizeof(*rows));
    size_t count = 0;

    if (!rows)
        return ASB_ENOMEM;
    for (size_t i = 0; i < call->count; i++) {
        uint64_t row = call->entries[i].item->row;

        if (row != ASBI_NO_ROW)
            rows[count++] = row;
    }
    int rc = asbi_journal_intent(e->journal, call->demand.worst_cost, rows,
                                 count, &call->number);
    asbi_free(&e->mem, rows);
    if (!rc)
        asbi_list_append(&e->held, &call->hold);
    return rc;
}

void asbi_hold_end(struct asbi_call *call, int64_t cost, int64_t spent)
{
    struct asbi_journal *j = call->engine->journal;

    if (j && call->number)
        asbi_journal_end(j, call->number, cost, spent);
    call->number = 0;
}

void asbi_hold_row(struct asb_engine *e, uint64_t number, uint64_t row)
{
    struct asbi_item *item = asbi_slots_get(&e->numbers, number);

    if (item)
        item->row = row;
}

/* ---- after a commit --------------------------------------------------- */

/* The transport takes no more for now: as if it could not be reached, so that
 * the batch goes back and waits. */
static void send_back(struct asbi_call *call)
{
    const struct asbi_exchange_end end = {
        .outcome = ASBI_NOT_SENT,
        .text = "there was no room for another connection",
    };
    struct asbi_reply reply;

    call->lane->dialect->end(call->decoder, false, &reply);
    asbi_call_judge(call, &end, &reply);
}

static void start(struct asbi_call *call, uint64_t now)
{
    struct asbi_transport *t = call->engine->world->transport;

    call->started_ns = now;
    if (t->ops->start(t, &call->exchange))
        send_back(call);
}

/* What the call has taken from the gates is given back, its items end. */
static void give_up(struct asbi_call *call, uint64_t now)
{
    struct asb_engine *e = call->engine;
    struct asbi_settlement s = { .outcome = ASBI_LIMITER_NEUTRAL,
                                 .breaker_silent = true };

    asbi_lane_settle(call->lane, &call->demand, &s, now);
    asbi_hold_end(call, 0, 0);
    e->stats.calls--;
    for (size_t i = 0; i < call->count; i++) {
        struct asbi_item *item = call->entries[i].item;

        if (!item)
            continue;
        asbi_list_remove(&item->parcel.link);
        item->call = NULL;
        asbi_item_fail(&e->mem, item, "stopped",
                       ASBI_STR("the run was stopped before this item was "
                                "sent"),
                       true);
        asbi_engine_finish(e, item);
    }
    asbi_former_recycle(&e->former, call->batch);
    asbi_call_recycle(call);
}

static void release(struct asb_engine *e, uint64_t now, bool durable)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&e->held))) {
        if (durable)
            start(call_of(link), now);
        else
            give_up(call_of(link), now);
    }
}

uint64_t asbi_hold_due(const struct asb_engine *e)
{
    uint64_t now = asbi_now(e->world);
    uint64_t look =
        e->journal ? asbi_journal_next_look(e->journal) : ASBI_NEVER;

    return look > now ? look : now;
}

bool asbi_hold_settle(struct asb_engine *e, uint64_t now)
{
    struct asbi_journal *j = e->journal;

    if (!j)
        return false;
    if (!asbi_journal_is_due(j, now)) {
        if (asbi_journal_settled(j))
            j->store->ops->tidy(j->store);
        return false;
    }
    int rc = asbi_journal_commit(j, now);
    release(e, now, rc == ASB_OK);
    return true;
}
