/*
 * cache_sqlite.h -- the file that answers are kept in across runs: SQLite, the
 * store of engine/store.h and what `asyncbatch cache` needs.
 *
 * Safe under a crash and under several processes: a write-ahead log, short
 * transactions, and never a long wait for another's lock.  Readable by its
 * owner only.  Knows nothing of what a record means.
 */
#ifndef ASBI_REAL_CACHE_SQLITE_H
#define ASBI_REAL_CACHE_SQLITE_H

#include <stdbool.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/mem.h"
#include "engine/store.h"

struct asbi_cache_file;

struct asbi_cache_file_options {
    const char *path;
    bool must_exist;    /* else it is made */
    uint64_t max_bytes; /* 0: no limit; what expires first makes room */
    uint64_t now_ms;    /* 0: as the system's clock says */
};

/**
 * Opens a cache and lets go of some of what has expired.
 * @return ASB_OK; ASB_ECONFIG for a file that is no cache or of another
 *         version, ASB_EIO or ASB_ENOMEM, with the reason in `why`
 */
int asbi_cache_file_open(const struct asbi_mem *mem,
                         const struct asbi_cache_file_options *options,
                         struct asbi_cache_file **out, struct asb_message *why);

/* Its face as a store, whose free() closes the file. */
struct asbi_store *asbi_cache_file_store(struct asbi_cache_file *f);

struct asbi_cache_file_stats {
    uint64_t answers, expired, file_bytes;
};

/* ASB_OK or ASB_EIO. */
int asbi_cache_file_stats(struct asbi_cache_file *f,
                          struct asbi_cache_file_stats *out);

/* Calls back for each entry, in order of keys; nonzero stops.  ASB_OK or
 * ASB_EIO. */
int asbi_cache_file_each(struct asbi_cache_file *f,
                         int (*each)(void *arg,
                                     const struct asbi_store_entry *entry),
                         void *arg);

/* Deletes what has expired, or all, and gives the room back.  ASB_OK or
 * ASB_EIO. */
int asbi_cache_file_purge(struct asbi_cache_file *f, bool all, uint64_t *count);

/* Milliseconds since 1970. */
uint64_t asbi_cache_file_now(void);

#endif
