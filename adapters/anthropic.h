/*
 * anthropic.h -- Anthropic's Messages API.
 *
 * A packed request forces one tool, whose input is the answer: that works with
 * every model.  The constant system text is marked for the prompt cache when it
 * is long enough for one.  Some limit on the output is always sent, since the
 * API demands it.
 *
 * Private to adapters/; others find the dialect by its name.
 */
#ifndef ASBI_ADAPTERS_ANTHROPIC_H
#define ASBI_ADAPTERS_ANTHROPIC_H

#include "adapters/decoder.h"

extern const struct asbi_dialect asbi_dialect_anthropic;

/* Each as the member of struct asbi_dialect says. */
void asbi_anthropic_encode_packed(const struct asbi_packed_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body);
void asbi_anthropic_encode_single(const struct asbi_single_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body);

#endif
