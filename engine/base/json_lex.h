/*
 * json_lex.h -- the inside of JSON's strings and numbers.
 *
 * Knows tokens, not documents: json.cc finds where they start and end.
 */
#ifndef ASBI_BASE_JSON_LEX_H
#define ASBI_BASE_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Unescapes to `to`, or only checks when `to` is NULL.  Never longer than the
 * source.  Returns how many bytes (0 when only checking), or -1 for a bad
 * escape. */
ptrdiff_t asbi_json_unescape(asbi_str s, char *to);

/* Whether all of it is one number as JSON writes them. */
bool asbi_json_number_valid(asbi_str s);

#ifdef __cplusplus
}
#endif

#endif
