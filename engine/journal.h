/*
 * journal.h -- what must outlive a crash: which calls were begun, which rows
 * have their answer, how much of the output is good.
 *
 * Records are gathered and committed together: a call's intent before its first
 * byte is sent, what it has answered so far while it goes on, its end and the
 * answers it gave in one transaction, the mark on the output whenever something
 * is committed.  A commit that fails loses nothing: its records stay, and are
 * tried again.
 *
 * Pure but for its store: no clock, no file, no SQL.  The store is
 * engine/real/journal_sqlite.c, or another behind the same operations, which is
 * how a disk is simulated:
 *
 *  - fill a struct asbi_journal_store_ops; only commit() and tidy() are needed
 *    to run an engine, the others to take up what an earlier run has left;
 *  - asbi_journal_init() a journal on it with the state it holds (none: `round`
 *    1), set engine->journal to it before the first turn, and name each item's
 *    row by asbi_hold_row() after asb_submit();
 *  - commit() may fail, and then must have kept nothing; it may say ASB_OK and
 *    the world end right after.  A torn write is a commit() that has kept a
 *    part of its records and never returns: what the next life finds must be
 *    an earlier commit whole, which is what the store is trusted with.  To see
 *    whether the trust is deserved, tear the file below SQLite (a VFS, or the
 *    bytes themselves as tests/unit/test_journal_sqlite.c does);
 *  - after a crash: throw the engine away, make a new one, init a journal from
 *    the state of the last commit, call asbi_journal_take_up(), and submit the
 *    rows that find() does not know;
 *  - then hold: each call the provider saw has an intent that was committed
 *    before; a row has one answer; intents without an end are never more than
 *    calls in flight (tests/engine/test_journal_sim.c checks these at each
 *    turn).
 */
#ifndef ASBI_JOURNAL_H
#define ASBI_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/list.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

/* What becomes of rows whose call a crash cut off. */
enum asbi_in_doubt {
    ASBI_DOUBT_RETRY, /* they are asked again */
    ASBI_DOUBT_FAIL,  /* they fail, and are not paid for again */
    ASBI_DOUBT_ASK,   /* nobody goes on before one of these is chosen */
};

/* An item that belongs to no row of a job. */
#define ASBI_NO_ROW UINT64_MAX

/* ---- what is kept ----------------------------------------------------- */

/* The one row of facts about the job; written with every commit. */
struct asbi_journal_state {
    uint64_t round;  /* how often failed rows were asked anew */
    bool finished;   /* each row of the input has its row in the output */
    uint64_t rows;   /* the output is good for so many rows ... */
    uint64_t bytes;  /* ... in so many bytes */
    uint64_t device; /* which file the output is */
    uint64_t inode;
    uint64_t boot;      /* hash of the machine's boot; 0: synced to the disk */
    uint64_t next_call; /* numbers of calls, never 0 */
    int64_t cost;       /* nano-dollars billed, by usage */
    int64_t spent;      /* counted against the budget: unknown ends at worst */
    int64_t doubtful;   /* of `spent`: calls that a crash cut off */
};

/* A row's outcome.  `result` has no id: that is read again with the row. */
struct asbi_journal_answer {
    uint64_t seq;   /* of the row, 0-based */
    uint64_t key;   /* hash of what was asked */
    uint64_t round; /* in which it was given */
    uint64_t place; /* in the output, in completion order; else ASBI_NO_ROW */
    struct asb_result result;
};

/* A call that was begun. */
struct asbi_journal_call {
    uint64_t number;
    int64_t worst;        /* what it may cost at most, nano-dollars */
    const uint64_t *rows; /* their numbers; of a line by their places in it,
                             ASBI_NO_ROW for what belongs to none */
    size_t count;
    const bool *kept; /* when it is told: of which rows there is a part */
    uint64_t job;     /* that it is a line of; 0: of none */
    uint64_t line;    /* its place there; of none: 0 or ASBI_JOURNAL_PAID */
    uint64_t seed;    /* of the names that its items have there */
};

/* The job that the call began is done and its cost, which `worst` is, counted:
 * what it made is still to be fetched. */
enum { ASBI_JOURNAL_PAID = 1 };

static inline bool asbi_journal_is_paid(const struct asbi_journal_call *call)
{
    return call->job == 0 && call->line == ASBI_JOURNAL_PAID;
}

/* Work that runs at the provider, and is found there again.  Its calls are no
 * more in doubt, and what they come to is told by their ends: the lines of a
 * batch, or the one call of the same number that began it. */
struct asbi_journal_job {
    uint64_t number;
    asbi_str id;      /* the provider's name for it; empty: not known yet */
    asbi_str address; /* where it is, or what else it is found by */
};

struct asbi_journal_record {
    struct asbi_link link;
    enum asbi_journal_kind {
        ASBI_RECORD_INTENT, /* `call` */
        ASBI_RECORD_PART,   /* `answer`, by the call `call.number` */
        ASBI_RECORD_END,    /* `call.number`; its parts are of no more use */
        ASBI_RECORD_ANSWER, /* `answer` */
        ASBI_RECORD_JOB,    /* `job`, in place of what it was before */
        ASBI_RECORD_OVER,   /* `job.number` */
    } kind;
    struct asbi_journal_call call;
    struct asbi_journal_answer answer;
    struct asbi_journal_job job;
};

/* ---- where it is kept ------------------------------------------------- */

struct asbi_journal_count {
    uint64_t failed;           /* answers that are failures */
    uint64_t failed_delivered; /* of those, below the mark */
    uint64_t retryable;        /* of `failed`: another try may help */
    uint64_t in_doubt;         /* of `failed`: nobody knows */
    uint64_t end;              /* one past the last row with an answer */
    bool earlier;              /* there are answers set aside */
};

struct asbi_journal_store;

/* All return ASB_OK or ASB_EIO, with the reason in `why`. */
struct asbi_journal_store_ops {
    /* All of it or nothing, durable on return.  `records` is left as it is. */
    int (*commit)(struct asbi_journal_store *s, const struct asbi_list *records,
                  const struct asbi_journal_state *state,
                  struct asb_message *why);
    /* A row's answer; what it points to lives until the next call.  Also
     * ASB_ENOENT. */
    int (*find)(struct asbi_journal_store *s, uint64_t seq,
                struct asbi_journal_answer *out, struct asb_message *why);
    /* Tells the parts of a call, with ok, output and output_is_json only. */
    int (*each_part)(struct asbi_journal_store *s, uint64_t call,
                     int (*on_part)(void *arg,
                                    const struct asbi_journal_answer *part),
                     void *arg, struct asb_message *why);
    /* As find() by key among the answers that were set aside. */
    int (*find_earlier)(struct asbi_journal_store *s, uint64_t key,
                        struct asbi_journal_answer *out,
                        struct asb_message *why);
    /* Tells each call that has an intent, no end, and no job. */
    int (*each_open)(struct asbi_journal_store *s,
                     int (*on_call)(void *arg,
                                    const struct asbi_journal_call *call),
                     void *arg, struct asb_message *why);
    /* Tells each job that is not over. */
    int (*each_job)(struct asbi_journal_store *s,
                    int (*on_job)(void *arg,
                                  const struct asbi_journal_job *job),
                    void *arg, struct asb_message *why);
    /* Tells each call of a job that has no end, without `kept`. */
    int (*each_line)(struct asbi_journal_store *s, uint64_t job,
                     int (*on_call)(void *arg,
                                    const struct asbi_journal_call *call),
                     void *arg, struct asb_message *why);
    /* What is below the mark is found by place, or else by row. */
    int (*count)(struct asbi_journal_store *s, bool by_place, uint64_t mark,
                 struct asbi_journal_count *out, struct asb_message *why);
    /* Forgets places from `mark` on: the output was cut back to there. */
    int (*unplace)(struct asbi_journal_store *s, uint64_t mark,
                   struct asb_message *why);
    /* Housekeeping, for when nothing is urgent. */
    void (*tidy)(struct asbi_journal_store *s);
    /* What is committed would not be found again: somebody has deleted or
     * replaced it.  NULL: nobody can. */
    bool (*is_gone)(struct asbi_journal_store *s);
    /* Then: puts all that it holds where it was, and goes on there.  After an
     * error nothing can be committed any more. */
    int (*put_back)(struct asbi_journal_store *s, struct asb_message *why);
    void (*free)(struct asbi_journal_store *s);
};

/* First member of each implementation. */
struct asbi_journal_store {
    const struct asbi_journal_store_ops *ops;
    uint64_t took_ns; /* the last commit; 0 where time stands still */
};

/* ---- the journal ------------------------------------------------------ */

struct asbi_journal {
    const struct asbi_mem *mem;
    struct asbi_journal_store *store; /* borrowed */
    struct asbi_journal_state state;  /* as it will be committed */
    struct asbi_list pending;         /* records, in their order */
    size_t waiting;                   /* intents among them: calls held up */
    size_t looked;                    /* how many there were, last looked */
    uint64_t last_commit_ns, retry_ns;
    uint64_t pace_ns;       /* between commits */
    bool failing;           /* the last commit failed */
    bool lost;              /* a record could not be kept for want of memory */
    struct asb_message why; /* of the last failure */
};

/* `store` outlives it; `state` is what the store holds. */
void asbi_journal_init(struct asbi_journal *j, const struct asbi_mem *mem,
                       struct asbi_journal_store *store,
                       const struct asbi_journal_state *state);

/* Drops what is pending. */
void asbi_journal_fini(struct asbi_journal *j);

/* Calls that an earlier run has begun and whose end nobody knows. */
struct asbi_journal_doubts {
    size_t calls;   /* of which some rows have no answer */
    uint64_t rows;  /* of them without one */
    int64_t worst;  /* what these rows may have cost, nano-dollars */
    int64_t adrift; /* of that: by calls whose rows are not known any more */
};

/**
 * Before anything else: settles what a crash left in doubt, and commits.  Parts
 * become answers; rows without one fail or are left to be asked again, and what
 * their calls may have cost counts as spent.  With ASBI_DOUBT_ASK nothing is
 * changed when there is something to ask about.
 * @return ASB_OK; ASB_ECONFIG when it must be asked about; ASB_EIO or
 *         ASB_ENOMEM with the reason in `why`
 */
int asbi_journal_take_up(struct asbi_journal *j, enum asbi_in_doubt policy,
                         struct asbi_journal_doubts *found,
                         struct asb_message *why);

/* A call is about to be sent with these rows; `*number` names it from now on.
 * It must not be sent before the next commit.  ASB_OK or ASB_ENOMEM. */
int asbi_journal_intent(struct asbi_journal *j, int64_t worst,
                        const uint64_t *rows, size_t count, uint64_t *number);

/* A number for a job that gathers lines. */
uint64_t asbi_journal_number(struct asbi_journal *j);

/* As asbi_journal_intent() for a line of a job; all but `number` is set. */
int asbi_journal_line(struct asbi_journal *j,
                      const struct asbi_journal_call *line, uint64_t *number);

/* One of the rows it was sent for, or one that shares its answer, has an answer
 * that will stand unless the rest of the reply takes it back.  Copies it.  What
 * cannot be kept for want of memory is asked again after a crash. */
void asbi_journal_part(struct asbi_journal *j, uint64_t number,
                       const struct asbi_journal_answer *part);

/* This can be found at the provider, and may be asked after once this is
 * committed.  Copies it.  Without memory for the record no commit succeeds any
 * more. */
void asbi_journal_job(struct asbi_journal *j,
                      const struct asbi_journal_job *job);

/* Nobody will ask after it again; its calls have ended. */
void asbi_journal_over(struct asbi_journal *j, uint64_t job);

/* It has ended, or the job has: what it cost by its usage, and what counts
 * against the budget. Without memory for the record the call stays in doubt. */
void asbi_journal_end(struct asbi_journal *j, uint64_t number, int64_t cost,
                      int64_t spent);

/* A row has its final outcome.  Copies it.  ASB_OK or ASB_ENOMEM. */
int asbi_journal_answer(struct asbi_journal *j,
                        const struct asbi_journal_answer *answer);

/* The output is written so far: goes out with the next commit. */
void asbi_journal_mark(struct asbi_journal *j, uint64_t rows, uint64_t bytes);

/* Nothing that was told is still to be committed. */
static inline bool asbi_journal_settled(const struct asbi_journal *j)
{
    return asbi_list_empty(&j->pending) && !j->lost;
}

/* Whether to commit now: for a group of calls that wait for it; else a few
 * milliseconds after the last time, more where a commit takes long, so that
 * most of the loop's time is its own. */
bool asbi_journal_is_due(struct asbi_journal *j, uint64_t now);

/* When to look again; ASBI_NEVER when nothing is pending. */
uint64_t asbi_journal_next_look(const struct asbi_journal *j);

/* ASB_OK, or ASB_EIO or ASB_ENOMEM with the reason in j->why and the records
 * still pending. */
int asbi_journal_commit(struct asbi_journal *j, uint64_t now);

#endif
