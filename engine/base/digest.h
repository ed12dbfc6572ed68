/*
 * digest.h -- SHA-256, behind the door digest.c (OpenSSL): for keys that stand
 * in places others may write to as well, where nobody must be able to make two
 * requests look the same.
 */
#ifndef ASBI_BASE_DIGEST_H
#define ASBI_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { ASBI_DIGEST_BYTES = 32 };

/* What a digest is computed with; made once, used for many. */
struct asbi_digest;

/* NULL when out of memory.  The memory is OpenSSL's. */
struct asbi_digest *asbi_digest_new(void);

/* Accepts NULL. */
void asbi_digest_free(struct asbi_digest *d);

/* False when OpenSSL fails; `out` is then undefined. */
bool asbi_digest_of(struct asbi_digest *d, const void *at, size_t len,
                    unsigned char out[ASBI_DIGEST_BYTES]);

/* The same of bytes that come in pieces: begin, any number of adds, end.  False
 * as above. */
bool asbi_digest_begin(struct asbi_digest *d);
bool asbi_digest_add(struct asbi_digest *d, const void *at, size_t len);
bool asbi_digest_end(struct asbi_digest *d,
                     unsigned char out[ASBI_DIGEST_BYTES]);

#endif
