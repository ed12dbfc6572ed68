/*
 * stats.c -- the counters as one snapshot, with what is derived from them.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"

/* Seconds that rate limits and blocks alone will take for what is queued. */
static double floor_seconds(const struct asb_engine *e, double work,
                            uint64_t now)
{
    const struct asbi_lane *lane = e->lane;
    double seconds = 0;

    if (lane->tokens.rate > 0)
        seconds = work / lane->tokens.rate / 1e9;
    if (lane->blocked_until_ns > now)
        seconds += (double)(lane->blocked_until_ns - now) / 1e9;
    return seconds;
}

static void fill_derived(const struct asb_engine *e, struct asb_stats *s)
{
    uint64_t now = e->world->ops->now(e->world);
    double left = e->work_accepted - e->work_done;
    const struct asbi_lane *lane = e->lane;

    s->reserved_nano_usd = lane->budget.reserved;
    s->in_flight = (unsigned)(e->calls.count + asbi_media_count(&e->media));
    s->concurrency_limit = asbi_limiter_limit(&lane->limiter);
    s->rate_limited = e->closed_gate == ASBI_GATE_RATE ||
                      (e->closed_gate == ASBI_GATE_BLOCKED && lane->throttles);
    s->blocked_ms = lane->blocked_until_ns > now
                        ? (lane->blocked_until_ns - now) / ASBI_MS
                        : 0;
    s->eta_seconds =
        asbi_eta_left(&e->eta, left, floor_seconds(e, left, now), now);
    s->halt = lane->halt;
    (void)snprintf(s->halt_reason, sizeof(s->halt_reason), "%s",
                   lane->halt_reason);
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
