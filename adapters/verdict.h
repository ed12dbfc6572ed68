/*
 * verdict.h -- from what a provider said to what the engine is to do.
 *
 * Tables of statuses, error codes and phrases, for all providers that answer
 * in OpenAI's manner.  Parses nothing and writes no message.
 */
#ifndef ASBI_ADAPTERS_VERDICT_H
#define ASBI_ADAPTERS_VERDICT_H

#include <stdbool.h>

#include "adapters/reply.h"
#include "engine/base/str.h"

/* What was seen of a reply.  Texts are empty when absent. */
struct asbi_facts {
    int status;       /* HTTP status; 0: none came */
    bool cut;         /* the exchange broke off before the end of the answer */
    bool understood;  /* the body is well-formed and ended where it should */
    bool error;       /* the body says that it is one, whatever the status */
    bool refused;     /* the model declined, in a field made for that */
    bool lacks_items; /* an answer for many items without any array of them */
    asbi_str finish;  /* finish_reason */
    asbi_str code, type, param, message; /* of the error */
};

/* What to do.  `*feature` is set with ASBI_UNSUPPORTED, else NULL: one of
 * response_format, stream_options, max_completion_tokens, max_tokens,
 * temperature, stream. */
enum asbi_verdict asbi_verdict_of(const struct asbi_facts *f,
                                  const char **feature);

/* A code and a sentence for when the provider gave none; never NULL, but NULL
 * for the code of ASBI_ACCEPTED. */
const char *asbi_verdict_code(enum asbi_verdict verdict);
const char *asbi_verdict_text(enum asbi_verdict verdict);

#endif
