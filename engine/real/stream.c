#include "engine/real/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "engine/base/buf.h"
#include "engine/real/stream_tls.h"

enum {
    READ_BYTES = 65536,
    READS_AT_ONCE = 8, /* then others have their turn */
};

struct asbi_stream {
    const struct asbi_parts *parts;
    const struct asbi_stream_ops *ops;
    void *arg;
    int fd;              /* -1: closed */
    unsigned generation; /* one more with each close */
    bool connected, open;
    struct asbi_stream_tls *tls;
    struct asbi_buf out;
    size_t sent; /* of `out` */
    struct event readable, writable;
    char bytes[READ_BYTES];
};

struct asbi_stream *asbi_stream_new(const struct asbi_parts *parts,
                                    const struct asbi_stream_ops *ops,
                                    void *arg, size_t max_waiting)
{
    struct asbi_stream *s = asbi_alloc(parts->mem, sizeof(*s));

    if (!s)
        return NULL;
    memset(s, 0, offsetof(struct asbi_stream, bytes));
    s->parts = parts;
    s->ops = ops;
    s->arg = arg;
    s->fd = -1;
    asbi_buf_init(&s->out, parts->mem, max_waiting);
    return s;
}

void asbi_stream_close(struct asbi_stream *s)
{
    if (s->fd < 0)
        return;
    (void)event_del(&s->readable);
    (void)event_del(&s->writable);
    (void)close(s->fd);
    s->fd = -1;
    s->generation++;
    s->connected = s->open = false;
    asbi_stream_tls_free(s->tls);
    s->tls = NULL;
    asbi_buf_shrink(&s->out, 0);
    s->sent = 0;
}

void asbi_stream_free(struct asbi_stream *s)
{
    if (!s)
        return;
    asbi_stream_close(s);
    asbi_buf_fini(&s->out);
    asbi_free(s->parts->mem, s);
}

static void fail(struct asbi_stream *s, const char *why)
{
    asbi_stream_close(s);
    s->ops->on_closed(s->arg, why);
}

/* ---- sending ---------------------------------------------------------- */

bool asbi_stream_send(struct asbi_stream *s, asbi_str bytes)
{
    if (!s->open || s->out.len + bytes.len > s->out.max)
        return false;
    if (s->tls)
        return asbi_stream_tls_write(s->tls, bytes, &s->out);
    asbi_buf_str(&s->out, bytes);
    return !asbi_buf_failed(&s->out);
}

void asbi_stream_flush(struct asbi_stream *s)
{
    while (s->fd >= 0 && s->connected && s->sent < s->out.len) {
        ssize_t n = send(s->fd, s->out.data + s->sent, s->out.len - s->sent,
                         MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            (void)event_add(&s->writable, NULL);
            return;
        }
        if (n < 0 && errno != EINTR) {
            fail(s, strerror(errno));
            return;
        }
        s->sent += n > 0 ? (size_t)n : 0;
    }
    if (s->fd >= 0 && s->connected) {
        asbi_buf_clear(&s->out);
        s->sent = 0;
    }
}

/* ---- opening ---------------------------------------------------------- */

static void shake(struct asbi_stream *s)
{
    if (!asbi_stream_tls_shake(s->tls, &s->out)) {
        fail(s, "TLS failed: the certificate is not trusted, or not for this "
                "name");
        return;
    }
    s->open = asbi_stream_tls_is_open(s->tls);
    unsigned generation = s->generation;
    asbi_stream_flush(s);
    if (s->open && generation == s->generation)
        s->ops->on_open(s->arg);
}

static void on_connected(struct asbi_stream *s)
{
    socklen_t len = sizeof(int);
    int error = 0;

    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        fail(s, strerror(error));
        return;
    }
    s->connected = true;
    (void)event_add(&s->readable, NULL);
    if (s->tls) {
        shake(s);
        return;
    }
    s->open = true;
    s->ops->on_open(s->arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_stream *s = arg;

    (void)fd;
    (void)what;
    asbi_clock_enter(s->parts->clock);
    struct asbi_clock *clock = s->parts->clock;
    if (s->connected)
        asbi_stream_flush(s);
    else
        on_connected(s);
    asbi_clock_leave(clock);
}

/* ---- reading ---------------------------------------------------------- */

static void read_tls(struct asbi_stream *s, size_t len)
{
    unsigned generation = s->generation;
    ptrdiff_t n;

    if (!asbi_stream_tls_feed(s->tls, s->bytes, len)) {
        fail(s, "out of memory");
        return;
    }
    if (!s->open)
        shake(s);
    while (generation == s->generation && s->open) {
        n = asbi_stream_tls_read(s->tls, s->bytes, READ_BYTES, &s->out);
        if (n == 0)
            break;
        if (n < 0) {
            fail(s, "the server ended the connection");
            return;
        }
        s->ops->on_bytes(s->arg, s->bytes, (size_t)n);
    }
    if (generation == s->generation)
        asbi_stream_flush(s);
}

/* False: nothing more for now, or the stream is closed. */
static bool read_some(struct asbi_stream *s)
{
    unsigned generation = s->generation;
    ssize_t n = recv(s->fd, s->bytes, READ_BYTES, 0);

    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0) {
        fail(s, n < 0 ? strerror(errno) : "the server ended the connection");
        return false;
    }
    if (s->tls)
        read_tls(s, (size_t)n);
    else
        s->ops->on_bytes(s->arg, s->bytes, (size_t)n);
    return generation == s->generation && n == READ_BYTES;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_stream *s = arg;
    struct asbi_clock *clock = s->parts->clock;

    (void)fd;
    (void)what;
    asbi_clock_enter(clock);
    for (int i = 0; i < READS_AT_ONCE && read_some(s); i++)
        ;
    asbi_clock_leave(clock);
}

/* ---- connecting ------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

/* The length, or 0. */
static socklen_t parse(union address *a, const char *text, unsigned port)
{
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(text);

    memset(a, 0, sizeof(*a));
    if (port == 0 && len < sizeof(a->un.sun_path)) {
        a->un.sun_family = AF_UNIX;
        memcpy(a->un.sun_path, text, len + 1);
        return sizeof(a->un);
    }
    if (inet_pton(AF_INET, text, &a->in.sin_addr) == 1) {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons((uint16_t)port);
        return sizeof(a->in);
    }
    if (len < 3 || text[0] != '[' || len - 2 >= sizeof(bare))
        return 0;
    memcpy(bare, text + 1, len - 2);
    bare[len - 2] = '\0';
    if (inet_pton(AF_INET6, bare, &a->in6.sin6_addr) != 1)
        return 0;
    a->in6.sin6_family = AF_INET6;
    a->in6.sin6_port = htons((uint16_t)port);
    return sizeof(a->in6);
}

/* Internal events, as watch.c's: they do not keep the loop alive. */
static bool watch(struct asbi_stream *s)
{
    if (event_assign(&s->readable, s->parts->base, s->fd, EV_READ | EV_PERSIST,
                     on_readable, s) ||
        event_assign(&s->writable, s->parts->base, s->fd, EV_WRITE, on_writable,
                     s))
        return false;
    s->readable.ev_evcallback.evcb_flags |= EVLIST_INTERNAL;
    s->writable.ev_evcallback.evcb_flags |= EVLIST_INTERNAL;
    return event_add(&s->writable, NULL) == 0;
}

bool asbi_stream_open(struct asbi_stream *s, const char *address, unsigned port,
                      struct asbi_tls_roots *roots, const char *name)
{
    union address a;
    socklen_t len = parse(&a, address, port);
    int one = 1;

    if (!len || s->fd >= 0)
        return false;
    s->fd =
        socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return false;
    if (port)
        (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (roots)
        s->tls = asbi_stream_tls_new(roots, name);
    bool ok = (!roots || s->tls) &&
              (connect(s->fd, &a.any, len) == 0 || errno == EINPROGRESS) &&
              watch(s);
    if (ok)
        return true;
    (void)close(s->fd); /* its events were not added */
    s->fd = -1;
    asbi_stream_tls_free(s->tls);
    s->tls = NULL;
    return false;
}
