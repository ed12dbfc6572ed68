/*
 * test_stream_tls.c -- TLS in memory, in a thread that others do TLS in, too.
 */
#include "engine/real/stream_tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "engine/real/tls.h"
#include "tests/support/certs.h"
#include "tests/support/check.h"

static struct certs certs;
static struct asbi_tls_roots *roots;
static struct asbi_stream_tls *client;
static SSL *server;
static struct asbi_buf out;

static void begin(void)
{
    struct asb_message why;

    certs_init(&certs, "IP:127.0.0.1");
    CHECK_INT(asbi_tls_roots_new(certs.ca_file, NULL, &roots, &why), ==,
              ASB_OK);
    client = asbi_stream_tls_new(roots, "127.0.0.1");
    CHECK(client != NULL);
    server = SSL_new(certs.ssl_ctx);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server);
    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
}

static void finish(void)
{
    asbi_buf_fini(&out);
    SSL_free(server);
    asbi_stream_tls_free(client);
    asbi_tls_roots_free(roots);
    certs_fini(&certs);
}

/* What libcurl, or a host, leaves behind when it ends a connection of its. */
static void leave_an_error(void)
{
    ERR_raise(ERR_LIB_USER, 1);
}

/* All that waits goes over to the other side. */
static void carry(void)
{
    char bytes[4096];
    int n;

    if (out.len)
        CHECK_INT(BIO_write(SSL_get_rbio(server), out.data, (int)out.len), ==,
                  out.len);
    asbi_buf_clear(&out);
    (void)SSL_do_handshake(server);
    ERR_clear_error();
    while ((n = BIO_read(SSL_get_wbio(server), bytes, sizeof(bytes))) > 0)
        CHECK(asbi_stream_tls_feed(client, bytes, (size_t)n));
}

static void errors_of_others_are_not_ours(void)
{
    char bytes[64];

    begin();
    for (int i = 0; i < 4; i++) {
        leave_an_error();
        CHECK(asbi_stream_tls_shake(client, &out));
        carry();
    }
    CHECK(asbi_stream_tls_is_open(client));
    leave_an_error();
    CHECK_INT(asbi_stream_tls_read(client, bytes, sizeof(bytes), &out), ==, 0);
    leave_an_error();
    CHECK(asbi_stream_tls_write(client, ASBI_STR("ping"), &out));
    carry();
    CHECK_INT(SSL_read(server, bytes, sizeof(bytes)), ==, 4);
    CHECK_INT(SSL_write(server, "pong", 4), ==, 4);
    carry();
    leave_an_error();
    CHECK_INT(asbi_stream_tls_read(client, bytes, sizeof(bytes), &out), ==, 4);
    leave_an_error();
    CHECK_INT(asbi_stream_tls_read(client, bytes, sizeof(bytes), &out), ==, 0);
    ERR_clear_error();
    finish();
}

TEST_MAIN(CASE(errors_of_others_are_not_ours))
