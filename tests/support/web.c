#define _GNU_SOURCE /* strcasestr */

#include "tests/support/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "engine/base/buf.h"
#include "engine/base/list.h"
#include "tests/support/check.h"

struct web_conn {
    struct asbi_link link; /* web->conns */
    struct web *web;
    int fd;
    SSL *ssl; /* NULL: plain */
    struct event *readable, *writable;
    struct asbi_buf in, out;
    unsigned requests;
    bool closing;
    bool busy; /* in a callback: not to be freed */
    bool gone;
    void (*on_bytes)(struct web_conn *c, const char *at, size_t len);
    void *data;
};

struct web {
    struct event_base *base;
    web_fn *on_request;
    void *arg;
    void (*on_accept)(struct web_conn *c);
    void (*on_gone)(struct web_conn *c);
    SSL_CTX *tls;
    int fd;
    struct event *acceptable;
    struct asbi_list conns;
    struct web_counts counts;
    struct web_conn *last;
    char url[128];
};

/* ---- connections ----------------------------------------------------- */

static void conn_free(struct web_conn *c)
{
    if (c->busy) {
        c->gone = true;
        return;
    }
    if (c->web->on_gone)
        c->web->on_gone(c);
    if (c->web->last == c)
        c->web->last = NULL;
    c->web->counts.open--;
    asbi_list_remove(&c->link);
    event_free(c->readable);
    event_free(c->writable);
    SSL_free(c->ssl);
    (void)close(c->fd);
    asbi_buf_fini(&c->in);
    asbi_buf_fini(&c->out);
    free(c);
}

static ssize_t conn_write(struct web_conn *c)
{
    if (!c->ssl)
        return send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
    int n = SSL_write(c->ssl, c->out.data, (int)c->out.len);
    if (n > 0)
        return n;
    int why = SSL_get_error(c->ssl, n);
    ERR_clear_error();
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN
                                                                      : EIO;
    return -1;
}

static void flush(struct web_conn *c)
{
    while (c->out.len && !c->gone) {
        ssize_t n = conn_write(c);

        if (n < 0 && errno == EAGAIN) {
            (void)event_add(c->writable, NULL);
            return;
        }
        if (n < 0) {
            conn_free(c);
            return;
        }
        asbi_buf_consume(&c->out, (size_t)n);
    }
    if (c->closing && !c->gone) {
        if (c->ssl)
            (void)SSL_shutdown(c->ssl);
        conn_free(c);
    }
}

static ssize_t conn_read(struct web_conn *c, char *to, size_t room)
{
    if (!c->ssl)
        return recv(c->fd, to, room, 0);
    int n = SSL_read(c->ssl, to, (int)room);
    if (n > 0)
        return n;
    int why = SSL_get_error(c->ssl, n);
    ERR_clear_error();
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN
                                                                      : EIO;
    return -1;
}

/* ---- requests -------------------------------------------------------- */

static size_t body_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");

    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* Cuts one request off the front.  False when there is none yet. */
static bool take_request(struct web_conn *c)
{
    const char *text = asbi_buf_cstr(&c->in);
    const char *end = c->in.len ? strstr(text, "\r\n\r\n") : NULL;

    if (!end)
        return false;
    size_t head_len = (size_t)(end - text) + 4;
    char *head = strndup(text, head_len);
    size_t body_len = body_length(head);
    bool whole = c->in.len >= head_len + body_len;
    if (whole) {
        char *body = malloc(body_len + 1);
        struct web_request r = { .web = c->web,
                                 .conn = c,
                                 .number = ++c->requests,
                                 .head = head,
                                 .body = body,
                                 .body_len = body_len };

        memcpy(body, text + head_len, body_len);
        body[body_len] = '\0';
        asbi_buf_consume(&c->in, head_len + body_len);
        c->web->counts.requests++;
        c->web->last = c;
        c->web->on_request(&r, c->web->arg);
        free(body);
    }
    free(head);
    return whole && !c->gone;
}

static void take(struct web_conn *c, const char *at, size_t len)
{
    if (c->on_bytes) {
        c->on_bytes(c, at, len);
        return;
    }
    asbi_buf_add(&c->in, at, len);
    while (!c->on_bytes && take_request(c))
        ;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct web_conn *c = arg;
    static char bytes[65536];
    ssize_t n = 1;

    (void)fd;
    (void)what;
    c->busy = true;
    while (!c->gone && (n = conn_read(c, bytes, sizeof(bytes))) > 0)
        take(c, bytes, (size_t)n);
    c->busy = false;
    if (c->gone || n == 0 || (n < 0 && errno != EAGAIN))
        conn_free(c);
    else
        flush(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    flush(arg);
}

static void conn_new(struct web *w, int fd)
{
    struct web_conn *c = calloc(1, sizeof(*c));

    c->web = w;
    c->fd = fd;
    (void)evutil_make_socket_nonblocking(fd);
    asbi_buf_init(&c->in, &asbi_mem_system, (size_t)1 << 26);
    asbi_buf_init(&c->out, &asbi_mem_system, (size_t)1 << 28);
    c->readable = event_new(w->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(w->base, fd, EV_WRITE, on_writable, c);
    (void)event_add(c->readable, NULL);
    asbi_list_append(&w->conns, &c->link);
    w->counts.connections++;
    w->counts.open++;
    if (w->tls) {
        c->ssl = SSL_new(w->tls);
        SSL_set_mode(c->ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_ENABLE_PARTIAL_WRITE);
        (void)SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
    }
    if (w->on_accept)
        w->on_accept(c);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    int accepted;

    (void)what;
    while ((accepted = accept(fd, NULL, NULL)) >= 0)
        conn_new(arg, accepted);
}

/* ---- the server ------------------------------------------------------ */

/* A socket that is bound to a port of the kernel's choice; -1 for none. */
static int bound(const struct sockaddr *at, socklen_t len)
{
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, at, len) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static struct web *serve(int fd, struct event_base *base, web_fn *on_request,
                         void *arg)
{
    struct web *w = calloc(1, sizeof(*w));

    w->base = base;
    w->on_request = on_request;
    w->arg = arg;
    asbi_list_init(&w->conns);
    w->fd = fd;
    if (fd < 0 || listen(fd, 4096) || evutil_make_socket_nonblocking(fd))
        check_fail(__FILE__, __LINE__, "no server: %s", strerror(errno));
    w->acceptable =
        event_new(base, w->fd, EV_READ | EV_PERSIST, on_acceptable, w);
    (void)event_add(w->acceptable, NULL);
    return w;
}

struct web *web_new(struct event_base *base, web_fn *on_request, void *arg)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    return serve(bound((struct sockaddr *)&at, sizeof(at)), base, on_request,
                 arg);
}

struct web *web_new_ipv6(struct event_base *base, web_fn *on_request, void *arg)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = bound((struct sockaddr *)&at, sizeof(at));

    return fd < 0 ? NULL : serve(fd, base, on_request, arg);
}

void web_free(struct web *w)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&w->conns)))
        conn_free(ASBI_OF(link, struct web_conn, link));
    event_free(w->acceptable);
    (void)close(w->fd);
    free(w);
}

void web_use_tls(struct web *w, void *ssl_ctx)
{
    /* OpenSSL writes to a socket as to a pipe. */
    (void)signal(SIGPIPE, SIG_IGN);
    w->tls = ssl_ctx;
}

void web_on_accept(struct web *w, void (*on_accept)(struct web_conn *c))
{
    w->on_accept = on_accept;
}

void web_on_gone(struct web *w, void (*on_gone)(struct web_conn *c))
{
    w->on_gone = on_gone;
}

uint16_t web_port(const struct web *w)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    (void)getsockname(w->fd, (struct sockaddr *)&at, &len);
    return ntohs(at.sin_port);
}

const char *web_url(struct web *w, const char *path)
{
    (void)snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%u%s",
                   w->tls ? "https" : "http", web_port(w), path);
    return w->url;
}

struct web_counts web_counts(const struct web *w)
{
    return w->counts;
}

/* ---- answers --------------------------------------------------------- */

void web_send(struct web_conn *c, const void *at, size_t len)
{
    asbi_buf_add(&c->out, at, len);
    if (!c->busy)
        flush(c);
}

void web_text(struct web_conn *c, const char *text)
{
    web_send(c, text, strlen(text));
}

void web_answer(struct web_conn *c, int status, const char *headers,
                const void *body, size_t body_len)
{
    asbi_buf_fmt(&c->out, "HTTP/1.1 %d Words\r\n%sContent-Length: %zu\r\n\r\n",
                 status, headers, body_len);
    web_send(c, body, body_len);
}

void web_ok(struct web_conn *c, const char *body)
{
    web_answer(c, 200, "", body, strlen(body));
}

void web_answers_one(struct web_request *r, void *arg)
{
    (void)arg;
    if (r->number == 1)
        web_ok(r->conn, "first");
    else
        web_close(r->conn);
}

struct web_conn *web_last(const struct web *w)
{
    return w->last;
}

void web_close(struct web_conn *c)
{
    c->closing = true;
    if (!c->busy)
        flush(c);
}

void web_reset(struct web_conn *c)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    conn_free(c);
}

void web_say_goodbye(struct web_conn *c)
{
    (void)SSL_shutdown(c->ssl);
}

void web_close_all(struct web *w)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&w->conns)))
        web_close(ASBI_OF(link, struct web_conn, link));
}

void web_raw(struct web_conn *c,
             void (*on_bytes)(struct web_conn *c, const char *at, size_t len))
{
    c->on_bytes = on_bytes;
}

void web_set_data(struct web_conn *c, void *data)
{
    c->data = data;
}

void *web_data(const struct web_conn *c)
{
    return c->data;
}
