/*
 * errand.h -- one plain exchange beside the paid calls: a file to upload or
 * download, a job to create, its state, a list of them, a cancellation.
 *
 * It passes no gate and is billed to nobody.  An address is a path below the
 * lane's base URL or a whole URL; only where scheme, host and port are the
 * lane's own do its headers, and with them the key, go along.  Redirects are
 * not followed: who wants that aims anew, and a new host gets no key.  Refuses
 * to try again by itself.
 */
#ifndef ASBI_ERRAND_H
#define ASBI_ERRAND_H

#include "adapters/rate_headers.h"
#include "engine/base/buf.h"
#include "engine/transport.h"
#include "scheduler/retry.h"

struct asb_engine;

enum { ASBI_ERRAND_HEADERS = 4 };

/* A member of whoever sends it. */
struct asbi_errand {
    /* -- the owner's; set between asbi_errand_init() and _send() */
    struct asb_engine *engine;
    void *arg;
    struct asbi_buf body; /* of the request */
    asbi_str lent_body;   /* sent in its place, unless empty; borrowed until the
                             end */
    size_t most_bytes;    /* of the answer; by default option
                             max_answer_bytes */
    const char *extra[ASBI_ERRAND_HEADERS + 1]; /* header lines, in place of the
                                                   lane's; borrowed */
    bool keyless;         /* no header of the lane goes along, wherever to */
    uint64_t patience_ns; /* for a connection, and for the first byte; 0: as
                             with calls */
    void (*on_header)(struct asbi_errand *errand, asbi_str name,
                      asbi_str value); /* NULL: nobody cares */
    /* Takes the answer's bytes, of whatever status; nonzero ends it.  NULL:
     * they are kept. */
    int (*on_bytes)(struct asbi_errand *errand, const char *at, size_t len);
    /* It is over; `errand` may be used anew, or freed with its owner. */
    void (*done)(struct asbi_errand *errand,
                 const struct asbi_exchange_end *end);

    /* -- the answer */
    int status;
    struct asbi_buf answer;
    struct asbi_rate_headers head; /* retry_after_ns, request_id */

    /* -- private */
    struct asbi_exchange exchange;
    struct asbi_endpoint endpoint;
    struct asbi_buf url;
    const char *headers[16 + ASBI_ERRAND_HEADERS];
    bool busy;
};

void asbi_errand_init(struct asbi_errand *errand, struct asb_engine *e);

/* Calls it back when it is on its way; nobody is told.  Accepts what was only
 * zeroed. */
void asbi_errand_fini(struct asbi_errand *errand);

/* Empties body, extra headers and answer, for the next use. */
void asbi_errand_clear(struct asbi_errand *errand);

/**
 * Sends it; `method` is static text.  A path is checked: ids may stand in it.
 * @return ASB_OK, and `done` will be called; ASB_EINVAL for no such address,
 *         ASB_EBUSY when it is on its way, ASB_EFULL or ASB_ENOMEM
 */
int asbi_errand_send(struct asbi_errand *errand, const char *method,
                     asbi_str address);

/* Whether an address is below, or of the same origin as, the lane's base. */
bool asbi_errand_is_home(const struct asb_engine *e, asbi_str address);

/* How an answer is to be taken. */
enum asbi_errand_outcome {
    ASBI_ERRAND_DONE,    /* 2xx, whole */
    ASBI_ERRAND_REFUSED, /* 4xx: asking again is no use */
    ASBI_ERRAND_LATER,   /* the provider did nothing: try again */
    ASBI_ERRAND_UNKNOWN, /* it may or may not have been done */
};

enum asbi_errand_outcome
asbi_errand_outcome(const struct asbi_errand *errand,
                    const struct asbi_exchange_end *end);

/* What the answer asks to wait at least; 0 for nothing. */
uint64_t asbi_errand_hint(const struct asbi_errand *errand);

/* Nanoseconds to wait after the n-th failure in a row, this one: what it asks
 * for, within the policy's bounds, or longer each time. */
uint64_t asbi_errand_wait(const struct asbi_errand *errand,
                          const struct asbi_retry_policy *policy, unsigned n);

#endif
