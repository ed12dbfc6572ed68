#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "engine/real/fd.h"
#include "engine/real/fd_kind.h"

enum { SLICE = 64 * 1024 };

struct asbi_source {
    struct asbi_parts parts;
    int fd;
    enum asbi_fd_kind kind;
    const struct asbi_source_ops *ops;
    void *arg;
    struct event ready; /* readable; not for files */
    struct event tick;  /* the next turn: files, and bytes left over */
    bool paused;
    bool resumed;   /* by the callback that is running */
    bool over;      /* on_end was called */
    bool calling;   /* inside a callback */
    bool abandoned; /* freed by the callback that is running */
    size_t at, len; /* bytes left over in the buffer */
    char buffer[SLICE];
};

static void schedule(struct asbi_source *s)
{
    static const struct timeval next_turn = { 0, 0 };

    if (s->over || s->paused) {
        (void)event_del(&s->tick);
        if (s->kind != ASBI_FD_FILE)
            (void)event_del(&s->ready);
        return;
    }
    if (s->kind == ASBI_FD_FILE || s->at < s->len)
        (void)event_add(&s->tick, &next_turn);
    else
        (void)event_add(&s->ready, NULL);
}

static void end(struct asbi_source *s, int error)
{
    s->over = true;
    s->ops->on_end(s->arg, error);
}

static void offer(struct asbi_source *s)
{
    size_t len = s->len - s->at;

    s->resumed = false;
    size_t taken = s->ops->on_bytes(s->arg, s->buffer + s->at, len);
    s->at += taken < len ? taken : len;
    if (taken < len && !s->resumed)
        s->paused = true;
}

/* The event may have been for somebody else who shares the descriptor. */
static bool is_ready(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

static ssize_t fill(struct asbi_source *s)
{
    ssize_t n;

    do {
        if (s->kind == ASBI_FD_SOCKET) {
            n = recv(s->fd, s->buffer, SLICE, MSG_DONTWAIT);
        } else if (s->kind == ASBI_FD_STREAM && !is_ready(s->fd)) {
            errno = EAGAIN;
            return -1;
        } else {
            n = read(s->fd, s->buffer, SLICE);
        }
    } while (n < 0 && errno == EINTR);
    return n;
}

static void work(struct asbi_source *s)
{
    if (s->at == s->len) {
        ssize_t n = fill(s);

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            end(s, n < 0 ? errno : 0);
            return;
        }
        s->at = 0;
        s->len = (size_t)n;
    }
    offer(s);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_source *s = arg;
    struct asbi_clock *clock = s->parts.clock;

    (void)fd;
    (void)what;
    if (s->paused || s->over)
        return;
    asbi_clock_enter(clock);
    s->calling = true;
    work(s);
    s->calling = false;
    if (s->abandoned)
        asbi_source_free(s);
    else
        schedule(s);
    asbi_clock_leave(clock);
}

int asbi_source_new(const struct asbi_parts *parts, int fd,
                    const struct asbi_source_ops *ops, void *arg,
                    struct asbi_source **out)
{
    enum asbi_fd_kind kind = asbi_fd_kind_of(fd);

    *out = NULL;
    if (kind == ASBI_FD_NONE)
        return ASB_EIO;
    struct asbi_source *s = asbi_alloc(parts->mem, sizeof(*s));
    if (!s)
        return ASB_ENOMEM;
    /* All but the buffer. */
    memset(s, 0, offsetof(struct asbi_source, buffer));
    s->parts = *parts;
    s->fd = fd;
    s->kind = kind;
    s->ops = ops;
    s->arg = arg;
    s->paused = true;
    if (evtimer_assign(&s->tick, parts->base, on_turn, s) ||
        event_assign(&s->ready, parts->base, fd, EV_READ, on_turn, s)) {
        asbi_free(parts->mem, s);
        return ASB_ENOMEM;
    }
    *out = s;
    return ASB_OK;
}

void asbi_source_pause(struct asbi_source *s)
{
    s->paused = true;
    s->resumed = false;
    if (!s->calling)
        schedule(s);
}

void asbi_source_resume(struct asbi_source *s)
{
    s->paused = false;
    s->resumed = true;
    if (!s->calling)
        schedule(s);
}

void asbi_source_free(struct asbi_source *s)
{
    if (!s)
        return;
    s->over = true;
    s->abandoned = true;
    if (s->calling)
        return;
    (void)event_del(&s->tick);
    (void)event_del(&s->ready);
    asbi_free(s->parts.mem, s);
}
