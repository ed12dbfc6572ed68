/*
 * native_batch.h -- calls that are handed to the provider in bulk, worked off
 * within a day and billed at half the price: gathered, submitted, asked about,
 * fetched.
 *
 * A line of such a batch is a call like any other: encoded by the dialect,
 * answered item by item, judged by judge.c.  Only its way is another, and the
 * gates: of these the budget alone, and the provider's limit on what may wait
 * with it.
 *
 *   GATHERING -> SENDING -> RUNNING -> FETCHING -> gone
 *
 * A line that was not worked off (expired, cancelled, refused as a whole) was
 * not billed: its batch of items goes back to the queue as it is, and the next
 * look decides anew how it is asked.  When the deadline comes near, a batch is
 * cancelled, what it has done is kept, and the rest is asked directly; only
 * where even that gets no answer may a line be paid twice, and is counted so.
 *
 * With a journal its lines and its name are durable before it is created, and
 * its id before it is asked after.  The next run looks it up, by its id or,
 * when that is not known, by its name; its items join their places in it as
 * their rows are read again, and its results are fetched when all are there.  A
 * key that is refused leaves it to a run with a better one.
 *
 * native.c knows whether, native_batch.c gathers, native_watch.c keeps the
 * time, native_steps.c does the requests, native_results.c hands the answers
 * over, native_again.c takes up batches of an earlier run.
 */
#ifndef ASBI_NATIVE_BATCH_H
#define ASBI_NATIVE_BATCH_H

#include "adapters/batch_api.h"
#include "engine/call.h"
#include "engine/errand.h"
#include "engine/native.h"

enum asbi_native_state {
    ASBI_NATIVE_GATHERING, /* takes more calls */
    ASBI_NATIVE_SENDING,   /* upload and create */
    ASBI_NATIVE_RUNNING,   /* with the provider: asked about */
    ASBI_NATIVE_FETCHING,  /* its results come */
};

struct asbi_native_batch {
    struct asbi_remote_job remote; /* first; RUNNING: when to ask after it */
    struct asbi_link link;         /* in native->batches */
    struct asbi_native *native;
    enum asbi_native_state state;
    struct asbi_batch_ref ref;
    char endpoint[64];
    struct asbi_buf file;     /* the request with the lines */
    struct asbi_call **calls; /* by line; NULL once it has ended */
    size_t count, cap;
    size_t texts;    /* in array calls */
    size_t open;     /* lines that have not ended */
    uint64_t tokens; /* of input, in all lines */
    uint64_t output_tokens;
    uint64_t deadline_ns; /* the first of its items; ASBI_NEVER: none */
    uint64_t number;      /* in the journal; 0: in none */
    bool again;           /* an earlier run has begun it */
    size_t missing;       /* then: places whose rows have not come */

    enum asbi_batch_step step; /* under way or next, beside being asked after */
    uint64_t due_ns;           /* when to take it */
    uint64_t last_ns;          /* GATHERING: of the last call added */
    unsigned failures;         /* of steps, in a row */
    unsigned pages;            /* of the provider's list that were looked at */
    uint64_t look_ns; /* RUNNING: when the deadline wants something done */
    bool cancel_wanted, cancelled;
    struct asbi_errand errand;
    struct asbi_buf path, type;
    struct asbi_buf line; /* an unfinished line of results, or all of them */
    bool finished;        /* nothing more is to be done: may be freed */
};

/* What a line costs, of the price of a direct call, in percent. */
unsigned asbi_native_percent(const struct asb_engine *e);

/* ASB_OK, ASB_ECONFIG when it is asked for and cannot be, or ASB_ENOMEM. */
int asbi_native_init(struct asbi_native *n, struct asb_engine *e,
                     struct asb_message *why);

/* Accepts what was never made.  Lines take their items along. */
void asbi_native_fini(struct asbi_native *n);

/* Whether this batch of items is to be asked that way. */
bool asbi_native_wants(const struct asb_engine *e, const struct asbi_batch *b,
                       uint64_t now);

/* As asbi_lane_gate(), for a line. */
enum asbi_gate asbi_native_gate(struct asb_engine *e,
                                const struct asbi_demand *demand,
                                uint64_t *ready_ns);

/* As asbi_call_start(), for a line. */
int asbi_native_add(struct asb_engine *e, struct asbi_batch *b,
                    const struct asbi_demand *demand);

/* In each turn, after all that may be sent was. */
void asbi_native_turn(struct asb_engine *e, uint64_t now);

/* When the next turn is due; ASBI_NEVER when nothing waits. */
uint64_t asbi_native_due(const struct asbi_native *n);

/* ---- native_again.c --------------------------------------------------- */

/* Takes up a batch of an earlier run, then its lines; *out is NULL where the
 * provider has no batches.  ASB_OK or ASB_ENOMEM. */
int asbi_native_know(struct asb_engine *e, const struct asbi_journal_job *job,
                     struct asbi_native_batch **out);
int asbi_native_know_line(struct asbi_native_batch *b,
                          const struct asbi_journal_call *line);

/* The row with that place in a line has come: its item goes on there, if it
 * still waits to be sent. */
void asbi_native_join(struct asbi_call *line, size_t place,
                      struct asbi_item *item);

/* No more of its items will come: its results may be handed over. */
bool asbi_native_is_whole(const struct asbi_native_batch *b);

/* None may join any more: its lines are about to end. */
void asbi_native_seal(struct asbi_native_batch *b);

/* ---- among these files ------------------------------------------------ */

/* Makes room for batches of this provider; again does nothing.  ASB_OK or
 * ASB_ENOMEM. */
int asbi_native_enable(struct asbi_native *n);

/* An empty batch, GATHERING for that endpoint; NULL when out of memory. */
struct asbi_native_batch *asbi_native_batch_new(struct asbi_native *n,
                                                const char *endpoint);

void asbi_native_batch_free(struct asbi_native_batch *b);

/* It takes no more calls, and is sent. */
void asbi_native_close(struct asbi_native_batch *b, uint64_t now);

/* Nanoseconds that so many direct calls would take, generously. */
uint64_t asbi_native_direct_ns(const struct asb_engine *e, uint64_t calls,
                               uint64_t input, uint64_t output);

/* Room for a line at that place.  False when out of memory. */
bool asbi_native_reserve(struct asbi_native_batch *b, size_t place);

/* It is with the provider, by its id. */
void asbi_native_runs(struct asbi_native_batch *b);

/* What an item has joined: it counts against the provider's limit. */
void asbi_native_count(struct asbi_native_batch *b,
                       const struct asbi_demand *demand,
                       const struct asbi_item *item);

/* Takes the next step, which is due. */
void asbi_native_step(struct asbi_native_batch *b, uint64_t now);

/* How batches are asked after while they are RUNNING. */
extern const struct asbi_remote_job_ops asbi_native_job_ops;

/* A good answer's results, in pieces, then their end. */
int asbi_native_results(struct asbi_native_batch *b, const char *at,
                        size_t len);
void asbi_native_results_end(struct asbi_native_batch *b);

/* Ends every line that has none yet: with NOT_SENT it was never worked off,
 * with UNANSWERED nobody knows. */
void asbi_native_end_lines(struct asbi_native_batch *b,
                           enum asbi_outcome outcome, const char *text);

/* Ends them for this run, which may not ask for their answers: they stay open
 * in the journal, and the next run goes on with the batch.  Once nothing can be
 * sent any more. */
void asbi_native_leave_lines(struct asbi_native_batch *b);

#endif
