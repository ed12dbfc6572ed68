/*
 * base64.h -- bytes written as base64, read back.
 */
#ifndef ASBI_BASE_BASE64_H
#define ASBI_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/str.h"

/* Decodes either alphabet of RFC 4648, with or without `=` at the end, into at
 * most `room` bytes; *len tells how many.  Stops, without fault, when there is
 * no room for more.  False when something else stands there. */
bool asbi_base64_decode(asbi_str text, char *out, size_t room, size_t *len);

#endif
