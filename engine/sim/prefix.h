/*
 * prefix.h -- the provider's prompt cache: which beginnings of prompts it has
 * seen of late.
 *
 * As documented by OpenAI: prompts of 1024 tokens and more, in steps of 128,
 * kept for five minutes after the last use.
 */
#ifndef ASBI_SIM_PREFIX_H
#define ASBI_SIM_PREFIX_H

#include <stddef.h>
#include <stdint.h>

enum { ASBI_SIM_PREFIXES = 64 };

struct asbi_sim_prefix {
    uint64_t hash;
    uint64_t used_at_ns;
    uint64_t tokens; /* 0: free */
};

struct asbi_sim_prefixes {
    struct asbi_sim_prefix slots[ASBI_SIM_PREFIXES];
};

/* How many of a prefix's tokens the cache serves; remembers it for the next
 * time, in place of the one unused for longest. */
uint64_t asbi_sim_prefix_use(struct asbi_sim_prefixes *p, uint64_t hash,
                             uint64_t tokens, uint64_t now_ns);

#endif
