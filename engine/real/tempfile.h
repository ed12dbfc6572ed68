/*
 * tempfile.h -- scratch space on disk without a name: gone with its last user,
 * also after a crash.
 */
#ifndef ASBI_REAL_TEMPFILE_H
#define ASBI_REAL_TEMPFILE_H

#include "engine/seen.h"

/* The argument of open() is a folder (const char *), or NULL for $TMPDIR, else
 * /tmp. */
extern const struct asbi_seen_store asbi_tempfile_store;

#endif
