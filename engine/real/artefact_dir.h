/*
 * artefact_dir.h -- artefacts in a folder: NAME.part while they grow, synced to
 * the disk and renamed when they are whole.
 *
 * A part that is there already is read once, for its digest.  It is locked: a
 * second run that fetches the same is refused.  What is finished replaces what
 * had its name before.
 */
#ifndef ASBI_REAL_ARTEFACT_DIR_H
#define ASBI_REAL_ARTEFACT_DIR_H

#include <asyncbatch/asyncbatch.h>

#include "engine/artefacts.h"
#include "engine/base/mem.h"

/* Makes the folder when it is not there.  ASB_OK and *out, ASB_EIO with the
 * reason, or ASB_ENOMEM. */
int asbi_artefact_dir_open(const struct asbi_mem *mem, const char *path,
                           struct asbi_artefacts **out,
                           struct asb_message *why);

#endif
