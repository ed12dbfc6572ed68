/*
 * recall_near.h -- the part of recall that deals with items that are nearly
 * alike; how far that goes is option `reuse`:
 *
 *   hint      what is like an item is shown to the model with it, as an
 *             example, and alike items go together; nothing is taken over
 *   skeleton  for translations also: where only plain numbers and addresses
 *             differ, these are exchanged in the known one (cache/skeleton.h)
 *   verified  for classification also: the label of a near text is taken over
 *             where no guard objects (cache/guards.h), and only while samples
 *             show that this goes well (cache/trial.h)
 *
 * Only recall.c and recall_store.c ask for it.  Items of different tenants are
 * never near to each other.
 */
#ifndef ASBI_RECALL_NEAR_H
#define ASBI_RECALL_NEAR_H

#include "engine/engine.h"

/* What an item that is asked has from one that is near; owned by it. */
struct asbi_kin {
    asbi_str text, output; /* inside this block */
    double tokens;         /* of both */
    bool guesses;          /* the answer should be `output`: find out */
};

/* What an item brings into a prompt, in tokens before calibration. */
static inline double asbi_item_input(const struct asb_engine *e,
                                     const struct asbi_item *item)
{
    return item->input_estimate + (item->packed ? e->lane->item_frame : 0) +
           item->complaint_tokens + (item->kin ? item->kin->tokens : 0);
}

/* Before the task is made: whether it is to speak of examples. */
bool asbi_recall_shows_examples(const struct asbi_config *c);

/* ASB_OK, ASB_ECONFIG when the task cannot have this level, or ASB_ENOMEM. */
int asbi_recall_near_init(struct asb_engine *e, const char *task,
                          struct asb_message *why);

/* An item in no place that is about to be queued for the first time.  True when
 * it is answered, and only has to be finished. */
bool asbi_recall_near_ask(struct asb_engine *e, struct asbi_item *item);

/* An item is about to be done. */
void asbi_recall_near_settle(struct asb_engine *e, struct asbi_item *item);

/* A record was made of an item's answer: keeps another for its skeleton. */
void asbi_recall_near_keep(struct asb_engine *e, const struct asbi_item *item);

#endif
