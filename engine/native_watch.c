/*
 * native_watch.c -- batches and the time: when one has gathered enough, when it
 * must be given up to keep the deadline, when its next step is due.
 */
#include "engine/native_batch.h"

#include "engine/base/units.h"

/* Nothing came for so long: a batch is sent with what it has. */
#define QUIET (10 * ASBI_SECOND)
/* A cancelled batch winds up within this, as OpenAI says. */
#define LONGEST_GRACE (600 * ASBI_SECOND)

/* Of the time a batch has, so much is for its winding up. */
static const double grace_share = 0.1;

static struct asbi_native_batch *batch_of(struct asbi_link *link)
{
    return ASBI_OF(link, struct asbi_native_batch, link);
}

/* Nothing more will join it soon. */
static bool is_ready(const struct asb_engine *e,
                     const struct asbi_native_batch *b, uint64_t now)
{
    bool none_waits = e->former.waiting.items == 0;
    bool none_comes = e->draining || !asb_has_room(e);

    return (none_waits && none_comes) || now - b->last_ns >= QUIET;
}

/* When the rest must be asked directly to be in time, and when a batch must
 * have been cancelled for that. */
static void last_times(const struct asbi_native_batch *b, uint64_t *cancel_ns,
                       uint64_t *leave_ns)
{
    const struct asb_engine *e = b->native->engine;
    uint64_t need =
        asbi_native_direct_ns(e, b->open, b->tokens, b->output_tokens);
    uint64_t span = b->deadline_ns > b->remote.begun_ns
                        ? b->deadline_ns - b->remote.begun_ns
                        : 0;
    uint64_t grace = (uint64_t)(grace_share * (double)span);

    *cancel_ns = *leave_ns = ASBI_NEVER;
    if (b->deadline_ns == ASBI_NEVER)
        return;
    if (grace > LONGEST_GRACE)
        grace = LONGEST_GRACE;
    *leave_ns = b->deadline_ns > need ? b->deadline_ns - need : 0;
    *cancel_ns = *leave_ns > grace ? *leave_ns - grace : 0;
}

/* All of its items were cancelled by the host. */
static bool is_unwanted(const struct asbi_native_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct asbi_call *call = b->calls[i];

        if (call && call->batch && call->batch->parcels.count)
            return false;
    }
    return asbi_native_is_whole(b);
}

static void want_cancel(struct asbi_native_batch *b, uint64_t now)
{
    if (b->cancel_wanted)
        return;
    b->cancel_wanted = true;
    b->step = ASBI_BATCH_CANCEL;
    b->due_ns = now;
}

static void watch_running(struct asbi_native_batch *b, uint64_t now)
{
    uint64_t cancel_ns, leave_ns;

    last_times(b, &cancel_ns, &leave_ns);
    if (now >= cancel_ns || b->native->engine->stopped || is_unwanted(b))
        want_cancel(b, now);
    b->look_ns = b->cancel_wanted ? leave_ns : cancel_ns;
    if (now < leave_ns)
        return;
    asbi_log(&b->native->engine->log, ASB_LOG_WARN,
             "batch %s gave no answer in time: %zu of its requests are asked "
             "directly and may be billed twice",
             b->ref.id, b->open);
    asbi_native_end_lines(b, ASBI_UNANSWERED,
                          "the batch was not worked off in time");
}

static bool was_sent(const struct asbi_native_batch *b)
{
    return b->state != ASBI_NATIVE_GATHERING &&
           (b->state != ASBI_NATIVE_SENDING || b->errand.busy ||
            b->step == ASBI_BATCH_FIND);
}

static void watch(struct asbi_native_batch *b, uint64_t now)
{
    struct asb_engine *e = b->native->engine;

    if (b->state == ASBI_NATIVE_GATHERING && is_ready(e, b, now))
        asbi_native_close(b, now);
    if ((e->stopped || e->lane->halt) && !was_sent(b))
        asbi_native_end_lines(b, ASBI_NOT_SENT, "the run was stopped");
    if (b->state == ASBI_NATIVE_RUNNING && !b->finished)
        watch_running(b, now);
}

/* When something is to be done beside asking after it. */
static uint64_t due_of(const struct asbi_native_batch *b)
{
    uint64_t due = b->errand.busy ? ASBI_NEVER : b->due_ns;

    if (b->finished)
        return 0;
    if (b->state == ASBI_NATIVE_GATHERING)
        return asbi_add_ns(b->last_ns, QUIET);
    if (b->state == ASBI_NATIVE_RUNNING && b->look_ns < due)
        return b->look_ns;
    return due;
}

void asbi_native_turn(struct asb_engine *e, uint64_t now)
{
    struct asbi_native *n = &e->native;
    struct asbi_link *next = n->batches.head.next;

    for (size_t left = n->batches.count; left > 0; left--) {
        struct asbi_native_batch *b = batch_of(next);

        next = next->next;
        if (!b->finished)
            watch(b, now);
        if (!b->finished && !b->errand.busy && b->due_ns <= now)
            asbi_native_step(b, now);
        if (b->finished)
            asbi_native_batch_free(b);
    }
    if (n->api)
        asbi_remote_jobs_turn(&n->remote, now);
}

uint64_t asbi_native_due(const struct asbi_native *n)
{
    uint64_t due = n->api ? asbi_remote_jobs_due(&n->remote) : ASBI_NEVER;

    ASBI_LIST_EACH (link, &n->batches) {
        uint64_t at = due_of(ASBI_OF(link, struct asbi_native_batch, link));

        if (at < due)
            due = at;
    }
    return due;
}
