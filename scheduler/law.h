/*
 * law.h -- how long calls took over a whole run, for a forecast of the next.
 *
 * The latency model (latency.h) follows the provider's mood, so it knows best
 * what ended last; of calls that went out together these are the slow ones.
 * Here all count alike: a line through seconds and size by weighted least
 * squares (errors are taken as relative), and what all calls together took by
 * that line; from sums that are halved when they grow old.
 *
 * Refuses to read a slope out of calls of one size: then the line has the one
 * it is given, as far as that leaves no negative part.
 */
#ifndef ASBI_SCHEDULER_LAW_H
#define ASBI_SCHEDULER_LAW_H

#include <stdbool.h>
#include <stdint.h>

enum { ASBI_LAW_SUMS = 9 };

/* Sums over calls: their number, size and seconds; then, each divided by the
 * square of the seconds expected, 1, size, size^2, seconds, size x seconds,
 * seconds^2. */
struct asbi_law {
    double sum[ASBI_LAW_SUMS];
};

/* seconds = fixed + per_input x in + per_output x out; a single one differs
 * from it by `sigma`, the deviation of its logarithm.  All together took
 * `scale` times as long: where they had to wait for each other, many times. */
struct asbi_law_line {
    double fixed, per_input, per_output;
    double sigma, scale;
};

/* `expected`: what the call was thought to take, before. */
void asbi_law_learn(struct asbi_law *law, uint64_t input_tokens,
                    uint64_t output_tokens, double seconds, double expected);

/* False, and *out untouched, before twenty calls.  `crowded`: they waited for
 * each other, so time goes by size and there is no fixed part; a regression
 * would find the queue's history.  `per_output`: the slope to begin with. */
bool asbi_law_line(const struct asbi_law *law, bool crowded, double per_output,
                   struct asbi_law_line *out);

#endif
