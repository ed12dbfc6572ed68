/*
 * tiers.h -- where answers are kept beyond the process: opened as the options
 * say.
 */
#ifndef ASBI_TIERS_H
#define ASBI_TIERS_H

#include <asyncbatch/asyncbatch.h>

#include "engine/world.h"
#include "engine/recall.h"

/* The file; *out is NULL for none.  ASB_OK, ASB_ECONFIG, ASB_EIO or
 * ASB_ENOMEM. */
int asbi_tiers_file(const struct asbi_mem *mem,
                    const struct asb_options *options, struct asbi_store **out,
                    struct asb_message *why);

/* Whether the addresses of the remotes can be used.  ASB_OK or ASB_ECONFIG. */
int asbi_tiers_check(const struct asb_options *options,
                     struct asb_message *why);

/* The remotes, in a real world; NULL where there is none.  On an error those
 * that are open are the caller's to free. */
int asbi_tiers_remotes(struct asbi_world *world,
                       const struct asb_options *options,
                       struct asbi_remote *out[ASBI_REMOTES],
                       struct asb_message *why);

#endif
