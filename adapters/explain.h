/*
 * explain.h -- the code and the message of a reply that was no success: the
 * provider's own where it gave some, else ours.
 *
 * Bounded, and without what looks like a key.
 */
#ifndef ASBI_ADAPTERS_EXPLAIN_H
#define ASBI_ADAPTERS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/reply.h"
#include "adapters/verdict.h"
#include "engine/base/str.h"

struct asbi_explanation {
    char code[64]; /* with a NUL */
    size_t len;
    char message[512];
};

/* Sets `code` and `message` of `reply`, whose verdict is set.  Both live in
 * `e` or in static storage.
 * `location`: of a redirect, or empty.  `page`: first words of a body that has
 * no error in it, or empty; `no_json`: because it is no JSON at all. */
void asbi_explain(struct asbi_explanation *e, const struct asbi_facts *f,
                  asbi_str location, asbi_str page, bool no_json,
                  struct asbi_reply *reply);

#endif
