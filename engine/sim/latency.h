/*
 * latency.h -- how long the simulated provider takes for a call.
 *
 * A law with a few numbers; draws come from the caller's random numbers.  It
 * knows nothing of queues: waiting for a free place is the provider's part.
 */
#ifndef ASBI_SIM_LATENCY_H
#define ASBI_SIM_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/rng.h"
#include "engine/base/str.h"

/*
 * (base + per_input_token * in + per_output_token * out) * factor, where
 * ln(factor) is normal with mean 0 and deviation sigma: the median factor is
 * 1.  With `uniform`, base is drawn evenly from an interval.  All 0: at once.
 */
struct asbi_sim_latency {
    uint64_t base_ns;
    uint64_t uniform_from_ns, uniform_to_ns; /* both 0: base_ns counts */
    uint64_t per_input_token_ns, per_output_token_ns;
    uint64_t ttft_ns; /* first token of a stream; 0: base and input part */
    double sigma;
};

/* When the answer comes, counted from the start of service. */
struct asbi_sim_delay {
    uint64_t first_ns; /* first token; what a stream shows */
    uint64_t total_ns; /* all of it; first_ns <= total_ns */
};

/**
 * Reads "base=200ms,per_output_token=1ms,sigma=0.3", also with
 * "uniform=100ms-300ms", "per_input_token=..." and "ttft=...".  A bare number
 * is milliseconds; an empty text gives no latency at all.
 * @return ASB_OK, or ASB_ECONFIG with the key at fault in `why`
 */
int asbi_sim_latency_parse(asbi_str text, struct asbi_sim_latency *out,
                           struct asb_message *why);

/* One draw; never more than a day. */
struct asbi_sim_delay asbi_sim_latency_draw(const struct asbi_sim_latency *law,
                                            struct asbi_rng *rng,
                                            uint64_t input_tokens,
                                            uint64_t output_tokens);

#endif
