#include <assert.h>

#include "engine/real/http_private.h"

/*
 * libcurl walks lists as long as a multi handle's connections for each call:
 * at 10,000 in flight one handle spends 20 times what a hundred handles do.
 * So a slot belongs to one of many multi handles, on the same loop.
 *
 * Under HTTP/2 libcurl has calls wait for a connection to their server that is
 * being opened, and wakes one of those that wait when one is open, whosever it
 * is: where some wait for a server that does not answer, calls to another are
 * woken late or never.  So servers then have multi handles of their own, in as
 * many groups as may be.
 */
enum {
    SPARE_CONNECTIONS = 8,
    FIRST_MULTIS = 8,
};

static void make_due(struct asbi_http_multi *m)
{
    if (!m->due.list)
        asbi_list_append(&m->http->due, &m->due);
    asbi_http_pump(m->http);
}

/* There is no memory for an event that libcurl wants.  To say so to libcurl
 * (-1) has it fail every transfer of the handle, and 7.88 crashes on those that
 * have no connection yet: they are failed here, a little later. */
static int lose_event(struct asbi_http_multi *m)
{
    m->lost_event = true;
    make_due(m);
    return 0;
}

/* Only takes note: libcurl must not be called from here. */
static int on_curl_timer(CURLM *curl, long ms, void *arg)
{
    struct asbi_http_multi *m = arg;

    (void)curl;
    (void)event_del(&m->timer);
    if (ms == 0) {
        make_due(m);
        return 0;
    }
    asbi_list_remove(&m->due);
    if (ms > 0) {
        struct timeval tv = asbi_timeval((uint64_t)ms * 1000000);

        return event_add(&m->timer, &tv) ? lose_event(m) : 0;
    }
    return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                          void *unused)
{
    static const short wanted[] = {
        [CURL_POLL_IN] = EV_READ,
        [CURL_POLL_OUT] = EV_WRITE,
        [CURL_POLL_INOUT] = EV_READ | EV_WRITE,
    };
    struct asbi_http_multi *m = arg;
    struct asbi_watch_table *watches = &m->http->watches;

    (void)easy;
    (void)unused;
    if (what != CURL_POLL_IN && what != CURL_POLL_OUT &&
        what != CURL_POLL_INOUT) {
        asbi_watch_rest(watches, fd);
        return 0;
    }
    return asbi_watch_set(watches, fd, wanted[what], &m->watcher)
               ? lose_event(m)
               : 0;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_http_multi *m = arg;
    struct asbi_clock *clock = m->http->parts.clock;

    (void)fd;
    (void)what;
    asbi_clock_enter(clock);
    asbi_http_drive(m, CURL_SOCKET_TIMEOUT, 0);
    asbi_clock_leave(clock);
}

static void on_ready(struct asbi_watcher *w, int fd, short what)
{
    int mask = (what & EV_READ ? CURL_CSELECT_IN : 0) |
               (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    asbi_http_drive(ASBI_OF(w, struct asbi_http_multi, watcher), fd, mask);
}

static void collect(struct asbi_http_multi *m)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(m->curl, &left))) {
        char *slot = NULL;
        CURLcode code = msg->data.result; /* msg dies with the removal */

        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &slot);
        asbi_http_finish((struct asbi_http_slot *)(void *)slot, code);
    }
}

/* Whose event it was libcurl does not say; one that waits for it would hang for
 * ever. */
static void fail_running(struct asbi_http_multi *m)
{
    struct asbi_list *running = &m->http->by_state[ASBI_SLOT_RUNNING];

    for (size_t n = running->count; n > 0; n--) {
        struct asbi_http_slot *slot =
            ASBI_OF(asbi_list_first(running), struct asbi_http_slot, link);

        if (slot->multi == m)
            asbi_http_slot_fail(slot, "out of memory", false);
        else
            asbi_http_slot_enter(slot, ASBI_SLOT_RUNNING); /* the last now */
    }
}

void asbi_http_drive(struct asbi_http_multi *m, curl_socket_t fd, int mask)
{
    struct asbi_http *h = m->http;
    int running;

    assert(!h->in_curl);
    h->in_curl = true;
    (void)curl_multi_socket_action(m->curl, fd, mask, &running);
    h->in_curl = false;
    collect(m);
    if (m->lost_event)
        fail_running(m);
    m->lost_event = false;
}

static bool multi_init(struct asbi_http_multi *m)
{
    struct asbi_http *h = m->http;
    long connections = (long)h->calls_per_multi + SPARE_CONNECTIONS;
    long multiplex = h->http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING;

    if (evtimer_assign(&m->timer, h->parts.base, on_timeout, m))
        return false;
    m->curl = curl_multi_init();
    return m->curl &&
           !curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION,
                              on_curl_socket) &&
           !curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m) &&
           !curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_curl_timer) &&
           !curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m) &&
           !curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, multiplex) &&
           /* The default shrinks with the calls under way, and closes warm
            * connections at the end of each burst. */
           !curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, connections);
}

void asbi_http_multi_free(struct asbi_http_multi *m)
{
    if (!m)
        return;
    if (m->curl)
        (void)curl_multi_cleanup(m->curl);
    if (event_initialized(&m->timer))
        (void)event_del(&m->timer);
    asbi_list_remove(&m->due);
    asbi_free(m->http->parts.mem, m);
}

static int make_room(struct asbi_http *h)
{
    size_t cap = h->multi_cap ? h->multi_cap * 2 : FIRST_MULTIS;

    if (h->multi_count < h->multi_cap)
        return ASB_OK;
    struct asbi_http_multi **multis =
        asbi_resize(h->parts.mem, h->multis, cap, sizeof(*multis));
    if (!multis)
        return ASB_ENOMEM;
    h->multis = multis;
    h->multi_cap = cap;
    return ASB_OK;
}

/* One with room; the latest first, as those before it are mostly full. */
static struct asbi_http_multi *find(const struct asbi_http *h, unsigned group)
{
    for (size_t i = h->multi_count; i > 0; i--) {
        struct asbi_http_multi *m = h->multis[i - 1];

        if (m->slots == 0)
            m->group = group;
        if (m->group == group && m->slots < h->calls_per_multi)
            return m;
        if (!h->http2)
            break;
    }
    return NULL;
}

struct asbi_http_multi *asbi_http_multi_for_slot(struct asbi_http *h,
                                                 unsigned group)
{
    struct asbi_http_multi *m = find(h, group);

    if (m || make_room(h))
        return m;
    m = asbi_calloc(h->parts.mem, 1, sizeof(*m));
    if (!m)
        return NULL;
    m->watcher.on_ready = on_ready;
    m->http = h;
    m->group = group;
    if (!multi_init(m)) {
        asbi_http_multi_free(m);
        return NULL;
    }
    h->multis[h->multi_count++] = m;
    return m;
}
