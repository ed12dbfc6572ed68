/*
 * certs.h -- a private certificate authority for the length of a test.
 */
#ifndef ASBI_TESTS_CERTS_H
#define ASBI_TESTS_CERTS_H

struct certs {
    char
        ca_file[64]; /* PEM, in the temporary folder; removed by certs_fini() */
    void *ca_key, *ca_cert;
    void *ssl_ctx; /* SSL_CTX * of a server named as asked */
};

/* A new authority and a server certificate of it for the subject alternative
 * names, as OpenSSL writes them: "DNS:api.test,IP:127.0.0.1". */
void certs_init(struct certs *c, const char *names);
void certs_fini(struct certs *c);

/* The server's certificate and key as PEM files. */
void certs_write(const struct certs *c, const char *cert_file,
                 const char *key_file);

#endif
