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
    /* Of a native batch: the price in percent, the time it may take. */
    NATIVE_PERCENT = 50,
    NATIVE_SECONDS = 86400,
    OUTPUT_SLACK = 64,
};

static const double output_room = 1.3;

static struct asb_usage usage_alone(const struct asb_plan *p,
                                    const struct asbi_plan_kind *k)
{
    const struct asbi_lane *lane = p->engine->lane;
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
    const struct asbi_lane *lane = p->engine->lane;
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
    const struct asbi_lane *lane = p->engine->lane;
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

    *out = (struct asbi_plan_ways){ .packed = simulated, .single = simulated };
    if (k->packed && k->items)
        way_alone(p, k, &out->single);
    asbi_benefit_weigh(&out->packed, &out->single, &out->benefit);
    out->native = (struct asbi_way){ .calls = 1,
                                     .items_most = k->items,
                                     .seconds = NATIVE_SECONDS };
    out->native.cost = out->packed.cost < out->single.cost ? out->packed.cost
                                                           : out->single.cost;
    out->native.cost = out->native.cost / 100 * NATIVE_PERCENT;
    out->native.call_worst = out->native.cost;
}
