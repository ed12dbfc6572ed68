/*
 * fault_mem.h -- an allocator that counts, and fails the n-th request.
 */
#ifndef ASBI_TESTS_FAULT_MEM_H
#define ASBI_TESTS_FAULT_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/mem.h"

struct fault_mem {
    struct asbi_mem mem; /* hand out &fm.mem */
    size_t seen;         /* requests so far */
    size_t fail_at;      /* 1-based; 0: never */
    bool for_ever;       /* every request from fail_at on fails */
    size_t live;         /* blocks not given back */
};

void fault_mem_init(struct fault_mem *fm, size_t fail_at);

/*
 * Leads a life, from its first allocation with `mem` to its last free, once
 * with the first allocation failing, once with the second, and so on, and at
 * last with none.  Nothing may be left of any of them; the last must say
 * ASB_OK, all others ASB_ENOMEM.  Returns how many allocations were made.
 */
size_t fault_sweep(int (*life)(const struct asbi_mem *mem, void *arg),
                   void *arg);

/* The same for what can do without some of its allocations: every life may say
 * ASB_OK, which is right when it checked itself that nothing was lost. */
size_t fault_sweep_spared(int (*life)(const struct asbi_mem *mem, void *arg),
                          void *arg);

#endif
