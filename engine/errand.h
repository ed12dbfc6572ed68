/*
 * errand.h -- one HTTP request of the engine's own: about a batch or a job at
 * the provider, not an item's call.  It passes no gate and is billed to nobody.
 *
 * The answer is gathered, or handed over as it comes; its end is told, and what
 * it means is for the owner.  Refuses to try again by itself.
 */
#ifndef ASBI_ERRAND_H
#define ASBI_ERRAND_H

#include "engine/base/buf.h"
#include "engine/lane.h"
#include "engine/transport.h"

struct asbi_errand;

struct asbi_errand_ops {
    /* A piece of a good answer's body; nonzero stops.  NULL: it is gathered in
     * errand->answer, as that of any other answer is. */
    int (*on_body)(struct asbi_errand *x, const char *at, size_t len);
    /* The last thing told; the errand may be started anew from here. */
    void (*on_end)(struct asbi_errand *x, const struct asbi_exchange_end *end);
};

/* A member of whoever sends it. */
struct asbi_errand {
    /* -- the owner's to read in on_end() */
    int status;
    uint64_t retry_after_ns; /* 0: none was given */
    struct asbi_buf answer;

    /* -- its own */
    const struct asbi_lane *lane;
    struct asbi_transport *transport;
    const struct asbi_errand_ops *ops;
    struct asbi_exchange exchange;
    struct asbi_endpoint endpoint;
    struct asbi_buf url, type;
    const char **headers;
    bool busy;
};

void asbi_errand_init(struct asbi_errand *x, const struct asbi_lane *lane,
                      struct asbi_transport *transport);

/* Stops it without a word. */
void asbi_errand_fini(struct asbi_errand *x);

struct asbi_errand_request {
    const char *method;
    asbi_str path; /* below the base URL; checked: ids may stand in it */
    asbi_str type; /* "Content-Type: ..."; empty: JSON */
    asbi_str body; /* borrowed until the end */
    size_t most;   /* bytes of the answer */
};

/* Sends it with the lane's credentials.  ASB_OK, ASB_EINVAL for a path that is
 * none, ASB_EFULL or ASB_ENOMEM; then nothing was sent. */
int asbi_errand_start(struct asbi_errand *x,
                      const struct asbi_errand_request *request,
                      const struct asbi_errand_ops *ops);

/* How a request that changes nothing twice, or that was not understood, is to
 * be taken. */
enum asbi_errand_outcome {
    ASBI_ERRAND_DONE,    /* 2xx, whole */
    ASBI_ERRAND_REFUSED, /* 4xx: asking again is no use */
    ASBI_ERRAND_LATER,   /* the provider did nothing: try again */
    ASBI_ERRAND_UNKNOWN, /* it may or may not have been done */
};

enum asbi_errand_outcome
asbi_errand_outcome(const struct asbi_errand *x,
                    const struct asbi_exchange_end *end);

#endif
