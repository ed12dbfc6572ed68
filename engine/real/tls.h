/*
 * tls.h -- the certificates we trust, parsed once for all connections.
 *
 * libcurl would parse the bundle again for each of its multi handles, or with
 * Debian's defaults for each connection (28 ms).  One X509_STORE is given to
 * every connection instead.  Only for a libcurl that uses the same OpenSSL.
 */
#ifndef ASBI_REAL_TLS_H
#define ASBI_REAL_TLS_H

#include <stdbool.h>

#include <asyncbatch/asyncbatch.h>

struct asbi_tls_roots;

/* Whether `backend` (libcurl's words, "OpenSSL/3.0.22") is what this file was
 * built with. */
bool asbi_tls_usable(const char *backend);

/**
 * Reads a PEM bundle, or makes use of a folder of hashed certificates.
 * @param file    NULL for none
 * @param folder  NULL for none; used only without a file
 * @return ASB_OK and *out, ASB_ECONFIG (unreadable, or no certificate in it)
 *         or ASB_ENOMEM
 */
int asbi_tls_roots_new(const char *file, const char *folder,
                       struct asbi_tls_roots **out, struct asb_message *why);
/* Accepts NULL.  Connections that use them keep them alive. */
void asbi_tls_roots_free(struct asbi_tls_roots *roots);

/* Makes an SSL_CTX trust these and nothing else. */
void asbi_tls_roots_apply(struct asbi_tls_roots *roots, void *ssl_ctx);

#endif
