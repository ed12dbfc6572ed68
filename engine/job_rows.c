/*
 * job_rows.c -- rows in: checked, submitted; rows out: encoded, in order.
 */
#include "engine/job_journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/input.h"
#include "engine/recall_store.h"
#include "engine/call_hold.h"

/* Rows on their way to the sink are gathered up to this many bytes. */
enum { PUSH_BYTES = 65536, WARM_BYTES = 1 << 20 };

void asbi_job_trouble(struct asb_job *job, enum asb_exit status,
                      const char *format, ...)
{
    va_list args;

    if (!job->trouble[0]) {
        va_start(args, format);
        (void)vsnprintf(job->trouble, sizeof(job->trouble), format, args);
        va_end(args);
        job->trouble_status = status;
    }
    job->input_ended = true;
    asb_stop(job->engine);
}

/* ---- rows out --------------------------------------------------------- */

static void push(struct asb_job *job)
{
    bool short_of_memory = asbi_buf_failed(&job->ready);

    if (!asbi_job_may_push(job) || (job->ready.len == 0 && !short_of_memory))
        return;
    if (short_of_memory ||
        asbi_sink_write(job->sink, asbi_buf_view(&job->ready)))
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "there was no memory for the output; run the same "
                         "command again");
    else
        asbi_job_pushed(job, job->ready.len);
    asbi_buf_clear(&job->ready);
}

void asbi_job_push(struct asb_job *job)
{
    if (!asbi_job_may_push(job))
        return;
    do {
        push(job);
        if (asbi_sink_is_full(job->sink))
            return; /* the rest goes when there is room */
        job->rows_written +=
            asbi_order_take(&job->order, &job->ready, PUSH_BYTES);
    } while (job->ready.len);
}

static void write_header(struct asb_job *job)
{
    if (job->header_written)
        return;
    job->header_written = true;
    asbi_writer_header(job->writer, asbi_reader_header(job->reader),
                       &job->ready);
}

static void out_of_memory(struct asb_job *job)
{
    asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                     "there was no memory to keep an answer; run the same "
                     "command again with a smaller --max-memory");
}

/* The first reason of many is often that of all: it goes into the last line,
 * and so must be one. */
static void note_failure(struct asb_job *job, asbi_str message)
{
    size_t most = sizeof(job->failure) - 1;
    size_t len = message.len < most ? message.len : most;

    while (len && len < message.len &&
           ((unsigned char)message.at[len] & 0xc0) == 0x80)
        len--; /* no character is cut */
    for (size_t i = 0; i < len; i++)
        job->failure[i] =
            (unsigned char)message.at[i] < 0x20 ? ' ' : message.at[i];
    job->failure[len] = '\0';
}

static void count_failure(struct asb_job *job, const struct asb_result *result)
{
    job->rows_failed++;
    job->rows_retryable += result->retryable;
    if (!job->failure[0])
        note_failure(job, result->error_message);
}

/* The row goes straight to where the sink reads when it is its turn; else its
 * bytes wait. */
static void row_out(struct asb_job *job, const struct asbi_slip *slip,
                    const struct asb_result *result)
{
    bool unordered = job->config->order_by_completion;

    if (!result->ok)
        count_failure(job, result);
    write_header(job);
    if (unordered || (asbi_order_is_next(&job->order, slip->place) &&
                      !asbi_sink_is_full(job->sink))) {
        asbi_writer_row(job->writer, &slip->memo, result, &job->ready);
        job->rows_written++;
        if (!unordered)
            asbi_order_pass(&job->order);
        if (job->ready.len >= PUSH_BYTES)
            push(job);
        return;
    }
    asbi_buf_clear(&job->row);
    asbi_writer_row(job->writer, &slip->memo, result, &job->row);
    if (asbi_buf_failed(&job->row) ||
        asbi_job_wait_for_turn(job, slip, result->id))
        out_of_memory(job);
}

/* What ends because the run does is no reason of its own. */
static void fail_fast(struct asb_job *job, const struct asb_result *result)
{
    if (!job->config->fail_fast || result->ok || job->failed_fast ||
        job->engine->stopped || asbi_routes_over(job->engine))
        return;
    job->failed_fast = true;
    asbi_job_trouble(job, ASB_EXIT_SOME_FAILED,
                     "stopped at the first failed item, id %.*s (%s); mend it "
                     "or run without --fail-fast",
                     (int)(result->id.len < 64 ? result->id.len : 64),
                     result->id.at, result->error_code);
}

/* A new outcome: kept first, where anything is. */
static void outcome(struct asb_job *job, const struct asbi_slip *slip,
                    const struct asb_result *result)
{
    if (asbi_job_keep(job, slip->memo.seq, slip->key, result))
        row_out(job, slip, result);
    fail_fast(job, result);
}

static void on_result(struct asb_engine *e, const struct asb_result *result,
                      void *arg)
{
    struct asbi_ticket *t = arg;
    struct asb_job *job = t->job;

    (void)e;
    asbi_list_remove(&t->link);
    outcome(job, &t->slip, result);
    job->ticket_bytes -= t->bytes;
    asbi_free(job->mem, t);
}

static void tell_nobody(struct asb_engine *e, const struct asb_result *result,
                        void *arg)
{
    (void)e;
    (void)result;
    (void)arg;
}

/* Nothing was paid for it so far, or nothing is under way. */
static bool is_unsent(const struct asbi_item *item)
{
    return item->state == ASBI_ITEM_SENT ? item->call->hold.list != NULL
                                         : item->state != ASBI_ITEM_AWAY;
}

void asbi_job_leave_items(struct asb_job *job)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&job->tickets))) {
        struct asbi_ticket *t = ASBI_OF(link, struct asbi_ticket, link);
        struct asbi_item *item = asbi_slots_get(&job->engine->numbers, t->item);

        if (item) {
            item->done = tell_nobody;
            item->arg = NULL;
        }
        if (item && is_unsent(item))
            (void)asb_cancel(job->engine, t->item);
        asbi_free(job->mem, t);
    }
}

/* ---- rows in ---------------------------------------------------------- */

/* All that rows cost on their way through. */
static size_t held_bytes(const struct asb_job *job)
{
    size_t held =
        job->engine->held_bytes + job->ticket_bytes + job->order.held_bytes;

    if (job->kept) /* these may have to wait for a commit */
        held += job->ready.len;
    return held;
}

bool asbi_job_is_short_of_room(const struct asb_job *job)
{
    return !job->input_ended && !asbi_sink_is_full(job->sink) &&
           held_bytes(job) >= job->engine->room.bytes;
}

bool asbi_job_has_room(const struct asb_job *job)
{
    /* One limit for all that a row costs on its way through. */
    return asb_has_room(job->engine) && !asbi_sink_is_full(job->sink) &&
           held_bytes(job) < job->engine->room.bytes;
}

/* A row that needs no call: bad, or answered before. */
static void row_without_call(struct asb_job *job, const struct asbi_slip *slip,
                             const struct asbi_row *row)
{
    struct asb_result result = {
        .size = sizeof(result),
        .id = row->request.id,
        .ok = !row->error_code,
        .output = row->answer,
        .error_code = row->error_code,
        .error_message = asbi_str_c(row->error_message),
        .source = row->answered ? ASB_CACHE : ASB_API_CALL,
    };

    outcome(job, slip, &result);
}

static struct asbi_ticket *ticket_new(struct asb_job *job,
                                      const struct asbi_slip *slip)
{
    asbi_str original = slip->memo.original;
    size_t bytes = sizeof(struct asbi_ticket) + original.len;
    struct asbi_ticket *t = asbi_alloc(job->mem, bytes);

    if (!t)
        return NULL;
    *t = (struct asbi_ticket){ .job = job, .slip = *slip, .bytes = bytes };
    if (original.len)
        memcpy(t + 1, original.at, original.len);
    t->slip.memo.original = asbi_str_of((char *)(t + 1), original.len);
    return t;
}

static void refuse(struct asb_job *job, const struct asbi_slip *slip,
                   struct asbi_row row, const char *code, const char *message)
{
    row.answered = false;
    row.error_code = code;
    row.error_message = message;
    row_without_call(job, slip, &row);
}

static struct asb_request request_of(const struct asb_job *job,
                                     const struct asbi_row *row)
{
    return asbi_input_request(job->config, row,
                              asbi_wall_ms(job->engine->world));
}

static void submit(struct asb_job *job, const struct asbi_slip *slip,
                   const struct asbi_row *row)
{
    struct asb_request request = request_of(job, row);
    struct asbi_ticket *t = ticket_new(job, slip);
    uint64_t item;

    int rc =
        t ? asb_submit(job->engine, &request, on_result, t, &item) : ASB_ENOMEM;
    if (rc == ASB_OK) {
        t->item = item;
        asbi_list_append(&job->tickets, &t->link);
        job->ticket_bytes += t->bytes;
        asbi_hold_row(job->engine, item, slip->memo.seq, slip->key);
        return;
    }
    asbi_free(job->mem, t);
    refuse(job, slip, *row, rc == ASB_ETOOBIG ? "too_large" : "not_accepted",
           rc == ASB_ETOOBIG ? "the item is larger than --max-item-bytes"
                             : asb_strerror(rc));
}

/* Names both lines, as whoever mends the file needs them. */
static bool is_repeated(struct asb_job *job, const struct asbi_row *row,
                        char *message, size_t size)
{
    uint64_t earlier = 0;
    int rc = asbi_seen_check(job->seen, row->request.id, row->line, &earlier);

    if (rc)
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "the ids seen so far could not be kept (%s); make "
                         "room in the temporary folder and run again",
                         asb_strerror(rc));
    if (rc || earlier == 0)
        return false;
    (void)snprintf(message, size,
                   "%s %llu: this id is taken by %s %llu already; give each "
                   "row an id of its own",
                   row->place, (unsigned long long)row->line, row->place,
                   (unsigned long long)earlier);
    return true;
}

/* A row of which nothing is known. */
static void row_in(struct asb_job *job, const struct asbi_slip *slip,
                   const struct asbi_row *row, const char *repeated)
{
    if (row->error_code || row->answered)
        row_without_call(job, slip, row);
    else if (repeated)
        refuse(job, slip, *row, "repeated_id", repeated);
    else if (asbi_input_is_late(row, asbi_wall_ms(job->engine->world)))
        refuse(job, slip, *row, "deadline_exceeded",
               "the deadline had passed before the item was read");
    else
        submit(job, slip, row);
}

/* A row whose answer an earlier run has left. */
static void row_given(struct asb_job *job, const struct asbi_slip *slip,
                      const struct asbi_row *row, struct asb_result result)
{
    result.id = row->request.id;
    row_out(job, slip, &result);
}

/* Its place in the output comes first, so that its answer cannot be lost. */
static int take_row(struct asb_job *job, struct asbi_slip *slip,
                    const struct asbi_row *row)
{
    bool good = !row->error_code && !row->answered;
    struct asbi_journal_answer known;
    char message[160];

    slip->key = job->kept ? asbi_job_row_key(row) : 0;
    enum asbi_known what = asbi_job_look_up(job, row, slip->key, &known);
    if (what == ASBI_KNOWN_STOP)
        return 1;
    job->rows_read++;
    job->rows_answered += row->answered;
    bool repeated = good && is_repeated(job, row, message, sizeof(message));
    if (what == ASBI_KNOWN_SKIP)
        return 0;
    if (!job->config->order_by_completion &&
        asbi_order_reserve(&job->order, &slip->place)) {
        out_of_memory(job);
        return 1;
    }
    if (what == ASBI_KNOWN_GIVEN)
        row_given(job, slip, row, known.result);
    else
        row_in(job, slip, row, repeated ? message : NULL);
    return 0;
}

/* The caches learn from rows that bring their answer. */
static int warm_row(struct asb_job *job, const struct asbi_row *row)
{
    struct asb_request request = request_of(job, row);
    const struct asb_result known = { .size = sizeof(known),
                                      .ok = true,
                                      .output = row->answer };

    job->rows_read++;
    job->rows_answered += row->answered;
    if (row->answered &&
        asbi_submit_known(job->engine, &request, &known, ASBI_FROM_TABLE))
        job->rows_warmed++;
    if (job->engine->recall.unsaved_bytes > WARM_BYTES)
        asbi_recall_save_all(job->engine);
    return 0;
}

int asbi_job_on_row(void *arg, const struct asbi_row *row)
{
    struct asb_job *job = arg;
    struct asbi_slip slip = { .memo = { .original = row->original,
                                        .seq = job->rows_read,
                                        .id_is_number = row->id_is_number,
                                        .batch_line = row->batch_line } };

    if (row->op != ASBI_OP_ITEM)
        return asbi_job_on_op(job, row);
    if (job->engine->warms)
        return warm_row(job, row);
    return take_row(job, &slip, row) || job->input_ended ||
           !asbi_job_has_room(job);
}
