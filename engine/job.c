#include "engine/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/input.h"
#include "engine/job_journal.h"
#include "engine/job_strict.h"
#include "engine/real/file.h"
#include "engine/real/loop.h"
#include "engine/real/tempfile.h"

enum {
    SINK_HIGH_WATER = 1 << 20,
    TICK_MS = 200, /* rates are sampled this often */
};

/* ---- the end ---------------------------------------------------------- */

static void reason_done_before(const struct asb_job *job, char *reason,
                               size_t size)
{
    if (job->rows_failed)
        (void)snprintf(reason, size,
                       "an earlier run ended with %llu of %llu items failed "
                       "for good; mend them and run with --on-change reuse, or "
                       "delete %.300s to ask for all again",
                       (unsigned long long)job->rows_failed,
                       (unsigned long long)job->rows_read, job->kept->path);
    else
        (void)snprintf(reason, size,
                       "all %llu items were answered by an earlier run, so "
                       "nothing was sent; delete %.300s to ask again",
                       (unsigned long long)job->rows_read, job->kept->path);
}

static void reason_failed(const struct asb_job *job, char *reason, size_t size)
{
    int n = snprintf(reason, size,
                     "%llu of %llu items failed%s%s%s; the output names the "
                     "reason of each",
                     (unsigned long long)job->rows_failed,
                     (unsigned long long)job->rows_read,
                     job->failure[0] ? " (the first: " : "", job->failure,
                     job->failure[0] ? ")" : "");

    if (job->kept && job->rows_retryable && n > 0 && (size_t)n < size)
        (void)snprintf(reason + n, size - (size_t)n,
                       "; run the same command again to ask once more for "
                       "those that another try may help, %llu",
                       (unsigned long long)job->rows_retryable);
}

static enum asb_exit status_of(const struct asb_job *job, char *reason,
                               size_t size)
{
    struct asb_stats s = { .size = sizeof(s) };

    asb_engine_stats(job->engine, &s);
    if (job->trouble[0]) {
        (void)snprintf(reason, size, "%s", job->trouble);
        return job->trouble_status;
    }
    if (s.halt) {
        (void)snprintf(reason, size, "%s%s", s.halt_reason,
                       job->kept || !s.items_ok
                           ? ""
                           : "; without --journal FILE it asks for all again");
        return s.halt == ASB_HALT_BUDGET ? ASB_EXIT_BUDGET : ASB_EXIT_PROVIDER;
    }
    if (job->interrupted) {
        (void)snprintf(reason, size, "interrupted; run the %s",
                       job->kept ? "same command again to ask for the rest"
                                 : "command again, with --journal FILE so "
                                   "that it need not ask for all another "
                                   "time");
        return ASB_EXIT_INTERRUPTED;
    }
    if (job->kept && job->kept->done_before) {
        reason_done_before(job, reason, size);
        return job->rows_failed ? ASB_EXIT_SOME_FAILED : ASB_EXIT_OK;
    }
    if (job->rows_failed) {
        reason_failed(job, reason, size);
        return ASB_EXIT_SOME_FAILED;
    }
    if (job->rows_read)
        (void)snprintf(reason, size, "all %llu items are answered",
                       (unsigned long long)job->rows_read);
    else
        (void)snprintf(reason, size,
                       "the input has no items; nothing was "
                       "sent");
    return ASB_EXIT_OK;
}

static void end(struct asb_job *job)
{
    char reason[1024];

    if (job->over)
        return;
    job->over = true;
    job->engine->alarm_ns = ASBI_NEVER;
    enum asb_exit status = status_of(job, reason, sizeof(reason));
    asbi_job_report_tick(job, true);
    asbi_job_report_summary(job, status);
    asbi_job_report_forecast(job, reason, sizeof(reason));
    job->done(job, status, reason, job->arg);
}

/* What was written goes nowhere. */
static void check_output(struct asb_job *job)
{
    struct stat st;

    if (!job->close_out || job->trouble[0] || fstat(job->out_fd, &st) != 0 ||
        !S_ISREG(st.st_mode) || st.st_nlink > 0)
        return;
    asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                     "the output was deleted while it was written; run the "
                     "same command again to write it anew%s",
                     job->kept ? ", which pays for no answer twice" : "");
}

static void on_sink_finished(void *arg)
{
    struct asb_job *job = arg;

    if (!job->over) {
        check_output(job);
        asbi_job_journal_look(job);
        asbi_job_journal_end(job);
    }
    end(job);
}

void asbi_job_check_end(struct asb_job *job)
{
    if (!job->input_ended || job->finishing || !asbi_engine_idle(job->engine))
        return;
    asbi_job_journal_flush(job);
    if (!job->header_written && !job->trouble[0]) {
        job->header_written = true;
        asbi_writer_header(job->writer, asbi_reader_header(job->reader),
                           &job->ready);
    }
    asbi_job_push(job);
    if (asbi_order_is_ready(&job->order) && !job->output_broken &&
        asbi_job_may_push(job))
        return; /* the output is slow: on_room() comes */
    job->finishing = true;
    asbi_sink_finish(job->sink);
}

/* ---- bytes in --------------------------------------------------------- */

static void input_is_over(struct asb_job *job)
{
    if (!job->input_ended) {
        asbi_job_known_end(job);
        job->read_all = !job->input_ended;
    }
    job->input_ended = true;
    asb_drain(job->engine);
    asbi_job_push(job);
    asbi_job_check_end(job);
}

static size_t on_bytes(void *arg, const char *at, size_t len)
{
    struct asb_job *job = arg;
    struct asb_message why = { .text = "" };
    size_t used = 0;

    if (job->input_ended)
        return len;
    if (!asbi_job_has_room(job))
        return 0;
    int rc = asbi_reader_feed(job->reader, at, len, &used, &why);
    job->bytes_read += used;
    if (rc) {
        asbi_job_trouble(
            job, rc == ASB_EPARSE ? ASB_EXIT_USAGE : ASB_EXIT_INTERRUPTED, "%s",
            why.text[0] ? why.text : asb_strerror(rc));
        used = len;
    }
    asbi_job_push(job);
    asbi_job_check_end(job);
    return used;
}

/* The rows that only the end of the input completes, as far as there is room;
 * go_on() comes back for the others. */
static void finish_reading(struct asb_job *job)
{
    struct asb_message why = { .text = "" };

    int rc = asbi_reader_end(job->reader, &why);
    if (rc == ASB_EBUSY && !job->input_ended) {
        job->at_end = true;
        asbi_job_push(job);
        return;
    }
    if (rc && rc != ASB_EBUSY)
        asbi_job_trouble(
            job, rc == ASB_EPARSE ? ASB_EXIT_USAGE : ASB_EXIT_INTERRUPTED, "%s",
            why.text[0] ? why.text : asb_strerror(rc));
    input_is_over(job);
}

static void on_input_end(void *arg, int error)
{
    struct asb_job *job = arg;

    if (!error && !job->input_ended) {
        finish_reading(job);
        return;
    }
    if (error)
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "reading the input failed (%s); run the same command "
                         "again",
                         strerror(error));
    input_is_over(job);
}

/* ---- bytes out -------------------------------------------------------- */

static void go_on(struct asb_job *job)
{
    if (job->input_ended || !asbi_job_has_room(job))
        return;
    if (job->at_end)
        finish_reading(job);
    else
        asbi_source_resume(job->source);
}

static void on_room(void *arg)
{
    struct asb_job *job = arg;

    asbi_job_push(job);
    go_on(job);
    asbi_job_check_end(job);
}

static void on_write_error(void *arg, int error)
{
    struct asb_job *job = arg;

    job->output_broken = true;
    if (error == EPIPE)
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "the reader of the output has closed it; run the "
                         "%s",
                         job->kept ? "same command again for the rest"
                                   : "command again, with --journal FILE so "
                                     "that it can go on from where it was");
    else
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "writing the output failed (%s); mend that and run "
                         "the same command again",
                         strerror(error));
    asbi_job_check_end(job);
}

static void on_progress(void *owner)
{
    struct asb_job *job = owner;

    asbi_job_journal_check(job);
    asbi_job_push(job);
    go_on(job);
    asbi_job_check_end(job);
}

static void on_alarm(void *owner)
{
    struct asb_job *job = owner;
    struct asbi_world *w = job->engine->world;

    job->engine->alarm_ns = asbi_now(w) + TICK_MS * ASBI_MS;
    check_output(job);
    asbi_job_journal_look(job);
    asbi_job_report_tick(job, false);
}

/* ---- birth ------------------------------------------------------------ */

static int open_input(struct asb_job *job, struct asb_message *why)
{
    const char *path = job->config->input;
    struct stat st;

    job->in_fd = STDIN_FILENO;
    if (strcmp(path, "-") != 0) {
        job->in_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (job->in_fd < 0)
            return asbi_fail(why, ASB_EIO,
                             "input %.400s: %s; name another by --input", path,
                             strerror(errno));
        job->close_in = true;
    }
    if (fstat(job->in_fd, &st) != 0)
        return asbi_fail(why, ASB_EIO, "input %s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return asbi_fail(why, ASB_EIO,
                         "input %.400s: is a folder; name a file in it", path);
    if (S_ISREG(st.st_mode))
        job->input_bytes = (uint64_t)st.st_size;
    return ASB_OK;
}

static int open_output(struct asb_job *job, struct asb_message *why)
{
    const char *path = job->config->output;

    job->out_fd = STDOUT_FILENO;
    if (strcmp(path, "-") == 0)
        return job->kept ? asbi_job_journal_output(job, path, why) : ASB_OK;
    if (job->kept)
        return asbi_job_journal_output(job, path, why);
    int rc = asbi_file_create(path, false, &job->out_fd, why);
    job->close_out = rc == ASB_OK;
    return rc;
}

static int make_formats(struct asb_job *job, struct asb_message *why)
{
    const struct asbi_config *c = job->config;
    enum asbi_format output = asbi_input_format(c->output_format, c->output);
    struct asbi_reader_options options;

    asbi_input_reader_options(c, job->engine->task, &options);
    options.takes_answers = job->engine->warms;

    int rc = ASB_OK;
    if (c->strict)
        rc = asbi_job_check_input(job->mem, job->in_fd, &options, why);
    if (!rc)
        rc = asbi_reader_new(job->mem, &options, asbi_job_on_row, job,
                             &job->reader);
    if (!rc)
        rc = asbi_writer_new(job->mem, options.format, output, &job->writer);
    return rc;
}

static int make_streams(struct asb_job *job)
{
    static const struct asbi_source_ops in = { on_bytes, on_input_end };
    static const struct asbi_sink_ops out = { on_room, on_write_error,
                                              on_sink_finished };
    const struct asbi_parts *parts = asbi_real_world_parts(job->engine->world);

    int rc = asbi_source_new(parts, job->in_fd, &in, job, &job->source);
    if (!rc)
        rc = asbi_sink_new(parts, job->out_fd, SINK_HIGH_WATER, &out, job,
                           &job->sink);
    return rc;
}

static void prepare(struct asb_job *job, struct asb_engine *e,
                    asb_job_done_cb done, void *arg)
{
    size_t row_max =
        64 * e->config->max_item_bytes + 4 * e->config->max_answer_bytes;

    job->engine = e;
    job->config = e->config;
    job->mem = &e->mem;
    job->done = done;
    job->arg = arg;
    job->in_fd = job->out_fd = job->metrics_fd = -1;
    asbi_order_init(&job->order, job->mem, asbi_job_turn_came, job);
    asbi_list_init(&job->tickets);
    asbi_buf_init(&job->row, job->mem, row_max);
    asbi_buf_init(&job->ready, job->mem,
                  row_max + 8 * e->config->max_memory_bytes);
}

/* Or will have, when the output has taken what waits for it. */
static bool has_room(const void *owner)
{
    const struct asb_job *job = owner;

    return asbi_job_has_room(job) || asbi_sink_is_full(job->sink);
}

static bool is_short(const void *owner)
{
    return asbi_job_is_short_of_room(owner);
}

static void take_over(struct asb_job *job)
{
    struct asb_engine *e = job->engine;

    e->owner = job;
    e->had_job = true;
    e->patient = job->input_bytes > 0;
    e->on_progress = on_progress;
    e->on_alarm = on_alarm;
    e->has_room = has_room;
    e->is_short = is_short;
    e->alarm_ns = asbi_now(e->world);
    e->world->ops->wake(e->world);
    if (job->kept && job->kept->done_before) {
        job->input_ended = job->header_written = true;
        asbi_job_check_end(job);
        return;
    }
    asbi_source_resume(job->source);
}

int asb_job_new(struct asb_engine *e, asb_job_done_cb done, void *arg,
                struct asb_job **out, struct asb_message *why)
{
    if (!e || !done || !out || e->owner)
        return ASB_EINVAL;
    *out = NULL;
    if (why)
        why->text[0] = '\0';
    if (e->draining || e->had_job)
        return asbi_fail(why, ASB_ECLOSED,
                         "the engine has had a job or takes no more items; "
                         "make a new one");
    struct asb_job *job = asbi_calloc(&e->mem, 1, sizeof(*job));
    if (!job)
        return ASB_ENOMEM;
    prepare(job, e, done, arg);
    int rc = asbi_foretold_read(&job->foretold, job->config->forecast, job->mem,
                                why);
    if (!rc)
        rc = open_input(job, why);
    if (!rc)
        rc = make_formats(job, why);
    if (!rc)
        rc = asbi_job_check_places(job, why);
    if (!rc)
        rc = asbi_job_journal_open(job, why);
    if (!rc)
        rc = open_output(job, why);
    if (!rc)
        rc = asbi_seen_new(job->mem, &asbi_tempfile_store, NULL, &job->seen);
    if (!rc)
        rc = asbi_job_report_open(job, why);
    if (!rc)
        rc = make_streams(job);
    if (rc) {
        asb_job_free(job);
        return rc;
    }
    take_over(job);
    *out = job;
    return ASB_OK;
}

static void close_files(struct asb_job *job)
{
    if (job->close_in)
        (void)close(job->in_fd);
    if (job->close_out)
        (void)close(job->out_fd);
    if (job->metrics_fd >= 0)
        (void)close(job->metrics_fd);
}

void asb_job_free(struct asb_job *job)
{
    if (!job)
        return;
    if (job->engine->owner == job) {
        job->engine->owner = NULL;
        job->engine->on_progress = NULL;
        job->engine->has_room = NULL;
        job->engine->is_short = NULL;
        job->engine->alarm_ns = ASBI_NEVER;
    }
    asbi_job_journal_free(job);
    asbi_job_leave_items(job);
    job->engine->world->ops->wake(job->engine->world); /* for calls it held */
    asbi_source_free(job->source);
    asbi_sink_free(job->sink);
    asbi_reader_free(job->reader);
    asbi_writer_free(job->writer);
    asbi_seen_free(job->seen);
    asbi_order_fini(&job->order);
    asbi_buf_fini(&job->row);
    asbi_buf_fini(&job->ready);
    close_files(job);
    asbi_free(job->mem, job);
}

void asb_job_interrupt(struct asb_job *job)
{
    if (job->over)
        return;
    job->interrupted = true;
    job->input_ended = true;
    asbi_source_pause(job->source);
    asb_stop(job->engine);
    asbi_job_check_end(job);
}
