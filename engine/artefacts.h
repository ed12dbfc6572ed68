/*
 * artefacts.h -- where fetched artefacts are put: all that the engine asks of
 * such a place.
 *
 * An artefact grows as a part, which survives its writer and is gone on with,
 * and gets its name when it is whole.  engine/real/artefact_dir.c keeps them in
 * a folder.
 */
#ifndef ASBI_ARTEFACTS_H
#define ASBI_ARTEFACTS_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/digest.h"

struct asbi_artefacts;
struct asbi_artefact; /* one that is being written */

struct asbi_artefacts_ops {
    /* Begins, or goes on with, the part of that name; *have is what is there
     * already.  The name is a plain file name.  ASB_OK, ASB_EIO (say() tells
     * why) or ASB_ENOMEM. */
    int (*open)(struct asbi_artefacts *a, const char *name,
                struct asbi_artefact **out, uint64_t *have);
    /* Drops what is there.  ASB_OK or ASB_EIO. */
    int (*restart)(struct asbi_artefact *f);
    int (*write)(struct asbi_artefact *f, const char *at, size_t len);
    /* Of all that is there, now. */
    int (*digest)(struct asbi_artefact *f,
                  unsigned char sha256[ASBI_DIGEST_BYTES]);
    /* It is whole: durable under `name`, which may have got an ending.  Appends
     * its path.  Frees it, also on ASB_EIO. */
    int (*finish)(struct asbi_artefact *f, const char *name,
                  struct asbi_buf *path);
    /* Leaves the part for later.  Frees it. */
    void (*close)(struct asbi_artefact *f);
    /* Removes the part.  Frees it. */
    void (*drop)(struct asbi_artefact *f);
    /* Appends the bytes of one that is whole, by the path that finish() told;
     * the buffer's bound is theirs.  ASB_OK or ASB_EIO. */
    int (*load)(struct asbi_artefacts *a, const char *path,
                struct asbi_buf *out);
    /* Why the last call failed; static or valid until the next. */
    const char *(*say)(const struct asbi_artefacts *a);
    void (*free)(struct asbi_artefacts *a);
};

/* First member of each implementation. */
struct asbi_artefacts {
    const struct asbi_artefacts_ops *ops;
};

#endif
