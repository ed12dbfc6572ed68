/*
 * plan_ways.c -- what a kind's items would cost and how long they would take,
 * asked for in another way than the one simulated.
 */
#include "engine/plan.h"

#include <math.h>

#include "engine/base/units.h"

enum {
    /* As OpenAI documents its prompt cache. */
    CACHE_LEAST_TOKENS = 1024,
    CACHE_STEP = 128,
    NATIVE_SECONDS = 86400, /* that a batch at the provider may take */
    OUTPUT_SLACK = 64,
};

static const double output_room = 1.3;

static struct asb_usage usage_alone(const struct asb_plan *p,
                                    const struct asbi_plan_kind *k)
{
    const struct asbi_lane *lane = p->usual->engine->lane;
    uint64_t constant =
        asbi_calibrated(&lane->input_calibration, (double)lane->system_tokens);
    struct asb_usage usage = {
        .input_tokens = asbi_calibrated(&lane->input_calibration, k->raw_alone),
        .output_tokens = k->usage.output_tokens,
    };

    if (constant >= CACHE_LEAST_TOKENS)
        usage.cached_tokens =
            (k->items - 1) * (constant / CACHE_STEP * CACHE_STEP);
    return usage;
}

static void pace_alone(const struct asb_plan *p, const struct asbi_plan_kind *k,
                       const struct asb_usage *usage, struct asbi_pace *out)
{
    const struct asbi_lane *lane = p->usual->engine->lane;
    double most = lane->limiter.max;

    if (p->sim.capacity && (double)p->sim.capacity < most)
        most = (double)p->sim.capacity;
    *out = (struct asbi_pace){
        .calls_per_second = lane->requests.rate * 1e9,
        .tokens_per_second = lane->tokens.rate * 1e9,
        .in_flight_start = lane->limiter.fixed ? most : 8,
        .in_flight_most = most,
        .call_seconds =
            asbi_latency_expect(&lane->latency, usage->input_tokens / k->items,
                                usage->output_tokens / k->items),
    };
}

static void way_alone(const struct asb_plan *p, const struct asbi_plan_kind *k,
                      struct asbi_way *out)
{
    const struct asbi_lane *lane = p->usual->engine->lane;
    struct asb_usage usage = usage_alone(p, k);
    double tokens = (double)(usage.input_tokens + usage.output_tokens);
    struct asbi_pace pace;

    if (lane->provider.counts_max_tokens)
        tokens = fmax((double)usage.input_tokens,
                      (double)usage.output_tokens * output_room +
                          (double)(k->items * OUTPUT_SLACK));
    pace_alone(p, k, &usage, &pace);
    *out = (struct asbi_way){
        .calls = k->items,
        .items_most = 1,
        .cost = asbi_price_call(&lane->prices, &usage),
        .seconds = asbi_pace_seconds(&pace, k->items, tokens),
    };
    out->call_worst = out->cost / (int64_t)k->items;
}

/* What was simulated as direct calls, at the price of a batch. */
static void way_native(const struct asb_plan *p, const struct asbi_plan_kind *k,
                       struct asbi_plan_ways *out)
{
    const struct asbi_lane *lane = p->usual->engine->lane;
    const struct asbi_way *best =
        out->packed.cost < out->single.cost ? &out->packed : &out->single;

    out->native_offered = lane->provider.batches;
    out->native = *best;
    out->native.seconds = NATIVE_SECONDS;
    if (k->native_calls == 0)
        out->native.cost =
            asbi_price_part(best->cost, (unsigned)lane->provider.batch_percent);
    out->native.call_worst = out->native.cost;
}

/* A run that stops early is held against as many items one by one. */
static void keep_what_was_asked(const struct asb_plan *p,
                                struct asbi_plan_kind *k)
{
    struct asb_stats s = { .size = sizeof(s) };

    asb_engine_stats(p->usual->engine, &s);
    if (!s.halt || !k->items)
        return;
    k->raw_alone *= (double)k->ok / (double)k->items;
    k->items = k->ok;
}

void asbi_plan_ways(const struct asb_plan *p, const struct asbi_plan_kind *k,
                    struct asbi_plan_ways *out)
{
    struct asbi_way simulated = {
        .calls = k->calls,
        .items_most = k->items_most,
        .cost = k->cost,
        .call_worst = k->call_worst,
        .seconds = (double)(k->last_ns - k->first_ns) / 1e9,
    };

    struct asbi_plan_kind asked = *k;

    *out = (struct asbi_plan_ways){ .packed = simulated, .single = simulated };
    keep_what_was_asked(p, &asked);
    if (k->packed && asked.items)
        way_alone(p, &asked, &out->single);
    asbi_benefit_weigh(&out->packed, &out->single, &out->benefit);
    way_native(p, k, out);
}
