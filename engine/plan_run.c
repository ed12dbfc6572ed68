/*
 * plan_run.c -- one way through virtual time: the real engine, a simulated
 * provider, and what is seen of them.
 */
#include "engine/plan.h"

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/native_batch.h"
#include "engine/sim/world.h"

/* ---- what is seen of it ----------------------------------------------- */

static struct asbi_plan_kind *kind_new(struct asbi_plan_run *run, asbi_str key)
{
    const struct asbi_mem *mem = &run->plan->mem;
    struct asbi_plan_kind *k = asbi_calloc(mem, 1, sizeof(*k));
    char *copy = asbi_strndup(mem, key.at, key.len);

    if (k && copy)
        k->key = asbi_str_of(copy, key.len);
    if (!k || !copy || asbi_map_put(&run->kinds_by_key, k->key, k)) {
        asbi_free(mem, copy);
        asbi_free(mem, k);
        return NULL;
    }
    run->kinds[run->kind_count++] = k;
    return k;
}

/* NULL when out of memory. */
static struct asbi_plan_kind *kind_of(struct asbi_plan_run *run,
                                      const struct asb_request *r)
{
    bool packed = r->payload == ASB_TEXT && run->engine->task_packs;
    char head[2] = { (char)('0' + r->priority), packed ? 'p' : 's' };
    struct asbi_buf *key = &run->plan->scratch;

    asbi_buf_clear(key);
    asbi_buf_add(key, head, sizeof(head));
    asbi_buf_str(key, r->tenant);
    if (asbi_buf_failed(key))
        return NULL;
    struct asbi_plan_kind *k =
        asbi_map_get(&run->kinds_by_key, asbi_buf_view(key));
    if (k)
        return k;
    if (run->kind_count == ASBI_PLAN_KINDS)
        return run->kinds[ASBI_PLAN_KINDS - 1];
    k = kind_new(run, asbi_buf_view(key));
    if (!k)
        return NULL;
    k->tenant = asbi_str_of(k->key.at + sizeof(head), r->tenant.len);
    k->priority = r->priority;
    k->packed = packed;
    k->first_ns = k->last_ns = asbi_now(run->world);
    return k;
}

static void on_send(void *arg, const struct asbi_call *call)
{
    struct asbi_plan_run *run = arg;
    struct asbi_plan_kind *k = call->entries[0].item->arg;

    run->bound[asbi_batch_bound_by(call->batch)]++;
    k->calls++;
    k->native_calls += call->native;
    k->worst += call->demand.worst_cost;
    if (call->demand.worst_cost > k->call_worst)
        k->call_worst = call->demand.worst_cost;
    if (call->count > k->items_most)
        k->items_most = call->count;
}

void asbi_plan_run_failed(struct asbi_plan_run *run)
{
    if (!run->plan->options->values.fail_fast || run->failed_fast)
        return;
    run->failed_fast = true;
    asb_stop(run->engine);
}

static void on_done(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    struct asbi_plan_kind *k = arg;
    struct asbi_plan_run *run = e->watch.arg;

    k->ok += result->ok;
    k->failed += !result->ok;
    k->usage.input_tokens += result->usage.input_tokens;
    k->usage.cached_tokens += result->usage.cached_tokens;
    k->usage.output_tokens += result->usage.output_tokens;
    k->cost += result->cost_nano_usd;
    k->last_ns = asbi_now(run->world);
    if (!result->ok)
        asbi_plan_run_failed(run);
}

/* ---- virtual time ----------------------------------------------------- */

static int step(struct asbi_plan_run *run)
{
    uint64_t before = asbi_now(run->world);
    enum asbi_gate gate = run->engine->closed_gate;

    if (!asbi_sim_world_step(run->world))
        return ASB_ELOOP;
    run->paced_ns[gate == ASBI_GATE_OPEN ? ASBI_PLAN_LATENCY : (int)gate] +=
        asbi_now(run->world) - before;
    return ASB_OK;
}

int asbi_plan_run_make_room(struct asbi_plan_run *run)
{
    int rc = ASB_OK;

    while (!rc && !run->failed_fast && !asb_has_room(run->engine))
        rc = step(run);
    return rc;
}

int asbi_plan_run_down(struct asbi_plan_run *run)
{
    int rc = ASB_OK;

    asb_drain(run->engine);
    while (!rc && !asbi_engine_idle(run->engine))
        rc = step(run);
    run->ended_ns = asbi_now(run->world);
    return rc;
}

double asbi_plan_run_seconds(const struct asbi_plan_run *run)
{
    return (double)(run->ended_ns - run->started_ns) / 1e9;
}

int asbi_plan_run_submit(struct asbi_plan_run *run,
                         const struct asb_request *request, bool *refused)
{
    struct asbi_plan_kind *k = kind_of(run, request);
    uint64_t number = 0;

    if (!k)
        return ASB_ENOMEM;
    int rc = asb_submit(run->engine, request, on_done, k, &number);
    *refused = rc && rc != ASB_ENOMEM;
    if (rc)
        return *refused ? ASB_OK : rc;
    const struct asbi_item *item =
        asbi_slots_get(&run->engine->numbers, number);
    k->items++;
    k->raw_alone += item->input_estimate;
    if (item->packed)
        k->raw_alone += (double)run->engine->lane->system_tokens +
                        run->engine->lane->item_frame;
    return ASB_OK;
}

/* ---- its beginning and end -------------------------------------------- */

static int make_engine(struct asbi_plan_run *run, uint64_t seed,
                       const struct asbi_task_material *material,
                       struct asb_message *why)
{
    struct asb_plan *p = run->plan;
    struct asbi_sim_options sim = p->sim;

    sim.seed += seed;
    run->engine = asbi_engine_alloc(&p->mem, &p->log);
    if (!run->engine)
        return ASB_ENOMEM;
    run->engine->routes.tokenizer = asbi_tokenizer_ref(p->counter.exact);
    int rc = asbi_sim_world_new(&run->engine->mem, seed + 1, &sim, &run->world);
    if (rc)
        return rc;
    return asbi_engine_init(run->engine, run->world, p->options,
                            asbi_str_of("", 0), material, NULL, why);
}

/* In OpenAI's shape, with what the provider can do. */
static int speak_of_videos(struct asbi_plan_run *run)
{
    struct asbi_media *m = &run->engine->media;
    const struct asbi_media_shape *real = m->shape;

    run->shape = *asbi_media_shape_find("openai");
    run->shape.videos = real->videos;
    run->shape.images = real->images;
    run->shape.references = real->references;
    m->shape = &run->shape;
    return ASB_OK;
}

static int speak_plainly(struct asb_engine *e, struct asb_message *why)
{
    int rc = ASB_OK;

    asbi_native_fini(&e->native);
    for (size_t i = 0; !rc && i < e->routes.count; i++) {
        rc = asbi_lane_speak(e->routes.lanes[i], asbi_dialect_find("openai"));
        if (!rc)
            rc = asbi_lane_move(e->routes.lanes[i], ASBI_PLAN_NOWHERE);
    }
    return rc ? rc : asbi_native_init(&e->native, e, why);
}

/* What is simulated speaks one dialect, whichever the provider's is. */
static int speak_as_simulated(struct asbi_plan_run *run,
                              struct asb_message *why)
{
    struct asb_engine *e = run->engine;

    for (size_t i = 0; i < e->routes.count; i++) {
        const struct asbi_lane *lane = e->routes.lanes[i];

        if (lane->api ||
            (lane->way == ASBI_ARRAY && lane->style.array != ASBI_EMBED))
            return asbi_fail(why, ASB_ECONFIG,
                             "plan: what provider %s does with these items "
                             "cannot be simulated; try a run of a few of them",
                             lane->config->provider);
    }
    return e->way == ASBI_JOB ? speak_of_videos(run) : speak_plainly(e, why);
}

int asbi_plan_run_new(struct asb_plan *p, uint64_t seed,
                      const struct asbi_task_material *material,
                      struct asbi_plan_run **out, struct asb_message *why)
{
    struct asbi_plan_run *run = asbi_calloc(&p->mem, 1, sizeof(*run));

    *out = NULL;
    if (!run)
        return ASB_ENOMEM;
    run->plan = p;
    asbi_map_init(&run->kinds_by_key, &p->mem, 0);
    int rc = make_engine(run, seed, material, why);
    if (!rc)
        rc = speak_as_simulated(run, why);
    if (rc) {
        asbi_plan_run_free(run);
        return rc;
    }
    run->engine->watch = (struct asbi_watch){ on_send, run };
    asbi_learned_start(run->engine->lane, &p->recalled);
    asbi_learned_start_others(run->engine);
    run->started_ns = asbi_now(run->world);
    *out = run;
    return ASB_OK;
}

void asbi_plan_run_free(struct asbi_plan_run *run)
{
    if (!run)
        return;
    const struct asbi_mem *mem = &run->plan->mem;

    asbi_engine_destroy(run->engine);
    for (size_t i = 0; i < run->kind_count; i++) {
        asbi_free(mem, (char *)(uintptr_t)run->kinds[i]->key.at);
        asbi_free(mem, run->kinds[i]);
    }
    asbi_map_fini(&run->kinds_by_key);
    asbi_free(mem, run);
}
