/*
 * prefetch.h -- memory that is needed in a moment is on its way meanwhile.
 *
 * For what was touched long ago, so that the processor's cache has lost it, and
 * whose address is known some hundred nanoseconds before it is used.
 */
#ifndef ASBI_BASE_PREFETCH_H
#define ASBI_BASE_PREFETCH_H

/* Any address, also a wrong one. */
static inline void asbi_prefetch(const void *at)
{
    __builtin_prefetch(at);
    /* Compilers take a function that only prefetches for one that does nothing,
     * and leave it out. */
    __asm__ volatile("" : : "r"(at));
}

#endif
