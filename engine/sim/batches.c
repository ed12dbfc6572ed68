/*
 * batches.c -- POST and GET /v1/batches, and /cancel: files of requests, worked
 * off over time at half price.
 *
 * validating for the first tenth of the time, in_progress, finalizing for the
 * last tenth, completed.  The work itself is done in one go when somebody asks
 * after it is due; the answers come in an order of their own.
 *
 * A batch with lines that are left over, or that is stuck, runs until its
 * window closes and is expired then: what was done is kept and billed.
 */

#include "engine/base/json.h"
#include "engine/base/units.h"
#include "engine/sim/batch_lines.h"

enum { MAX_OUTPUT = 512 << 20 };
#define WIND_UP_MOST (300 * ASBI_SECOND)
#define DAY_NS (24 * 3600 * ASBI_SECOND)

enum state {
    VALIDATING,
    FAILED,
    IN_PROGRESS,
    FINALIZING,
    COMPLETED,
    CANCELLING,
    CANCELLED,
    EXPIRED,
};

static const char *const names[] = {
    [VALIDATING] = "validating",   [FAILED] = "failed",
    [IN_PROGRESS] = "in_progress", [FINALIZING] = "finalizing",
    [COMPLETED] = "completed",     [CANCELLING] = "cancelling",
    [CANCELLED] = "cancelled",     [EXPIRED] = "expired",
};

struct batch {
    struct asbi_sim_job job; /* first */
    char input_id[40], endpoint[32];
    char *metadata; /* JSON, or NULL */
    char *data;     /* copy of the input, which may be deleted meanwhile */
    asbi_str *lines;
    size_t count;
    uint64_t span_ns, window_ns;
    size_t doable;   /* lines that will be worked off; all, if none expires */
    uint64_t tokens; /* of input; they count as long as it is not over */
    struct asbi_sim_batch_fault fault;

    /* -- as of the last look */
    enum state state;
    size_t done, failed; /* lines worked off, and badly */
    struct asbi_sim_usage usage;
    char output_id[40], error_id[40]; /* "" for none */
    uint64_t cancelled_ns;            /* when it was asked for; 0: not */
};

static struct batch *batch_of(struct asbi_sim_job *job)
{
    return (struct batch *)(void *)job;
}

void asbi_sim_batch_free(struct asbi_sim_provider *p, struct asbi_sim_job *job)
{
    struct batch *b = batch_of(job);

    asbi_list_remove(&job->link);
    asbi_free(p->mem, b->metadata);
    asbi_free(p->mem, b->data);
    asbi_free(p->mem, b->lines);
    asbi_free(p->mem, b);
}

/* ---- work ------------------------------------------------------------- */

/* The i-th line to be worked off: a walk over all lines in large steps. */
static asbi_str line_at(const struct batch *b, size_t i)
{
    size_t step = b->count % 7919 ? 7919 : 1;

    return b->lines[(i * step + b->count / 2) % b->count];
}

static int keep(struct asbi_sim_turn *turn, const char *name,
                const struct asbi_buf *data, char id[40])
{
    struct asbi_sim_file *file;

    if (data->len == 0)
        return ASB_OK;
    int rc = asbi_sim_file_add(turn, asbi_str_c(name), ASBI_STR("batch_output"),
                               asbi_buf_view(data), &file);
    if (!rc)
        memcpy(id, file->job.id, sizeof(file->job.id));
    return rc;
}

/* Answers the first `done` lines and leaves the others. */
static int answer(struct asbi_sim_turn *turn, struct batch *b, size_t done,
                  struct asbi_buf *output, struct asbi_buf *errors)
{
    struct asbi_sim_batch_outcome one;

    for (; b->done < done; b->done++) {
        int rc =
            asbi_sim_batch_answer(turn->p, &turn->rng, line_at(b, b->done),
                                  turn->request->wall_s, output, errors, &one);
        if (rc)
            return rc;
        b->failed += one.failed;
        b->usage.input += one.usage.input;
        b->usage.output += one.usage.output;
    }
    const char *why = b->cancelled_ns ? "cancelled" : "expired";
    for (size_t i = done; i < b->count; i++)
        asbi_sim_batch_skip(turn->p, &turn->rng, line_at(b, i), why, errors);
    return errors->failed ? ASB_ENOMEM : ASB_OK;
}

/* Does the work and writes both files, or nothing has happened. */
static int work_off(struct asbi_sim_turn *turn, struct batch *b, size_t done)
{
    struct asbi_sim_stats before = turn->p->stats;
    struct asbi_buf output, errors;

    asbi_buf_init(&output, turn->p->mem, MAX_OUTPUT);
    asbi_buf_init(&errors, turn->p->mem, MAX_OUTPUT);
    int rc = answer(turn, b, done, &output, &errors);
    if (!rc)
        rc = keep(turn, "output.jsonl", &output, b->output_id);
    if (!rc)
        rc = keep(turn, "errors.jsonl", &errors, b->error_id);
    if (rc) {
        turn->p->stats = before;
        b->done = b->failed = 0;
        b->usage = (struct asbi_sim_usage){ 0 };
    }
    asbi_buf_fini(&output);
    asbi_buf_fini(&errors);
    return rc;
}

/* Lines that are due `passed` after the start; the middle eight tenths of the
 * time are for them. */
static size_t due(const struct batch *b, uint64_t passed)
{
    double part = ((double)passed / (double)b->span_ns - 0.1) / 0.8;
    size_t n = part > 0 && part < 1 ? (size_t)(part * (double)b->count) : 0;

    if (part >= 1 || n > b->doable)
        n = b->doable;
    return n;
}

/* A state for good; a failure to write is one too. */
static int finish(struct asbi_sim_turn *turn, struct batch *b, enum state state,
                  size_t lines)
{
    int rc = work_off(turn, b, lines);

    if (rc == ASB_ENOMEM)
        return rc;
    b->state = rc ? FAILED : state;
    if (rc)
        b->fault = (struct asbi_sim_batch_fault){
            "server_error", "The simulator has no room for the results.", 0
        };
    return ASB_OK;
}

/* How long a cancelled batch takes to stop. */
static uint64_t wind_up(const struct batch *b)
{
    uint64_t part = b->span_ns / 10;

    return part < WIND_UP_MOST ? part : WIND_UP_MOST;
}

static int look_at_cancelled(struct asbi_sim_turn *turn, struct batch *b)
{
    if (turn->now_ns - b->cancelled_ns < wind_up(b))
        return ASB_OK;
    return finish(turn, b, CANCELLED,
                  due(b, b->cancelled_ns - b->job.created_ns));
}

static bool is_over(const struct batch *b)
{
    return b->state == FAILED || b->state == COMPLETED ||
           b->state == CANCELLED || b->state == EXPIRED;
}

/* Brings the state up to now.  ASB_OK or ASB_ENOMEM. */
static int look(struct asbi_sim_turn *turn, struct batch *b)
{
    uint64_t passed = turn->now_ns - b->job.created_ns;

    if (b->state == CANCELLING)
        return look_at_cancelled(turn, b);
    if (is_over(b))
        return ASB_OK;
    if (passed >= b->span_ns / 10)
        b->state = b->fault.code ? FAILED : IN_PROGRESS;
    if (b->state == IN_PROGRESS && b->doable < b->count)
        return passed < b->window_ns ? ASB_OK
                                     : finish(turn, b, EXPIRED, b->doable);
    if (b->state == IN_PROGRESS && passed >= b->span_ns / 10 * 9)
        b->state = FINALIZING;
    if (b->state == FINALIZING && passed >= b->span_ns)
        return finish(turn, b, COMPLETED, b->count);
    return ASB_OK;
}

/* ---- writing ---------------------------------------------------------- */

static void put_id(const char *key, const char *id, struct asbi_buf *out)
{
    if (id[0])
        asbi_buf_fmt(out, ",\"%s\":\"%s\"", key, id);
    else
        asbi_buf_fmt(out, ",\"%s\":null", key);
}

static void put_time(const struct batch *b, const char *key, bool known,
                     uint64_t after_ns, struct asbi_buf *out)
{
    if (known)
        asbi_buf_fmt(out, ",\"%s\":%ju", key,
                     (uintmax_t)(b->job.created_s + after_ns / ASBI_SECOND));
    else
        asbi_buf_fmt(out, ",\"%s\":null", key);
}

static void put_times(const struct batch *b, struct asbi_buf *out)
{
    uint64_t span = b->span_ns;
    bool stopped = b->state == CANCELLING || b->state == CANCELLED;
    uint64_t stop = stopped ? b->cancelled_ns - b->job.created_ns : 0;

    put_time(b, "created_at", true, 0, out);
    put_time(b, "expires_at", true, b->window_ns, out);
    put_time(b, "in_progress_at",
             b->state == IN_PROGRESS || b->state == FINALIZING ||
                 b->state == COMPLETED || b->state == EXPIRED,
             span / 10, out);
    put_time(b, "finalizing_at",
             b->state == FINALIZING || b->state == COMPLETED, span / 10 * 9,
             out);
    put_time(b, "completed_at", b->state == COMPLETED, span, out);
    put_time(b, "failed_at", b->state == FAILED, span / 10, out);
    put_time(b, "cancelling_at", stopped, stop, out);
    put_time(b, "cancelled_at", b->state == CANCELLED, stop + wind_up(b), out);
    put_time(b, "expired_at", b->state == EXPIRED, b->window_ns, out);
}

static void put_fault(const struct asbi_sim_batch_fault *f,
                      struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 ",\"errors\":{\"object\":\"list\",\"data\":[{\"code\":\"%s\","
                 "\"message\":\"%s\",\"param\":null,\"line\":",
                 f->code, f->message);
    if (f->line)
        asbi_buf_u64(out, f->line);
    else
        asbi_buf_c(out, "null");
    asbi_buf_c(out, "}]}");
}

static void put_batch(const struct asbi_sim_job *job, struct asbi_buf *out)
{
    const struct batch *b = (const struct batch *)(const void *)job;
    bool known = b->state != VALIDATING && b->state != FAILED;

    asbi_buf_fmt(out, "{\"id\":\"%s\",\"object\":\"batch\",\"endpoint\":\"%s\"",
                 job->id, b->endpoint);
    if (b->state == FAILED)
        put_fault(&b->fault, out);
    else
        asbi_buf_c(out, ",\"errors\":null");
    asbi_buf_fmt(out, ",\"completion_window\":\"24h\",\"status\":\"%s\"",
                 names[b->state]);
    put_id("input_file_id", b->input_id, out);
    put_id("output_file_id", b->output_id, out);
    put_id("error_file_id", b->error_id, out);
    put_times(b, out);
    asbi_buf_fmt(out,
                 ",\"request_counts\":{\"total\":%zu,\"completed\":%zu,"
                 "\"failed\":%zu}",
                 known ? b->count : 0, b->done - b->failed, b->failed);
    asbi_buf_fmt(out,
                 ",\"usage\":{\"input_tokens\":%ju,\"input_tokens_details\":"
                 "{\"cached_tokens\":0},\"output_tokens\":%ju,",
                 (uintmax_t)b->usage.input, (uintmax_t)b->usage.output);
    asbi_buf_fmt(out,
                 "\"output_tokens_details\":{\"reasoning_tokens\":0},"
                 "\"total_tokens\":%ju},\"metadata\":",
                 (uintmax_t)(b->usage.input + b->usage.output));
    asbi_buf_c(out, b->metadata ? b->metadata : "null");
    asbi_buf_char(out, '}');
}

/* Before the end the counts are those that are due. */
static int reply_batch(struct asbi_sim_turn *turn, struct batch *b)
{
    int rc = look(turn, b);
    size_t done = b->done;

    if (rc)
        return rc;
    if (b->state == IN_PROGRESS || b->state == FINALIZING)
        b->done = due(b, turn->now_ns - b->job.created_ns);
    asbi_sim_call_header(turn->call, "Content-Type", "application/json");
    put_batch(&b->job, &turn->call->body);
    b->done = done;
    return ASB_OK;
}

/* ---- endpoints -------------------------------------------------------- */

static asbi_str text_of(struct asbi_sim_turn *turn, const char *key)
{
    struct asbi_json *json = turn->p->json;

    return asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), asbi_str_c(key)));
}

static int read_request(struct asbi_sim_turn *turn, asbi_str *endpoint,
                        const struct asbi_sim_file **input)
{
    asbi_str body = turn->request->body;
    int rc = asbi_json_parse(turn->p->json, body.at, body.len);

    if (rc == ASB_ENOMEM)
        return rc;
    if (rc)
        return asbi_sim_refuse(&turn->problem, 400, NULL, NULL,
                               "We could not parse the JSON body of your "
                               "request.");
    *endpoint = text_of(turn, "endpoint");
    if (!asbi_str_eq(*endpoint, ASBI_STR("/v1/chat/completions")) &&
        !asbi_str_eq(*endpoint, ASBI_STR("/v1/embeddings")))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value", "endpoint",
                               "Invalid value for 'endpoint': supported are "
                               "/v1/chat/completions and /v1/embeddings.");
    if (!asbi_str_eq(text_of(turn, "completion_window"), ASBI_STR("24h")))
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value",
                               "completion_window",
                               "Invalid value for 'completion_window': "
                               "supported is '24h'.");
    *input = (const struct asbi_sim_file *)(void *)asbi_sim_job_find(
        &turn->p->files, text_of(turn, "input_file_id"));
    if (!*input || strcmp((*input)->purpose, "batch") != 0)
        return asbi_sim_refuse(&turn->problem, 400, "invalid_value",
                               "input_file_id",
                               "Invalid 'input_file_id': no file of purpose "
                               "'batch' has that id.");
    return ASB_OK;
}

/* Which lines will be done, by the options and by chance. */
static void draw_fate(struct asbi_sim_turn *turn, struct batch *b)
{
    const struct asbi_sim_options *o = &turn->p->options;

    b->doable = b->count;
    if (++turn->p->batches_made == o->batch_stuck) {
        b->doable = 0;
        return;
    }
    for (size_t i = 0; i < b->count; i++)
        b->doable -= asbi_sim_chance(&turn->rng, o->batch_expire_rate);
}

/* Tokens that wait in batches, this one's included, must keep below their
 * limit. */
static void check_waiting(struct asbi_sim_turn *turn, struct batch *b)
{
    uint64_t most = turn->p->options.batch_tokens, waiting = 0;

    ASBI_LIST_EACH (link, &turn->p->batches) {
        struct batch *other =
            batch_of(ASBI_OF(link, struct asbi_sim_job, link));

        waiting += is_over(other) ? 0 : other->tokens;
    }
    for (size_t i = 0; i < b->count && !b->fault.code; i++)
        b->tokens += asbi_sim_batch_tokens(turn->p, b->lines[i]);
    if (most && waiting + b->tokens > most && !b->fault.code)
        b->fault = (struct asbi_sim_batch_fault){
            "token_limit_exceeded",
            "Enqueued token limit reached. Please try again once some "
            "in_progress batches have been completed.",
            0
        };
}

/* Copies what the batch needs of its request and its input. */
static int fill(struct asbi_sim_turn *turn, struct batch *b, asbi_str endpoint,
                const struct asbi_sim_file *input)
{
    struct asbi_sim_provider *p = turn->p;
    const struct asbi_json_node *metadata =
        asbi_json_get(p->json, asbi_json_root(p->json), ASBI_STR("metadata"));

    memcpy(b->input_id, input->job.id, sizeof(b->input_id));
    memcpy(b->endpoint, endpoint.at, endpoint.len); /* one of two, both fit */
    b->span_ns = asbi_sim_job_span(p);
    b->window_ns = p->options.window_ns ? p->options.window_ns : DAY_NS;
    b->data = asbi_strndup(p->mem, input->data, input->len);
    b->lines = asbi_calloc(p->mem, ASBI_SIM_MAX_BATCH_LINES, sizeof(*b->lines));
    if (metadata && metadata->type == ASBI_JSON_OBJECT)
        b->metadata = asbi_strndup(p->mem, metadata->raw.at, metadata->raw.len);
    if (!b->data || !b->lines ||
        (metadata && !b->metadata && metadata->type == ASBI_JSON_OBJECT))
        return ASB_ENOMEM;
    b->count =
        asbi_sim_batch_check(p, asbi_str_of(b->data, input->len),
                             asbi_str_c(b->endpoint), b->lines, &b->fault);
    size_t kept = b->count ? b->count : 1;
    asbi_str *lines = asbi_resize(p->mem, b->lines, kept, sizeof(*lines));
    b->lines = lines ? lines : b->lines;
    draw_fate(turn, b);
    check_waiting(turn, b);
    return ASB_OK;
}

int asbi_sim_post_batch(struct asbi_sim_turn *turn)
{
    struct asbi_sim_provider *p = turn->p;
    const struct asbi_sim_file *input = NULL;
    struct asbi_sim_job *job;
    asbi_str endpoint;

    int rc = read_request(turn, &endpoint, &input);
    if (rc || !input)
        return rc;
    rc = asbi_sim_job_new(turn, &p->batches, sizeof(struct batch), "batch_",
                          &job);
    if (rc)
        return rc;
    rc = fill(turn, batch_of(job), endpoint, input);
    if (rc) {
        asbi_sim_batch_free(p, job);
        return rc;
    }
    asbi_list_append(&p->batches, &job->link);
    return reply_batch(turn, batch_of(job));
}

int asbi_sim_get_batch(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->batches, "Batch");

    return job ? reply_batch(turn, batch_of(job)) : ASB_EINVAL;
}

int asbi_sim_list_batches(struct asbi_sim_turn *turn)
{
    int rc = ASB_OK;

    ASBI_LIST_EACH (link, &turn->p->batches) {
        if (!rc)
            rc = look(turn, batch_of(ASBI_OF(link, struct asbi_sim_job, link)));
    }
    if (!rc)
        asbi_sim_put_list(turn, &turn->p->batches, put_batch);
    return rc;
}

int asbi_sim_cancel_batch(struct asbi_sim_turn *turn)
{
    struct asbi_sim_job *job =
        asbi_sim_job_of_path(turn, &turn->p->batches, "Batch");
    asbi_str verb;

    if (!job)
        return ASB_EINVAL;
    struct batch *b = batch_of(job);
    (void)asbi_sim_job_id(turn, &verb);
    if (!asbi_str_eq(verb, ASBI_STR("cancel")))
        return asbi_sim_refuse(&turn->problem, 404, NULL, NULL,
                               "Invalid URL: only /cancel may be posted to a "
                               "batch.");
    int rc = look(turn, b);
    if (rc)
        return rc;
    if (is_over(b))
        return asbi_sim_refuse(&turn->problem, 409, NULL, NULL,
                               "Cannot cancel a batch with status '%s'.",
                               names[b->state]);
    if (b->state != CANCELLING)
        b->cancelled_ns = turn->now_ns;
    b->state = CANCELLING;
    return reply_batch(turn, b);
}
