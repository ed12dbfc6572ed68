/*
 * stats.c -- the counters as one snapshot, with what is derived from them.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"

/* Of the lanes that share the work, or of those that took it over. */
static bool counts(const struct asb_engine *e, const struct asbi_lane *lane)
{
    bool shared = false;

    for (size_t i = 0; i < e->routes.count; i++)
        shared =
            shared || (e->routes.lanes[i]->weight && !e->routes.lanes[i]->halt);
    return !lane->halt && (lane->weight || !shared);
}

/* When the first lane may be asked again; 0: one may now. */
static uint64_t blocked_ns(const struct asb_engine *e, uint64_t now)
{
    uint64_t least = ASBI_NEVER;

    for (size_t i = 0; i < e->routes.count; i++) {
        const struct asbi_lane *lane = e->routes.lanes[i];
        uint64_t until = lane->blocked_until_ns;

        if (counts(e, lane) && until < least)
            least = until;
    }
    return least != ASBI_NEVER && least > now ? least - now : 0;
}

/* Seconds that rate limits and blocks alone will take for what is queued. */
static double floor_seconds(const struct asb_engine *e, double work,
                            uint64_t now)
{
    double rate = 0;

    for (size_t i = 0; i < e->routes.count; i++) {
        const struct asbi_lane *lane = e->routes.lanes[i];

        if (!counts(e, lane))
            continue;
        if (lane->tokens.rate <= 0) { /* one without a limit sets none */
            rate = 0;
            break;
        }
        rate += lane->tokens.rate;
    }
    return (rate > 0 ? work / rate / 1e9 : 0) +
           (double)blocked_ns(e, now) / 1e9;
}

static bool is_throttled(const struct asb_engine *e)
{
    for (size_t i = 0; i < e->routes.count; i++) {
        if (e->routes.lanes[i]->throttles)
            return true;
    }
    return false;
}

static void fill_derived(const struct asb_engine *e, struct asb_stats *s)
{
    uint64_t now = e->world->ops->now(e->world);
    double left = e->work_accepted - e->work_done;
    const struct asbi_lane *over = asbi_routes_over(e);

    s->reserved_nano_usd = e->purse.budget.reserved;
    s->in_flight = (unsigned)(e->calls.count + asbi_media_count(&e->media));
    s->concurrency_limit = asbi_routes_limit(e);
    s->rate_limited = e->closed_gate == ASBI_GATE_RATE ||
                      (e->closed_gate == ASBI_GATE_BLOCKED && is_throttled(e));
    s->blocked_ms = blocked_ns(e, now) / ASBI_MS;
    s->eta_seconds =
        asbi_eta_left(&e->eta, left, floor_seconds(e, left, now), now);
    s->halt = over ? over->halt : ASB_RUNNING;
    (void)snprintf(s->halt_reason, sizeof(s->halt_reason), "%s",
                   over ? over->halt_reason : "");
}

static void fill_tiers(const struct asb_engine *e, struct asb_stats *s)
{
    const struct asb_tier *tiers = e->recall.tiers;

    s->tiers[ASB_TIER_MEMORY] = tiers[ASBI_TIER_MEMORY];
    s->tiers[ASB_TIER_FILE] = tiers[ASBI_TIER_FILE];
    s->tiers[ASB_TIER_REDIS] = tiers[ASBI_TIER_REDIS];
    s->tiers[ASB_TIER_HTTP] = tiers[ASBI_TIER_HTTP];
}

double asbi_engine_call_seconds(const struct asb_engine *e)
{
    const struct asb_stats *s = &e->stats;

    return s->batches ? asbi_latency_p95(&e->lane->latency,
                                         s->input_tokens / s->batches,
                                         s->output_tokens / s->batches)
                      : 0;
}

void asb_engine_stats(const struct asb_engine *e, struct asb_stats *stats)
{
    struct asb_stats all = e->stats;
    size_t size = stats->size < sizeof(all) ? stats->size : sizeof(all);

    all.size = size;
    fill_derived(e, &all);
    fill_tiers(e, &all);
    memcpy(stats, &all, size);
}

bool asb_engine_route(const struct asb_engine *e, size_t index,
                      struct asb_route *route)
{
    if (index >= e->routes.count)
        return false;
    const struct asbi_lane *lane = e->routes.lanes[index];
    struct asb_route all = {
        .name = lane->name,
        .provider = lane->config->provider,
        .model = lane->config->model,
        .weight = lane->weight,
        .calls = lane->calls,
        .items = lane->items,
        .cost_nano_usd = lane->cost,
        .in_flight = lane->limiter.in_flight,
        .concurrency_limit = asbi_limiter_limit(&lane->limiter),
        .halt = lane->halt,
        .halt_reason = lane->halt_reason,
    };
    size_t size = route->size < sizeof(all) ? route->size : sizeof(all);

    all.size = size;
    memcpy(route, &all, size);
    return true;
}
