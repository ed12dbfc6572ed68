#include "tests/sim/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "engine/sim/pseudo.h"
#include "engine/sim/world.h"
#include "tests/sim/audit.h"
#include "tests/sim/job_play.h"
#include "tests/sim/meter.h"

enum {
    MOST_STEPS = 400000,
    MOST_IDLE_STEPS = 20000,
    MOST_REFUSALS = 500, /* then the host gives up */
    /* What an engine of this size and its world may take beside its items. */
    MOST_BYTES = 24 << 20,
};

struct play;

struct told {
    struct play *play;
    size_t index;
    uint64_t number; /* the engine's; 0 before it was taken */
    unsigned callbacks;
    unsigned sent; /* in calls that count as attempts */
    bool cancelled;
};

struct play {
    struct scenario scenario;
    struct meter mem, world_mem; /* a provider that is out of memory lies */
    struct asbi_rng host;
    struct asb_engine *engine;
    struct asbi_world *world;
    struct witness witness;
    struct told *told;
    bool asked[SCENARIO_ITEMS][128]; /* texts, by tenants' first letters */
    size_t next, accepted, answered, ok;
    size_t refusals; /* in a row, for want of memory */
    bool stopped;
    int64_t item_costs;
    uint64_t trace;
    struct asbi_buf expected;
};

static void note(struct play *p, const void *at, size_t len)
{
    p->trace = asbi_hash64(at, len, p->trace);
}

/* ---- what the engine sends -------------------------------------------- */

static void on_send(void *arg, const struct asbi_call *call)
{
    struct play *p = arg;

    for (size_t i = 0; i < call->count; i++) {
        const struct told *t = call->entries[i].item->arg;
        struct scenario_item item;

        scenario_item(&p->scenario, t->index, &item);
        p->asked[item.text][item.tenant] = true;
        if (t->callbacks)
            witness_say(&p->witness, "item %zu is sent after its answer",
                        t->index);
    }
    note(p, call->exchange.body, call->exchange.body_len);
}

/* An end that counts against the items of a call: they were seen to. */
static bool counts(const struct asbi_exchange_end *end)
{
    if (end->outcome == ASBI_NOT_SENT)
        return false;
    return end->outcome != ASBI_COMPLETE || end->status < 300 ||
           end->status >= 500;
}

static void on_call_end(void *arg, struct asbi_exchange *x,
                        const struct asbi_exchange_end *end)
{
    struct play *p = arg;
    const struct asbi_call *call = ASBI_OF(x, struct asbi_call, exchange);

    for (size_t i = 0; counts(end) && i < call->count; i++) {
        const struct asbi_item *item = call->entries[i].item;
        struct told *t = item ? item->arg : NULL;

        if (t && ++t->sent > p->scenario.max_attempts)
            witness_say(&p->witness, "item %zu was asked %u times", t->index,
                        t->sent);
    }
}

/* ---- what the engine answers ------------------------------------------ */

/* What a prompt of the host's own is answered with is the model's affair: cut
 * short, or other words, when the provider does so. */
static bool is_answer_to_prompt(const struct play *p, asbi_str expected,
                                asbi_str output)
{
    if (p->scenario.provider.garbage_rate > 0 &&
        asbi_str_starts(output, ASBI_STR("I'm sorry")))
        return true;
    return asbi_str_eq(expected, output) ||
           (p->scenario.provider.truncate_rate > 0 &&
            asbi_str_starts(expected, output));
}

/* What was cut to a length may end at a space, which is not kept. */
static bool is_answer(const struct play *p, const struct asb_request *request,
                      asbi_str expected, asbi_str output)
{
    if (request->payload != ASB_TEXT)
        return is_answer_to_prompt(p, expected, output);
    if (request->max_length)
        return asbi_str_eq(asbi_str_trim(expected), asbi_str_trim(output));
    return asbi_str_eq(expected, output);
}

static void check_output(struct play *p, const struct told *t,
                         const struct asb_result *r)
{
    struct scenario_item item;

    scenario_item(&p->scenario, t->index, &item);
    asbi_buf_clear(&p->expected);
    asbi_sim_pseudo(item.request.text,
                    item.request.payload == ASB_TEXT ? item.request.max_length
                                                     : 0,
                    &p->expected);
    if (!is_answer(p, &item.request, asbi_buf_view(&p->expected), r->output))
        witness_say(
            &p->witness, "item %zu (%s) got another answer: %.*s for %.*s",
            t->index, item.request.payload == ASB_TEXT ? "text" : "prompt",
            (int)(r->output.len < 120 ? r->output.len : 120), r->output.at,
            (int)(item.request.text.len < 120 ? item.request.text.len : 120),
            item.request.text.at);
    if (!p->asked[item.text][item.tenant])
        witness_say(&p->witness,
                    "item %zu has an answer that its tenant did "
                    "not ask for",
                    t->index);
}

static void check_result(struct play *p, const struct told *t,
                         const struct asb_result *r)
{
    if (t->callbacks != 1)
        witness_say(&p->witness, "item %zu was called back %u times", t->index,
                    t->callbacks);
    if (r->item != t->number)
        witness_say(&p->witness, "item %zu has another's number", t->index);
    if (r->ok ? r->error_code != NULL : r->error_code == NULL)
        witness_say(&p->witness, "item %zu is %s and has the error %s",
                    t->index, r->ok ? "answered" : "failed",
                    r->error_code ? r->error_code : "none");
    if (r->attempts > p->scenario.max_attempts)
        witness_say(&p->witness, "item %zu took %u attempts", t->index,
                    r->attempts);
    if (r->cost_nano_usd < 0 || (r->source != ASB_API_CALL && r->cost_nano_usd))
        witness_say(&p->witness, "item %zu has an odd cost", t->index);
    if (!r->ok && r->error_code && !t->cancelled &&
        strcmp(r->error_code, "cancelled") == 0)
        witness_say(&p->witness, "item %zu is cancelled, by nobody", t->index);
    if (r->ok)
        check_output(p, t, r);
}

static void cancel_one(struct play *p);

static void on_done(struct asb_engine *e, const struct asb_result *r, void *arg)
{
    struct told *t = arg;
    struct play *p = t->play;

    (void)e;
    t->callbacks++;
    p->answered++;
    p->ok += r->ok;
    p->item_costs += r->cost_nano_usd;
    check_result(p, t, r);
    note(p, r->output.at, r->output.len);
    note(p, &r->item, sizeof(r->item));
    if (asbi_rng_unit(&p->host) < p->scenario.cancel)
        cancel_one(p); /* a host may do so from inside */
}

/* ---- what the host does ----------------------------------------------- */

static bool chance(struct play *p, double rate)
{
    return rate > 0 && asbi_rng_unit(&p->host) < rate;
}

static void cancel_one(struct play *p)
{
    if (p->next == 0)
        return;
    struct told *t = &p->told[asbi_rng_below(&p->host, p->next)];

    if (t->number && asb_cancel(p->engine, t->number) == ASB_OK) {
        if (t->callbacks)
            witness_say(&p->witness, "item %zu is cancelled after its answer",
                        t->index);
        t->cancelled = true;
    }
}

/* False when the engine has no room. */
static bool submit_one(struct play *p)
{
    struct told *t = &p->told[p->next];
    struct scenario_item item;

    scenario_item(&p->scenario, p->next, &item);
    *t = (struct told){ .play = p, .index = p->next };
    int rc = asb_submit(p->engine, &item.request, on_done, t, &t->number);
    if (t->callbacks)
        witness_say(&p->witness, "a callback came from inside asb_submit()");
    p->refusals = rc == ASB_ENOMEM ? p->refusals + 1 : 0;
    if (rc == ASB_ENOMEM || rc == ASB_EFULL)
        return false;
    if (rc)
        witness_say(&p->witness, "item %zu is refused: %s", p->next,
                    asb_strerror(rc));
    p->next++;
    p->accepted += rc == ASB_OK;
    return true;
}

static void jump(struct play *p)
{
    uint64_t ns = asbi_rng_below(&p->host, 3) ? 0 : 1;
    int64_t wall = (int64_t)asbi_rng_below(&p->host, 7200000) - 3600000;

    ns *= asbi_rng_below(&p->host, 600) * ASBI_SECOND;
    asbi_sim_world_jump(p->world, ns, wall);
}

static void act(struct play *p)
{
    const struct scenario *s = &p->scenario;

    while (!p->stopped && p->next < s->items && asb_has_room(p->engine) &&
           !chance(p, s->pause) && submit_one(p))
        ;
    if (chance(p, s->cancel))
        cancel_one(p);
    if (chance(p, s->flush))
        asb_flush(p->engine);
    if (chance(p, s->jump))
        jump(p);
    if (s->stop_after && p->answered >= s->stop_after && !p->stopped) {
        p->stopped = true;
        asb_stop(p->engine);
    }
    if ((p->next == s->items || p->refusals > MOST_REFUSALS) &&
        !p->engine->draining)
        asb_drain(p->engine);
}

/* ---- birth ------------------------------------------------------------ */

static bool begin(struct play *p)
{
    struct asbi_task_material material = { .target_lang = "fr" };
    const struct asbi_log silent = { NULL, NULL };
    struct asb_options *options = asb_options_new();
    bool ok = options && scenario_set_options(&p->scenario, options) == ASB_OK;

    meter_init(&p->mem, p->scenario.seed);
    meter_init(&p->world_mem, 0);
    p->mem.fail_at = p->scenario.no_memory_at;
    p->mem.fail_after = p->scenario.no_memory_after;
    asbi_buf_init(&p->expected, &asbi_mem_system, 1 << 20);
    asbi_rng_seed(&p->host, p->scenario.seed + 1);
    p->told = calloc(p->scenario.items, sizeof(*p->told));
    p->engine = asbi_engine_alloc(&p->mem.mem, &silent);
    ok = ok && p->told && p->engine &&
         asbi_sim_world_new(&p->world_mem.mem, p->scenario.seed,
                            &p->scenario.provider, &p->world) == ASB_OK &&
         witness_init(&p->witness, p->world, &p->scenario) &&
         asbi_engine_init(p->engine, p->world, options, asbi_str_of("", 0),
                          &material, NULL, NULL) == ASB_OK;
    asb_options_free(options);
    if (!ok)
        return false;
    p->witness.on_end = on_call_end;
    p->witness.arg = p;
    p->engine->watch.on_send = on_send;
    p->engine->watch.arg = p;
    p->mem.fail_rate = p->scenario.no_memory;
    return true;
}

/* ---- the end ---------------------------------------------------------- */

/* Nothing can go wrong here, so nothing may. */
static bool is_harmless(const struct scenario *s)
{
    const struct asbi_sim_options *p = &s->provider;
    bool network = p->error_rate > 0 || p->network.cut_rate > 0 ||
                   p->network.refuse_rate > 0 || p->network.slow_rate > 0 ||
                   p->disconnect_rate > 0;
    bool answers =
        p->drop_item_rate > 0 || p->truncate_rate > 0 || p->garbage_rate > 0;
    bool limits = p->rpm || p->tpm || s->budget || s->deadlines || s->lengths;

    return !network && !answers && !limits && s->cancel <= 0 &&
           s->no_memory <= 0 && s->jump <= 0 && !s->stop_after &&
           s->max_attempts >= 4 && !p->capacity &&
           p->latency.base_ns < 400 * ASBI_MS && p->latency.sigma <= 0 &&
           p->network.round_trip_ns < 40 * ASBI_MS;
}

static void check_counts(struct play *p, const struct asb_stats *stats)
{
    struct witness *w = &p->witness;

    for (size_t i = 0; i < p->next; i++) {
        if (p->told[i].number && p->told[i].callbacks != 1)
            witness_say(w, "item %zu was called back %u times", i,
                        p->told[i].callbacks);
    }
    if (p->answered != p->accepted)
        witness_say(w, "%zu of %zu items are answered", p->answered,
                    p->accepted);
    if (stats->items_total != p->accepted || stats->items_ok != p->ok ||
        stats->items_ok + stats->items_failed != p->accepted)
        witness_say(w, "the statistics count other items than there were");
    if (stats->calls != w->started || w->started != w->ended)
        witness_say(w, "%" PRIu64 " calls are counted of %" PRIu64,
                    stats->calls, w->started);
    if (is_harmless(&p->scenario) && p->ok != p->accepted)
        witness_say(w, "nothing went wrong, but %zu of %zu are answered", p->ok,
                    p->accepted);
}

static void check_bill(struct play *p, const struct asb_stats *stats)
{
    const struct scenario *s = &p->scenario;
    const struct asbi_sim_stats *served = asbi_sim_world_stats(p->world);
    const struct asbi_budget *b = &p->engine->purse.budget;
    struct witness *w = &p->witness;

    if (s->budget && served->billed_nano_usd > s->budget)
        witness_say(w, "billed %" PRId64 " with a budget of %" PRId64,
                    served->billed_nano_usd, s->budget);
    if (served->billed_nano_usd > b->spent)
        witness_say(w, "billed %" PRId64 ", counted %" PRId64,
                    served->billed_nano_usd, b->spent);
    if (p->item_costs > stats->cost_nano_usd ||
        (s->cancel <= 0 && s->no_memory <= 0 && !s->no_memory_at &&
         p->item_costs != stats->cost_nano_usd))
        witness_say(w, "items cost %" PRId64 ", calls %" PRId64, p->item_costs,
                    stats->cost_nano_usd);
    if (s->paced && !s->provider.tpm && served->status[429])
        witness_say(w, "%" PRIu64 " calls were refused for their pace",
                    served->status[429]);
}

/* Until nothing more happens: answers nobody waits for, timers that do
 * nothing. */
static void settle(struct play *p)
{
    size_t steps = 0;

    while (asbi_sim_world_step(p->world)) {
        if (++steps > MOST_IDLE_STEPS) {
            witness_say(&p->witness, "timers go on for ever");
            return;
        }
    }
    if (asbi_sim_world_pending(p->world))
        witness_say(&p->witness, "something is still to come");
}

static void finish(struct play *p, struct outcome *out)
{
    struct asb_stats stats = { .size = sizeof(stats) };

    settle(p);
    asb_engine_stats(p->engine, &stats);
    audit_idle(&p->witness, p->engine);
    check_counts(p, &stats);
    check_bill(p, &stats);
    uint64_t world = asbi_sim_world_trace(p->world);
    note(p, &world, sizeof(world));
    out->virtual_ns = asbi_now(p->world);
    out->items = p->accepted;
    out->items_ok = p->ok;
    out->calls = stats.calls;
    out->halt = stats.halt;
}

/* ---- the whole -------------------------------------------------------- */

static void run(struct play *p, struct outcome *out)
{
    bool more = true;

    while (more && !p->witness.broken[0]) {
        act(p);
        audit_engine(&p->witness, p->engine);
        if (p->engine->draining && asbi_engine_idle(p->engine))
            break;
        more = asbi_sim_world_step(p->world) || p->next < p->scenario.items;
        if (++out->steps > MOST_STEPS)
            witness_say(&p->witness, "no end after %d events", MOST_STEPS);
    }
    if (!more)
        witness_say(&p->witness,
                    "nothing more happens, but %zu of %zu items "
                    "are answered",
                    p->answered, p->accepted);
}

static void end(struct play *p, struct outcome *out)
{
    p->mem.fail_rate = 0;
    p->mem.fail_at = 0;
    asbi_engine_destroy(p->engine);
    if (p->mem.blocks || p->world_mem.blocks)
        witness_say(&p->witness, "%zu and %zu blocks of memory are left",
                    p->mem.blocks, p->world_mem.blocks);
    if (p->mem.most_bytes > MOST_BYTES)
        witness_say(&p->witness, "%zu bytes were held at once",
                    p->mem.most_bytes);
    out->most_bytes = p->mem.most_bytes;
    out->allocations = p->mem.asked;
    out->allocations_failed = p->mem.failed;
    out->trace = p->trace;
    (void)memcpy(out->broken, p->witness.broken, sizeof(out->broken));
    witness_fini(&p->witness);
    asbi_buf_fini(&p->expected);
    free(p->told);
}

void play_scenario(const struct scenario *s, struct outcome *out)
{
    struct play *p = calloc(1, sizeof(*p));

    *out = (struct outcome){ .broken = "no memory for the test" };
    if (!p)
        return;
    p->scenario = *s;
    if (begin(p)) {
        run(p, out);
        if (!p->witness.broken[0])
            finish(p, out);
    } else if (!s->no_memory_at) {
        witness_say(&p->witness, "the engine cannot be made");
    }
    end(p, out);
    free(p);
}

void play_seed(uint64_t seed, struct outcome *out)
{
    struct scenario s;

    scenario_draw(&s, seed);
    if (s.job)
        play_job(&s, out);
    else
        play_scenario(&s, out);
}
