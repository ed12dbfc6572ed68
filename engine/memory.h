/*
 * memory.h -- how many bytes a run may hold, where the user left that to us.
 *
 * A default is raised when what is asked for needs more.  What the user named
 * stays as it is, and calls become as small or as few as that takes.
 */
#ifndef ASBI_MEMORY_H
#define ASBI_MEMORY_H

#include <stddef.h>

struct asb_engine;
struct asb_options;
struct asbi_lane;

/* Calls that were asked for by number must find their items. */
void asbi_memory_for_workers(struct asb_options *options);

/* Batches at the provider are in no hurry, but want to be large. */
void asbi_memory_for_native(struct asb_options *options);

/* A list of texts to embed is as long as the provider takes, and its answer a
 * good deal longer: makes room for a few of them, and sets the lane's caps
 * anew; but for what may go in batches.  `options` are the lane's. */
void asbi_memory_for_lists(struct asb_engine *e, struct asb_options *options,
                           struct asbi_lane *lane);

/* Sets e->room, when all of the above is done. */
void asbi_memory_begin(struct asb_engine *e);

/* What the answer to an item will hold beside the item. */
size_t asbi_memory_of_answer(const struct asb_engine *e);

#endif
