/*
 * job_known.c -- row by row: is its answer known, is its outcome final, may it
 * be shown?
 */
#include <string.h>

#include "engine/base/hash.h"
#include "engine/input.h"
#include "engine/job_journal.h"

enum { TAUGHT = 16384 };

static uint64_t mix(uint64_t hash, asbi_str s)
{
    uint64_t len = s.len;

    hash = asbi_hash64(&len, sizeof(len), hash);
    return asbi_hash64(s.len ? s.at : "", s.len, hash);
}

uint64_t asbi_job_row_key(const struct asbi_row *row)
{
    const struct asb_request *r = &row->request;
    uint64_t numbers[] = { r->payload, r->max_length, row->answered };
    uint64_t hash = asbi_hash64(numbers, sizeof(numbers), 1);

    hash = mix(hash, r->id);
    hash = mix(hash, r->text);
    hash = mix(hash, r->body);
    hash = mix(hash, r->url);
    hash = mix(hash, r->fields);
    hash = mix(hash, r->tenant);
    hash = mix(hash, row->answer);
    hash = mix(hash, asbi_str_c(row->error_code));
    return hash ? hash : 1; /* 0 stands for unknown */
}

/* ---- rows in ---------------------------------------------------------- */

static enum asbi_known in_trouble(struct asb_job *job, const char *why)
{
    asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                     "%s; mend that and run the same command again", why);
    return ASBI_KNOWN_STOP;
}

static enum asbi_known other_input(struct asb_job *job)
{
    asbi_job_trouble(job, ASB_EXIT_USAGE,
                     "row %llu of the input is not what it was when journal "
                     "%.200s was begun; run with --on-change reuse to ask "
                     "only for what changed, or name another --journal",
                     (unsigned long long)job->rows_read + 1, job->kept->path);
    return ASBI_KNOWN_STOP;
}

/* A failure of an earlier round is worth another try. */
static bool asks_again(const struct asb_job *job,
                       const struct asbi_journal_answer *a)
{
    const struct asb_result *r = &a->result;
    bool doubtful = r->error_code && strcmp(r->error_code, "in_doubt") == 0;

    if (r->ok || a->round >= job->kept->journal.state.round)
        return false;
    return r->retryable ||
           (doubtful && asbi_job_doubts(job) != ASBI_DOUBT_FAIL);
}

/* Among the answers of an earlier input.  Failures are asked again. */
static enum asbi_known look_among_earlier(struct asb_job *job, uint64_t key,
                                          struct asbi_journal_answer *out)
{
    struct asbi_job_journal *k = job->kept;
    struct asb_message why;

    if (!k->reuses)
        return ASBI_KNOWN_ASK;
    int rc = k->store->ops->find_earlier(k->store, key, out, &why);
    if (rc == ASB_EIO)
        return in_trouble(job, why.text);
    if (rc || !out->result.ok)
        return ASBI_KNOWN_ASK;
    out->seq = job->rows_read;
    out->round = k->journal.state.round;
    out->place = k->placed ? job->rows_written : ASBI_NO_ROW;
    if (asbi_journal_answer(&k->journal, out))
        return in_trouble(job, "there was no memory for the journal");
    return ASBI_KNOWN_GIVEN;
}

/* Its answer is known, and stands at another place of the output from now. */
static enum asbi_known give(struct asb_job *job,
                            struct asbi_journal_answer *out)
{
    struct asbi_job_journal *k = job->kept;

    if (!k->placed)
        return ASBI_KNOWN_GIVEN;
    out->place = job->rows_written;
    if (asbi_journal_answer(&k->journal, out))
        return in_trouble(job, "there was no memory for the journal");
    return ASBI_KNOWN_GIVEN;
}

/* A file was compared as a whole; a stream is as it comes. */
static bool refuses_change(const struct asb_job *job)
{
    return job->kept->streamed && strcmp(job->config->on_change, "refuse") == 0;
}

static enum asbi_known look_up(struct asb_job *job, uint64_t key,
                               struct asbi_journal_answer *out)
{
    struct asbi_job_journal *k = job->kept;
    bool delivered = !k->placed && job->rows_read < k->delivered;
    struct asb_message why;

    if (delivered && !k->streamed)
        return ASBI_KNOWN_SKIP;
    if (job->rows_read >= k->end)
        return look_among_earlier(job, key, out);
    int rc = k->store->ops->find(k->store, job->rows_read, out, &why);
    if (rc == ASB_EIO)
        return in_trouble(job, why.text);
    if (rc)
        return look_among_earlier(job, key, out);
    delivered = delivered || (k->placed && out->place < k->delivered);
    if (out->key && out->key != key)
        return delivered || refuses_change(job)
                   ? other_input(job)
                   : look_among_earlier(job, key, out);
    if (delivered)
        return ASBI_KNOWN_SKIP;
    return asks_again(job, out) ? ASBI_KNOWN_ASK : give(job, out);
}

/* Rows to come may ask the same as one that is known.  Memory does not hold
 * many, so the last before the mark will do. */
static void teach(struct asb_job *job, const struct asbi_row *row,
                  enum asbi_known what, struct asbi_journal_answer *a)
{
    struct asbi_job_journal *k = job->kept;

    if (row->error_code || row->answered)
        return;
    if (what == ASBI_KNOWN_SKIP &&
        (job->rows_read + TAUGHT < k->delivered ||
         k->store->ops->find(k->store, job->rows_read, a, NULL)))
        return;
    struct asb_request request =
        asbi_input_request(job->config, row, asbi_wall_ms(job->engine->world));
    (void)asbi_submit_known(job->engine, &request, &a->result,
                            ASBI_FROM_JOURNAL);
}

enum asbi_known asbi_job_look_up(struct asb_job *job,
                                 const struct asbi_row *row, uint64_t key,
                                 struct asbi_journal_answer *out)
{
    enum asbi_known what = job->kept ? look_up(job, key, out) : ASBI_KNOWN_ASK;

    if (what == ASBI_KNOWN_SKIP || what == ASBI_KNOWN_GIVEN) {
        job->kept->rows_known++;
        teach(job, row, what, out);
    }
    return what;
}

void asbi_job_known_end(struct asb_job *job)
{
    const struct asbi_job_journal *k = job->kept;

    if (k && job->rows_read < (k->placed ? k->end : k->delivered))
        asbi_job_trouble(job, ASB_EXIT_USAGE,
                         "the input has fewer rows than when journal %.200s "
                         "was begun; run with --on-change restart, or name "
                         "another --journal",
                         k->path);
}

/* ---- rows out --------------------------------------------------------- */

/* The run was stopped or halted before this row could be answered: what would
 * have helped is another try, or what the user will mend. */
static bool is_unfinished(const struct asb_job *job,
                          const struct asb_result *result)
{
    const struct asb_engine *e = job->engine;
    const struct asbi_lane *over = asbi_routes_over(e);
    const char *code = result->error_code;

    if (result->ok || !(e->stopped || over))
        return false;
    if (result->retryable)
        return true;
    return over && over->halt == ASB_HALT_PROVIDER && code &&
           (strcmp(code, "no_credentials") == 0 ||
            strcmp(code, "not_found") == 0);
}

/* For the next run, with all that was not read yet: rows behind this one could
 * not be written anyway. */
static void leave(struct asb_job *job)
{
    job->kept->rows_unfinished++;
    job->engine->stats.items_failed--; /* it has not failed, it waits */
    job->input_ended = true;
    asbi_source_pause(job->source);
}

bool asbi_job_keep(struct asb_job *job, uint64_t seq, uint64_t key,
                   const struct asb_result *result)
{
    struct asbi_job_journal *k = job->kept;

    if (!k)
        return true;
    if (is_unfinished(job, result)) {
        leave(job);
        return false;
    }
    const struct asbi_journal_answer answer = {
        .seq = seq,
        .key = key,
        .round = k->journal.state.round,
        .place = k->placed ? job->rows_written : ASBI_NO_ROW,
        .result = *result,
    };
    if (asbi_journal_answer(&k->journal, &answer) == ASB_OK)
        return true;
    k->rows_unfinished++;
    (void)in_trouble(job, "there was no memory for the journal");
    return false;
}

/* All that went to the sink is in the file: so far the output is good. */
static void mark(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;

    if (asbi_sink_written(job->sink) == k->pushed_bytes)
        asbi_journal_mark(&k->journal, k->pushed_rows,
                          k->base + k->pushed_bytes);
}

bool asbi_job_may_push(struct asb_job *job)
{
    if (!job->kept)
        return true;
    mark(job);
    if (asbi_journal_settled(&job->kept->journal))
        return true;
    /* Rows that need no call are told outside of a turn. */
    job->engine->world->ops->wake(job->engine->world);
    return false;
}

void asbi_job_pushed(struct asb_job *job, size_t len)
{
    if (!job->kept)
        return;
    job->kept->pushed_bytes += len;
    job->kept->pushed_rows = job->rows_written;
}

void asbi_job_journal_check(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;

    if (k && k->journal.failing)
        (void)in_trouble(job, k->journal.why.text);
}
