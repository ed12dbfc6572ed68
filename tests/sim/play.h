/*
 * play.h -- plays a scenario: the whole engine in the simulated world, a host
 * that submits, cancels, flushes and stops, and after each event the question
 * whether all is as it must be.
 */
#ifndef ASBI_TESTS_PLAY_H
#define ASBI_TESTS_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/witness.h"

struct outcome {
    char broken[WITNESS_BROKEN]; /* "" when all held */
    uint64_t trace;              /* of all events and answers */
    uint64_t virtual_ns, steps;
    uint64_t items, items_ok, calls;
    size_t most_bytes;
    size_t allocations, allocations_failed;
    enum asb_halt halt;
    uint64_t deaths; /* of a job's processes */
};

void play_seed(uint64_t seed, struct outcome *out);

/* The same with a scenario of one's own. */
void play_scenario(const struct scenario *s, struct outcome *out);

#endif
