#include "engine/base/digest.h"

#include <openssl/evp.h>

/* OpenSSL's context is the whole state. */
static EVP_MD_CTX *context_of(struct asbi_digest *d)
{
    return (EVP_MD_CTX *)(void *)d;
}

struct asbi_digest *asbi_digest_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    /* The algorithm is looked up here, once; later starts keep it. */
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (struct asbi_digest *)(void *)context;
}

void asbi_digest_free(struct asbi_digest *d)
{
    EVP_MD_CTX_free(context_of(d));
}

bool asbi_digest_of(struct asbi_digest *d, const void *at, size_t len,
                    unsigned char out[ASBI_DIGEST_BYTES])
{
    EVP_MD_CTX *context = context_of(d);
    unsigned written = 0;

    return EVP_DigestInit_ex(context, NULL, NULL) == 1 &&
           EVP_DigestUpdate(context, at, len) == 1 &&
           EVP_DigestFinal_ex(context, out, &written) == 1 &&
           written == ASBI_DIGEST_BYTES;
}
