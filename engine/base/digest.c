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

bool asbi_digest_begin(struct asbi_digest *d)
{
    return EVP_DigestInit_ex(context_of(d), NULL, NULL) == 1;
}

bool asbi_digest_add(struct asbi_digest *d, const void *at, size_t len)
{
    return EVP_DigestUpdate(context_of(d), at, len) == 1;
}

bool asbi_digest_end(struct asbi_digest *d,
                     unsigned char out[ASBI_DIGEST_BYTES])
{
    unsigned written = 0;

    return EVP_DigestFinal_ex(context_of(d), out, &written) == 1 &&
           written == ASBI_DIGEST_BYTES;
}

bool asbi_digest_of(struct asbi_digest *d, const void *at, size_t len,
                    unsigned char out[ASBI_DIGEST_BYTES])
{
    return asbi_digest_begin(d) && asbi_digest_add(d, at, len) &&
           asbi_digest_end(d, out);
}
