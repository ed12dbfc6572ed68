/*
 * latency.h -- how long a call of a given size will take, learned online.
 *
 * Least squares on [1, in/1000, out/1000] without negative terms, with
 * forgetting (0.98), a Huber-clipped residual and a pull towards the law as it
 * was, and a multiplicative online quantile of the residual ratio.  It keeps
 * the sums of the normal equations and solves them anew each time: the
 * recursive form, which updates the inverse, loses its sign after some
 * thousand calls that are all alike, and diverges.
 *
 * Refuses nonsense: a sample that is not positive and finite is not learned,
 * and no answer is ever negative, infinite or not a number.
 */
#ifndef ASBI_SCHEDULER_LATENCY_H
#define ASBI_SCHEDULER_LATENCY_H

#include <stdint.h>

struct asbi_latency {
    double theta[3]; /* seconds, per 1000 input, per 1000 output tokens */
    double xx[3][3]; /* weighted sums over samples, the latest counting most */
    double xy[3];
    double sigma;    /* of relative residuals */
    double q95;      /* factor on the prediction */
    double usual[3]; /* features of an ordinary call: mean of the first ones */
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

/* How many times longer than a call of the size that came first (the mean of
 * twenty): not one of a fixed size, which may lie so far from all that were
 * seen that its prediction is a guess, and moves with every sample.  Knows
 * the shape of the law, not the server's mood: seconds divided by this are
 * what the limiter watches, since a prediction would follow a server that gets
 * slower and so hide it. */
double asbi_latency_relative(const struct asbi_latency *l,
                             uint64_t input_tokens, uint64_t output_tokens);

/* The 95th percentile: of twenty calls, one takes longer. */
double asbi_latency_p95(const struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens);

/* The same percentile as a line, for those who sum items up: seconds = fixed +
 * per_input x in + per_output x out.  No term is negative. */
struct asbi_latency_line {
    double fixed, per_input, per_output;
};

struct asbi_latency_line asbi_latency_p95_line(const struct asbi_latency *l);

#endif
