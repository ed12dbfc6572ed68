/*
 * map.h -- bytes -> pointer, open addressing with linear probing, seeded.
 *
 * Keys are borrowed: they live inside the value or beside it, and must stay
 * as they are while in the map.
 */
#ifndef ASBI_BASE_MAP_H
#define ASBI_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_map_slot {
    uint64_t hash;
    asbi_str key;
    void *value; /* NULL: free */
};

struct asbi_map {
    const struct asbi_mem *mem;
    struct asbi_map_slot *slots;
    size_t cap; /* power of two, or 0 */
    size_t count;
    uint64_t seed;
};

void asbi_map_init(struct asbi_map *m, const struct asbi_mem *mem,
                   uint64_t seed);
void asbi_map_fini(struct asbi_map *m);

/* The key will be asked for in a moment: see prefetch.h. */
void asbi_map_expect(const struct asbi_map *m, asbi_str key);

/* NULL for none. */
void *asbi_map_get(const struct asbi_map *m, asbi_str key);

/* Sets or replaces; `value` is not NULL.  ASB_OK or ASB_ENOMEM. */
int asbi_map_put(struct asbi_map *m, asbi_str key, void *value);

/* Removes and returns the value, or NULL. */
void *asbi_map_take(struct asbi_map *m, asbi_str key);

#endif
