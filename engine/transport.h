/*
 * transport.h -- one HTTP exchange at a time, whoever carries it.
 *
 * engine/real/http.c carries it with libcurl, engine/sim/ within the process
 * in virtual time.  The engine above cannot tell them apart.
 */
#ifndef ASBI_TRANSPORT_H
#define ASBI_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/list.h"
#include "engine/base/str.h"

/* Where to and with which constant headers: made once, used for many calls. */
struct asbi_endpoint {
    const char *method; /* "POST" */
    const char *url;    /* absolute, NUL-terminated */
    /* "Name: value" lines, keys included; NULL-terminated.  Never logged. */
    const char *const *headers;
    void *transport_data; /* the transport's; freed by its forget() */
};

/* All 0 means no limit, except sizes. */
struct asbi_exchange_limits {
    uint64_t connect_ns; /* name, TCP and TLS */
    /* To the first byte of the answer: from the start, and anew from each piece
     * of the request that was written, as a large one takes its time. */
    uint64_t first_byte_ns;
    uint64_t stall_ns; /* between two bytes of the answer */
    uint64_t total_ns;
    size_t max_header_bytes;
    size_t max_body_bytes; /* after decompression */
};

/* How an exchange ended.  What matters is who may have been billed. */
enum asbi_outcome {
    ASBI_COMPLETE,   /* an answer with its whole body */
    ASBI_NOT_SENT,   /* the provider cannot have seen the request */
    ASBI_UNANSWERED, /* sent, whole or in part, and nothing came back */
    ASBI_CUT,        /* an answer began and did not end */
    ASBI_TIMED_OUT,  /* one of the limits; sent unless bytes_sent is 0 */
    ASBI_TOO_LARGE,  /* headers or body over their limit */
    ASBI_REFUSED,    /* the owner's on_body() or on_header() said stop */
};

struct asbi_exchange;

struct asbi_exchange_end {
    enum asbi_outcome outcome;
    int status;       /* HTTP status, 0 when none came */
    bool unreachable; /* resolve, connect or TLS failed: another try will
                         likely fail too */
    const char *text; /* why, for people; static or valid until return */
    uint64_t started_ns, first_byte_ns, ended_ns; /* the world's clock */
};

/* Called from the loop, never from inside start() or cancel().  What nobody
 * wants to hear may be NULL, but for on_end. */
struct asbi_exchange_ops {
    void (*on_status)(struct asbi_exchange *x, int status);
    void (*on_header)(struct asbi_exchange *x, asbi_str name, asbi_str value);
    /* Nonzero stops the exchange with ASBI_REFUSED. */
    int (*on_body)(struct asbi_exchange *x, const char *at, size_t len);
    /* Last call; the exchange may be freed or started anew inside it. */
    void (*on_end)(struct asbi_exchange *x,
                   const struct asbi_exchange_end *end);
};

/* Part of the owner's call object; the owner fills in the first part. */
struct asbi_exchange {
    /* -- set by the owner, unchanged until on_end */
    struct asbi_endpoint *endpoint;
    const struct asbi_exchange_ops *ops;
    const char *body; /* borrowed until on_end */
    size_t body_len;
    struct asbi_exchange_limits limits;
    const char *const *extra_headers; /* for this call alone; NULL for none */
    bool fresh; /* on no connection that was kept: such a one was lost before */

    /* -- the transport's */
    struct asbi_link link;
    void *slot;
};

struct asbi_transport;

struct asbi_transport_ops {
    /* Takes the exchange; its end is told by on_end, even when it fails at
     * once.  ASB_OK; on ASB_ENOMEM or ASB_EFULL nothing was taken. */
    int (*start)(struct asbi_transport *t, struct asbi_exchange *x);
    /* Stops without a further callback. */
    void (*cancel)(struct asbi_transport *t, struct asbi_exchange *x);
    /* Drops what it keeps for an endpoint that no exchange uses any more. */
    void (*forget)(struct asbi_transport *t, struct asbi_endpoint *e);
    void (*free)(struct asbi_transport *t);
};

/* First member of each implementation. */
struct asbi_transport {
    const struct asbi_transport_ops *ops;
    /* Most exchanges that it can carry at once (file descriptors). */
    unsigned capacity;
};

/* What paid calls may take of it; the rest is for what goes beside them: the
 * HTTP tier of the cache, artefacts, errands. */
static inline unsigned asbi_transport_for_calls(const struct asbi_transport *t)
{
    enum { MOST_BESIDE = 64 };
    unsigned beside = t->capacity / 4;

    return t->capacity - (beside < MOST_BESIDE ? beside : MOST_BESIDE);
}

#endif
