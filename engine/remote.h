/*
 * remote.h -- a tier of the cache that is asked over a network: all that the
 * engine asks of it.
 *
 * Look-ups are begun in one turn of the loop and answered in another, always
 * within the tier's time budget.  A remote is never worth a run: when it is
 * slow or gone, look-ups are answered with "not there" at once, until it is
 * well again.
 */
#ifndef ASBI_REMOTE_H
#define ASBI_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"
#include "engine/base/list.h"
#include "engine/store.h"

struct asbi_remote;

/* A look-up; a member of who asks.  Zero it. */
struct asbi_look {
    struct asbi_remote *at; /* NULL: none is under way */
    const struct asbi_cache_key *key;

    /* -- the remote's */
    struct asbi_link link;
    void *place;
    uint64_t asked_ns;
};

struct asbi_remote_ops {
    /* Begins a look-up and sets look->at; `key` stays as it is until its end.
     * False: not now; nothing was begun. */
    bool (*ask)(struct asbi_remote *r, struct asbi_look *look, uint64_t now);
    /* Nobody waits for it any more. */
    void (*forget)(struct asbi_remote *r, struct asbi_look *look);
    /* Keeps an answer, soon and if it can. */
    void (*keep)(struct asbi_remote *r, const struct asbi_store_entry *entry,
                 uint64_t now_ms, uint64_t now);
    /* Sends what has gathered, gives up what takes too long. */
    void (*turn)(struct asbi_remote *r, uint64_t now);
    /* When it wants a turn; ASBI_NEVER for not. */
    uint64_t (*due)(const struct asbi_remote *r);
    /* What is to be kept, or let go of, is still on its way; bounded. */
    bool (*busy)(const struct asbi_remote *r);
    void (*free)(struct asbi_remote *r);
};

/* First member of each implementation. */
struct asbi_remote {
    const struct asbi_remote_ops *ops;
    const char *name; /* "redis", for messages and statistics */

    /* -- the engine's; called from the loop or from inside turn() */
    /* A look-up has ended; look->at is NULL.  No record: not there.  What is
     * there serves at least this once. */
    void (*on_end)(void *arg, struct asbi_remote *r, struct asbi_look *look,
                   asbi_str record, uint64_t expires_ms);
    /* Somebody says that an answer no longer holds; NULL: none that is kept in
     * memory is sure any more. */
    void (*on_purge)(void *arg, const struct asbi_cache_key *key);
    /* It has become unwell, and why; or well, perhaps with something to be
     * said of it.  Static text. */
    void (*on_health)(void *arg, struct asbi_remote *r, bool well,
                      const char *why);
    /* It is busy, or no longer. */
    void (*on_rest)(void *arg);
    void *arg;
};

#endif
