#include "engine/sim/prefix.h"

#include "engine/base/units.h"

enum { LEAST_TOKENS = 1024, STEP = 128 };
#define LIFETIME (300 * ASBI_SECOND)

static struct asbi_sim_prefix *oldest(struct asbi_sim_prefixes *p)
{
    struct asbi_sim_prefix *found = &p->slots[0];

    for (size_t i = 1; i < ASBI_SIM_PREFIXES; i++) {
        if (p->slots[i].used_at_ns < found->used_at_ns)
            found = &p->slots[i];
    }
    return found;
}

static struct asbi_sim_prefix *find(struct asbi_sim_prefixes *p, uint64_t hash,
                                    uint64_t tokens)
{
    for (size_t i = 0; i < ASBI_SIM_PREFIXES; i++) {
        if (p->slots[i].hash == hash && p->slots[i].tokens == tokens)
            return &p->slots[i];
    }
    return NULL;
}

uint64_t asbi_sim_prefix_use(struct asbi_sim_prefixes *p, uint64_t hash,
                             uint64_t tokens, uint64_t now_ns)
{
    if (tokens < LEAST_TOKENS)
        return 0;
    struct asbi_sim_prefix *known = find(p, hash, tokens);
    uint64_t served = 0;

    if (known && now_ns - known->used_at_ns <= LIFETIME)
        served = tokens / STEP * STEP;
    if (!known)
        known = oldest(p);
    *known = (struct asbi_sim_prefix){ hash, now_ns, tokens };
    return served;
}
