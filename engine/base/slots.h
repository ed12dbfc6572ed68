/*
 * slots.h -- numbers for objects: never 0, never reused, looked up in O(1).
 *
 * A number is a place in a table and the place's generation, so that a stale
 * number finds nothing instead of somebody else.
 */
#ifndef ASBI_BASE_SLOTS_H
#define ASBI_BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"

struct asbi_slot {
    void *object; /* NULL: free */
    uint64_t generation;
    uint32_t next_free; /* 1-based; 0: none */
};

struct asbi_slots {
    const struct asbi_mem *mem;
    struct asbi_slot *slots;
    uint32_t cap, used, first_free; /* first_free is 1-based */
};

void asbi_slots_init(struct asbi_slots *s, const struct asbi_mem *mem);
void asbi_slots_fini(struct asbi_slots *s);

/* The object's number, or 0 when out of memory (or 16 million are held). */
uint64_t asbi_slots_add(struct asbi_slots *s, void *object);

/* NULL for a number that is not in use. */
void *asbi_slots_get(const struct asbi_slots *s, uint64_t number);
void asbi_slots_remove(struct asbi_slots *s, uint64_t number);

/* The number of an object that `is` says yes to, or 0.  Goes through them all:
 * for what is seldom asked. */
uint64_t asbi_slots_find(const struct asbi_slots *s,
                         bool (*is)(const void *object, const void *arg),
                         const void *arg);

#endif
