/*
 * job_journal.h -- a job that goes on where an earlier run of the same command
 * ended: job_journal.c (opened, compared, the output cut back, the end) and
 * job_known.c (row by row).
 *
 * The journal holds the outcome of every row; the output can be made from it
 * and the input anew at any time.  So an output that is gone, or that a power
 * failure may have harmed, is written again from its start, and nothing is
 * asked twice.  What ends because the run is stopped is no outcome: such rows
 * are asked by the next run.
 */
#ifndef ASBI_JOB_JOURNAL_H
#define ASBI_JOB_JOURNAL_H

#include "engine/job.h"
#include "engine/journal.h"

struct asbi_job_journal {
    /* -- set when it is opened */
    char *path;
    struct asbi_journal_store *store;
    uint64_t delivered; /* rows that the output has already */
    uint64_t end;       /* one past the last row with an answer */
    uint64_t base;      /* bytes that the output has already */
    uint64_t failed;    /* with done_before: failed for good */
    int64_t cost_before;
    bool placed;      /* rows went out in order of completion */
    bool streamed;    /* the input may differ: each row is compared */
    bool reuses;      /* answers of an earlier input are looked at */
    bool keeps_file;  /* the output is a file that can be cut back */
    bool done_before; /* nothing is left to be done */

    struct asbi_journal journal;
    uint64_t pushed_rows, pushed_bytes; /* given to the sink by this run */
    uint64_t rows_known;      /* not asked, as their answer was there */
    uint64_t rows_unfinished; /* left for the next run */
};

/* ---- job_journal.c ---------------------------------------------------- */

/* Where the journal is, named or beside the output; owned by the caller.  NULL
 * with ASB_OK: none is kept. */
int asbi_job_journal_path(const struct asb_job *job, char **out);

/* Opens the journal that the options name, if any, and sees whose it is.  The
 * input is open, the output not.  ASB_OK, ASB_ECONFIG (another job's, in use),
 * ASB_EIO or ASB_ENOMEM. */
int asbi_job_journal_open(struct asb_job *job, struct asb_message *why);

/* Opens the output and cuts it back to what is known to be good. */
int asbi_job_journal_output(struct asb_job *job, const char *path,
                            struct asb_message *why);

/* What the options say of calls in doubt. */
enum asbi_in_doubt asbi_job_doubts(const struct asb_job *job);

/* Before the output is finished: all that is known becomes durable, or the job
 * ends in trouble. */
void asbi_job_journal_flush(struct asb_job *job);

/* Is it still there?  One that was deleted is put back, or else the job ends in
 * trouble. */
void asbi_job_journal_look(struct asb_job *job);

/* The output is finished. */
void asbi_job_journal_end(struct asb_job *job);
void asbi_job_journal_free(struct asb_job *job);

/* ---- job_aside.c ----------------------------------------------------- */

/* Keeps the row in job->row for its turn, as bytes or as a slip.  ASB_OK or
 * ASB_ENOMEM. */
int asbi_job_wait_for_turn(struct asb_job *job, const struct asbi_slip *slip,
                           asbi_str id);

/* Appends the row of a slip: an asbi_order_fetch_cb of the job. */
int asbi_job_turn_came(void *job, asbi_str slip, struct asbi_buf *out);

/* ---- job_known.c ----------------------------------------------------- */

/* A hash of what a row asks. */
uint64_t asbi_job_row_key(const struct asbi_row *row);

enum asbi_known {
    ASBI_KNOWN_ASK,   /* nothing is known */
    ASBI_KNOWN_SKIP,  /* it is in the output */
    ASBI_KNOWN_GIVEN, /* its answer is known */
    ASBI_KNOWN_STOP,  /* the job is in trouble */
};

/* What is known of the row that is read now, number job->rows_read. */
enum asbi_known asbi_job_look_up(struct asb_job *job,
                                 const struct asbi_row *row, uint64_t key,
                                 struct asbi_journal_answer *out);

/* Records an outcome.  False when the row must not be written: it is left for
 * the next run, or could not be recorded (and the job is in trouble). */
bool asbi_job_keep(struct asb_job *job, uint64_t seq, uint64_t key,
                   const struct asb_result *result);

/* Whether rows may go to the sink now: what is not durable is not shown. */
bool asbi_job_may_push(struct asb_job *job);

/* `len` bytes went to the sink. */
void asbi_job_pushed(struct asb_job *job, size_t len);

/* A journal that cannot be written ends the job. */
void asbi_job_journal_check(struct asb_job *job);

/* The input ended: had it all the rows that it had before? */
void asbi_job_known_end(struct asb_job *job);

#endif
