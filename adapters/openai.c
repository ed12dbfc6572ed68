#include "adapters/openai.h"

#include "adapters/batch_api.h"
#include "adapters/encode.h"

static const char *const array_paths[ASBI_ARRAY_KINDS] = {
    [ASBI_EMBED] = "/embeddings",
    [ASBI_MODERATE] = "/moderations",
};

static const char *path_of(enum asbi_call_way way,
                           const struct asbi_call_style *style)
{
    return way == ASBI_ARRAY ? array_paths[style->array] : "/chat/completions";
}

static void put_path(enum asbi_call_way way,
                     const struct asbi_call_style *style, struct asbi_buf *path)
{
    asbi_buf_c(path, path_of(way, style));
}

static void put_responses_path(enum asbi_call_way way,
                               const struct asbi_call_style *style,
                               struct asbi_buf *path)
{
    asbi_buf_c(path, way == ASBI_ARRAY ? path_of(way, style) : "/responses");
}

/* A deployment is named like its model unless --model says otherwise. */
static void put_deployment_path(enum asbi_call_way way,
                                const struct asbi_call_style *style,
                                struct asbi_buf *path)
{
    asbi_buf_c(path, "/openai/deployments/");
    asbi_buf_c(path, style->model);
    asbi_buf_c(path, path_of(way, style));
    asbi_buf_c(path, "?api-version=2024-10-21");
}

static void put_bearer(asbi_str key, const struct asbi_call_style *style,
                       struct asbi_buf *lines)
{
    (void)style;
    asbi_put_headers("Authorization: Bearer ", key, lines);
}

static void put_api_key(asbi_str key, const struct asbi_call_style *style,
                        struct asbi_buf *lines)
{
    (void)style;
    asbi_put_headers("api-key: ", key, lines);
}

static struct asbi_decoder *decoder_new(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style)
{
    (void)style;
    return asbi_decoder_new(mem, &asbi_openai_replies);
}

/* Inputs of a request as OpenAI limits them. */
#define ARRAYS                                                    \
    .array_items = { [ASBI_EMBED] = 2048, [ASBI_MODERATE] = 32 }, \
    .array_tokens = 300000, .encode_array = asbi_openai_encode_array
#define CHAT                                    \
    .encode_packed = asbi_openai_encode_packed, \
    .encode_single = asbi_openai_encode_single
#define REPLIES .decoder_new = decoder_new, ASBI_DECODER_FUNCTIONS

const struct asbi_dialect asbi_dialect_openai = {
    .name = "openai",
    .batches = &asbi_openai_batches,
    .path = put_path,
    .headers = put_bearer,
    CHAT,
    ARRAYS,
    REPLIES,
};

const struct asbi_dialect asbi_dialect_responses = {
    .name = "openai_responses",
    .batches = &asbi_openai_batches,
    .path = put_responses_path,
    .headers = put_bearer,
    .encode_packed = asbi_responses_encode_packed,
    .encode_single = asbi_responses_encode_single,
    ARRAYS,
    REPLIES,
};

const struct asbi_dialect asbi_dialect_azure = {
    .name = "azure",
    .path = put_path,
    .headers = put_api_key,
    CHAT,
    ARRAYS,
    REPLIES,
};

const struct asbi_dialect asbi_dialect_azure_deployments = {
    .name = "azure_deployments",
    .path = put_deployment_path,
    .headers = put_api_key,
    CHAT,
    ARRAYS,
    REPLIES,
};
