/*
 * fuzz_request.c -- any bytes as a request to the simulated provider, which
 * anybody on the network may send: never a fault, and always an answer.
 *
 * The first byte chooses the path; the body follows.
 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/sim/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static asbi_str path_of(unsigned which)
{
    static const char *const paths[] = {
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/files",
        "/v1/batches",
        "/v1/videos",
        "/stats",
        "/v1/files/file-1/content",
        "/v1/responses",
    };

    return asbi_str_c(paths[which % 8]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct asbi_sim_options options = { .seed = 1,
                                              .garbage_rate = 0.2,
                                              .drop_item_rate = 0.2,
                                              .truncate_rate = 0.2,
                                              .disconnect_rate = 0.2 };
    struct asbi_sim_provider *p;
    struct asbi_sim_call *call;

    if (!size || asbi_sim_provider_new(&asbi_mem_system, &options, &p))
        return 0;
    struct asbi_sim_request request = {
        .method = data[0] & 64 ? ASBI_STR("GET") : ASBI_STR("POST"),
        .path = path_of(data[0]),
        .content_type = data[0] & 8 ? ASBI_STR("multipart/form-data; "
                                               "boundary=x")
                                    : ASBI_STR("application/json"),
        .has_key = true,
        .body = asbi_str_of((const char *)data + 1, size - 1),
        .wall_s = 1700000000,
    };
    for (unsigned n = 0; n < 2; n++) {
        if (asbi_sim_provider_take(p, &request, n, &call))
            continue;
        if (call->status < 200 || call->status > 599)
            abort();
        (void)asbi_sim_provider_finish(p, call, n);
        asbi_sim_call_free(call);
    }
    asbi_sim_provider_free(p);
    return 0;
}
