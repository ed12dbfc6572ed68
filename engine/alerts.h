/*
 * alerts.h -- tells people how much of the budget is gone: to the log, into
 * the statistics, and to an address of theirs.
 *
 * The message to that address carries numbers, provider and model, never the
 * provider's key or anything of an item.  Whether it arrives changes nothing
 * else; it is tried once for each level.
 */
#ifndef ASBI_ALERTS_H
#define ASBI_ALERTS_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/transport.h"

struct asb_engine;
struct asb_message;
struct asbi_config;

enum { ASBI_ALERTS_MAX = 8 };

struct asbi_alerts {
    struct asb_engine *engine;
    unsigned levels[ASBI_ALERTS_MAX]; /* percent of the budget, rising */
    size_t count, passed, posted;
    bool told_shed;

    /* -- the message on its way */
    struct asbi_exchange exchange;
    struct asbi_endpoint endpoint;
    struct asbi_buf body;
    bool busy;
    bool ended; /* since asbi_alerts_check() was last called */
};

/* The levels of option budget_alerts.  ASB_OK or ASB_ECONFIG. */
int asbi_alerts_read(struct asbi_alerts *a, const struct asbi_config *c,
                     struct asb_message *why);

/* Reads them, and where to tell of them.  ASB_OK or ASB_ECONFIG. */
int asbi_alerts_init(struct asbi_alerts *a, struct asb_engine *e,
                     struct asb_message *why);

/* Calls a message back that is on its way.  Accepts what was never
 * initialised, but zeroed. */
void asbi_alerts_fini(struct asbi_alerts *a);

/* Tells of each level that was passed.  True when a message's end may be what
 * the engine's owner waits for. */
bool asbi_alerts_check(struct asbi_alerts *a);

/* Once: background work is held back from now on. */
void asbi_alerts_shedding(struct asbi_alerts *a);

#endif
