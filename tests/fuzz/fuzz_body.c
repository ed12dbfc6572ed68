/*
 * fuzz_body.c -- any bytes as a request's body: never a fault, and one form
 * whatever the white space.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cache/body.h"
#include "cache/key.h"
#include "engine/base/chat_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool put(struct asbi_json *json, asbi_str text, struct asbi_buf *out)
{
    if (asbi_json_parse(json, text.at, text.len))
        return false;
    asbi_buf_clear(out);
    asbi_cache_put_json(out, json, true);
    return !asbi_buf_failed(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 1 << 20);
    asbi_str text = asbi_str_of((const char *)data, size);
    struct asbi_chat_body body = { .max_tokens = 0 };
    struct asbi_buf once, twice, spaced;

    if (!json)
        return 0;
    asbi_buf_init(&once, &asbi_mem_system, 1 << 22);
    asbi_buf_init(&twice, &asbi_mem_system, 1 << 22);
    asbi_buf_init(&spaced, &asbi_mem_system, 1 << 22);
    if (put(json, text, &once)) {
        (void)asbi_cache_body_settles(json, ASBI_STR("/v1/embeddings"));
        (void)asbi_cache_body_settles(json, ASBI_STR(""));
        asbi_chat_body_read(json, asbi_json_root(json), &body);
        asbi_buf_c(&spaced, " \n");
        asbi_buf_str(&spaced, text);
        asbi_buf_c(&spaced, "\t ");
        if (!put(json, asbi_buf_view(&spaced), &twice) ||
            !asbi_str_eq(asbi_buf_view(&once), asbi_buf_view(&twice)))
            abort();
    }
    asbi_buf_fini(&once);
    asbi_buf_fini(&twice);
    asbi_buf_fini(&spaced);
    asbi_json_free(json);
    return 0;
}
