/*
 * remote_jobs.h -- jobs that run at the provider: begun by a call, asked after
 * until they have ended, whoever they belong to.
 *
 * Knows when to ask, not what: the owner of a set says where a job's state is
 * and what an answer means.  Media jobs (engine/media.h) are one such set,
 * batches at the provider (engine/native_batch.h) another.  How to use it:
 *
 *   1. send the submission as a call of its own (engine/call.h) or as an errand
 *      (engine/errand.h);
 *   2. when its answer names the job, record it in the journal, if there is
 *      one, and asbi_remote_job_add() it in the same turn: it is not asked
 *      after before its id is durable;
 *   3. answer `ask` with where to look, and `told` with
 *      asbi_remote_job_again() or asbi_remote_job_remove();
 *   4. fetch what it gave with errands, or engine/fetch.h.
 *
 * Waits are those of scheduler/poll.h.  When several jobs are due together and
 * the provider can list them, one list stands for all; a job that no page shows
 * is asked after by itself from then on.  Trouble (429, 5xx, no connection)
 * ends no job: all asking waits, longer each time.
 */
#ifndef ASBI_REMOTE_JOBS_H
#define ASBI_REMOTE_JOBS_H

#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/map.h"
#include "engine/errand.h"
#include "scheduler/poll.h"

struct asbi_remote_jobs;

struct asbi_remote_job {
    struct asbi_remote_jobs *set; /* NULL: in none */
    char *id;                     /* the provider's name for it; its owner's */
    uint64_t begun_ns;
    uint64_t give_up_ns;               /* ASBI_NEVER: never */
    struct asbi_poll_typical *typical; /* of its kind; borrowed, or NULL */

    /* -- the set's */
    struct asbi_heap_node due;  /* in none while it is asked after, or fresh */
    struct asbi_link link;      /* fresh: the id is not durable; or live */
    struct asbi_errand *errand; /* on its way to ask after it, or NULL */
    uint64_t sweep;             /* the last list that showed it */
    bool alone;                 /* lists do not show it */
};

/* Each may remove the job it is about, and add others. */
struct asbi_remote_job_ops {
    /* Fills in where the job's state is told; `errand->extra` may be set. */
    void (*ask)(struct asbi_remote_job *job, struct asbi_errand *errand,
                struct asbi_buf *address);
    /* A good answer, or one of status 4xx that is neither 408 nor 429.  Ends
     * with asbi_remote_job_again() or _remove(). */
    void (*told)(struct asbi_remote_job *job, const struct asbi_errand *answer);
    /* `give_up_ns` has passed.  Ends with asbi_remote_job_remove().  NULL where
     * it never does. */
    void (*late)(struct asbi_remote_job *job);

    /* Fills in where the page behind the id `after` is (empty: the first);
     * false when there is none.  NULL: the provider has no list. */
    bool (*ask_list)(struct asbi_remote_jobs *set, asbi_str after,
                     struct asbi_errand *errand, struct asbi_buf *address);
    /* Reads a page: calls asbi_remote_jobs_seen() for each job in it and, where
     * that gives one, deals with it as `told` does.  Appends the last id of the
     * page to `last` when there is more behind it. */
    void (*told_list)(struct asbi_remote_jobs *set,
                      const struct asbi_errand *answer, struct asbi_buf *last);
};

struct asbi_remote_jobs {
    struct asb_engine *engine;
    const struct asbi_remote_job_ops *ops;
    const struct asbi_poll_policy *policy;
    struct asbi_list live, fresh; /* jobs */
    struct asbi_map by_id;
    struct asbi_heap due;
    struct asbi_list spare, busy; /* errands that ask */

    /* -- one list at a time */
    struct asbi_errand list;
    struct asbi_buf last;
    uint64_t sweep; /* number of the list that is being read */
    unsigned pages;
    bool listing;

    uint64_t blocked_until_ns;
    unsigned troubles;     /* in a row */
    uint64_t polls, lists; /* asked so far */
};

/* `ops` and `policy` are static.  No allocation. */
void asbi_remote_jobs_init(struct asbi_remote_jobs *r, struct asb_engine *e,
                           const struct asbi_remote_job_ops *ops,
                           const struct asbi_poll_policy *policy);

/* Asks no more; the jobs are the owner's to free.  Accepts what was only
 * zeroed. */
void asbi_remote_jobs_fini(struct asbi_remote_jobs *r);

/* Takes a job in; `id`, `begun_ns`, `give_up_ns` and `typical` are set.  It is
 * asked after in due time, not before its id is durable.  ASB_OK or
 * ASB_ENOMEM; a second job of the same id is ASB_EINVAL. */
int asbi_remote_job_add(struct asbi_remote_jobs *r,
                        struct asbi_remote_job *job);

/* It is over: nobody asks after it any more.  Accepts one that is in no set. */
void asbi_remote_job_remove(struct asbi_remote_job *job);

/* It is still running; `hint_ns` is the least wait that the provider asks
 * for, 0 for none. */
void asbi_remote_job_again(struct asbi_remote_job *job, uint64_t hint_ns);

/* What is known of it has changed: it is asked after as soon as a new one
 * would be.  Accepts one that is not asked after. */
void asbi_remote_job_soon(struct asbi_remote_job *job);

/* A job that a list showed; NULL when it is none of ours, or is not asked
 * after now. */
struct asbi_remote_job *asbi_remote_jobs_seen(struct asbi_remote_jobs *r,
                                              asbi_str id);

/* Asks what is due; in each turn. */
void asbi_remote_jobs_turn(struct asbi_remote_jobs *r, uint64_t now);

/* When it wants a turn; ASBI_NEVER for not before an answer. */
uint64_t asbi_remote_jobs_due(const struct asbi_remote_jobs *r);

static inline size_t asbi_remote_jobs_count(const struct asbi_remote_jobs *r)
{
    return r->live.count + r->fresh.count;
}

#endif
