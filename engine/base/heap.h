/*
 * heap.h -- intrusive binary heap, smallest key first, first come first served
 * among equal keys.
 *
 * The node sits inside the object; the heap owns only an array of pointers.
 */
#ifndef ASBI_BASE_HEAP_H
#define ASBI_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"

struct asbi_heap_node {
    uint64_t key;
    uint64_t turn; /* set by the heap: breaks ties in order of arrival */
    size_t at;     /* 1-based place in the heap; 0 while in none */
};

struct asbi_heap {
    const struct asbi_mem *mem;
    struct asbi_heap_node **nodes;
    size_t count, cap;
    uint64_t turn;
};

void asbi_heap_init(struct asbi_heap *h, const struct asbi_mem *mem);
void asbi_heap_fini(struct asbi_heap *h);

/* Makes room for `count` nodes in all, so that pushes up to there cannot fail.
 * Returns 0 or ASB_ENOMEM. */
int asbi_heap_reserve(struct asbi_heap *h, size_t count);

/* 0 or ASB_ENOMEM.  The node must be in no heap. */
int asbi_heap_push(struct asbi_heap *h, struct asbi_heap_node *n, uint64_t key);

/* Accepts a node that is in no heap. */
void asbi_heap_remove(struct asbi_heap *h, struct asbi_heap_node *n);

/* Moves a node of this heap to a new key. */
void asbi_heap_rekey(struct asbi_heap *h, struct asbi_heap_node *n,
                     uint64_t key);

/* NULL when empty. */
struct asbi_heap_node *asbi_heap_first(const struct asbi_heap *h);
struct asbi_heap_node *asbi_heap_pop(struct asbi_heap *h);

#endif
