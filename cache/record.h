/*
 * record.h -- an answer as the bytes that a cache keeps, with a check value
 * over them and their key: what was damaged, cut or put under another key is
 * no answer.
 */
#ifndef ASBI_CACHE_RECORD_H
#define ASBI_CACHE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"

struct asbi_cache_answer {
    asbi_str output;
    asbi_str body; /* the provider's whole answer; empty when not kept */
    bool output_is_json;
    bool refused; /* for its content: `output` is what was said of it */
    int http_status;
    struct asb_usage usage; /* what it took to get it */
    int64_t cost_nano_usd;
};

/* Appends.  A failed buffer: too large or out of memory. */
void asbi_cache_record_write(struct asbi_buf *out,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer);

/* False for what was not written by this for this key.  Texts in *answer point
 * into `record`. */
bool asbi_cache_record_read(asbi_str record, const struct asbi_cache_key *key,
                            struct asbi_cache_answer *answer);

#endif
