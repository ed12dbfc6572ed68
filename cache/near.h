/*
 * near.h -- texts that were asked lately, found again by what is like them.
 *
 * MinHash (minhash.h) with locality-sensitive hashing: the signature is cut
 * into 21 bands of 6 numbers, and texts that agree in one whole band are
 * compared shingle by shingle.  Two texts with a Jaccard similarity of 0.8 so
 * meet with probability 1 - (1 - 0.8^6)^21 = 0.998, those with 0.5 with 0.28;
 * the comparison lets none through that is below the threshold.
 *
 * The oldest go first.  About 350 bytes for each beside its texts.  Knows
 * nothing of whether what is like a text may stand for it: that is
 * guards.h's, skeleton.h's and the engine's.
 */
#ifndef ASBI_CACHE_NEAR_H
#define ASBI_CACHE_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_near_options {
    size_t max_bytes;
    double threshold; /* least similarity, above 0 */
    uint64_t seed;
};

/* A text like the one that was looked at.  Lives until the next change. */
struct asbi_near_match {
    double similarity;
    asbi_str text;
    asbi_str output; /* at NULL: not answered yet */
    uint64_t owner;  /* as given */
};

struct asbi_near;

/* ASB_OK or ASB_ENOMEM. */
int asbi_near_new(const struct asbi_mem *mem,
                  const struct asbi_near_options *options,
                  struct asbi_near **out);
void asbi_near_free(struct asbi_near *n); /* accepts NULL */

/* Makes `text` the one that the next two are about; borrowed until then.  Only
 * texts of one `space` are like each other.  False when it is too short or too
 * long to be like any other. */
bool asbi_near_look(struct asbi_near *n, uint64_t space, asbi_str text);

/* Calls back for what is like it, at most some dozens, in no order that
 * matters; false stops. */
void asbi_near_each(struct asbi_near *n,
                    bool (*each)(void *arg, const struct asbi_near_match *m),
                    void *arg);

/* Takes it in.  Its number, or 0 when there is no room or memory for it. */
uint64_t asbi_near_add(struct asbi_near *n, uint64_t owner);

/* Gives a text its answer, copied; without memory it stays unanswered.  What is
 * gone already is ignored. */
void asbi_near_answer(struct asbi_near *n, uint64_t number, asbi_str output);

/* Forgets a text; ignores what is gone. */
void asbi_near_drop(struct asbi_near *n, uint64_t number);

/* Bytes taken now, and texts held. */
size_t asbi_near_bytes(const struct asbi_near *n, size_t *texts);

#endif
