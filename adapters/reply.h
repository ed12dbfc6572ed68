/*
 * reply.h -- what an answer of a provider means, whatever its dialect.
 */
#ifndef ASBI_ADAPTERS_REPLY_H
#define ASBI_ADAPTERS_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

/* What the engine is to do about a whole call. */
enum asbi_verdict {
    ASBI_ACCEPTED,       /* understood; items were answered one by one */
    ASBI_GARBLED,        /* no answer that can be understood: ask again */
    ASBI_TRUNCATED,      /* stopped at the output limit; whole items count */
    ASBI_FILTERED,       /* the provider refused the content */
    ASBI_RATE_LIMITED,   /* too fast: slow down, then ask again */
    ASBI_SPENDING_CAP,   /* no money or quota left: the lane stops */
    ASBI_OVERLOADED,     /* 5xx, 408, 409: ask again later */
    ASBI_BAD_REQUEST,    /* this content is refused: bisect */
    ASBI_NO_CREDENTIALS, /* 401, 403: the lane stops */
    ASBI_NO_SUCH_MODEL,  /* 404 or the like: the lane stops */
    ASBI_UNSUPPORTED,    /* a feature of the request is unknown to the server:
                            ask again without it */
};

/* What rate headers said; UINT64_MAX where they were silent.  A limit of 0 or
 * less on the wire counts as silent. */
struct asbi_rate_hint {
    uint64_t limit_requests, remaining_requests, reset_requests_ns;
    uint64_t limit_tokens, remaining_tokens, reset_tokens_ns;
    /* Where input and output are limited apart. */
    uint64_t limit_input, remaining_input, limit_output, remaining_output;
};

/* One decoded reply.  Text members live until the decoder's next begin(). */
struct asbi_reply {
    enum asbi_verdict verdict;
    int status;
    uint64_t retry_after_ns; /* UINT64_MAX: none given */
    int should_retry;        /* x-should-retry: 1, 0, or -1 when absent */
    struct asbi_rate_hint rate;
    bool has_usage;
    struct asb_usage usage;
    uint64_t cache_writes; /* of usage.input_tokens, put into the cache */
    /* Array replies: answers were told by place, and so many elements were
     * there.  A number that is not the number asked makes all of them
     * doubtful. */
    bool by_place;
    uint64_t elements;
    const char *feature; /* with ASBI_UNSUPPORTED: "response_format", ... */
    const char *code;    /* "rate_limit_exceeded"; NULL on success */
    asbi_str message;    /* the provider's own words, bounded */
    asbi_str request_id;
};

#endif
