/*
 * gemini.h -- Google's generateContent and batchEmbedContents.
 *
 * The model stands in the path, the key in a header and never in the address.
 *
 * Private to adapters/; others find the dialect by its name.
 */
#ifndef ASBI_ADAPTERS_GEMINI_H
#define ASBI_ADAPTERS_GEMINI_H

#include "adapters/decoder.h"

extern const struct asbi_dialect asbi_dialect_gemini;

/* Where Google writes what went wrong, in either of its APIs; `at` is "", or
 * "0." for an error in an array of its own, as a stream that fails sends it,
 * and the OpenAI-compatible API any. */
#define ASBI_GOOGLE_ERROR(X, at)                    \
    X(at "error", VALUE, ERROR)                     \
    X(at "error.message", VALUE, MESSAGE)           \
    X(at "error.code", VALUE, CODE)                 \
    X(at "error.status", VALUE, TYPE)               \
    X(at "error.details.*.reason", VALUE, CODE)     \
    X(at "error.details.*.retryDelay", VALUE, WAIT) \
    X(at "error.details.*.violations.*.quotaId", VALUE, QUOTA)

/* Each as the member of struct asbi_dialect says. */
void asbi_gemini_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
void asbi_gemini_encode_single(const struct asbi_single_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body);
void asbi_gemini_encode_array(const struct asbi_array_request *request,
                              const struct asbi_call_style *style,
                              struct asbi_buf *body);

#endif
