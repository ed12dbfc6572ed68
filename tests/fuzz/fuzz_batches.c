/*
 * fuzz_batches.c -- any bytes as what a provider says of a native batch: never
 * a fault, and an id that is kept may stand in a path behind which a key goes.
 *
 * The first byte chooses the provider, the second the step.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/batch_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is)
{
    if (!is)
        abort();
}

static void expect_id(const char *id)
{
    expect(!id[0] || asbi_remote_is_id(asbi_str_c(id)));
}

/* What it told is asked for next. */
static void ask_on(const struct asbi_batch_api *api,
                   const struct asbi_batch_ref *ref)
{
    struct asbi_buf path, body;
    struct asbi_remote_request request = { .path = &path, .body = &body };

    asbi_buf_init(&path, &asbi_mem_system, 65536);
    asbi_buf_init(&body, &asbi_mem_system, 65536);
    for (int step = ASBI_BATCH_FIND; step <= ASBI_BATCH_ERRORS; step++) {
        asbi_buf_clear(&path);
        asbi_buf_clear(&body);
        if (api->ask((enum asbi_batch_step)step, ref, &request))
            expect(path.len && !memchr(path.data, '\n', path.len) &&
                   !memchr(path.data, ' ', path.len));
    }
    asbi_buf_fini(&path);
    asbi_buf_fini(&body);
}

static void read_results(const struct asbi_batch_api *api,
                         struct asbi_json *json)
{
    const struct asbi_json_node *list =
        api->one_document ? api->results(json) : NULL;
    const struct asbi_json_node *n =
        list ? asbi_json_child(json, list) : asbi_json_root(json);
    struct asbi_buf scratch;

    asbi_buf_init(&scratch, &asbi_mem_system, 1 << 20);
    while (n) {
        struct asbi_batch_result result = { .answered = false };

        asbi_buf_clear(&scratch);
        api->result(json, n, &scratch, &result);
        for (size_t i = 0; i < result.id.len + result.body.len; i++)
            expect(i < result.id.len ? result.id.at != NULL
                                     : result.body.at != NULL);
        n = list ? asbi_json_after(json, list, n) : NULL;
    }
    asbi_buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct asbi_batch_api *const apis[] = {
        &asbi_openai_batches, &asbi_anthropic_batches, &asbi_gemini_batches
    };
    struct asbi_batch_ref ref = { .name = "ab-1",
                                  .endpoint = "/v1/chat/completions",
                                  .model = "m" };
    struct asbi_remote_news news = { .state = ASBI_REMOTE_UNKNOWN };

    if (size < 3)
        return 0;
    const struct asbi_batch_api *api = apis[data[0] % 3];
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);
    expect(json != NULL);
    if (asbi_json_parse(json, (const char *)data + 2, size - 2) == ASB_OK) {
        api->read((enum asbi_batch_step)(data[1] % (ASBI_BATCH_CANCEL + 1)),
                  json, &ref, &news);
        expect_id(ref.input);
        expect_id(ref.id);
        expect_id(ref.output);
        expect_id(ref.errors);
        expect(memchr(news.message, '\0', sizeof(news.message)) != NULL);
        ask_on(api, &ref);
        read_results(api, json);
    }
    asbi_json_free(json);
    return 0;
}
