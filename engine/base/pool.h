/*
 * pool.h -- an allocator in front of another.  Small blocks that are freed are
 * kept for the next of their size, the last one first: the processor's cache
 * still has it.
 *
 * For one owner in one thread whose blocks come and go by the thousand in a
 * few sizes.  Keeps a bounded number of bytes; large blocks pass through.  Not
 * for builds that look for the use of freed memory.
 */
#ifndef ASBI_BASE_POOL_H
#define ASBI_BASE_POOL_H

#include "engine/base/mem.h"

enum {
    ASBI_POOL_STEP = 64,    /* sizes are rounded up to this */
    ASBI_POOL_CLASSES = 64, /* so blocks of up to 4 KiB are kept */
    ASBI_POOL_KEEPS = 1 << 22,
};

struct asbi_pool_block;

struct asbi_pool {
    struct asbi_mem mem; /* what is allocated with; points to the pool */
    const struct asbi_mem *below;
    struct asbi_pool_block *spare[ASBI_POOL_CLASSES];
    size_t spare_bytes;
};

/* Whether this build looks for the use of freed memory. */
#if defined(__SANITIZE_ADDRESS__)
#define ASBI_POOL_HIDES_FAULTS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASBI_POOL_HIDES_FAULTS 1
#endif
#endif
#ifndef ASBI_POOL_HIDES_FAULTS
#define ASBI_POOL_HIDES_FAULTS 0
#endif

/* Keeps `below`.  The pool must stay where it is. */
void asbi_pool_init(struct asbi_pool *p, const struct asbi_mem *below);

/* Gives back what is kept; blocks still in use are lost. */
void asbi_pool_fini(struct asbi_pool *p);

#endif
