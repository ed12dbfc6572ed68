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

#endif
