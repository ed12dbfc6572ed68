/*
 * memory.h -- answers kept in memory, bounded by bytes.
 *
 * W-TinyLFU (Einziger, Friedman, Manes 2017): a newcomer passes a small window
 * by recency (1 % of the room) and enters the main part, a segmented LRU of
 * probation and protection (20 to 80), only when it is worth more than what
 * would have to go: how often a key was asked for times what its answer cost.
 * A file that is run again and is larger than the cache thus keeps a part of
 * its lines here, where recency alone would keep none.
 *
 * Pure: time is an argument.  What has expired is dropped when it is asked for
 * and by a hand that looks at a few places at each insertion.
 */
#ifndef ASBI_CACHE_MEMORY_H
#define ASBI_CACHE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"
#include "engine/base/mem.h"

struct asbi_memory_options {
    size_t max_bytes;   /* keys, records and what holds them */
    uint64_t max_items; /* 0: no limit but bytes */
    bool lru;           /* recency alone decides */
    uint64_t seed;      /* of the table */
};

struct asbi_memory_stats {
    uint64_t items, bytes;
    uint64_t hits, misses;
    uint64_t evicted, refused, expired;
};

/* What is kept with a record. */
struct asbi_memory_note {
    int64_t worth;       /* nano-dollars it saves; below 1 counts as 1 */
    uint64_t expires_ms; /* on the clock that `now_ms` is read from */
    bool mark, lent;     /* the owner's */
};

struct asbi_memory;

/* ASB_OK or ASB_ENOMEM. */
int asbi_memory_new(const struct asbi_mem *mem,
                    const struct asbi_memory_options *options,
                    struct asbi_memory **out);

/* Accepts NULL. */
void asbi_memory_free(struct asbi_memory *m);

/* The key will be asked for, or something be put there, in a moment. */
void asbi_memory_expect(const struct asbi_memory *m,
                        const struct asbi_cache_key *key);

/* Finds a record, which lives until something is put or dropped; counts as
 * use.  False when there is none. */
bool asbi_memory_get(struct asbi_memory *m, const struct asbi_cache_key *key,
                     uint64_t now_ms, asbi_str *record,
                     struct asbi_memory_note *note);

/* Keeps a copy of a record, in place of an older one, if it is worth its room.
 * Out of memory keeps nothing. */
void asbi_memory_put(struct asbi_memory *m, const struct asbi_cache_key *key,
                     asbi_str record, const struct asbi_memory_note *note,
                     uint64_t now_ms);

void asbi_memory_drop(struct asbi_memory *m, const struct asbi_cache_key *key);
void asbi_memory_clear(struct asbi_memory *m);

void asbi_memory_stats(const struct asbi_memory *m,
                       struct asbi_memory_stats *out);

/* What an entry of this many bytes takes of `max_bytes`. */
size_t asbi_memory_weight(size_t record_len);

#endif
