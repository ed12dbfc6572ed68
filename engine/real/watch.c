#define _GNU_SOURCE /* POLLRDHUP */

#include "engine/real/watch.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <asyncbatch/asyncbatch.h>

enum {
    FIRST_CAP = 64,
    TLS_HANDSHAKE = 0x16,
    TLS_APPLICATION = 0x17, /* e.g. HTTP/2 frames */
    MOST_DRAINED = 64,      /* reads of 4 KiB from a connection that ended */
};

struct asbi_watch {
    struct event event;
    struct asbi_watch_table *table;
    struct asbi_watcher *owner; /* NULL while at rest */
    short armed;                /* what the event is added for; 0: not added */
};

void asbi_watch_init(struct asbi_watch_table *t, const struct asbi_parts *parts)
{
    *t = (struct asbi_watch_table){ .parts = parts };
}

static void disarm(struct asbi_watch *w)
{
    if (w->armed)
        (void)event_del(&w->event);
    w->armed = 0;
}

void asbi_watch_fini(struct asbi_watch_table *t)
{
    for (size_t fd = 0; fd < t->cap; fd++) {
        if (!t->by_fd[fd])
            continue;
        disarm(t->by_fd[fd]);
        asbi_free(t->parts->mem, t->by_fd[fd]);
    }
    asbi_free(t->parts->mem, t->by_fd);
    t->by_fd = NULL;
    t->cap = 0;
}

static struct asbi_watch *find(const struct asbi_watch_table *t, int fd)
{
    return fd >= 0 && (size_t)fd < t->cap ? t->by_fd[fd] : NULL;
}

/*
 * Whether the other side has ended an idle connection.  Under HTTP/1.1 any byte
 * does: an answer nobody asked for, a TLS alert.  (In TLS 1.3 an alert looks
 * like any other record from outside, and its FIN may be a moment behind.)
 */
static bool has_ended(const struct asbi_watch_table *t, int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
    unsigned char first;
    ssize_t n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n <= 0)
        return n == 0;
    if (!t->chatty || (first != TLS_HANDSHAKE && first != TLS_APPLICATION))
        return true;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Makes the next look at the connection see its end and nothing else. */
static void finish_off(int fd)
{
    char waste[4096];
    int left = MOST_DRAINED;

    while (left-- > 0 && recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
        ;
    (void)shutdown(fd, SHUT_RD);
}

static int make_room(struct asbi_watch_table *t, int fd)
{
    size_t cap = t->cap ? t->cap : FIRST_CAP;

    if ((size_t)fd < t->cap)
        return ASB_OK;
    while (cap <= (size_t)fd)
        cap *= 2;
    struct asbi_watch **by_fd =
        asbi_resize(t->parts->mem, t->by_fd, cap, sizeof(struct asbi_watch *));
    if (!by_fd)
        return ASB_ENOMEM;
    for (size_t i = t->cap; i < cap; i++)
        by_fd[i] = NULL;
    t->by_fd = by_fd;
    t->cap = cap;
    return ASB_OK;
}

static struct asbi_watch *find_or_make(struct asbi_watch_table *t, int fd)
{
    if (fd < 0 || make_room(t, fd))
        return NULL;
    if (!t->by_fd[fd]) {
        t->by_fd[fd] = asbi_calloc(t->parts->mem, 1, sizeof(struct asbi_watch));
        if (t->by_fd[fd])
            t->by_fd[fd]->table = t;
    }
    return t->by_fd[fd];
}

static void on_event(evutil_socket_t fd, short what, void *arg);

/* The event is of libevent's internal kind, as its own wake-up pipe is: a
 * kept-alive connection must not keep a host's loop from ending. */
static int arm(struct asbi_watch *w, int fd, short what)
{
    disarm(w);
    if (event_assign(&w->event, w->table->parts->base, fd,
                     (short)(what | EV_PERSIST), on_event, w))
        return ASB_ENOMEM;
    w->event.ev_evcallback.evcb_flags |= EVLIST_INTERNAL;
    if (event_add(&w->event, NULL))
        return ASB_ENOMEM;
    w->armed = what;
    return ASB_OK;
}

/* Whatever it is, nobody reads it now: looking on would spin.  Only the end is
 * still of interest, where the kernel tells that apart. */
static void on_idle(struct asbi_watch *w, int fd)
{
    struct event_base *base = w->table->parts->base;

    disarm(w);
    if (has_ended(w->table, fd))
        finish_off(fd);
    else if (event_base_get_features(base) & EV_FEATURE_EARLY_CLOSE)
        (void)arm(w, fd, EV_CLOSED);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_watch *w = arg;
    struct asbi_clock *clock = w->table->parts->clock;

    if (!w->owner) {
        on_idle(w, fd);
        return;
    }
    asbi_clock_enter(clock);
    w->owner->on_ready(w->owner, fd, what);
    asbi_clock_leave(clock);
}

int asbi_watch_set(struct asbi_watch_table *t, int fd, short what,
                   struct asbi_watcher *owner)
{
    struct asbi_watch *w = find_or_make(t, fd);

    assert(owner);
    if (!w)
        return ASB_ENOMEM;
    w->owner = owner;
    return w->armed == what ? ASB_OK : arm(w, fd, what);
}

void asbi_watch_rest(struct asbi_watch_table *t, int fd)
{
    struct asbi_watch *w = find(t, fd);

    if (!w)
        return;
    w->owner = NULL;
    if (w->armed != EV_READ)
        disarm(w);
}

void asbi_watch_drop(struct asbi_watch_table *t, int fd)
{
    struct asbi_watch *w = find(t, fd);

    if (!w)
        return;
    disarm(w);
    w->owner = NULL;
}
