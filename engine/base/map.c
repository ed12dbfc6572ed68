#include "engine/base/map.h"

#include "engine/base/hash.h"
#include "engine/base/prefetch.h"

enum { FIRST_CAP = 64 };

void asbi_map_init(struct asbi_map *m, const struct asbi_mem *mem,
                   uint64_t seed)
{
    *m = (struct asbi_map){ .mem = mem, .seed = seed };
}

void asbi_map_fini(struct asbi_map *m)
{
    asbi_free(m->mem, m->slots);
    *m = (struct asbi_map){ .mem = m->mem, .seed = m->seed };
}

/* The slot of the key, or the free one where it would go. */
static struct asbi_map_slot *probe(const struct asbi_map *m, uint64_t hash,
                                   asbi_str key)
{
    size_t i = hash & (m->cap - 1);

    while (m->slots[i].value &&
           (m->slots[i].hash != hash || !asbi_str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

static int grow(struct asbi_map *m)
{
    struct asbi_map old = *m;

    m->cap = old.cap ? old.cap * 2 : FIRST_CAP;
    m->slots = asbi_calloc(m->mem, m->cap, sizeof(*m->slots));
    if (!m->slots) {
        *m = old;
        return ASB_ENOMEM;
    }
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].value)
            *probe(m, old.slots[i].hash, old.slots[i].key) = old.slots[i];
    }
    asbi_free(m->mem, old.slots);
    return ASB_OK;
}

void asbi_map_expect(const struct asbi_map *m, asbi_str key)
{
    if (m->count)
        asbi_prefetch(
            &m->slots[asbi_hash64(key.at, key.len, m->seed) & (m->cap - 1)]);
}

void *asbi_map_get(const struct asbi_map *m, asbi_str key)
{
    if (m->count == 0)
        return NULL;
    return probe(m, asbi_hash64(key.at, key.len, m->seed), key)->value;
}

int asbi_map_put(struct asbi_map *m, asbi_str key, void *value)
{
    uint64_t hash = asbi_hash64(key.at, key.len, m->seed);

    if (m->count + 1 > m->cap - m->cap / 4) {
        int rc = grow(m);
        if (rc)
            return rc;
    }
    struct asbi_map_slot *slot = probe(m, hash, key);
    m->count += !slot->value;
    *slot = (struct asbi_map_slot){ hash, key, value };
    return ASB_OK;
}

/* Closes the gap at `i`: moves back each follower that may not stay where it
 * is once a free slot stands before it (Knuth 6.4, algorithm R). */
static void close_gap(struct asbi_map *m, size_t i)
{
    size_t mask = m->cap - 1;

    for (size_t j = (i + 1) & mask; m->slots[j].value; j = (j + 1) & mask) {
        size_t home = m->slots[j].hash & mask;

        if (((j - home) & mask) >= ((j - i) & mask)) {
            m->slots[i] = m->slots[j];
            i = j;
        }
    }
    m->slots[i].value = NULL;
}

void *asbi_map_take(struct asbi_map *m, asbi_str key)
{
    if (m->count == 0)
        return NULL;
    struct asbi_map_slot *slot =
        probe(m, asbi_hash64(key.at, key.len, m->seed), key);
    void *value = slot->value;
    if (!value)
        return NULL;
    m->count--;
    close_gap(m, (size_t)(slot - m->slots));
    return value;
}
