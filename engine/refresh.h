/*
 * refresh.h -- answers that are asked for anew in the background, while the
 * known one serves.
 *
 * Such an item is nobody's: no callback, none of the items that are counted,
 * last in the queue.  What it costs is part of the run's cost.
 */
#ifndef ASBI_REFRESH_H
#define ASBI_REFRESH_H

#include "engine/engine.h"

/* `item` was just answered by what expires then: asks anew if it is time, and
 * nobody does so already.  Without memory it is left for the next time. */
void asbi_refresh(struct asb_engine *e, const struct asbi_item *item,
                  const struct asbi_cache_key *key, uint64_t expires_ms);

/* The share of an answer's life in a store that is past its time. */
static inline uint64_t asbi_stale_ms(const struct asb_engine *e)
{
    return e->config->cache_stale_ns / UINT64_C(1000000);
}

#endif
