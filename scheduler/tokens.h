/*
 * tokens.h -- estimates tokens without a tokenizer, and learns from the bill.
 *
 * One pass over UTF-8: code points are counted by class (Latin, digits, space,
 * Cyrillic, Han, ...) and weighted as measured on public vocabularies.  A text
 * is then off by a sixth, a batch of twenty by a tenth; what is billed corrects
 * that to 3 or 4 % (one batch in a hundred stays under by 10 % and more:
 * headroom).
 */
#ifndef ASBI_SCHEDULER_TOKENS_H
#define ASBI_SCHEDULER_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

enum asbi_vocabulary { ASBI_O200K, ASBI_CL100K };

/* "o200k", "o200k_base", "cl100k", "cl100k_base"; false for any other. */
bool asbi_vocabulary_find(const char *name, enum asbi_vocabulary *out);

/* Estimated tokens, uncalibrated.  Malformed UTF-8 counts as "other". */
double asbi_tokens_estimate(enum asbi_vocabulary v, asbi_str text);

/* One per model, task and language pair: EWMA of billed/estimated with alpha
 * 0.2, a plain mean of the first five; within [0.5, 3]. */
struct asbi_calibration {
    double factor;  /* on the raw estimate */
    uint64_t calls; /* learned from */
    bool exact;     /* what is off is only what stands around the texts */
};

/* `factor` is 1, or what is remembered from earlier: only until the first
 * bill. */
void asbi_calibration_init(struct asbi_calibration *c, double factor);

/* Headroom: 1.35 before three calls were seen, 1.15 after; where texts are
 * counted exactly, 1.15 and 1.05. */
double asbi_calibration_headroom(const struct asbi_calibration *c);

/* A call estimated (uncalibrated) at `estimated` was billed `billed`.  What is
 * not positive and finite teaches nothing. */
void asbi_calibration_learn(struct asbi_calibration *c, double estimated,
                            double billed);

/* The calibrated estimate, without headroom, at least 1 for `raw` > 0. */
uint64_t asbi_calibrated(const struct asbi_calibration *c, double raw);

/* Output per input token, for sizing: EWMA with alpha 0.1; to begin with a
 * mean in which the start counts as one call. */
struct asbi_ratio {
    double value;
    uint64_t calls;
};

void asbi_ratio_init(struct asbi_ratio *r, double start);
void asbi_ratio_learn(struct asbi_ratio *r, double input, double output);

#endif
