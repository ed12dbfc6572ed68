/*
 * tiers.h -- where answers are kept beyond the process: opened as the options
 * say.
 */
#ifndef ASBI_TIERS_H
#define ASBI_TIERS_H

#include <asyncbatch/asyncbatch.h>

#include "engine/real/parts.h"
#include "engine/recall.h"

/* The file; *out is NULL for none.  ASB_OK, ASB_ECONFIG, ASB_EIO or
 * ASB_ENOMEM. */
int asbi_tiers_file(const struct asbi_mem *mem,
                    const struct asb_options *options, struct asbi_store **out,
                    struct asb_message *why);

/* The remotes; NULL where there is none.  On an error none is left open. */
int asbi_tiers_remotes(const struct asbi_parts *parts,
                       const struct asb_options *options,
                       struct asbi_remote *out[ASBI_REMOTES],
                       struct asb_message *why);

#endif
