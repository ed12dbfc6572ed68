#include "engine/real/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "engine/base/error.h"

/* Never defined: an X509_STORE under a name of our own. */
struct asbi_tls_roots;

bool asbi_tls_usable(const char *backend)
{
    char ours[32];

    (void)snprintf(ours, sizeof(ours), "OpenSSL/%d.", OPENSSL_VERSION_MAJOR);
    return backend && strncmp(backend, ours, strlen(ours)) == 0;
}

static int readable(const char *file, struct asb_message *why)
{
    FILE *f = fopen(file, "re");

    if (!f)
        return asbi_fail(why, ASB_ECONFIG,
                         "cannot read the certificates in %s: %s", file,
                         strerror(errno));
    (void)fclose(f);
    return ASB_OK;
}

static int load(X509_STORE *store, const char *file, const char *folder,
                struct asb_message *why)
{
    int rc = file ? readable(file, why) : ASB_OK;

    if (rc)
        return rc;
    if (!X509_STORE_load_locations(store, file, file ? NULL : folder))
        return asbi_fail(why, ASB_ECONFIG,
                         "no usable certificate in %s: it must be a bundle in "
                         "PEM form",
                         file ? file : folder);
    return ASB_OK;
}

int asbi_tls_roots_new(const char *file, const char *folder,
                       struct asbi_tls_roots **out, struct asb_message *why)
{
    X509_STORE *store = X509_STORE_new();
    int rc;

    *out = NULL;
    if (!store)
        return ASB_ENOMEM;
    rc = load(store, file, folder, why);
    ERR_clear_error();
    if (rc) {
        X509_STORE_free(store);
        return rc;
    }
    /* As libcurl does: a trusted certificate need not be a root. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    *out = (struct asbi_tls_roots *)(void *)store;
    return ASB_OK;
}

void asbi_tls_roots_free(struct asbi_tls_roots *roots)
{
    X509_STORE_free((X509_STORE *)(void *)roots);
}

void asbi_tls_roots_apply(struct asbi_tls_roots *roots, void *ssl_ctx)
{
    SSL_CTX_set1_cert_store(ssl_ctx, (X509_STORE *)(void *)roots);
}
