/* Replies of OpenAI-compatible servers: where in them what is. */
#include "adapters/gemini.h"
#include "adapters/openai.h"

/* clang-format off */
#define PATHS(X)                                                            \
    X("choices.0.message.content", STREAM, TEXT)                            \
    X("choices.0.message.content.*.text", STREAM, TEXT)                     \
    X("choices.0.delta.content", STREAM, TEXT)                              \
    X("choices.0.delta.content.*.text", STREAM, TEXT)                       \
    X("choices.0.message.refusal", VALUE, REFUSAL)                          \
    X("choices.0.delta.refusal", VALUE, REFUSAL)                            \
    X("choices.0.finish_reason", VALUE, FINISH)                             \
    X("usage.prompt_tokens", VALUE, INPUT)                                  \
    X("usage.completion_tokens", VALUE, OUTPUT)                             \
    X("usage.total_tokens", VALUE, TOTAL)                                   \
    X("usage.prompt_tokens_details.cached_tokens", VALUE, CACHED)           \
    X("usage.completion_tokens_details.reasoning_tokens", VALUE, REASONING) \
    X("usage.prompt_cache_hit_tokens", VALUE, CACHED)                       \
    X("usage.input_tokens", VALUE, INPUT)                                   \
    X("usage.output_tokens", VALUE, OUTPUT)                                 \
    X("usage.input_tokens_details.cached_tokens", VALUE, CACHED)            \
    X("x_groq.usage.prompt_tokens", VALUE, INPUT)                           \
    X("x_groq.usage.completion_tokens", VALUE, OUTPUT)                      \
    ASBI_GOOGLE_ERROR(X, "")                                                \
    ASBI_GOOGLE_ERROR(X, "0.")                                              \
    X("error.type", VALUE, TYPE)                                            \
    X("error.param", VALUE, PARAM)                                          \
    X("error.details.error_code", VALUE, CODE)                              \
    X("choices.0.error", VALUE, ERROR)                                      \
    X("choices.0.error.message", VALUE, MESSAGE)                            \
    X("choices.0.error.code", VALUE, CODE)                                  \
    X("x_groq.error", VALUE, ERROR)                                         \
    X("message", VALUE, MESSAGE)                                            \
    X("code", VALUE, CODE)                                                  \
    X("type", VALUE, TYPE)                                                  \
    X("param", VALUE, PARAM)                                                \
    X("object", VALUE, KIND)                                                \
    X("detail", VALUE, MESSAGE)                                             \
    X("detail.message", VALUE, MESSAGE)                                     \
    X("detail.code", VALUE, CODE)                                           \
    X("detail.0.msg", VALUE, MESSAGE)                                       \
    X("detail.0.loc.1", VALUE, PARAM)                                       \
    /* embeddings and moderation */                                         \
    X("data.*", VALUE, ELEMENT)                                             \
    X("data.*.index", VALUE, INDEX)                                         \
    X("data.*.embedding", STREAM, ELEMENT_ANSWER)                           \
    X("results.*", STREAM, ANSWER)                                          \
    /* the Responses API, whole and as events */                            \
    X("output.*", VALUE, ITEM)                                              \
    X("output.*.type", VALUE, ITEM_TYPE)                                    \
    X("output.*.content.*", VALUE, PART)                                    \
    X("output.*.content.*.type", VALUE, TYPE)                               \
    X("output.*.content.*.text", STREAM, PART_TEXT)                         \
    X("output.*.content.*.refusal", VALUE, REFUSAL)                         \
    X("status", VALUE, STATUS)                                              \
    X("incomplete_details.reason", VALUE, FINISH)                           \
    X("delta", STREAM, TYPED_DELTA)                                         \
    X("refusal", VALUE, REFUSAL)                                            \
    X("response.status", VALUE, STATUS)                                     \
    X("response.incomplete_details.reason", VALUE, FINISH)                  \
    X("response.error", VALUE, ERROR)                                       \
    X("response.error.message", VALUE, MESSAGE)                             \
    X("response.error.code", VALUE, CODE)                                   \
    X("response.usage.input_tokens", VALUE, INPUT)                          \
    X("response.usage.output_tokens", VALUE, OUTPUT)                        \
    X("response.usage.input_tokens_details.cached_tokens", VALUE, CACHED)
/* clang-format on */

ASBI_REPLY_LISTS(PATHS)

const struct asbi_reply_table asbi_openai_replies = {
    .paths = paths,
    .fields = fields,
    .count = sizeof(paths) / sizeof(paths[0]),
};
