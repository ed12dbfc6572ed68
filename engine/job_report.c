/*
 * job_report.c -- what a job says of itself: metrics while it runs, a summary
 * at its end, numbers for a display.
 */
#include "engine/job_journal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/base/json_members.h"
#include "engine/base/units.h"
#include "engine/report_routes.h"
#include "engine/real/file.h"

enum { REPORT_BYTES = 16384 };

int asbi_job_report_check(const struct asb_job *job, struct asb_message *why)
{
    const char *const files[][2] = { { "metrics", job->config->metrics },
                                     { "summary", job->config->summary } };
    int rc = ASB_OK;

    for (int i = 0; !rc && i < 2; i++) {
        if (!files[i][1][0])
            continue;
        asbi_file_make_folder(files[i][1]);
        rc = asbi_file_check(files[i][0], files[i][1], why);
    }
    return rc;
}

int asbi_job_report_open(struct asb_job *job, struct asb_message *why)
{
    uint64_t now = asbi_now(job->engine->world);

    job->metrics_fd = -1;
    job->started_ns = now;
    job->next_metrics_ns = ASBI_NEVER;
    asbi_eta_init(&job->row_rate, now);
    asbi_eta_init(&job->token_rate, now);
    if (!job->config->metrics[0])
        return ASB_OK;
    job->next_metrics_ns = asbi_add_ns(now, job->config->metrics_interval_ns);
    return asbi_file_create(job->config->metrics, false, &job->metrics_fd, why);
}

static void put_timestamp(struct asbi_buf *b, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[40];

    asbi_json_put_key(b, "timestamp");
    if (!gmtime_r(&seconds, &tm) ||
        strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        asbi_buf_c(b, "null");
        return;
    }
    asbi_buf_c(b, text);
    asbi_buf_fmt(b, ".%03uZ\"", (unsigned)(wall_ms % 1000));
}

/* Of the items answered so far, those that needed no call of their own. */
static void put_reuse(struct asbi_buf *b, const struct asb_stats *e)
{
    uint64_t reused = e->items_cached + e->items_duplicate + e->items_near;

    asbi_member_ratio(b, "reuse_ratio", (double)reused, (double)e->items_ok);
}

/* By tier, so that it is seen which of them earns its keep. */
static void put_tiers(struct asbi_buf *b, const struct asb_stats *e)
{
    static const char *const names[ASB_TIERS] = { "memory", "file", "redis",
                                                  "http" };

    asbi_json_put_key(b, "cache_tiers");
    asbi_buf_char(b, '{');
    for (int i = 0; i < ASB_TIERS; i++) {
        const struct asb_tier *t = &e->tiers[i];

        asbi_json_put_key(b, names[i]);
        asbi_buf_char(b, '{');
        asbi_member_u64(b, "asked", t->asked);
        asbi_member_u64(b, "found", t->found);
        asbi_member_ratio(b, "hit_ratio", (double)t->found, (double)t->asked);
        asbi_member_usd(b, "saved_usd", t->saved_nano_usd);
        asbi_buf_char(b, '}');
    }
    asbi_buf_char(b, '}');
}

/* Rows known of: read ones, or all of a file by the bytes read so far. */
static uint64_t total_rows(const struct asb_job_stats *s)
{
    if (s->input_ended || s->total_rows_guess < (double)s->rows_read)
        return s->rows_read;
    return (uint64_t)s->total_rows_guess;
}

static void put_flow(struct asbi_buf *b, const struct asb_job *job,
                     const struct asb_job_stats *s)
{
    const struct asb_stats *e = &s->engine;

    asbi_member_rounded(b, "elapsed_seconds", s->elapsed_seconds);
    asbi_member_u64(b, "total_texts", total_rows(s));
    asbi_member_u64(b, "processed_texts", s->rows_written);
    asbi_member_u64(b, "failed_texts", job->rows_failed);
    asbi_member_u64(b, "total_tokens", e->input_tokens + e->output_tokens);
    asbi_member_rounded(b, "texts_per_sec", s->rows_per_second);
    asbi_member_rounded(b, "tokens_per_sec", s->tokens_per_second);
    asbi_member_ratio(b, "avg_latency_ms", (double)e->latency_ms_sum,
                      (double)e->calls);
    asbi_member_u64(b, "batch_count", e->batches);
    asbi_member_u64(b, "failed_batch_count", e->calls_failed);
    asbi_member_known(b, "eta_seconds", s->eta_seconds);
    asbi_member_known(b, "eta_low_seconds", s->eta_low_seconds);
    asbi_member_known(b, "eta_high_seconds", s->eta_high_seconds);
}

static void put_state(struct asbi_buf *b, const struct asb_stats *e)
{
    asbi_member_u64(b, "in_flight", e->in_flight);
    asbi_member_u64(b, "concurrency_limit", e->concurrency_limit);
    asbi_json_put_key(b, "rate_limited");
    asbi_buf_c(b, e->rate_limited ? "true" : "false");
    asbi_member_u64(b, "sla_misses", e->sla_misses);
    asbi_member_u64(b, "budget_alert_percent", e->budget_alert_percent);
    asbi_member_usd(b, "cost_usd", e->cost_nano_usd);
    asbi_member_usd(b, "saved_usd", e->saved_nano_usd);
    asbi_member_u64(b, "cache_hits", e->items_cached);
    put_reuse(b, e);
    put_tiers(b, e);
}

/* Answered in this run: how fast rows are passed on that were known before says
 * nothing. */
static uint64_t items_done(const struct asb_stats *e)
{
    return e->items_ok + e->items_failed;
}

static void note_rates(struct asb_job *job)
{
    const struct asb_stats *s = &job->engine->stats;
    uint64_t now = asbi_now(job->engine->world);

    asbi_eta_note(&job->row_rate, (double)items_done(s), now);
    asbi_eta_note(&job->token_rate,
                  (double)(s->input_tokens + s->output_tokens), now);
}

void asbi_job_report_members(struct asb_job *job, struct asbi_buf *out)
{
    struct asb_job_stats s = { .size = sizeof(s) };
    struct asbi_world *w = job->engine->world;

    note_rates(job);
    asb_job_get_stats(job, &s);
    put_timestamp(out, w->ops->wall_ms(w));
    put_flow(out, job, &s);
    put_state(out, &s.engine);
}

static void stop_metrics(struct asb_job *job)
{
    if (job->metrics_fd >= 0)
        (void)close(job->metrics_fd);
    job->metrics_fd = -1;
    job->next_metrics_ns = ASBI_NEVER;
}

static void write_metrics(struct asb_job *job)
{
    struct asbi_buf line;

    asbi_buf_init(&line, job->mem, REPORT_BYTES);
    asbi_buf_char(&line, '{');
    asbi_job_report_members(job, &line);
    asbi_buf_c(&line, "}\n");
    if (asbi_buf_failed(&line) ||
        asbi_file_write(job->metrics_fd, asbi_buf_view(&line))) {
        asbi_log(&job->engine->log, ASB_LOG_WARN,
                 "metrics cannot be written to %s any more",
                 job->config->metrics);
        stop_metrics(job);
    }
    asbi_buf_fini(&line);
}

void asbi_job_report_tick(struct asb_job *job, bool last)
{
    uint64_t now = asbi_now(job->engine->world);

    note_rates(job);
    if (job->metrics_fd < 0 || (!last && now < job->next_metrics_ns))
        return;
    job->next_metrics_ns = asbi_add_ns(now, job->config->metrics_interval_ns);
    write_metrics(job);
    if (last)
        stop_metrics(job);
}

static void put_counts(struct asbi_buf *b, const struct asb_job *job,
                       const struct asb_job_stats *s)
{
    const struct asb_stats *e = &s->engine;
    uint64_t unfinished = job->kept ? job->kept->rows_unfinished : 0;

    asbi_member_u64(b, "items_total", job->rows_read);
    asbi_member_u64(b, "items_ok",
                    job->rows_read - job->rows_failed - unfinished);
    asbi_member_u64(b, "items_failed", job->rows_failed);
    asbi_member_u64(b, "items_unfinished", unfinished);
    asbi_member_u64(b, "items_known_before",
                    job->kept ? job->kept->rows_known : 0);
    asbi_member_u64(b, "items_cached", e->items_cached);
    asbi_member_u64(b, "items_duplicate", e->items_duplicate);
    asbi_member_u64(b, "items_near", e->items_near);
    put_reuse(b, e);
    asbi_member_u64(b, "items_answered_before", job->rows_answered);
    asbi_member_u64(b, "calls", e->calls);
    asbi_member_u64(b, "calls_failed", e->calls_failed);
    asbi_member_u64(b, "calls_429", e->calls_429);
    asbi_member_u64(b, "retried_items", e->items_retried);
    asbi_member_u64(b, "sla_misses", e->sla_misses);
    asbi_member_u64(b, "input_tokens", e->input_tokens);
    asbi_member_u64(b, "cached_input_tokens", e->cached_tokens);
    asbi_member_u64(b, "output_tokens", e->output_tokens);
}

static struct asbi_fact fact_of(const struct asb_job *job,
                                const struct asb_job_stats *s)
{
    bool resumed =
        job->kept && (job->kept->rows_known > 0 || job->kept->cost_before > 0);

    return (struct asbi_fact){ .whole = !resumed && job->read_all &&
                                        !job->trouble[0] && !s->engine.halt,
                               .calls = s->engine.calls,
                               .cost = s->engine.cost_nano_usd,
                               .seconds = s->elapsed_seconds };
}

void asbi_job_report_forecast(const struct asb_job *job, char *reason,
                              size_t size)
{
    struct asb_job_stats s = { .size = sizeof(s) };
    size_t len = strlen(reason);
    struct asbi_buf text;

    asb_job_get_stats(job, &s);
    struct asbi_fact fact = fact_of(job, &s);
    asbi_buf_init(&text, job->mem, size - len);
    asbi_foretold_say(&job->foretold, &fact, &text);
    asbi_str said = asbi_buf_view(&text);
    if (!asbi_buf_failed(&text) && said.len < size - len)
        (void)snprintf(reason + len, size - len, "%.*s", (int)said.len,
                       said.at);
    asbi_buf_fini(&text);
}

static void put_summary(struct asbi_buf *b, const struct asb_job *job,
                        enum asb_exit status)
{
    struct asb_job_stats s = { .size = sizeof(s) };
    const struct asb_stats *e = &s.engine;

    asb_job_get_stats(job, &s);
    asbi_buf_char(b, '{');
    put_counts(b, job, &s);
    asbi_member_usd(b, "cost_usd", e->cost_nano_usd);
    asbi_member_usd(b, "cost_before_usd",
                    job->kept ? job->kept->cost_before : 0);
    asbi_member_usd(b, "saved_usd", e->saved_nano_usd);
    put_tiers(b, e);
    asbi_member_usd(b, "maybe_paid_twice_usd", e->maybe_paid_twice_nano_usd);
    asbi_member_rounded(b, "elapsed_seconds", s.elapsed_seconds);
    asbi_member_ratio(b, "items_per_sec", (double)items_done(e),
                      s.elapsed_seconds);
    asbi_member_ratio(b, "batch_items_mean", (double)e->batch_items,
                      (double)e->batches);
    asbi_member_u64(b, "concurrency_max", e->in_flight_max);
    asbi_report_put_routes(b, job->engine);
    struct asbi_fact fact = fact_of(job, &s);
    asbi_foretold_put(&job->foretold, &fact, b);
    asbi_member_u64(b, "exit_status", (uint64_t)status);
    asbi_buf_c(b, "}\n");
}

void asbi_job_report_summary(struct asb_job *job, enum asb_exit status)
{
    struct asbi_buf text;
    struct asb_message why = { .text = "" };
    int fd;

    if (!job->config->summary[0])
        return;
    asbi_buf_init(&text, job->mem, REPORT_BYTES);
    put_summary(&text, job, status);
    if (asbi_buf_failed(&text) ||
        asbi_file_create(job->config->summary, false, &fd, &why)) {
        asbi_log(&job->engine->log, ASB_LOG_WARN, "no summary: %s", why.text);
    } else {
        if (asbi_file_write(fd, asbi_buf_view(&text)))
            asbi_log(&job->engine->log, ASB_LOG_WARN,
                     "the summary cannot be written to %s",
                     job->config->summary);
        (void)close(fd);
    }
    asbi_buf_fini(&text);
}

static double guess_total(const struct asb_job *job)
{
    if (job->input_ended)
        return (double)job->rows_read;
    if (job->input_bytes == 0 || job->bytes_read == 0 || job->rows_read == 0)
        return -1;
    return (double)job->rows_read * (double)job->input_bytes /
           (double)job->bytes_read;
}

/* Work in all, if the rows that are not read yet are like those that are. */
static double guess_work(const struct asb_job *job, double total_rows)
{
    double read = (double)job->rows_read;

    return job->engine->work_accepted * (read > 0 ? total_rows / read : 0);
}

/* By what is answered, not by what is written: a row that goes again holds
 * back thousands. */
static void estimate_end(const struct asb_job *job, struct asb_job_stats *s)
{
    const struct asb_engine *e = job->engine;
    double floor_seconds = (double)s->engine.blocked_ms / 1000;
    uint64_t now = asbi_now(e->world);
    struct asbi_eta_range range;

    s->eta_seconds = s->eta_low_seconds = s->eta_high_seconds = -1;
    if (job->over)
        s->eta_seconds = s->eta_low_seconds = s->eta_high_seconds = 0;
    if (job->over || s->total_rows_guess < 0)
        return;
    double left = guess_work(job, s->total_rows_guess) - e->work_done;
    s->eta_seconds = s->input_ended && s->engine.eta_seconds >= 0
                         ? s->engine.eta_seconds
                         : asbi_eta_left(&e->eta, left, floor_seconds, now);
    range = asbi_eta_range(&e->eta, left, floor_seconds,
                           asbi_engine_call_seconds(e), s->eta_seconds, now);
    s->eta_low_seconds = range.low;
    s->eta_high_seconds = range.high;
}

void asb_job_get_stats(const struct asb_job *job, struct asb_job_stats *stats)
{
    uint64_t now = asbi_now(job->engine->world);
    struct asb_job_stats s = { .engine = { .size = sizeof(s.engine) } };
    size_t size = stats->size < sizeof(s) ? stats->size : sizeof(s);

    s.size = size;
    asb_engine_stats(job->engine, &s.engine);
    s.rows_read = job->rows_read;
    s.rows_written = job->rows_written;
    s.rows_failed = job->rows_failed;
    s.rows_warmed = job->rows_warmed;
    s.input_ended = job->input_ended;
    s.elapsed_seconds = (double)(now - job->started_ns) / 1e9;
    s.rows_per_second = asbi_eta_rate(&job->row_rate, now);
    s.tokens_per_second = asbi_eta_rate(&job->token_rate, now);
    s.total_rows_guess = guess_total(job);
    estimate_end(job, &s);
    memcpy(stats, &s, size);
}
