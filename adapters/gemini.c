#include "adapters/gemini.h"

#include "adapters/batch_api.h"
#include "adapters/encode.h"

/* clang-format off */
#define PATHS(X)                                                            \
    X("candidates.0.content.parts.*.text", STREAM, TEXT)                    \
    X("candidates.0.finishReason", VALUE, FINISH)                           \
    X("candidates.0.finishMessage", VALUE, MESSAGE)                         \
    X("promptFeedback.blockReason", VALUE, BLOCKED)                         \
    X("promptFeedback.blockReasonMessage", VALUE, MESSAGE)                  \
    X("usageMetadata.promptTokenCount", VALUE, INPUT)                       \
    X("usageMetadata.cachedContentTokenCount", VALUE, CACHED)               \
    X("usageMetadata.candidatesTokenCount", VALUE, OUTPUT)                  \
    X("usageMetadata.thoughtsTokenCount", VALUE, THOUGHTS)                  \
    X("embeddings.*", VALUE, ELEMENT)                                       \
    X("embeddings.*.values", STREAM, ELEMENT_ANSWER)                        \
    ASBI_GOOGLE_ERROR(X, "")                                                \
    ASBI_GOOGLE_ERROR(X, "0.")
/* clang-format on */

ASBI_REPLY_LISTS(PATHS)

static const struct asbi_reply_table replies = {
    .paths = paths,
    .fields = fields,
    .count = sizeof(paths) / sizeof(paths[0]),
};

static void put_path(enum asbi_call_way way,
                     const struct asbi_call_style *style, struct asbi_buf *path)
{
    asbi_buf_c(path, "/models/");
    asbi_buf_c(path, style->model);
    if (way == ASBI_ARRAY)
        asbi_buf_c(path, ":batchEmbedContents");
    else if (style->stream)
        asbi_buf_c(path, ":streamGenerateContent?alt=sse");
    else
        asbi_buf_c(path, ":generateContent");
}

static void put_headers(asbi_str key, const struct asbi_call_style *style,
                        struct asbi_buf *lines)
{
    (void)style;
    asbi_put_headers("x-goog-api-key: ", key, lines);
}

static struct asbi_decoder *decoder_new(const struct asbi_mem *mem,
                                        const struct asbi_call_style *style)
{
    (void)style;
    return asbi_decoder_new(mem, &replies);
}

const struct asbi_dialect asbi_dialect_gemini = {
    .name = "gemini",
    .batches = &asbi_gemini_batches,
    .path = put_path,
    .headers = put_headers,
    .array_items = { [ASBI_EMBED] = 100 },
    .encode_packed = asbi_gemini_encode_packed,
    .encode_single = asbi_gemini_encode_single,
    .encode_array = asbi_gemini_encode_array,
    .decoder_new = decoder_new,
    ASBI_DECODER_FUNCTIONS,
};
