/*
 * stream_tls.h -- TLS as a filter of bytes, for stream.c alone: cipher text in
 * and out of buffers, no descriptor, no waiting.
 */
#ifndef ASBI_REAL_STREAM_TLS_H
#define ASBI_REAL_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buf.h"
#include "engine/real/tls.h"

struct asbi_stream_tls;

/* A client that trusts `roots` and talks to nobody but `name`.  NULL when out
 * of memory. */
struct asbi_stream_tls *asbi_stream_tls_new(struct asbi_tls_roots *roots,
                                            const char *name);
void asbi_stream_tls_free(struct asbi_stream_tls *t); /* accepts NULL */

/* Goes on with the handshake; what is to be sent is appended to `out`.  False
 * when it has failed. */
bool asbi_stream_tls_shake(struct asbi_stream_tls *t, struct asbi_buf *out);
bool asbi_stream_tls_is_open(const struct asbi_stream_tls *t);

/* Takes cipher text in.  False when out of memory. */
bool asbi_stream_tls_feed(struct asbi_stream_tls *t, const char *at,
                          size_t len);

/* Plain text out of it: > 0 bytes, 0: none for now, -1: the end. */
ptrdiff_t asbi_stream_tls_read(struct asbi_stream_tls *t, char *to, size_t size,
                               struct asbi_buf *out);

/* Plain text into cipher text. */
bool asbi_stream_tls_write(struct asbi_stream_tls *t, asbi_str plain,
                           struct asbi_buf *out);

#endif
