/*
 * openai.h -- chat completions, embeddings and moderation as OpenAI speaks
 * them, and the many servers that speak like it: vLLM, Ollama, LiteLLM, Groq,
 * DeepSeek, Mistral.
 *
 * Also, each a row of its own: OpenAI's Responses API, and Azure, which keeps
 * the key in another header and, in its older form, the model in the path.
 *
 * Private to adapters/; others find a dialect by its name.
 */
#ifndef ASBI_ADAPTERS_OPENAI_H
#define ASBI_ADAPTERS_OPENAI_H

#include "adapters/decoder.h"

extern const struct asbi_dialect asbi_dialect_openai;
extern const struct asbi_dialect asbi_dialect_responses;
extern const struct asbi_dialect asbi_dialect_azure;
extern const struct asbi_dialect asbi_dialect_azure_deployments;

/* Replies of all of them. */
extern const struct asbi_reply_table asbi_openai_replies;

/* Each as the member of struct asbi_dialect says. */
void asbi_openai_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
void asbi_openai_encode_single(const struct asbi_single_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
void asbi_openai_encode_array(const struct asbi_array_request *request,
                              const struct asbi_call_style *style,
                              struct asbi_buf *body);
void asbi_responses_encode_packed(const struct asbi_packed_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body);
void asbi_responses_encode_single(const struct asbi_single_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body);

#endif
