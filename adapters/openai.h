/*
 * openai.h -- chat completions as OpenAI speaks them, and the many servers
 * that speak like it: Azure, vLLM, Ollama, LiteLLM, Groq, DeepSeek, Mistral.
 *
 * Private to adapters/openai*.c; others find the dialect by its name.
 */
#ifndef ASBI_ADAPTERS_OPENAI_H
#define ASBI_ADAPTERS_OPENAI_H

#include "adapters/dialect.h"

extern const struct asbi_dialect asbi_dialect_openai;

/* Each as the member of struct asbi_dialect says. */
void asbi_openai_headers(asbi_str key, struct asbi_buf *lines);
void asbi_openai_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
void asbi_openai_encode_single(const struct asbi_single_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
struct asbi_decoder *asbi_openai_decoder_new(const struct asbi_mem *mem);
void asbi_openai_decoder_free(struct asbi_decoder *d);
void asbi_openai_begin(struct asbi_decoder *d, bool packed,
                       const struct asbi_reply_sink *sink);
void asbi_openai_on_status(struct asbi_decoder *d, int status);
void asbi_openai_on_header(struct asbi_decoder *d, asbi_str name,
                           asbi_str value, uint64_t wall_ms);
int asbi_openai_on_body(struct asbi_decoder *d, const char *at, size_t len);
void asbi_openai_end(struct asbi_decoder *d, bool complete,
                     struct asbi_reply *out);

#endif
