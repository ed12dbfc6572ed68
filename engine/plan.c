#include "engine/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/format.h"
#include "config/options.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/input.h"
#include "engine/job_strict.h"
#include "engine/material.h"
#include "engine/native_batch.h"
#include "engine/real/tempfile.h"
#include "engine/sim/world.h"

enum { SLICE = 65536, REPORT_BYTES = 1 << 20 };

/* Of a batch: half of what providers promise at most. */
#define BATCH_TIME (12 * 3600 * ASBI_SECOND)
/* How long videos take that nobody knows of. */
#define JOB_LEAST (30 * ASBI_SECOND)
#define JOB_MOST (180 * ASBI_SECOND)

/* Where virtual calls go; nothing ever leaves the process. */
static const char nowhere[] = "http://plan.invalid/v1";

/* ---- what is seen of the run ------------------------------------------ */

static struct asbi_plan_kind *kind_new(struct asb_plan *p, asbi_str key)
{
    struct asbi_plan_kind *k = asbi_calloc(&p->mem, 1, sizeof(*k));
    char *copy = asbi_strndup(&p->mem, key.at, key.len);

    if (k && copy)
        k->key = asbi_str_of(copy, key.len);
    if (!k || !copy || asbi_map_put(&p->kinds_by_key, k->key, k)) {
        asbi_free(&p->mem, copy);
        asbi_free(&p->mem, k);
        return NULL;
    }
    p->kinds[p->kind_count++] = k;
    return k;
}

/* NULL when out of memory. */
static struct asbi_plan_kind *kind_of(struct asb_plan *p,
                                      const struct asb_request *r)
{
    bool packed = r->payload == ASB_TEXT && p->engine->task_packs;
    char head[2] = { (char)('0' + r->priority), packed ? 'p' : 's' };
    struct asbi_buf *key = &p->scratch;

    asbi_buf_clear(key);
    asbi_buf_add(key, head, sizeof(head));
    asbi_buf_str(key, r->tenant);
    if (asbi_buf_failed(key))
        return NULL;
    struct asbi_plan_kind *k =
        asbi_map_get(&p->kinds_by_key, asbi_buf_view(key));
    if (k)
        return k;
    if (p->kind_count == ASBI_PLAN_KINDS)
        return p->kinds[ASBI_PLAN_KINDS - 1];
    k = kind_new(p, asbi_buf_view(key));
    if (!k)
        return NULL;
    k->tenant = asbi_str_of(k->key.at + sizeof(head), r->tenant.len);
    k->priority = r->priority;
    k->packed = packed;
    k->first_ns = k->last_ns = asbi_now(p->world);
    return k;
}

static void on_send(void *arg, const struct asbi_call *call)
{
    struct asb_plan *p = arg;
    struct asbi_plan_kind *k = call->entries[0].item->arg;

    p->bound[asbi_batch_bound_by(call->batch)]++;
    k->calls++;
    k->native_calls += call->native;
    k->worst += call->demand.worst_cost;
    if (call->demand.worst_cost > k->call_worst)
        k->call_worst = call->demand.worst_cost;
    if (call->count > k->items_most)
        k->items_most = call->count;
}

static void stop_at_failure(struct asb_plan *p)
{
    if (!p->options->values.fail_fast || p->failed_fast)
        return;
    p->failed_fast = true;
    asb_stop(p->engine);
}

static void on_done(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    struct asbi_plan_kind *k = arg;
    struct asb_plan *p = e->watch.arg;

    k->ok += result->ok;
    k->failed += !result->ok;
    k->usage.input_tokens += result->usage.input_tokens;
    k->usage.cached_tokens += result->usage.cached_tokens;
    k->usage.output_tokens += result->usage.output_tokens;
    k->cost += result->cost_nano_usd;
    k->last_ns = asbi_now(p->world);
    if (!result->ok)
        stop_at_failure(p);
}

/* ---- virtual time ----------------------------------------------------- */

static int step(struct asb_plan *p)
{
    uint64_t before = asbi_now(p->world);
    enum asbi_gate gate = p->engine->closed_gate;

    if (!asbi_sim_world_step(p->world))
        return ASB_ELOOP;
    p->paced_ns[gate == ASBI_GATE_OPEN ? ASBI_PLAN_LATENCY : (int)gate] +=
        asbi_now(p->world) - before;
    return ASB_OK;
}

static int make_room(struct asb_plan *p)
{
    int rc = p->rc;

    while (!rc && !p->failed_fast && !asb_has_room(p->engine))
        rc = step(p);
    return rc;
}

static int run_down(struct asb_plan *p)
{
    int rc = ASB_OK;

    asb_drain(p->engine);
    while (!rc && !asbi_engine_idle(p->engine))
        rc = step(p);
    return rc;
}

/* ---- the input -------------------------------------------------------- */

static int submit(struct asb_plan *p, struct asb_request request)
{
    struct asbi_plan_kind *k;
    uint64_t number = 0;

    asbi_input_complete(&p->options->values, &request);
    k = kind_of(p, &request);
    if (!k)
        return ASB_ENOMEM;
    int rc = asb_submit(p->engine, &request, on_done, k, &number);
    if (rc == ASB_ENOMEM)
        return rc;
    if (rc) {
        p->rows_bad++;
        stop_at_failure(p);
        return ASB_OK;
    }
    const struct asbi_item *item = asbi_slots_get(&p->engine->numbers, number);
    k->items++;
    k->raw_alone += item->input_estimate;
    if (item->packed)
        k->raw_alone += (double)p->engine->lane->system_tokens;
    return ASB_OK;
}

static int on_row(void *arg, const struct asbi_row *row)
{
    struct asb_plan *p = arg;
    uint64_t earlier = 0;

    if (row->op == ASBI_OP_FLUSH)
        asb_flush(p->engine);
    if (row->op != ASBI_OP_ITEM)
        return 0;
    p->rows++;
    if (!row->error_code && !row->answered)
        p->rc = asbi_seen_check(p->seen, row->request.id, row->line, &earlier);
    if (row->error_code || earlier) {
        p->rows_bad++;
        stop_at_failure(p);
    } else if (row->answered) {
        p->rows_answered++;
    } else if (!p->rc) {
        p->rc = submit(p, row->request);
    }
    return p->rc || p->failed_fast || !asb_has_room(p->engine);
}

static int feed(struct asb_plan *p, const char *at, size_t len,
                struct asb_message *why)
{
    int rc = ASB_OK;

    while (!rc && len && !p->failed_fast) {
        size_t used = 0;

        rc = asbi_reader_feed(p->reader, at, len, &used, why);
        at += used;
        len -= used;
        if (!rc)
            rc = make_room(p);
    }
    return rc;
}

static int finish_reading(struct asb_plan *p, struct asb_message *why)
{
    int rc;

    do {
        rc = asbi_reader_end(p->reader, why);
        if (rc == ASB_OK || rc == ASB_EBUSY) {
            int room = make_room(p);
            rc = room ? room : rc;
        }
    } while (rc == ASB_EBUSY && !p->failed_fast);
    return rc == ASB_EBUSY ? ASB_OK : rc;
}

static int read_input(struct asb_plan *p, int fd, struct asb_message *why)
{
    char *slice = asbi_alloc(&p->mem, SLICE);
    ssize_t n = 1;
    int rc = slice ? ASB_OK : ASB_ENOMEM;

    while (!rc && n && !p->failed_fast) {
        n = read(fd, slice, SLICE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = asbi_fail(why, ASB_EIO, "reading the input failed: %s",
                           strerror(errno));
        else if (n > 0)
            rc = feed(p, slice, (size_t)n, why);
    }
    asbi_free(&p->mem, slice);
    if (!rc && !p->failed_fast)
        rc = finish_reading(p, why);
    return rc ? rc : p->rc;
}

static int open_input(const char *path, int *fd, struct asb_message *why)
{
    *fd = STDIN_FILENO;
    if (strcmp(path, "-") == 0)
        return ASB_OK;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return asbi_fail(why, ASB_EIO, "input %s: %s", path, strerror(errno));
    return ASB_OK;
}

static int run(struct asb_plan *p, struct asb_message *why)
{
    const struct asbi_config *c = &p->options->values;
    struct asbi_reader_options options;
    struct stat st;
    int fd;

    asbi_input_reader_options(c, p->engine->task, &options);
    int rc = open_input(c->input, &fd, why);
    if (rc)
        return rc;
    /* As a job does: what is in a file need not be hurried. */
    p->engine->patient =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    if (c->strict)
        rc = asbi_job_check_input(&p->mem, fd, &options, why);
    if (!rc)
        rc = asbi_reader_new(&p->mem, &options, on_row, p, &p->reader);
    if (!rc)
        rc = asbi_seen_new(&p->mem, &asbi_tempfile_store, NULL, &p->seen);
    if (!rc)
        rc = read_input(p, fd, why);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return rc ? rc : run_down(p);
}

/* ---- the provider as it is thought to be ------------------------------ */

static uint64_t count_tokens(void *arg, asbi_str text)
{
    const struct asb_plan *p = arg;
    const struct asbi_lane *lane = p->engine->lane;
    double factor = lane->model.token_factor > 0 ? lane->model.token_factor : 1;

    if (p->recalled.has_kind)
        factor = p->recalled.kind.input.factor;
    return (uint64_t)(asbi_tokens_estimate(lane->vocabulary, text) * factor);
}

static bool makes_media(const struct asbi_config *c)
{
    return strcmp(c->task, "video") == 0 || strcmp(c->task, "image") == 0;
}

/* A provider elsewhere: limits are kept by pacing, so that it need not refuse;
 * times, tokens and answers are as an earlier run learned them, else what a
 * lane expects to begin with. */
static void model_provider(struct asb_plan *p)
{
    const struct asbi_config *c = &p->options->values;
    struct asbi_latency law;
    struct asbi_model model;

    asbi_catalogue_model(p->options, c->model, &model);
    asbi_latency_init(&law, model.latency_ms_per_token);
    if (p->recalled.has_lane)
        law = p->recalled.lane.latency;
    p->sim = (struct asbi_sim_options){ .seed = 1, .job_ns = BATCH_TIME };
    if (makes_media(c)) {
        p->sim.job_ns = JOB_LEAST;
        p->sim.job_most_ns = JOB_MOST;
        p->sim.any_video = true;
    }
    p->sim.latency = (struct asbi_sim_latency){
        .base_ns = (uint64_t)(law.theta[0] * 1e9),
        .per_input_token_ns = (uint64_t)(law.theta[1] * 1e6),
        .per_output_token_ns = (uint64_t)(law.theta[2] * 1e6),
        .sigma = 0.3,
    };
    p->sim.counting =
        (struct asbi_sim_counting){ .tokens = count_tokens, .arg = p };
    if (strcmp(c->task, "classify") != 0) {
        p->sim.counting.answer_ratio = p->recalled.has_kind
                                           ? p->recalled.kind.output.value
                                           : ASBI_OUTPUT_RATIO_START;
        p->sim.counting.tokens_per_item = ASBI_ITEM_SLACK;
    }
}

static int set_up_provider(struct asb_plan *p, struct asb_message *why)
{
    int rc = ASB_OK;

    if (strcmp(p->options->values.provider, "sim") == 0)
        rc = asbi_sim_options_from_config(&p->options->values, &p->sim, why);
    else
        model_provider(p);
    p->sim.model = asbi_sim_model_of_catalogue;
    p->sim.model_arg = p->options;
    return rc;
}

/* In OpenAI's shape, with what the provider can do. */
static int speak_of_videos(struct asb_plan *p)
{
    struct asbi_media *m = &p->engine->media;
    const struct asbi_media_shape *real = m->shape;

    p->shape = *asbi_media_shape_find("openai");
    p->shape.videos = real->videos;
    p->shape.images = real->images;
    p->shape.references = real->references;
    m->shape = &p->shape;
    return ASB_OK;
}

static int speak_plainly(struct asb_plan *p, struct asb_message *why)
{
    asbi_native_fini(&p->engine->native);
    int rc = asbi_lane_speak(p->engine->lane, asbi_dialect_find("openai"));
    return rc ? rc : asbi_native_init(&p->engine->native, p->engine, why);
}

static int set_up_engine(struct asb_plan *p, struct asb_message *why)
{
    struct asbi_material material;
    uint64_t seed = p->options->values.seed;

    p->engine = asbi_engine_alloc(&p->mem, &p->log);
    if (!p->engine)
        return ASB_ENOMEM;
    int rc = asbi_sim_world_new(&p->engine->mem, seed ? seed : 1, &p->sim,
                                &p->world);
    if (rc)
        return rc;
    rc = asbi_material_load_texts(&material, p->options, &p->mem, why);
    if (rc)
        p->world->ops->free(p->world);
    else
        rc = asbi_engine_init(p->engine, p->world, p->options,
                              asbi_str_of("", 0), &material.task, NULL, why);
    asbi_material_fini(&material);
    if (rc)
        return rc;
    const struct asbi_lane *lane = p->engine->lane;
    if (lane->api ||
        (lane->way == ASBI_ARRAY && lane->style.array != ASBI_EMBED))
        return asbi_fail(why, ASB_ECONFIG,
                         "plan: what provider %s does with these items cannot "
                         "be simulated; try a run of a few of them",
                         p->options->values.provider);
    /* What is simulated speaks this dialect, whichever the provider's is. */
    rc =
        p->engine->way == ASBI_JOB ? speak_of_videos(p) : speak_plainly(p, why);
    if (rc)
        return rc;
    p->engine->watch = (struct asbi_watch){ on_send, p };
    asbi_learned_start(p->engine->lane, &p->recalled);
    return ASB_OK;
}

/* ---- public ----------------------------------------------------------- */

static void init(struct asb_plan *p, const struct asbi_mem *mem,
                 const struct asb_hooks *hooks)
{
    p->mem = *mem;
    if (hooks && hooks->size >= sizeof(*hooks))
        p->log = (struct asbi_log){ hooks->log, hooks->log_arg };
    asbi_map_init(&p->kinds_by_key, &p->mem, 0);
    asbi_buf_init(&p->scratch, &p->mem, REPORT_BYTES);
    asbi_buf_init(&p->table, &p->mem, REPORT_BYTES);
    asbi_buf_init(&p->json, &p->mem, REPORT_BYTES);
}

static int make(struct asb_plan *p, const struct asb_options *options,
                struct asb_message *why)
{
    int rc = asb_options_check(options, why);

    if (rc)
        return rc;
    p->options = asbi_options_copy(options, &p->mem);
    if (!p->options)
        return ASB_ENOMEM;
    asbi_learned_load(p->options, &p->mem, &p->log, &p->recalled);
    rc = asb_options_set(p->options, "base_url", nowhere, ASB_FROM_HOST, why);
    if (!rc)
        rc = asb_options_set(p->options, "budget_alerts", "none", ASB_FROM_HOST,
                             why);
    if (!rc)
        rc = set_up_provider(p, why);
    if (!rc)
        rc = set_up_engine(p, why);
    if (rc)
        return rc;
    p->started_ns = asbi_now(p->world);
    rc = run(p, why);
    p->ended_ns = asbi_now(p->world);
    return rc ? rc : asbi_plan_report(p);
}

int asb_plan_new(const struct asb_options *options,
                 const struct asb_hooks *hooks, struct asb_plan **out,
                 struct asb_message *why)
{
    struct asbi_mem mem = asbi_mem_system;

    if (!options || !out)
        return ASB_EINVAL;
    *out = NULL;
    if (why)
        why->text[0] = '\0';
    if (hooks && hooks->size >= sizeof(*hooks) && hooks->resize)
        mem = (struct asbi_mem){ hooks->resize, hooks->resize_arg };
    struct asb_plan *p = asbi_calloc(&mem, 1, sizeof(*p));
    if (!p)
        return ASB_ENOMEM;
    init(p, &mem, hooks);
    int rc = make(p, options, why);
    if (rc) {
        asb_plan_free(p);
        return rc;
    }
    *out = p;
    return ASB_OK;
}

void asb_plan_free(struct asb_plan *p)
{
    if (!p)
        return;
    struct asbi_mem mem = p->mem;

    asbi_engine_destroy(p->engine);
    asbi_reader_free(p->reader);
    asbi_seen_free(p->seen);
    for (size_t i = 0; i < p->kind_count; i++) {
        asbi_free(&mem, (char *)(uintptr_t)p->kinds[i]->key.at);
        asbi_free(&mem, p->kinds[i]);
    }
    asbi_map_fini(&p->kinds_by_key);
    asbi_buf_fini(&p->scratch);
    asbi_buf_fini(&p->table);
    asbi_buf_fini(&p->json);
    asb_options_free(p->options);
    asbi_free(&mem, p);
}

void asb_plan_get(const struct asb_plan *p, struct asb_forecast *forecast)
{
    struct asb_stats s = { .size = sizeof(s) };
    struct asb_forecast f = { .rows = p->rows,
                              .rows_bad = p->rows_bad,
                              .rows_answered = p->rows_answered };
    size_t size = forecast->size < sizeof(f) ? forecast->size : sizeof(f);
    const struct asbi_lane *lane = p->engine->lane;

    asb_engine_stats(p->engine, &s);
    f.size = size;
    f.items_ok = s.items_ok;
    f.items_failed = s.items_failed;
    f.calls = s.calls;
    f.input_tokens = s.input_tokens;
    f.cached_tokens = s.cached_tokens;
    f.output_tokens = s.output_tokens;
    f.cost_nano_usd = s.cost_nano_usd;
    for (size_t i = 0; i < p->kind_count; i++)
        f.cost_worst_nano_usd += p->kinds[i]->worst;
    f.seconds = (double)(p->ended_ns - p->started_ns) / 1e9;
    f.concurrency_max = s.in_flight_max;
    f.halt = s.halt;
    f.price_unknown = !lane->model.priced && !lane->provider.free;
    memcpy(forecast, &f, size);
}

struct asb_bytes asb_plan_text(const struct asb_plan *p,
                               enum asb_plan_format format)
{
    asbi_str text =
        asbi_buf_view(format == ASB_PLAN_JSON ? &p->json : &p->table);

    return (struct asb_bytes){ text.at, text.len };
}
