/* Jobs that an earlier run has begun: gone on with, or counted. */
#include <string.h>

#include "engine/engine.h"

int asbi_media_know(struct asb_engine *e, const struct asbi_journal_job *job,
                    const struct asbi_journal_call *call)
{
    struct asbi_media_known *k =
        asbi_alloc(&e->mem, sizeof(*k) + job->id.len + job->address.len);
    bool paid = asbi_journal_is_paid(call);

    if (!k)
        return ASB_ENOMEM;
    *k = (struct asbi_media_known){ .number = job->number,
                                    .worst = paid ? 0 : call->worst,
                                    .paid = paid ? call->worst : 0,
                                    .id = job->id,
                                    .address = job->address };
    char *at = (char *)(k + 1);
    if (k->id.len)
        memcpy(at, k->id.at, k->id.len);
    if (k->address.len)
        memcpy(at + k->id.len, k->address.at, k->address.len);
    k->id.at = at;
    k->address.at = at + k->id.len;
    asbi_list_append(&e->media.known, &k->link);
    asbi_budget_owe(&e->purse.budget, k->worst);
    return call->count ? asbi_known_add(e, call->rows[0], k, 0) : ASB_OK;
}

/* It was named, but not known to have begun: the next try is the same one. */
static void go_on_trying(struct asbi_item *item, struct asbi_media_known *k)
{
    asbi_media_read_name(item, k->address);
    item->unknowns = 1; /* of the run that named it */
    item->media->open_call = k->number;
    item->media->held = k->worst;
    k->worst = 0;
}

/* Nobody will ask after it. */
static void lose(struct asb_engine *e, struct asbi_media_known *k)
{
    asbi_budget_settle(&e->purse.budget, k->worst, k->worst);
    e->stats.maybe_paid_twice_nano_usd += k->worst + k->paid;
    if (!e->journal)
        return;
    asbi_journal_end(e->journal, k->number, 0, k->worst);
    asbi_journal_over(e->journal, k->number);
    e->world->ops->wake(e->world);
}

/* What the run before has reserved is the job's now, or what it has paid. */
static void take_bill(struct asbi_media_job *job, struct asbi_media_known *k)
{
    asbi_budget_settle(&job->engine->purse.budget, k->worst, 0);
    job->worst = k->worst;
    job->paid = job->booked = k->paid > 0;
    job->cost = k->paid;
    job->item->cost += k->paid;
    k->worst = 0;
}

void asbi_media_resume(struct asb_engine *e, struct asbi_item *item,
                       struct asbi_media_known *k)
{
    struct asbi_media_request request;
    bool waits = item->state == ASBI_ITEM_QUEUED;

    if (waits && k->id.len == 0) {
        go_on_trying(item, k);
        return;
    }
    struct asbi_media_job *job =
        waits ? asbi_media_job_new(e, item, k->id, k->address) : NULL;
    if (!job) {
        lose(e, k);
        return;
    }
    (void)asbi_media_request_read(e->media.json, item->text, &request);
    job->number = k->number;
    job->type = request.type;
    take_bill(job, k);
    item->attempts++;
    asbi_former_remove(&e->former, asbi_parcel_batch(&item->parcel),
                       &item->parcel);
    asbi_media_go_away(job, item);
}
