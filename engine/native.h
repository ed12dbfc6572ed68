/*
 * native.h -- what the engine keeps of the batches it has with the provider;
 * what is done with them is native_batch.h.
 */
#ifndef ASBI_NATIVE_H
#define ASBI_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/list.h"
#include "engine/remote_jobs.h"

struct asb_engine;
struct asbi_batch_api;
struct asbi_decoder;
struct asbi_json;

struct asbi_native {
    struct asb_engine *engine;
    const struct asbi_batch_api *api; /* NULL: there is no such way */
    bool forced;                      /* by option, without a deadline too */
    bool off;                         /* the provider would have none of it */
    struct asbi_list batches;
    struct asbi_remote_jobs remote; /* those with the provider */
    uint64_t tokens;                /* of input, in all batches */
    uint64_t tokens_most; /* that the provider lets wait; 0: unknown */
    size_t bytes_most, requests_most, array_texts;
    size_t lines; /* that have not ended */
    struct asbi_json *json;
    struct asbi_decoder *decoder;
    struct asbi_buf scratch;
};

/* Whether a run with these options may ask that way, of this provider. */
bool asbi_native_may_be(const struct asb_engine *e);

/* Whether items may be gathered at all: then memory alone bounds them. */
static inline bool asbi_native_is_on(const struct asbi_native *n)
{
    return n->api && !n->off;
}

#endif
