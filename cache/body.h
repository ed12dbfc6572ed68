/*
 * body.h -- a request's JSON in one form, whatever the order of its members,
 * its white space and its escapes; and whether asking it twice is the same as
 * asking it once.
 *
 * Numbers stay as they are written: 1 and 1.0 are two requests, which costs a
 * call and never a wrong answer.
 */
#ifndef ASBI_CACHE_BODY_H
#define ASBI_CACHE_BODY_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/base/json.h"

/* Appends the last document of `json`; `is_body`: a whole request, whose
 * members without a say in the answer are left out (see key.h).  A failed
 * buffer: too large or out of memory. */
void asbi_cache_put_json(struct asbi_buf *out, struct asbi_json *json,
                         bool is_body);

/* Whether the last document of `json`, a request body for `url` (empty: the
 * chat path), settles its answer: a known kind of request that gives text,
 * labels or vectors; no temperature above 0; one choice; no state on the
 * provider's side and no search. */
bool asbi_cache_body_settles(struct asbi_json *json, asbi_str url);

#endif
