#include "tests/support/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/support/check.h"

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    CHECK(e);
    (void)X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *cert_new(const char *name, EVP_PKEY *key, X509 *issuer,
                      long serial)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);

    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(cert,
                               X509_get_subject_name(issuer ? issuer : cert));
    (void)X509_set_pubkey(cert, key);
    return cert;
}

static void ca_make(struct certs *c)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = cert_new("test authority", key, NULL, 1);

    extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    CHECK(X509_sign(cert, key, EVP_sha256()));
    c->ca_key = key;
    c->ca_cert = cert;
    (void)snprintf(c->ca_file, sizeof(c->ca_file), "/tmp/asb-test-ca-XXXXXX");
    int fd = mkstemp(c->ca_file);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    CHECK(f && PEM_write_X509(f, cert));
    (void)fclose(f);
}

void certs_init(struct certs *c, const char *names)
{
    ca_make(c);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = cert_new("test server", key, c->ca_cert, 2);
    extend(cert, c->ca_cert, NID_subject_alt_name, names);
    CHECK(X509_sign(cert, c->ca_key, EVP_sha256()));
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    CHECK(ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
          SSL_CTX_use_PrivateKey(ctx, key) == 1);
    c->ssl_ctx = ctx;
    X509_free(cert);
    EVP_PKEY_free(key);
}

void certs_fini(struct certs *c)
{
    SSL_CTX_free(c->ssl_ctx);
    X509_free(c->ca_cert);
    EVP_PKEY_free(c->ca_key);
    (void)unlink(c->ca_file);
}

void certs_write(const struct certs *c, const char *cert_file,
                 const char *key_file)
{
    FILE *cert = fopen(cert_file, "w"), *key = fopen(key_file, "w");

    CHECK(cert && PEM_write_X509(cert, SSL_CTX_get0_certificate(c->ssl_ctx)));
    CHECK(key && PEM_write_PrivateKey(key, SSL_CTX_get0_privatekey(c->ssl_ctx),
                                      NULL, NULL, 0, NULL, NULL));
    CHECK(fclose(cert) == 0 && fclose(key) == 0);
}
