/*
 * native_again.c -- batches of an earlier run: looked up at the provider, and
 * gone on with.
 */
#include "engine/native_batch.h"

#include "engine/known_jobs.h"
#include "engine/lane.h"

/* Its lines and items come later. */
static void take_up(struct asbi_native_batch *b,
                    const struct asbi_journal_job *job)
{
    b->again = true;
    b->number = job->number;
    asbi_remote_copy(job->address, b->ref.name, sizeof(b->ref.name));
    if (asbi_remote_keep_id(job->id, b->ref.id)) {
        asbi_native_runs(b);
        return;
    }
    b->state = ASBI_NATIVE_SENDING;
    b->step = ASBI_BATCH_FIND;
    b->due_ns = 0;
}

int asbi_native_know(struct asb_engine *e, const struct asbi_journal_job *job,
                     struct asbi_native_batch **out)
{
    struct asbi_native *n = &e->native;
    bool asked_for = n->api != NULL;

    *out = NULL;
    if (!e->lane->dialect->batches)
        return ASB_OK;
    if (asbi_native_enable(n))
        return ASB_ENOMEM;
    n->off = n->off || !asked_for; /* what is there ends; no more are begun */
    asbi_room_init(&e->room, e->config->max_memory_bytes,
                   e->config->max_memory_bytes);
    *out = asbi_native_batch_new(n, "");
    if (!*out)
        return ASB_ENOMEM;
    take_up(*out, job);
    /* Its lines would be those of one that is given up already. */
    return (*out)->finished ? ASB_ENOMEM : ASB_OK;
}

int asbi_native_know_line(struct asbi_native_batch *b,
                          const struct asbi_journal_call *line)
{
    struct asb_engine *e = b->native->engine;
    size_t place = (size_t)line->line;
    int rc = ASB_OK;

    if (line->line >= b->native->requests_most ||
        !asbi_native_reserve(b, place))
        return ASB_ENOMEM;
    struct asbi_call *call =
        asbi_call_again(e, line->count, line->seed, line->worst);
    if (!call)
        return ASB_ENOMEM;
    call->number = line->number;
    call->home = b;
    while (b->count <= place)
        b->calls[b->count++] = NULL;
    b->calls[place] = call;
    b->open++;
    b->native->lines++;
    asbi_budget_owe(&e->purse.budget, line->worst);
    for (size_t i = 0; !rc && i < line->count; i++) {
        if (line->rows[i] == ASBI_NO_ROW)
            continue;
        rc = asbi_known_add(e, line->rows[i], call, i);
        b->missing += rc == ASB_OK;
    }
    return rc;
}

void asbi_native_join(struct asbi_call *line, size_t place,
                      struct asbi_item *item)
{
    struct asbi_native_batch *b = line->home;
    struct asbi_demand before = line->demand;

    b->missing--;
    if (item->state != ASBI_ITEM_QUEUED || !asbi_call_join(line, place, item))
        return;
    item->native_tries++;
    const struct asbi_demand more = {
        .input_tokens = line->demand.input_tokens - before.input_tokens,
        .output_tokens = line->demand.output_tokens - before.output_tokens,
    };
    asbi_native_count(b, &more, item);
}

static bool is_line_of(const void *of, const void *arg)
{
    return ((const struct asbi_call *)of)->home == arg;
}

void asbi_native_seal(struct asbi_native_batch *b)
{
    if (b->missing)
        asbi_known_forget(b->native->engine, is_line_of, b);
    b->missing = 0;
}

/* When there is no room for more rows and nothing goes on, none will come. */
bool asbi_native_is_whole(const struct asbi_native_batch *b)
{
    const struct asb_engine *e = b->native->engine;
    bool idle = e->calls.count == 0 && e->former.waiting.items == 0;

    return b->missing == 0 || e->draining || (idle && !asb_has_room(e));
}
