/*
 * rate_headers.h -- what the headers of a reply say about how fast to go on,
 * in all the shapes that are met.
 *
 * x-ratelimit-{limit,remaining,reset}-{requests,tokens}, where a reset is a Go
 * duration ("6m0s"), seconds (Azure) or a Unix time; the same of -req-minute
 * and -tokens-minute;
 * anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,
 * remaining,reset}, where a reset is a date of RFC 3339; retry-after-ms,
 * x-ms-retry-after-ms, retry-after in seconds or as a date; x-should-retry;
 * request ids.  What makes no sense counts as silent.  Judges nothing.
 */
#ifndef ASBI_ADAPTERS_RATE_HEADERS_H
#define ASBI_ADAPTERS_RATE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/reply.h"
#include "engine/base/str.h"

struct asbi_rate_headers {
    struct asbi_rate_hint rate;
    uint64_t retry_after_ns; /* UINT64_MAX: none given */
    int should_retry;        /* 1, 0, or -1 when absent */
    size_t request_id_len;
    char request_id[128]; /* cut, printable ASCII only */

    /* -- private */
    uint8_t retry_after_rank, request_id_rank; /* of the header taken */
    bool no_limit_requests;                    /* the limit given was none */
    bool no_limit_tokens, no_limit_input, no_limit_output;
};

void asbi_rate_headers_begin(struct asbi_rate_headers *h);

/* Takes one header, in any order; others are ignored. */
void asbi_rate_headers_add(struct asbi_rate_headers *h, asbi_str name,
                           asbi_str value, uint64_t wall_ms);

/* After the last: drops what a senseless limit makes senseless, too. */
void asbi_rate_headers_end(struct asbi_rate_headers *h);

#endif
