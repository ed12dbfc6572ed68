/*
 * secret.h -- where a key is to be read from, and whether what was read can be
 * one.
 *
 * Reads nothing itself and keeps nothing.  No message ever repeats the text of
 * a reference that might be a key, or of a value.
 */
#ifndef ASBI_CONFIG_SECRET_H
#define ASBI_CONFIG_SECRET_H

#include <stdbool.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/str.h"

enum asbi_secret_kind {
    ASBI_SECRET_NONE,     /* the provider takes no key */
    ASBI_SECRET_VARIABLE, /* environment variable `name` */
    ASBI_SECRET_FILE,     /* file `name` */
};

struct asbi_secret_source {
    enum asbi_secret_kind kind;
    const char *name;  /* within the reference or the usual variable */
    bool by_reference; /* asked for by the user: must be there */
};

/* Longest key, in bytes. */
enum { ASBI_SECRET_MAX = 8192 };

/* Whether a text is "env:NAME", "file:PATH" or empty.  `place` starts the
 * message.  ASB_OK or ASB_ECONFIG. */
int asbi_secret_check(asbi_str reference, const char *place,
                      struct asb_message *why);

/* What to read for a checked reference; `usual` is the provider's variable, ""
 * for none.  Both are borrowed by *out. */
void asbi_secret_source(const char *reference, const char *usual,
                        struct asbi_secret_source *out);

/**
 * The key within what was read: without white space around.
 * @param raw    kept by the caller; *key points into it
 * @param where  "OPENAI_API_KEY", for the message
 * @return ASB_OK or ASB_ECONFIG: empty, too long, or with bytes that no header
 *         may carry
 */
int asbi_secret_clean(asbi_str raw, const char *where, asbi_str *key,
                      struct asb_message *why);

#endif
