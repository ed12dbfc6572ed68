/* How long calls would take on a lane: to see what a deadline allows. */
#include "engine/lane.h"

#include "scheduler/benefit.h"

/* The limiter's own start, when nothing was fixed. */
static const double usual_start = 8;

double asbi_lane_seconds(const struct asbi_lane *lane, uint64_t calls,
                         uint64_t input_tokens, uint64_t output_tokens)
{
    double now = asbi_limiter_limit(&lane->limiter);

    if (calls == 0)
        return 0;
    struct asbi_pace pace = {
        .calls_per_second = lane->requests.rate * 1e9,
        .tokens_per_second = lane->tokens.rate * 1e9,
        .in_flight_start = now > usual_start ? now : usual_start,
        .in_flight_most = lane->limiter.max,
        .call_seconds = asbi_latency_p95(&lane->latency, input_tokens / calls,
                                         output_tokens / calls),
    };
    if (pace.in_flight_start > pace.in_flight_most)
        pace.in_flight_start = pace.in_flight_most;
    return asbi_pace_seconds(&pace, calls,
                             (double)input_tokens + (double)output_tokens);
}
