/*
 * meter.h -- an allocator that knows what is held, and fails at random places
 * that follow from a seed.
 */
#ifndef ASBI_TESTS_METER_H
#define ASBI_TESTS_METER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/mem.h"
#include "engine/base/rng.h"

struct meter {
    struct asbi_mem mem; /* hand out &m.mem */
    size_t blocks, bytes, most_bytes;
    size_t asked, failed;
    struct asbi_rng rng;
    double fail_rate; /* of each request; set while it shall hurt */
    size_t fail_at;   /* this one, 1-based; 0: none */
    bool fail_after;  /* and all that come later */
};

void meter_init(struct meter *m, uint64_t seed);

#endif
