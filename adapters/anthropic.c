#include "adapters/anthropic.h"

#include "adapters/batch_api.h"
#include "adapters/encode.h"

/* clang-format off */
#define PATHS(X)                                                            \
    X("content.*.text", STREAM, TEXT)                                       \
    X("content.*.input", STREAM, TOOL_INPUT)                                \
    X("delta.text", STREAM, TEXT)                                           \
    X("delta.partial_json", STREAM, TOOL_INPUT)                             \
    X("stop_reason", VALUE, FINISH)                                         \
    X("delta.stop_reason", VALUE, FINISH)                                   \
    X("usage.input_tokens", VALUE, INPUT)                                   \
    X("usage.cache_read_input_tokens", VALUE, CACHED)                       \
    X("usage.cache_creation_input_tokens", VALUE, CACHE_WRITES)             \
    X("usage.output_tokens", VALUE, OUTPUT)                                 \
    X("message.usage.input_tokens", VALUE, INPUT)                           \
    X("message.usage.cache_read_input_tokens", VALUE, CACHED)               \
    X("message.usage.cache_creation_input_tokens", VALUE, CACHE_WRITES)     \
    X("message.usage.output_tokens", VALUE, OUTPUT)                         \
    X("type", VALUE, KIND)                                                  \
    X("error", VALUE, ERROR)                                                \
    X("error.type", VALUE, TYPE)                                            \
    X("error.message", VALUE, MESSAGE)                                      \
    X("error.details.error_code", VALUE, CODE)                              \
    /* what gateways say in front of it */                                  \
    X("error.code", VALUE, CODE)                                            \
    X("message", VALUE, MESSAGE)                                            \
    X("detail", VALUE, MESSAGE)
/* clang-format on */

ASBI_REPLY_LISTS(PATHS)

static const struct asbi_reply_table replies = {
    .paths = paths,
    .fields = fields,
    .count = sizeof(paths) / sizeof(paths[0]),
    .input_lacks_cache = true,
};

static void put_path(enum asbi_call_way way,
                     const struct asbi_call_style *style, struct asbi_buf *path)
{
    (void)way;
    (void)style;
    asbi_buf_c(path, "/messages");
}

static void put_headers(asbi_str key, const struct asbi_call_style *style,
                        struct asbi_buf *lines)
{
    (void)style;
    asbi_put_headers("x-api-key: ", key, lines);
    asbi_buf_str(lines, ASBI_STR("anthropic-version: 2023-06-01\0"));
}

static struct asbi_decoder *decoder_new(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style)
{
    (void)style;
    return asbi_decoder_new(mem, &replies);
}

const struct asbi_dialect asbi_dialect_anthropic = {
    .name = "anthropic",
    .batches = &asbi_anthropic_batches,
    .path = put_path,
    .headers = put_headers,
    .encode_packed = asbi_anthropic_encode_packed,
    .encode_single = asbi_anthropic_encode_single,
    .decoder_new = decoder_new,
    ASBI_DECODER_FUNCTIONS,
};
