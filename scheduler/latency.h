/*
 * latency.h -- how long a call of a given size will take, learned online.
 *
 * A lasting law, times the server's passing mood.  The law is least squares on
 * [1, in/1000, out/1000] without negative terms, with slow forgetting (0.999),
 * so that it has seen small calls and large ones, a Huber-clipped residual and
 * a pull towards the law as it was.  The mood is what the latest calls took
 * beside what the law says of them; a multiplicative online quantile of the
 * residual ratio makes the p95 of that.  It keeps the sums of the normal
 * equations and solves them anew each time: the recursive form, which updates
 * the inverse, loses its sign after some thousand calls that are all alike, and
 * diverges.
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
    double sigma;         /* of relative residuals */
    double q95;           /* factor on the prediction */
    double usual[3];      /* features of the latest calls, on average */
    double usual_seconds; /* what they took */
    uint64_t samples;
};

/* `ms_per_token`: what a catalogue or the user knows of output tokens; 0 for
 * a mild default. */
void asbi_latency_init(struct asbi_latency *l, double ms_per_token);

/* Term `i` of theta is to be believed as firmly as `evidence` says, by itself:
 * 1 / variance, in the deviations of a sample. */
void asbi_latency_believe(struct asbi_latency *l, int i, double evidence);

void asbi_latency_learn(struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens, double seconds);

/* Of an answer that was streamed: its first byte came after `first` seconds.
 * That tells what a call takes before its first token from what each token
 * takes, which whole calls of one size never would.  `first` <= 0, or near the
 * end: as asbi_latency_learn(). */
void asbi_latency_learn_stream(struct asbi_latency *l, uint64_t input_tokens,
                               uint64_t output_tokens, double first,
                               double seconds);

/* Expected seconds, at least 0.001. */
double asbi_latency_expect(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens);

/* By the lasting law alone, in seconds of the server's long-run mood: good for
 * comparing sizes.  Seconds divided by asbi_latency_expect() would follow a
 * server that gets slower, and so hide it. */
double asbi_latency_by_law(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens);

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
