/*
 * web.h -- an HTTP/1.1 server for tests, on the loop of the test itself, on a
 * port the kernel picks.
 *
 * It splits what comes into requests and leaves the answer, byte for byte, to
 * the test: bad servers are the point.  With a key and a certificate it speaks
 * TLS.
 */
#ifndef ASBI_TESTS_WEB_H
#define ASBI_TESTS_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct web;
struct web_conn;

/* One whole request; lives until the callback returns. */
struct web_request {
    struct web *web;
    struct web_conn *conn;
    unsigned number;  /* on this connection, from 1 */
    const char *head; /* request line and headers, NUL-terminated */
    const char *body;
    size_t body_len;
};

typedef void web_fn(struct web_request *r, void *arg);

struct web_counts {
    unsigned connections; /* accepted so far */
    unsigned open;        /* now */
    unsigned requests;    /* received whole */
};

/* Ends the process when it cannot be made: tests have no use for less. */
struct web *web_new(struct event_base *base, web_fn *on_request, void *arg);
/* The same on [::1]; NULL on a machine without IPv6. */
struct web *web_new_ipv6(struct event_base *base, web_fn *on_request,
                         void *arg);
void web_free(struct web *w);

/* From now on every new connection is TLS.  SSL_CTX *, borrowed. */
void web_use_tls(struct web *w, void *ssl_ctx);

/* Called for each accepted connection before anything is read; for servers
 * that speak first or never.  May be NULL. */
void web_on_accept(struct web *w, void (*on_accept)(struct web_conn *c));

uint16_t web_port(const struct web *w);
/* "http://127.0.0.1:PORT" + path; lives until the next call. */
const char *web_url(struct web *w, const char *path);
struct web_counts web_counts(const struct web *w);

/* Queues bytes. */
void web_send(struct web_conn *c, const void *at, size_t len);
void web_text(struct web_conn *c, const char *text);
/* "HTTP/1.1 200 OK" with Content-Length and the body. */
void web_ok(struct web_conn *c, const char *body);
/* Any status, header lines ("A: b\r\n") and a body. */
void web_answer(struct web_conn *c, int status, const char *headers,
                const void *body, size_t body_len);

/* A server that answers the first request of each connection with "first",
 * takes every other and closes without a word. */
web_fn web_answers_one;

/* The connection on which the latest whole request came; NULL when it is
 * gone. */
struct web_conn *web_last(const struct web *w);

/* After what is queued has gone out. */
void web_close(struct web_conn *c);
/* TCP reset, now. */
void web_reset(struct web_conn *c);
/* TLS close_notify alone; TCP stays open. */
void web_say_goodbye(struct web_conn *c);
/* Every connection that is open, in good order: FIN, with TLS close_notify
 * before it. */
void web_close_all(struct web *w);

/* Only bytes, no HTTP: what comes is given to `on_bytes` as it comes. */
void web_raw(struct web_conn *c,
             void (*on_bytes)(struct web_conn *c, const char *at, size_t len));
/* For whoever wants to keep something by the connection. */
void web_set_data(struct web_conn *c, void *data);
void *web_data(const struct web_conn *c);
/* Told when a connection is gone, before it is freed. */
void web_on_gone(struct web *w, void (*on_gone)(struct web_conn *c));

#endif
