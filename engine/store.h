/*
 * store.h -- where answers outlive the process: all that the engine asks of
 * such a place.
 *
 * Looked at and written to in turns of the loop, a bounded batch at a time.  A
 * store is never worth a run: what it cannot give is asked of the provider.
 */
#ifndef ASBI_STORE_H
#define ASBI_STORE_H

#include <stdint.h>

#include "cache/key.h"
#include "engine/base/buf.h"

struct asbi_store;

/* One answer to keep. */
struct asbi_store_entry {
    struct asbi_cache_key key;
    uint64_t expires_ms; /* since 1970 */
    asbi_str record;
};

struct asbi_store_ops {
    /* Around a batch of get(), which is then cheaper.  May do nothing. */
    void (*begin)(struct asbi_store *s);
    void (*end)(struct asbi_store *s);

    /* Appends the record of a key and sets its time.  What has expired by
     * `now_ms` is not found.  ASB_OK, ASB_ENOENT, or ASB_EIO when the store
     * is of no use any more. */
    int (*get)(struct asbi_store *s, const struct asbi_cache_key *key,
               uint64_t now_ms, struct asbi_buf *record, uint64_t *expires_ms);

    /* All or nothing; replaces older ones.  ASB_OK, ASB_EBUSY when another
     * process writes (try later), or ASB_EIO. */
    int (*put)(struct asbi_store *s, const struct asbi_store_entry *entries,
               size_t count);

    /* Forgets an answer; NULL: it cannot. */
    void (*drop)(struct asbi_store *s, const struct asbi_cache_key *key);

    /* The run is over: put() may wait some seconds for others from now on. */
    void (*last)(struct asbi_store *s);

    void (*free)(struct asbi_store *s);
};

/* First member of each implementation. */
struct asbi_store {
    const struct asbi_store_ops *ops;
};

#endif
