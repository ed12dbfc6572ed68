/*
 * queue.h -- which items may share a call, and how they get into its batch.
 *
 * A kind is one class of one tenant, and for content requests one engine,
 * resolution and type; items of different kinds never meet in a prompt.  An
 * item that must go alone has a kind whose batches hold one.  Items that go
 * again have kinds of their own, so that they need not stand behind all that
 * was read since: rows wait for them.
 */
#ifndef ASBI_QUEUE_H
#define ASBI_QUEUE_H

#include "engine/engine.h"

/* Puts an item that is in no place into a batch.  ASB_OK, or ASB_ENOMEM with
 * the item still in no place. */
int asbi_queue_add(struct asb_engine *e, struct asbi_item *item, uint64_t now);

/* Takes an item that waits to be sent into a taken batch, whose kind it shares
 * from then on. */
void asbi_queue_join(struct asb_engine *e, struct asbi_item *item,
                     struct asbi_batch *taken);

/* Its place among the classes: 0 goes first. */
unsigned asbi_queue_urgency(enum asb_class priority);

/* The item is finished: its kind may go. */
void asbi_queue_leave(struct asb_engine *e, struct asbi_item *item);

/* Frees all kinds; no item may be queued. */
void asbi_queue_fini(struct asb_engine *e);

#endif
