/*
 * pick.h -- the closed batch that goes next, by scheduler/priority.h, and what
 * the budget makes of it.
 */
#ifndef ASBI_PICK_H
#define ASBI_PICK_H

#include "scheduler/former.h"
#include "scheduler/priority.h"

struct asb_engine;
struct asbi_config;
struct asbi_demand;
struct asbi_item;

/* The engine's. */
struct asbi_pick {
    struct asbi_priority priority;
    struct asbi_contender *heads; /* one for each kind in former->ready */
    struct asbi_batch **batches;  /* of these */
    size_t count, cap;
    size_t chosen;    /* among them, by the last asbi_pick_next() */
    double mean_cost; /* of a batch, nano-dollars */
};

/* The rules of options priority_weights, class_shares and class_targets.
 * ASB_OK or ASB_ECONFIG. */
int asbi_pick_read(struct asbi_priority_rules *rules,
                   const struct asbi_config *c, struct asb_message *why);
/* Reads them.  ASB_OK or ASB_ECONFIG. */
int asbi_pick_init(struct asbi_pick *pick, const struct asb_engine *e,
                   struct asb_message *why);
/* Reads them again, while it runs; what was served stays served.  ASB_OK, or
 * ASB_ECONFIG and nothing has changed. */
int asbi_pick_set_rules(struct asbi_pick *pick, const struct asbi_config *c,
                        struct asb_message *why);
void asbi_pick_fini(struct asbi_pick *pick, const struct asbi_mem *mem);

/* Past the soft threshold of the budget background work is held back while
 * there is, or may still come, anything else to spend the rest on; unless all
 * of that shares answers to come of background work. */
bool asbi_pick_sheds(const struct asb_engine *e);

/* The next closed batch that may go, or NULL. */
struct asbi_batch *asbi_pick_next(struct asb_engine *e, uint64_t now);

/* The batch that asbi_pick_next() gave last was sent. */
void asbi_pick_sent(struct asb_engine *e, const struct asbi_demand *demand);

/* Whether an item answered now is late for its deadline or class. */
bool asbi_pick_is_late(const struct asb_engine *e, const struct asbi_item *item,
                       uint64_t now);

#endif
