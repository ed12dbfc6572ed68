/*
 * law.h -- how long calls took over a whole run, for a forecast of the next.
 *
 * The latency model (latency.h) follows the provider's mood, so it knows best
 * what ended last; of calls that went out together these are the slow ones.
 * Here all count alike: a line through seconds and size by weighted least
 * squares, scaled to what all calls together took; from sums that are halved
 * when they grow old.  The weights go by size alone: with what the model
 * expected, the slow calls of a wave, judged after its quick ones, would count
 * for more.
 *
 * A server that works on a few calls at once makes the others wait, so that
 * each takes as long as there are calls in flight: then seconds are divided by
 * these before the line is drawn.
 *
 * Refuses to read a slope out of calls of one size: then the line has the one
 * it is given, as far as that leaves no negative part.
 */
#ifndef ASBI_SCHEDULER_LAW_H
#define ASBI_SCHEDULER_LAW_H

#include <stdbool.h>
#include <stdint.h>

enum { ASBI_LAW_SUMS = 16 };

/* Sums over calls: their number, size and seconds; then, weighted, 1, size and
 * its square; seconds, size x seconds and seconds squared; the same of seconds
 * for each call in flight; calls in flight, their square, size x them, seconds
 * x them. */
struct asbi_law {
    double sum[ASBI_LAW_SUMS];
};

/* seconds = fixed + per_input x in + per_output x out, with nobody else there;
 * a single call differs from it by `sigma`, the deviation of its logarithm.
 * The server works on `capacity` calls at once; 0: on all, as far as seen. */
struct asbi_law_line {
    double fixed, per_input, per_output;
    double sigma;
    uint64_t capacity;
};

/* `beside`: calls in flight when it began, itself included. */
void asbi_law_learn(struct asbi_law *law, uint64_t input_tokens,
                    uint64_t output_tokens, double seconds, unsigned beside);

/* False, and *out untouched, before twenty calls.  `per_output`: the slope to
 * begin with. */
bool asbi_law_line(const struct asbi_law *law, double per_output,
                   struct asbi_law_line *out);

#endif
