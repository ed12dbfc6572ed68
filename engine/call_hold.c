#include "engine/call_hold.h"

#include "engine/base/units.h"

/* A reply that is whole after so long leaves no parts: its end has it all. */
enum { PART_MS = 20 };

static struct asbi_call *call_of(struct asbi_link *hold)
{
    return ASBI_OF(hold, struct asbi_call, hold);
}

/* ---- begin and end ---------------------------------------------------- */

static int write_intent(struct asbi_call *call, uint64_t job, uint64_t line)
{
    struct asb_engine *e = call->engine;
    uint64_t *rows = asbi_calloc(&e->mem, call->count, sizeof(*rows));
    struct asbi_journal_call record = {
        .worst = call->demand.worst_cost,
        .rows = rows,
        .job = job,
        .line = line,
        .seed = call->seed,
    };

    if (!rows)
        return ASB_ENOMEM;
    for (size_t i = 0; i < call->count; i++) {
        uint64_t row = call->entries[i].item->row;

        if (row != ASBI_NO_ROW || job) /* in a line each has its place */
            rows[record.count++] = row;
    }
    int rc = asbi_journal_line(e->journal, &record, &call->number);
    asbi_free(&e->mem, rows);
    if (!rc)
        asbi_media_name(call);
    return rc;
}

int asbi_hold_call(struct asbi_call *call)
{
    int rc = write_intent(call, 0, 0);

    if (!rc)
        asbi_list_append(&call->engine->held, &call->hold);
    return rc;
}

int asbi_hold_line(struct asbi_call *call, uint64_t job, uint64_t line)
{
    return call->engine->journal ? write_intent(call, job, line) : ASB_OK;
}

bool asbi_hold_is_durable(const struct asb_engine *e)
{
    return !e->journal || asbi_journal_settled(e->journal) ||
           (e->stopped && e->journal->failing);
}

void asbi_hold_end(struct asbi_call *call, int64_t cost, int64_t spent)
{
    struct asbi_journal *j = call->engine->journal;

    asbi_list_remove(&call->parting);
    if (j && call->number) {
        asbi_journal_end(j, call->number, cost, spent);
        if (call->once[0])
            asbi_journal_over(j, call->number);
    }
    call->number = 0;
}

void asbi_hold_heir(struct asbi_call *call)
{
    struct asbi_journal *j = call->engine->journal;
    uint64_t before = call->number;

    if (!j || !before || call->way != ASBI_JOB || write_intent(call, 0, 0))
        return;
    asbi_journal_end(j, before, 0, 0);
    asbi_journal_over(j, before);
}

void asbi_hold_row(struct asb_engine *e, uint64_t number, uint64_t row,
                   uint64_t key)
{
    struct asbi_item *item = asbi_slots_get(&e->numbers, number);

    if (!item)
        return;
    item->row = row;
    item->row_key = key;
    asbi_known_resume(e, item);
}

/* ---- while a reply streams in ----------------------------------------- */

void asbi_hold_part(struct asbi_call *call)
{
    struct asb_engine *e = call->engine;
    struct asbi_world *w = e->world;

    if (!e->journal || call->way != ASBI_PACKED || call->parting.list)
        return;
    if (asbi_list_empty(&e->parting)) {
        e->parts_at_ns = asbi_add_ns(asbi_now(w), PART_MS * ASBI_MS);
        w->ops->wake(w); /* to arm the timer for it */
    }
    asbi_list_append(&e->parting, &call->parting);
}

static void put_part(const struct asbi_call *call,
                     const struct asbi_call_entry *entry,
                     const struct asbi_item *item, enum asb_source source)
{
    const struct asbi_journal_answer part = {
        .seq = item->row,
        .key = item->row_key,
        .place = ASBI_NO_ROW,
        .result = { .size = sizeof(part.result),
                    .ok = true,
                    .output = asbi_str_of(entry->answer, entry->answer_len),
                    .output_is_json = entry->is_json,
                    .source = source,
                    .attempts = item->attempts + (source == ASB_API_CALL) },
    };

    if (item->row != ASBI_NO_ROW)
        asbi_journal_part(call->engine->journal, call->number, &part);
}

/* What the items that share the answer got, too. */
static void put_entry(const struct asbi_call *call,
                      struct asbi_call_entry *entry)
{
    const struct asbi_item *item = entry->item;

    if (!item || entry->parted || entry->state != ASBI_ENTRY_ANSWERED)
        return;
    entry->parted = true;
    put_part(call, entry, item, ASB_API_CALL);
    if (!asbi_seat_leads(&item->seat))
        return;
    ASBI_LIST_EACH (link, &item->seat.flight->followers) {
        struct asbi_seat *seat = ASBI_OF(link, struct asbi_seat, link);

        put_part(call, entry, ASBI_OF(seat, struct asbi_item, seat),
                 ASB_DUPLICATE);
    }
}

static uint64_t parts_due(const struct asb_engine *e)
{
    return asbi_list_empty(&e->parting) || e->journal->failing ? ASBI_NEVER
                                                               : e->parts_at_ns;
}

static void gather_parts(struct asb_engine *e)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&e->parting))) {
        struct asbi_call *call = ASBI_OF(link, struct asbi_call, parting);

        for (size_t i = 0; i < call->count; i++)
            put_entry(call, &call->entries[i]);
    }
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
        asbi_engine_fail(e, item, "stopped",
                         ASBI_STR("the run was stopped before this item was "
                                  "sent"),
                         true);
    }
    asbi_former_recycle(&e->former, call->batch);
    asbi_call_recycle(call);
}

static void release(struct asb_engine *e, uint64_t now, bool durable)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&e->held))) {
        struct asbi_call *call = call_of(link);

        /* All of its items may have been cancelled meanwhile. */
        if (durable && call->batch->parcels.count)
            start(call, now);
        else
            give_up(call, now);
    }
}

uint64_t asbi_hold_due(const struct asb_engine *e)
{
    uint64_t now = asbi_now(e->world), look, parts;

    if (!e->journal)
        return asbi_list_empty(&e->held) ? ASBI_NEVER : now;
    look = asbi_journal_next_look(e->journal);
    parts = parts_due(e);
    look = parts < look ? parts : look;
    return look > now ? look : now;
}

bool asbi_hold_settle(struct asb_engine *e, uint64_t now)
{
    struct asbi_journal *j = e->journal;

    if (!j) { /* gone with its job: nothing is left to wait for */
        release(e, now, true);
        return false;
    }
    bool parts = parts_due(e) <= now;
    if (parts)
        gather_parts(e);
    if (!asbi_journal_is_due(j, now) && !parts) {
        if (asbi_journal_settled(j))
            j->store->ops->tidy(j->store);
        return false;
    }
    int rc = asbi_journal_commit(j, now);
    release(e, now, rc == ASB_OK);
    return true;
}
