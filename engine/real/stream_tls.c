#include "engine/real/stream_tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct asbi_stream_tls {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* the ssl's */
};

/* "[::1]" is written without the brackets in a certificate. */
static bool set_name(SSL *ssl, const char *name)
{
    char bare[INET6_ADDRSTRLEN];
    unsigned char address[16];
    size_t len = strlen(name);

    if (name[0] == '[' && len > 2 &&
        asbi_str_copy(asbi_str_of(name + 1, len - 2), bare, sizeof(bare)))
        name = bare;
    if (inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool init(struct asbi_stream_tls *t, struct asbi_tls_roots *roots,
                 const char *name)
{
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return false;
    asbi_tls_roots_apply(roots, t->ctx);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    t->ssl = SSL_new(t->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        return false;
    }
    (void)BIO_set_mem_eof_return(t->in, -1);
    (void)BIO_set_mem_eof_return(t->out, -1);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    return set_name(t->ssl, name);
}

struct asbi_stream_tls *asbi_stream_tls_new(struct asbi_tls_roots *roots,
                                            const char *name)
{
    struct asbi_stream_tls *t = calloc(1, sizeof(*t));

    if (t && !init(t, roots, name)) {
        asbi_stream_tls_free(t);
        t = NULL;
    }
    ERR_clear_error();
    return t;
}

void asbi_stream_tls_free(struct asbi_stream_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    free(t);
}

static void drain(struct asbi_stream_tls *t, struct asbi_buf *out)
{
    char bytes[4096];
    int n;

    while ((n = BIO_read(t->out, bytes, sizeof(bytes))) > 0)
        asbi_buf_add(out, bytes, (size_t)n);
}

/* What others in this thread have left in OpenSSL's queue of errors would be
 * taken for ours: it is empty before each call. */
static bool wants_more(struct asbi_stream_tls *t, int rc)
{
    int error = SSL_get_error(t->ssl, rc);

    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool asbi_stream_tls_shake(struct asbi_stream_tls *t, struct asbi_buf *out)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(t->ssl);
    bool ok = rc == 1 || wants_more(t, rc);

    drain(t, out);
    return ok && !asbi_buf_failed(out);
}

bool asbi_stream_tls_is_open(const struct asbi_stream_tls *t)
{
    return SSL_is_init_finished(t->ssl);
}

bool asbi_stream_tls_feed(struct asbi_stream_tls *t, const char *at, size_t len)
{
    return len <= INT_MAX && BIO_write(t->in, at, (int)len) == (int)len;
}

ptrdiff_t asbi_stream_tls_read(struct asbi_stream_tls *t, char *to, size_t size,
                               struct asbi_buf *out)
{
    ERR_clear_error();
    int rc = SSL_read(t->ssl, to, (int)size);
    if (rc <= 0)
        rc = wants_more(t, rc) ? 0 : -1;
    drain(t, out);
    return rc;
}

bool asbi_stream_tls_write(struct asbi_stream_tls *t, asbi_str plain,
                           struct asbi_buf *out)
{
    if (plain.len > INT_MAX)
        return false;
    bool ok = plain.len == 0 ||
              SSL_write(t->ssl, plain.at, (int)plain.len) == (int)plain.len;
    ERR_clear_error();
    drain(t, out);
    return ok && !asbi_buf_failed(out);
}
