#include "engine/known_jobs.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "engine/native_batch.h"

/* ---- from the journal -------------------------------------------------- */

struct loading {
    struct asb_engine *engine;
    struct asbi_journal *journal;
    const struct asbi_journal_job *job;
    struct asbi_native_batch *batch; /* NULL: it is none, or not to be had */
    struct asb_message *why;
};

/* This provider cannot tell of it any more: it counts as if it was paid. */
static void lose(struct loading *l, const struct asbi_journal_call *call)
{
    asbi_journal_end(l->journal, call->number, 0, call->worst);
    l->engine->stats.maybe_paid_twice_nano_usd += call->worst;
}

static int on_call(void *arg, const struct asbi_journal_call *call)
{
    struct loading *l = arg;

    if (l->engine->way == ASBI_JOB)
        return asbi_media_know(l->engine, l->job, call);
    if (l->batch)
        return asbi_native_know_line(l->batch, call);
    lose(l, call);
    return ASB_OK;
}

static int on_job(void *arg, const struct asbi_journal_job *job)
{
    struct loading *l = arg;
    const struct asbi_journal_store_ops *ops = l->journal->store->ops;
    int rc = ASB_OK;

    l->job = job;
    l->batch = NULL;
    if (l->engine->way != ASBI_JOB)
        rc = asbi_native_know(l->engine, job, &l->batch);
    if (!rc)
        rc = ops->each_line(l->journal->store, job->number, on_call, l, l->why);
    if (!rc && l->engine->way != ASBI_JOB && (!l->batch || !l->batch->open))
        asbi_journal_over(l->journal, job->number);
    return rc;
}

int asbi_known_load(struct asb_engine *e, struct asbi_journal *j,
                    struct asb_message *why)
{
    struct loading l = { .engine = e, .journal = j, .why = why };
    const struct asbi_journal_store_ops *ops = j->store->ops;

    return ops->each_job ? ops->each_job(j->store, on_job, &l, why) : ASB_OK;
}

int asbi_known_add(struct asb_engine *e, uint64_t row, void *of, size_t place)
{
    struct asbi_known_jobs *k = &e->known;

    if (k->count == k->cap) {
        size_t cap = k->cap ? 2 * k->cap : 64;
        void *rows = asbi_resize(&e->mem, k->rows, cap, sizeof(*k->rows));

        if (!rows)
            return ASB_ENOMEM;
        k->rows = rows;
        k->cap = cap;
    }
    k->rows[k->count++] = (struct asbi_known_row){ row, of, place };
    k->left++;
    k->sorted = false;
    return ASB_OK;
}

void asbi_known_forget(struct asb_engine *e,
                       bool (*is)(const void *of, const void *arg),
                       const void *arg)
{
    struct asbi_known_jobs *k = &e->known;

    for (size_t i = 0; i < k->count; i++) {
        if (!k->rows[i].of || !is(k->rows[i].of, arg))
            continue;
        k->rows[i].of = NULL;
        k->left--;
    }
}

void asbi_known_fini(struct asb_engine *e)
{
    asbi_free(&e->mem, e->known.rows);
    e->known = (struct asbi_known_jobs){ .count = 0 };
}

/* ---- when the row comes ------------------------------------------------ */

static int by_row(const void *a, const void *b)
{
    const struct asbi_known_row *x = a, *y = b;

    return x->row < y->row ? -1 : x->row > y->row;
}

static struct asbi_known_row *find(struct asbi_known_jobs *k, uint64_t row)
{
    const struct asbi_known_row wanted = { .row = row };

    if (!k->sorted)
        qsort(k->rows, k->count, sizeof(*k->rows), by_row);
    k->sorted = true;
    return bsearch(&wanted, k->rows, k->count, sizeof(*k->rows), by_row);
}

/* What waits for a look-up need not: it is paid for. */
static void stop_look(struct asb_engine *e, struct asbi_item *item)
{
    if (item->state != ASBI_ITEM_ASKED)
        return;
    asbi_recall_stop_look(item);
    asbi_engine_enqueue(e, item);
}

/* Who asks the same and came first goes on for both. */
static struct asbi_item *leader_of(struct asbi_item *item)
{
    if (item->state != ASBI_ITEM_FOLLOWING)
        return item;
    return ASBI_OF(item->seat.flight->leader, struct asbi_item, seat);
}

void asbi_known_resume(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_known_jobs *k = &e->known;

    if (k->left == 0)
        return;
    struct asbi_known_row *found = find(k, item->row);
    if (!found || !found->of)
        return;
    void *of = found->of;
    found->of = NULL;
    k->left--;
    item = leader_of(item);
    stop_look(e, item);
    if (e->way != ASBI_JOB)
        asbi_native_join(of, found->place, item);
    else
        asbi_media_resume(e, item, of);
}
