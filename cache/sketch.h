/*
 * sketch.h -- how often a key was asked for lately, roughly, in four bits: the
 * count-min sketch of TinyLFU (Einziger, Friedman, Manes).
 *
 * Never too low but for the limit of 15 and for ageing: every so many counts
 * all are halved, so that what was once popular is forgotten.
 */
#ifndef ASBI_CACHE_SKETCH_H
#define ASBI_CACHE_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"

struct asbi_sketch {
    const struct asbi_mem *mem;
    uint64_t *words; /* 16 counters each */
    size_t mask;     /* counters - 1 */
    uint64_t counted, period;
};

/* For about `entries` keys: 16 counters each, halved every 10 counts each.
 * ASB_OK or ASB_ENOMEM. */
int asbi_sketch_init(struct asbi_sketch *s, const struct asbi_mem *mem,
                     size_t entries);
void asbi_sketch_fini(struct asbi_sketch *s);

/* `hash` is of the key and well mixed. */
void asbi_sketch_count(struct asbi_sketch *s, uint64_t hash);
unsigned asbi_sketch_ask(const struct asbi_sketch *s, uint64_t hash);

#endif
