/*
 * media.h -- items that are jobs at the provider: submitted by a call, asked
 * after (engine/remote_jobs.h), fetched (engine/fetch.h), answered.
 *
 * media.c is the life of a job, media_submit.c how it is begun, media_again.c
 * how one of an earlier run is gone on with, media_watch.c what the provider's
 * answers mean, media_output.c what becomes of its artefacts.  All do nothing
 * in an engine without media jobs.
 *
 * An item is AWAY from the moment its job is known until it is done.  Its call
 * stays open in the journal, with the job's id beside it from before the first
 * question on: the same command again goes on with the job, and nobody pays
 * for a second one.
 */
#ifndef ASBI_MEDIA_H
#define ASBI_MEDIA_H

#include "adapters/media.h"
#include "adapters/task.h"
#include "config/config.h"
#include "engine/fetch.h"
#include "engine/journal.h"
#include "engine/remote_jobs.h"
#include "engine/shelf.h"

struct asbi_call;
struct asbi_item;

enum { ASBI_MEDIA_GROUPS = 64, ASBI_MEDIA_SIGNATURES = 2 };

/* How long jobs of one kind of content take. */
struct asbi_media_group {
    uint64_t key;
    struct asbi_poll_typical typical;
};

/* One artefact of a job that is done. */
struct asbi_media_asset {
    char *url;  /* owned; absolute, or a path below the base URL */
    char *path; /* owned; where it was put; NULL: it was not fetched */
    char *type; /* owned */
    uint64_t bytes;
    char sha256[2 * ASBI_DIGEST_BYTES + 1];
    enum asbi_fetch_check check;
};

struct asbi_media_job {
    struct asbi_remote_job remote; /* first */
    struct asb_engine *engine;
    struct asbi_link link;  /* in media->jobs */
    struct asbi_item *item; /* NULL: cancelled */
    enum asbi_media_type type;
    char *address;        /* owned; where it is at the provider */
    int64_t worst;        /* reserved in the budget */
    uint64_t number;      /* of its call in the journal; 0: none */
    bool fetching_result; /* its state is known, its result stands apart */
    bool refreshed;       /* its addresses were asked for a second time */
    bool paid;            /* settled, at ... */
    int64_t cost;         /* ... what it cost ... */
    int64_t spent;        /* ... and what counts against the budget; */
    bool booked;          /* and the journal has it */

    uint64_t expires_s;
    struct asbi_media_asset assets[ASBI_MEDIA_ASSETS];
    size_t asset_count, fetched;
    struct asbi_fetch *fetch; /* of assets[fetched] */
};

/* A job that an earlier run began and did not see the end of. */
struct asbi_media_known {
    struct asbi_link link;
    uint64_t number;
    int64_t worst; /* reserved; 0 once it is gone on with */
    int64_t paid;  /* what it cost, told by that run: then `worst` is 0 */
    asbi_str id, address; /* behind it; as in the journal */
};

struct asbi_media {
    const struct asbi_media_shape *shape; /* NULL: no media jobs */
    struct asbi_remote_jobs remote;
    struct asbi_fetches fetches;
    struct asbi_shelf shelf;
    struct asbi_artefacts *place; /* owned; NULL: artefacts stay where they
                                     are, their addresses are told */
    struct asbi_json *json;
    struct asbi_list jobs, known;
    struct asbi_list farewells; /* cancellations on their way */
    struct asbi_media_group groups[ASBI_MEDIA_GROUPS];
    size_t group_count;
    uint64_t next_submit_ns; /* pacing */

    /* -- a header line that is signed anew now and then */
    asbi_str key; /* owned, wiped at the end */
    struct asbi_buf signatures[ASBI_MEDIA_SIGNATURES];
    unsigned signature;
    uint64_t signed_s;
};

/* ---- media.c ---------------------------------------------------------- */

/* Where lists are lists, before anything can fail. */
void asbi_media_prepare(struct asb_engine *e);

/* Once task, lane and options are there, and `place` is set: nothing for other
 * tasks than media.  Copies `key`.  ASB_OK, ASB_ECONFIG when the provider
 * cannot do the task, or ASB_ENOMEM. */
int asbi_media_init(struct asb_engine *e, asbi_str key,
                    struct asb_message *why);
void asbi_media_fini(struct asb_engine *e);

static inline bool asbi_media_is_on(const struct asbi_media *m)
{
    return m->shape != NULL;
}

/* Polls, lists and downloads that are due; in each turn, after commits. */
void asbi_media_turn(struct asb_engine *e, uint64_t now);
uint64_t asbi_media_due(const struct asb_engine *e);

/* Jobs that were begun and are not done. */
static inline size_t asbi_media_count(const struct asbi_media *m)
{
    return m->shape ? m->jobs.count : 0;
}

/* An answer of status 2xx tells of a job; an error in it is the job's. */
void asbi_media_accept(const struct asbi_exchange_end *end,
                       struct asbi_reply *reply);

/* The submission's answer came and was accepted: its item is AWAY from now on,
 * or has failed.  The item is in no place. */
void asbi_media_begin(struct asbi_call *call, struct asbi_item *item);

/* The same for an item that was cancelled meanwhile: the provider is asked to
 * stop, if it can, and the job counts as if it was paid. */
void asbi_media_unwanted(struct asbi_call *call);

/* The item is cancelled: the provider is asked to stop, if it can. */
void asbi_media_forget(struct asb_engine *e, struct asbi_item *item);

/* `heir` asks the same and takes the item's place; it is in none then. */
void asbi_media_replace(struct asb_engine *e, struct asbi_item *item,
                        struct asbi_item *heir);

/* A sentence, and the provider's own words about an item behind it, cut to what
 * fits and is fit to be shown. */
enum { ASBI_MEDIA_WORDS = 320 };
void asbi_media_say(const struct asb_engine *e, const struct asbi_item *item,
                    char out[ASBI_MEDIA_WORDS], const char *text,
                    asbi_str words);

/* The job has ended: what it cost, and what counts against the budget.  Only
 * the first time counts. */
void asbi_media_pay(struct asbi_media_job *job, int64_t cost, int64_t spent);

/* A job that is paid for goes on, to have fetched what it made: that it is paid
 * for is in the journal from now on, and no later run counts it again. */
void asbi_media_book(struct asbi_media_job *job);

/* Ends the job, for nothing unless it is paid, and its item, which fails or,
 * with `again`, is submitted once more as often as that is allowed. */
void asbi_media_fail(struct asbi_media_job *job, const char *code,
                     asbi_str message, bool again);

/* Ends the job for this run: what it makes, or made, cannot be had.  Its call
 * stays open in the journal, so that the next run goes on with it. */
void asbi_media_leave(struct asbi_media_job *job, const char *code,
                      asbi_str message);

/* The item has its answer, which is taken over: the job is over. */
void asbi_media_answer(struct asbi_media_job *job, char *output, size_t len);

/* Among these files.  job_new: NULL when out of memory, or there is such a job
 * already.  go_away: the item is in no place, and its job is known. */
struct asbi_media_job *asbi_media_job_new(struct asb_engine *e,
                                          struct asbi_item *item, asbi_str id,
                                          asbi_str address);
void asbi_media_go_away(struct asbi_media_job *job, struct asbi_item *item);

/* ---- media_again.c ---------------------------------------------------- */

/* Tells of a job of an earlier run.  ASB_OK or ASB_ENOMEM. */
int asbi_media_know(struct asb_engine *e, const struct asbi_journal_job *job,
                    const struct asbi_journal_call *call);

/* Goes on with it, for an item that waits to be sent; for another it is too
 * late, and it counts as if it was paid. */
void asbi_media_resume(struct asb_engine *e, struct asbi_item *item,
                       struct asbi_media_known *known);

/* ---- media_submit.c --------------------------------------------------- */

/* Whether the provider can be asked for this, and what it will cost at most:
 * *cost.  False with the reason in `verdict`. */
bool asbi_media_check(struct asb_engine *e, asbi_str request, int64_t *cost,
                      struct asbi_verdict_on_item *verdict);

/* Writes body, path and own headers of a submission.  ASB_OK or ASB_ENOMEM. */
int asbi_media_encode(struct asbi_call *call);

/* Where the provider knows a submission again, its name is kept with its call,
 * which stays open while nobody knows what came of it: the next try is the same
 * submission, also in the next run.
 *
 * worst: what the next try may cost beyond what is kept of the budget for those
 * before.  name: the call gets its place in the journal.  keep_open: its
 * outcome, or that of an earlier try, is unknown.  known: it is not any more.
 * reopen: the next try goes on under the same number; false when there is none.
 * hand_on: the heir's next try is the item's.  give_up: the item is done
 * without a job. */
int64_t asbi_media_worst(const struct asbi_item *item);
void asbi_media_name(struct asbi_call *call);
void asbi_media_keep_open(struct asbi_call *call, bool unknown);
void asbi_media_known_now(struct asbi_call *call);
bool asbi_media_reopen(struct asbi_call *call);
void asbi_media_hand_on(struct asbi_item *item, struct asbi_item *heir);
void asbi_media_give_up(struct asb_engine *e, struct asbi_item *item);

/* What of it an earlier run has left: "NONCE JOBS". */
void asbi_media_read_name(struct asbi_item *item, asbi_str name);

/* When the next submission may go: not all at once, and no more at a time than
 * the provider takes.  ASBI_NEVER: after a job has ended. */
uint64_t asbi_media_ready_at(struct asb_engine *e);
void asbi_media_submitted(struct asb_engine *e, uint64_t now);

/* A header line with a fresh signature, or NULL when none is needed. */
const char *asbi_media_sign(struct asb_engine *e);

/* What a request costs at a model's prices, nano-dollars. */
int64_t asbi_media_price(const struct asbi_model *model,
                         const struct asbi_provider *provider,
                         const struct asbi_media_request *request);

/* ---- media_watch.c ---------------------------------------------------- */

extern const struct asbi_remote_job_ops asbi_media_job_ops;

/* Deals with what the provider says of a job; `answer` may be NULL when that is
 * its end. */
void asbi_media_told(struct asbi_media_job *job,
                     const struct asbi_media_status *status,
                     const struct asbi_errand *answer);

/* ---- media_output.c --------------------------------------------------- */

/* The job is done: fetches what it made, or tells where it is. */
void asbi_media_collect_assets(struct asbi_media_job *job,
                               const struct asbi_media_status *status);
void asbi_media_assets_free(struct asbi_media_job *job);

/* Appends the file name, without an ending, of artefact `index` of an id. */
void asbi_media_put_name(asbi_str id, size_t index, struct asbi_buf *name);

#endif
