/*
 * redact.h -- keeps API keys and users' texts out of messages: some servers
 * quote what they refuse.
 */
#ifndef ASBI_ADAPTERS_REDACT_H
#define ASBI_ADAPTERS_REDACT_H

#include <stddef.h>

#include "engine/base/str.h"

/* Overwrites, in place, the secret part of each key with asterisks, and each
 * control character with a space. */
void asbi_redact(char *at, size_t len);

/* Overwrites, in place, each run of `run` bytes and more that stands in
 * `source`, too, in whole characters.  Of a longer message than
 * ASBI_REDACT_MOST only so much is looked at. */
enum { ASBI_REDACT_MOST = 512 };
void asbi_redact_quotes(char *at, size_t len, asbi_str source, size_t run);

#endif
