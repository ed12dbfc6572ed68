/*
 * watch.h -- which descriptors of libcurl the loop looks at, found by number.
 *
 * A watch stays registered with the kernel when libcurl lets go of a
 * connection between two requests: that saves two system calls for each
 * request, and shows at once when the other side ends an idle connection.
 * libcurl 7.88 takes the pending close of a TLS connection for life (fixed in
 * 8.0.0), so a connection that ended while idle is emptied and shut for
 * reading here; libcurl's own check before reuse then sees it.
 *
 * Knows nothing of HTTP.  No watch counts for the loop: the table's owner must
 * itself keep the loop alive while it waits for something.
 */
#ifndef ASBI_REAL_WATCH_H
#define ASBI_REAL_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/real/parts.h"

struct asbi_watch;

/* Who waits for a descriptor: part of whatever drives it. */
struct asbi_watcher {
    /* `what` is EV_READ and EV_WRITE. */
    void (*on_ready)(struct asbi_watcher *w, int fd, short what);
};

struct asbi_watch_table {
    const struct asbi_parts *parts;
    /* Idle connections may hear of something without being at their end:
     * HTTP/2 does. */
    bool chatty;
    struct asbi_watch **by_fd; /* NULL where none was ever wanted */
    size_t cap;
};

void asbi_watch_init(struct asbi_watch_table *t,
                     const struct asbi_parts *parts);
/* Drops every watch; closes no descriptor. */
void asbi_watch_fini(struct asbi_watch_table *t);

/* Watches `fd` for `what` on behalf of `owner`, replacing what was.  ASB_OK or
 * ASB_ENOMEM (and nothing is watched). */
int asbi_watch_set(struct asbi_watch_table *t, int fd, short what,
                   struct asbi_watcher *owner);

/* Nobody waits for `fd` any more, but it stays open. */
void asbi_watch_rest(struct asbi_watch_table *t, int fd);

/* Forgets `fd`; to be called before it is closed. */
void asbi_watch_drop(struct asbi_watch_table *t, int fd);

#endif
