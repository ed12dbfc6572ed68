/*
 * native_steps.c -- the requests about a batch, one after the other, and what
 * their answers lead to.
 */
#include "engine/native_batch.h"

#include <string.h>

#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/hush.h"
#include "scheduler/poll.h"

enum {
    MAX_ANSWER = 1 << 24, /* of any step but the results */
    MAX_FAILURES = 12,    /* of a step, in a row, before it is created */
    MAX_PAGES = 1000,     /* of a hundred batches, that one is looked for in */
    TEXT = 300,
};
/* What is known is durable before the next step: the intents of its lines
 * before a batch is created, its id before it is asked about. */
#define COMMIT_SOON (2 * ASBI_MS)
/* A day is what is promised; who tells of nothing for two will not. */
#define PROMISED (2 * 86400 * ASBI_SECOND)
/* Between two tries of a step that failed. */
static const struct asbi_retry_policy patience = {
    .base_ns = ASBI_SECOND,
    .cap_ns = 300 * ASBI_SECOND,
    .longest_retry_after_ns = 3600 * ASBI_SECOND,
};

static struct asbi_native_batch *batch_of(struct asbi_errand *x)
{
    return ASBI_OF(x, struct asbi_native_batch, errand);
}

static struct asbi_native_batch *batch_of_job(struct asbi_remote_job *job)
{
    return ASBI_OF(job, struct asbi_native_batch, remote);
}

static uint64_t now_of(const struct asbi_native_batch *b)
{
    return asbi_now(b->native->engine->world);
}

static bool gives_results(enum asbi_batch_step step)
{
    return step == ASBI_BATCH_OUTPUT || step == ASBI_BATCH_ERRORS;
}

static void go(struct asbi_native_batch *b, enum asbi_batch_step step)
{
    b->step = step;
    b->failures = 0;
    b->due_ns = now_of(b);
}

/* ---- what cannot be --------------------------------------------------- */

static void try_later(struct asbi_native_batch *b)
{
    b->failures++;
    b->due_ns = now_of(b) + ASBI_MS +
                asbi_errand_wait(&b->errand, &patience, b->failures);
}

/* Why, in the provider's words; for people. */
static void explain(struct asbi_native_batch *b,
                    const struct asbi_remote_news *news, char text[TEXT])
{
    static const char *const path[] = { "error", "message", NULL };
    struct asbi_json *json = b->native->json;
    asbi_str body = asbi_buf_view(&b->errand.answer);
    asbi_str words = asbi_str_c(news ? news->message : "");

    if (!news && asbi_json_parse(json, body.at, body.len) == ASB_OK)
        words = asbi_json_text(
            json, asbi_remote_find(json, asbi_json_root(json), path));
    asbi_remote_copy(words.len ? words : ASBI_STR("without a reason"), text,
                     TEXT);
    for (size_t i = 0; i < b->count; i++) {
        if (b->calls[i])
            asbi_hush_call(b->calls[i], text, strlen(text));
    }
    asbi_hush_key(b->native->engine->lane, text, strlen(text));
}

/* The provider would not take the batch: nothing is billed, and its lines are
 * asked directly, unless that is not wanted. */
static void give_up(struct asbi_native_batch *b,
                    const struct asbi_remote_news *news)
{
    struct asbi_native *n = b->native;
    struct asb_engine *e = n->engine;
    char text[TEXT];

    explain(b, news, text);
    n->off = true;
    if (n->forced)
        asbi_lane_halt(e->lane, ASB_HALT_PROVIDER,
                       "the provider refuses the batch (status %d, %.100s); "
                       "run with --native-batch off to ask directly",
                       b->errand.status, text);
    else
        asbi_log(&e->log, ASB_LOG_WARN,
                 "the provider refuses the batch (status %d, %.200s): going "
                 "on without batches, at the full price",
                 b->errand.status, text);
    asbi_native_end_lines(b, ASBI_NOT_SENT, "the batch was refused");
}

/* More waits with the provider than it allows: its lines come again in smaller
 * batches, when others are over. */
static void submit_less(struct asbi_native_batch *b)
{
    struct asbi_native *n = b->native;
    uint64_t others = n->tokens - b->tokens;

    n->tokens_most = others ? others : b->tokens / 2 + 1;
    asbi_log(&n->engine->log, ASB_LOG_INFO,
             "batch refused: more than %llu tokens wait with the provider",
             (unsigned long long)n->tokens_most);
    for (size_t i = 0; i < b->count; i++) {
        for (size_t k = 0; b->calls[i] && k < b->calls[i]->count; k++) {
            struct asbi_item *item = b->calls[i]->entries[k].item;

            if (item && b->count > 1)
                item->native_tries--; /* it was no try */
        }
    }
    asbi_native_end_lines(b, ASBI_NOT_SENT, "too much waits already");
}

static bool is_too_much(const struct asbi_remote_news *news)
{
    return strcmp(news->code, "token_limit_exceeded") == 0 ||
           strcmp(news->code, "RESOURCE_EXHAUSTED") == 0;
}

static void on_failed(struct asbi_native_batch *b,
                      const struct asbi_remote_news *news)
{
    if (is_too_much(news))
        submit_less(b);
    else
        give_up(b, news);
}

/* ---- what follows ----------------------------------------------------- */

/* It may have been created; asked for it by name, or not at all. */
static void on_doubt(struct asbi_native_batch *b)
{
    struct asbi_remote_request probe = { NULL, &b->path, &b->errand.body };

    if (b->native->api->ask(ASBI_BATCH_FIND, &b->ref, &probe)) {
        asbi_batch_keep_page(ASBI_STR(""), &b->ref);
        b->pages = 0;
        go(b, ASBI_BATCH_FIND);
        try_later(b);
        return;
    }
    asbi_native_end_lines(b, ASBI_UNANSWERED,
                          "the batch may or may not have been created");
}

static void fetch(struct asbi_native_batch *b)
{
    asbi_native_seal(b);
    asbi_remote_job_remove(&b->remote);
    b->state = ASBI_NATIVE_FETCHING;
    go(b, ASBI_BATCH_OUTPUT);
}

static void end_unknown(struct asbi_native_batch *b, const char *text)
{
    asbi_native_end_lines(b, ASBI_UNANSWERED, text);
}

void asbi_native_runs(struct asbi_native_batch *b)
{
    b->state = ASBI_NATIVE_RUNNING;
    b->due_ns = b->look_ns = ASBI_NEVER;
    b->remote.id = b->ref.id;
    b->remote.begun_ns = now_of(b);
    b->remote.give_up_ns = asbi_add_ns(now_of(b), PROMISED);
    if (asbi_remote_job_add(&b->native->remote, &b->remote))
        end_unknown(b, "the batch cannot be asked after");
}

static void on_created(struct asbi_native_batch *b)
{
    struct asb_engine *e = b->native->engine;
    const struct asbi_journal_job job = { .number = b->number,
                                          .id = asbi_str_c(b->ref.id),
                                          .address = asbi_str_c(b->ref.name) };

    asbi_buf_fini(&b->file);
    asbi_log(&e->log, ASB_LOG_INFO,
             "batch %s: %zu requests are with the provider", b->ref.id,
             b->open);
    if (e->journal && b->number)
        asbi_journal_job(e->journal, &job);
    asbi_native_runs(b);
}

/* What an answer says that tells of the batch, once it is with the provider. */
static void on_state(struct asbi_native_batch *b,
                     const struct asbi_remote_news *news)
{
    if (news->state == ASBI_REMOTE_OVER && asbi_native_is_whole(b))
        fetch(b);
    else if (news->state == ASBI_REMOTE_FAILED)
        on_failed(b, news);
}

/* The answer to a step before it is with the provider. */
static void on_news(struct asbi_native_batch *b,
                    const struct asbi_remote_news *news)
{
    bool found = news->state != ASBI_REMOTE_UNKNOWN;
    bool not_there = b->step == ASBI_BATCH_FIND && !found;

    if (not_there && news->more && b->ref.page[0] && b->pages < MAX_PAGES) {
        b->pages++;
        go(b, ASBI_BATCH_FIND);
    } else if (not_there && news->more) {
        end_unknown(b, "the batch may be among those that are not listed");
    } else if (not_there && b->again) {
        asbi_native_end_lines(b, ASBI_NOT_SENT, "it was never created");
    } else if (not_there || (b->step == ASBI_BATCH_UPLOAD && found)) {
        go(b, ASBI_BATCH_CREATE);
    } else if (!found) {
        try_later(b); /* not what was expected */
    } else {
        on_created(b);
        if (!b->finished)
            on_state(b, news);
    }
}

/* It is told to stop, or was over before: the next look tells. */
static void on_cancelled(struct asbi_native_batch *b)
{
    b->cancelled = true;
    b->due_ns = ASBI_NEVER;
    asbi_remote_job_soon(&b->remote);
}

static void on_results(struct asbi_native_batch *b)
{
    asbi_native_results_end(b);
    if (b->step == ASBI_BATCH_OUTPUT)
        go(b, ASBI_BATCH_ERRORS);
    else
        b->due_ns = now_of(b); /* the step finds that there is no more */
    if (b->step == ASBI_BATCH_ERRORS && b->open == 0)
        b->finished = true;
}

static void on_done(struct asbi_native_batch *b)
{
    struct asbi_json *json = b->native->json;
    asbi_str body = asbi_buf_view(&b->errand.answer);
    struct asbi_remote_news news = { .state = ASBI_REMOTE_UNKNOWN };

    if (gives_results(b->step)) {
        on_results(b);
    } else if (b->step == ASBI_BATCH_CANCEL) {
        on_cancelled(b);
    } else {
        if (asbi_json_parse(json, body.at, body.len) == ASB_OK)
            b->native->api->read(b->step, json, &b->ref, &news);
        on_news(b, &news);
    }
}

/* A key that is refused says nothing of the batch, and the next run, with a
 * good one, goes on with it.  False when it could not, or other lanes go on
 * now. */
static bool leave(struct asbi_native_batch *b, int status)
{
    struct asb_engine *e = b->native->engine;
    char remedy[160];

    if ((status != 401 && status != 403) || !e->journal || !b->number)
        return false;
    asbi_lane_halt(e->lane, ASB_HALT_PROVIDER,
                   "the provider refuses the credentials (status %d) to tell "
                   "of batch %.64s; %s and run the same command again",
                   status, b->ref.id[0] ? b->ref.id : b->ref.name,
                   asbi_lane_key_remedy(e->lane, remedy, sizeof(remedy)));
    if (!asbi_routes_over(e))
        return false;
    asbi_native_leave_lines(b);
    return true;
}

static void on_gone(struct asbi_native_batch *b, int status)
{
    if (leave(b, status))
        return;
    asbi_log(&b->native->engine->log, ASB_LOG_WARN,
             "batch %s is not to be had any more (status %d)", b->ref.id,
             status);
    end_unknown(b, "the batch is gone");
}

static void on_refused(struct asbi_native_batch *b)
{
    if (b->step == ASBI_BATCH_CANCEL)
        on_cancelled(b);
    else if (b->state == ASBI_NATIVE_SENDING && b->step != ASBI_BATCH_FIND)
        give_up(b, NULL);
    else
        on_gone(b, b->errand.status);
}

static bool is_late(const struct asbi_native_batch *b)
{
    return now_of(b) - b->remote.begun_ns > PROMISED;
}

static void on_end(struct asbi_errand *x, const struct asbi_exchange_end *end)
{
    struct asbi_native_batch *b = batch_of(x);
    enum asbi_errand_outcome outcome = asbi_errand_outcome(x, end);

    if (outcome == ASBI_ERRAND_DONE)
        on_done(b);
    else if (outcome == ASBI_ERRAND_REFUSED)
        on_refused(b);
    else if (outcome == ASBI_ERRAND_UNKNOWN && b->step == ASBI_BATCH_CREATE)
        on_doubt(b);
    else if (b->state == ASBI_NATIVE_SENDING && b->failures >= MAX_FAILURES &&
             b->step != ASBI_BATCH_FIND)
        give_up(b, NULL);
    else if (is_late(b))
        end_unknown(b, "nobody can tell what became of the batch");
    else
        try_later(b);
}

static int on_bytes(struct asbi_errand *x, const char *at, size_t len)
{
    struct asbi_native_batch *b = batch_of(x);

    if (gives_results(b->step) && x->status >= 200 && x->status <= 299)
        return asbi_native_results(b, at, len);
    asbi_buf_add(&x->answer, at, len);
    return asbi_buf_failed(&x->answer) ? ASB_ETOOBIG : ASB_OK;
}

/* ---- asked after ------------------------------------------------------ */

static void ask(struct asbi_remote_job *job, struct asbi_errand *errand,
                struct asbi_buf *address)
{
    struct asbi_native_batch *b = batch_of_job(job);
    struct asbi_remote_request request = { NULL, address, &errand->body };

    (void)b->native->api->ask(ASBI_BATCH_POLL, &b->ref, &request);
}

static void told(struct asbi_remote_job *job, const struct asbi_errand *answer)
{
    struct asbi_native_batch *b = batch_of_job(job);
    struct asbi_json *json = b->native->json;
    struct asbi_remote_news news = { .state = ASBI_REMOTE_UNKNOWN };

    if (answer->status >= 400) {
        on_gone(b, answer->status);
        return;
    }
    if (asbi_json_parse(json, answer->answer.data, answer->answer.len) ==
        ASB_OK)
        b->native->api->read(ASBI_BATCH_POLL, json, &b->ref, &news);
    on_state(b, &news);
    if (b->state == ASBI_NATIVE_RUNNING && !b->finished)
        asbi_remote_job_again(job, asbi_errand_hint(answer));
}

static void late(struct asbi_remote_job *job)
{
    asbi_remote_job_remove(job);
    end_unknown(batch_of_job(job), "the batch did not end within two days");
}

const struct asbi_remote_job_ops asbi_native_job_ops = {
    .ask = ask,
    .told = told,
    .late = late,
};

/* ---- a step ----------------------------------------------------------- */

/* There is no such request: the step is over. */
static void skip(struct asbi_native_batch *b)
{
    if (b->step == ASBI_BATCH_OUTPUT)
        go(b, ASBI_BATCH_ERRORS);
    else if (b->step == ASBI_BATCH_ERRORS)
        asbi_native_end_lines(b, ASBI_NOT_SENT, "it was not worked off");
    else
        on_cancelled(b);
}

/* The request of the step; false when there is none. */
static bool put_request(struct asbi_native_batch *b, const char **method)
{
    const struct asbi_batch_api *api = b->native->api;
    struct asbi_errand *x = &b->errand;
    struct asbi_remote_request ask = { NULL, &b->path, &x->body };

    asbi_errand_clear(x);
    asbi_buf_clear(&b->path);
    asbi_buf_clear(&b->type);
    if (!api->ask(b->step, &b->ref, &ask))
        return false;
    *method = ask.method;
    x->most_bytes = gives_results(b->step) ? SIZE_MAX / 4 : MAX_ANSWER;
    if (b->step != api->first)
        return true;
    x->lent_body = asbi_buf_view(&b->file);
    if (api->content_type) {
        api->content_type(&b->ref, &b->type);
        x->extra[0] = asbi_buf_cstr(&b->type);
        x->extra[1] = NULL;
    }
    return true;
}

void asbi_native_step(struct asbi_native_batch *b, uint64_t now)
{
    const char *method = NULL;

    if (!asbi_hold_is_durable(b->native->engine)) {
        b->due_ns = now + COMMIT_SOON;
        return;
    }
    if (gives_results(b->step))
        asbi_buf_clear(&b->line);
    if (!put_request(b, &method)) {
        skip(b);
        return;
    }
    b->due_ns = ASBI_NEVER;
    b->errand.on_bytes = on_bytes;
    b->errand.done = on_end;
    if (asbi_errand_send(&b->errand, method, asbi_buf_view(&b->path)))
        b->due_ns = now + ASBI_SECOND;
}
