/*
 * redact.h -- keeps what looks like an API key out of messages: some servers
 * quote the one they refuse.
 */
#ifndef ASBI_ADAPTERS_REDACT_H
#define ASBI_ADAPTERS_REDACT_H

#include <stddef.h>

/* Overwrites, in place, the secret part of each key with asterisks, and each
 * control character with a space. */
void asbi_redact(char *at, size_t len);

#endif
