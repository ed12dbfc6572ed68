/*
 * stream.h -- a connection that carries bytes both ways, with TLS if wished, on
 * the loop: what the cache's Redis tier talks over.
 *
 * Never blocks and starts no thread: it connects to addresses, names are
 * dns.h's.  Raises no SIGPIPE.  Does not keep the loop alive by itself.
 */
#ifndef ASBI_REAL_STREAM_H
#define ASBI_REAL_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/str.h"
#include "engine/real/parts.h"

struct asbi_stream;
struct asbi_tls_roots;

/* Called from the loop, or from inside asbi_stream_flush(); the stream may be
 * closed inside, and freed later. */
struct asbi_stream_ops {
    void (*on_open)(void *arg); /* connected, TLS included */
    void (*on_bytes)(void *arg, const char *at, size_t len);
    /* The end, in good order or not: static text.  Nothing follows. */
    void (*on_closed)(void *arg, const char *why);
};

/* NULL when out of memory.  At most `max_waiting` bytes wait to be sent. */
struct asbi_stream *asbi_stream_new(const struct asbi_parts *parts,
                                    const struct asbi_stream_ops *ops,
                                    void *arg, size_t max_waiting);
/* Accepts NULL.  Not from inside a callback of this stream. */
void asbi_stream_free(struct asbi_stream *s);

/**
 * Starts to connect a closed stream.
 * @param address  "1.2.3.4", "[::1]", or the path of a Unix socket
 * @param port     0 for a Unix socket
 * @param roots    with TLS: whom to trust; NULL: no TLS
 * @param name     with TLS: who the server must be
 * @return false when it failed at once; on_closed is not called then
 */
bool asbi_stream_open(struct asbi_stream *s, const char *address, unsigned port,
                      struct asbi_tls_roots *roots, const char *name);

/* Without a callback. */
void asbi_stream_close(struct asbi_stream *s);

/* Queues bytes of an open stream, which asbi_stream_flush() puts on the wire.
 * False when there is no room or memory: nothing was queued. */
bool asbi_stream_send(struct asbi_stream *s, asbi_str bytes);
void asbi_stream_flush(struct asbi_stream *s);

#endif
