#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "engine/base/buf.h"
#include "engine/real/fd.h"
#include "engine/real/fd_kind.h"

enum {
    FILE_SLICE = 1024 * 1024, /* for one turn of the loop */
    STREAM_SLICE = 64 * 1024,
    /* What a ready pipe takes without waiting is PIPE_BUF. */
    PIECE = PIPE_BUF,
    KEPT = 256 * 1024, /* memory kept while nothing waits */
};
/* Far above any high-water mark: a bound, not a limit to live by. */
#define MOST_WAITING ((size_t)1 << 30)

struct asbi_sink {
    struct asbi_parts parts;
    int fd;
    enum asbi_fd_kind kind;
    const struct asbi_sink_ops *ops;
    void *arg;
    size_t high_water;
    struct event ready; /* writable; not for files */
    struct event tick;  /* the next turn */
    struct asbi_buf waiting;
    size_t at;        /* written of `waiting` */
    uint64_t written; /* in all */
    bool full;
    bool blocked;         /* waits for `ready` */
    bool broken;          /* on_error was called */
    bool finishing, over; /* asbi_sink_finish(); on_finished was called */
    bool calling;         /* inside a callback */
    bool abandoned;       /* freed by the callback that is running */
};

static size_t left(const struct asbi_sink *s)
{
    return s->waiting.len - s->at;
}

static void schedule(struct asbi_sink *s)
{
    static const struct timeval next_turn = { 0, 0 };
    bool idle = left(s) == 0 && !(s->finishing && !s->over);

    if (!idle && !s->blocked)
        (void)event_add(&s->tick, &next_turn);
}

/* ---- writing --------------------------------------------------------- */

static bool is_ready(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, 0) > 0;
}

/* As write(); EAGAIN where that would wait. */
static ssize_t put(struct asbi_sink *s, size_t len)
{
    const char *at = s->waiting.data + s->at;

    if (s->kind == ASBI_FD_SOCKET)
        return send(s->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (s->kind == ASBI_FD_FILE)
        return write(s->fd, at, len);
    if (!is_ready(s->fd)) {
        errno = EAGAIN;
        return -1;
    }
    return write(s->fd, at, len < PIECE ? len : PIECE);
}

/* One turn's worth.  0, EAGAIN or what went wrong. */
static int put_slice(struct asbi_sink *s)
{
    size_t slice = s->kind == ASBI_FD_FILE ? FILE_SLICE : STREAM_SLICE;

    while (left(s) > 0 && slice > 0) {
        ssize_t n = put(s, left(s) < slice ? left(s) : slice);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EWOULDBLOCK ? EAGAIN : errno;
        if (n == 0)
            return EIO; /* nothing sane writes nothing */
        s->at += (size_t)n;
        s->written += (size_t)n;
        slice -= (size_t)n;
    }
    return 0;
}

/* Forgets what is written; moves the rest only when that pays. */
static void tidy(struct asbi_sink *s)
{
    if (left(s) == 0) {
        asbi_buf_shrink(&s->waiting, KEPT);
        s->at = 0;
    } else if (s->at > s->waiting.len / 2) {
        asbi_buf_consume(&s->waiting, s->at);
        s->at = 0;
    }
}

/* ---- telling --------------------------------------------------------- */

static void fail(struct asbi_sink *s, int error)
{
    s->broken = true;
    asbi_buf_shrink(&s->waiting, 0);
    s->at = 0;
    s->full = false;
    s->ops->on_error(s->arg, error);
}

static void tell(struct asbi_sink *s)
{
    if (s->full && left(s) <= s->high_water / 4) {
        s->full = false;
        if (s->ops->on_room)
            s->ops->on_room(s->arg);
    }
    if (s->abandoned || !s->finishing || s->over || left(s) > 0)
        return;
    s->over = true;
    s->ops->on_finished(s->arg);
}

static void work(struct asbi_sink *s)
{
    int error = s->broken ? 0 : put_slice(s);

    if (error && error != EAGAIN) {
        fail(s, error);
        if (s->abandoned)
            return;
    }
    tidy(s);
    if (error == EAGAIN && event_add(&s->ready, NULL) == 0)
        s->blocked = true;
    tell(s);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_sink *s = arg;
    struct asbi_clock *clock = s->parts.clock;

    (void)fd;
    (void)what;
    s->blocked = false;
    asbi_clock_enter(clock);
    s->calling = true;
    work(s);
    s->calling = false;
    if (s->abandoned)
        asbi_sink_free(s);
    else
        schedule(s);
    asbi_clock_leave(clock);
}

/* ---- the calls ------------------------------------------------------- */

int asbi_sink_new(const struct asbi_parts *parts, int fd, size_t high_water,
                  const struct asbi_sink_ops *ops, void *arg,
                  struct asbi_sink **out)
{
    enum asbi_fd_kind kind = asbi_fd_kind_of(fd);

    *out = NULL;
    if (kind == ASBI_FD_NONE)
        return ASB_EIO;
    struct asbi_sink *s = asbi_calloc(parts->mem, 1, sizeof(*s));
    if (!s)
        return ASB_ENOMEM;
    s->parts = *parts;
    s->fd = fd;
    s->kind = kind;
    s->ops = ops;
    s->arg = arg;
    s->high_water = high_water;
    asbi_buf_init(&s->waiting, parts->mem, MOST_WAITING);
    if (evtimer_assign(&s->tick, parts->base, on_turn, s) ||
        event_assign(&s->ready, parts->base, fd, EV_WRITE, on_turn, s)) {
        asbi_free(parts->mem, s);
        return ASB_ENOMEM;
    }
    *out = s;
    return ASB_OK;
}

int asbi_sink_write(struct asbi_sink *s, asbi_str bytes)
{
    if (s->broken || bytes.len == 0)
        return ASB_OK;
    asbi_buf_str(&s->waiting, bytes);
    if (asbi_buf_failed(&s->waiting)) {
        /* What waits is untouched and still goes out. */
        s->waiting.failed = false;
        return ASB_ENOMEM;
    }
    if (left(s) >= s->high_water)
        s->full = true;
    if (!s->calling)
        schedule(s);
    return ASB_OK;
}

bool asbi_sink_is_full(const struct asbi_sink *s)
{
    return s->full;
}

uint64_t asbi_sink_written(const struct asbi_sink *s)
{
    return s->written;
}

void asbi_sink_finish(struct asbi_sink *s)
{
    s->finishing = true;
    if (!s->calling)
        schedule(s);
}

void asbi_sink_free(struct asbi_sink *s)
{
    if (!s)
        return;
    s->abandoned = true;
    if (s->calling)
        return;
    (void)event_del(&s->tick);
    (void)event_del(&s->ready);
    asbi_buf_fini(&s->waiting);
    asbi_free(s->parts.mem, s);
}
