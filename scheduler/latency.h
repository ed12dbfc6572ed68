/*
 * latency.h -- how long a call of a given size will take, learned online.
 *
 * Recursive least squares on [1, in/1000, out/1000] with a bounded covariance
 * and a Huber-clipped residual, and a multiplicative online quantile of the
 * residual ratio (research on algorithms, section 1.2).
 */
#ifndef ASBI_SCHEDULER_LATENCY_H
#define ASBI_SCHEDULER_LATENCY_H

#include <stdint.h>

struct asbi_latency {
    double theta[3]; /* seconds, per 1000 input, per 1000 output tokens */
    double p[3][3];
    double sigma; /* of relative residuals */
    double q95;   /* factor on the prediction */
    uint64_t samples;
};

/* `ms_per_token`: what a catalogue or the user knows of output tokens; 0 for
 * a mild default. */
void asbi_latency_init(struct asbi_latency *l, double ms_per_token);

void asbi_latency_learn(struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens, double seconds);

/* Expected seconds, at least 0.001. */
double asbi_latency_expect(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens);

/* The 95th percentile. */
double asbi_latency_p95(const struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens);

#endif
