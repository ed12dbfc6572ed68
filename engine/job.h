/*
 * job.h -- a job's own state, seen by the files that make it up: job.c (life),
 * job_rows.c (rows in, rows out), job_ops.c (control maps of a stream),
 * job_places.c (which files it may write), job_report.c (metrics, summary,
 * progress).
 */
#ifndef ASBI_JOB_H
#define ASBI_JOB_H

#include <asyncbatch/asyncbatch.h>

#include "adapters/format.h"
#include "engine/engine.h"
#include "engine/forecast.h"
#include "engine/order.h"
#include "engine/real/fd.h"
#include "engine/seen.h"
#include "scheduler/eta.h"

/* What is kept of a row until its answer is written. */
struct asbi_slip {
    struct asbi_row_memo memo;
    uint64_t place; /* in the output */
    uint64_t key;   /* for the journal; 0 without one */
};

/* A row whose answer is awaited. */
struct asbi_ticket {
    struct asbi_link link; /* in job->tickets */
    struct asb_job *job;
    uint64_t item;
    struct asbi_slip slip; /* `original` lies right after the ticket */
    size_t bytes;
};

struct asbi_job_journal;

struct asb_job {
    struct asb_engine *engine;
    const struct asbi_config *config;
    const struct asbi_mem *mem;
    asb_job_done_cb done;
    void *arg;

    /* -- the way in and out */
    int in_fd, out_fd;
    bool close_in, close_out; /* opened by the job */
    uint64_t input_bytes;     /* size of a regular file; 0: unknown */
    struct asbi_source *source;
    struct asbi_reader *reader;
    struct asbi_seen *seen;
    struct asbi_writer *writer;
    struct asbi_sink *sink;
    struct asbi_order order;
    struct asbi_buf row;   /* one encoded row that came too early */
    struct asbi_buf ready; /* rows in order, on their way to the sink */
    struct asbi_list tickets;
    size_t ticket_bytes;

    /* -- how far it is */
    uint64_t bytes_read, rows_read, rows_written, rows_failed;
    uint64_t rows_retryable; /* of rows_failed, by this run */
    uint64_t rows_warmed;
    uint64_t rows_answered; /* were so before this run */
    bool header_written;
    bool at_end;      /* of the bytes; the reader may still have rows */
    bool input_ended; /* nothing more will be read */
    bool read_all;    /* and nothing is left */
    bool interrupted, failed_fast, finishing, over;
    bool output_broken; /* nothing more can be written */
    char trouble[512];  /* why it ends early; "" when it does not */
    char failure[200];  /* what the first row that failed says; "" for none */
    enum asb_exit trouble_status;

    struct asbi_job_journal *kept; /* NULL: no journal */

    /* -- reports */
    int metrics_fd; /* -1: none */
    uint64_t started_ns, next_metrics_ns;
    struct asbi_foretold foretold;
    struct asbi_eta row_rate, token_rate;
};

/* job_rows.c */
int asbi_job_on_row(void *arg, const struct asbi_row *row);
bool asbi_job_has_room(const struct asb_job *job);

/* More rows could be read if more bytes might be held. */
bool asbi_job_is_short_of_room(const struct asb_job *job);
/* The job goes before its items, its journal before that: nobody is told of
 * them, and what was not sent is not sent any more. */
void asbi_job_leave_items(struct asb_job *job);
/* Gives what is ready to the sink. */
void asbi_job_push(struct asb_job *job);
/* Ends early: nothing more is read or sent. */
void asbi_job_trouble(struct asb_job *job, enum asb_exit status,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Over when everything is in, answered and out. */
void asbi_job_check_end(struct asb_job *job);

/* job_ops.c */
/* A control map of the stream; nonzero pauses the reader, as on_row. */
int asbi_job_on_op(struct asb_job *job, const struct asbi_row *row);

/* job_places.c */
/* ASB_OK; ASB_ECONFIG or ASB_EIO, and nothing has been made but folders. */
int asbi_job_check_places(const struct asb_job *job, struct asb_message *why);

/* job_report.c */
/* Appends what metrics say now, as members of an open JSON object. */
void asbi_job_report_members(struct asb_job *job, struct asbi_buf *out);
/* Whether metrics and summary will find their place; makes their folders. */
int asbi_job_report_check(const struct asb_job *job, struct asb_message *why);
int asbi_job_report_open(struct asb_job *job, struct asb_message *why);
void asbi_job_report_tick(struct asb_job *job, bool last);
void asbi_job_report_summary(struct asb_job *job, enum asb_exit status);
/* Appends to the reason why it ended how near the plan of it came, if there was
 * one. */
void asbi_job_report_forecast(const struct asb_job *job, char *reason,
                              size_t size);

#endif
