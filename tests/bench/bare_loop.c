/*
 * bare_loop.c -- the yardstick: libcurl's multi interface on libevent, tuned
 * and with nothing around it.
 *
 * Reused handles, watches that stay with the kernel between two requests,
 * bodies by pointer, several multi handles.  No limits, no error handling to
 * speak of, no names: not to be copied into anything but a comparison.
 *
 *   bare_loop URL COUNT IN_FLIGHT BODY_FILE
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "tests/bench/bench.h"

enum { PER_MULTI = 100, MOST_FDS = 65536 };

struct multi {
    CURLM *curl;
    struct event timer;
};

struct watch {
    struct event event;
    struct multi *multi;
    short armed;
};

static struct bench bench;
static struct event_base *base;
static struct watch *watches;

static void drive(struct multi *m, curl_socket_t fd, int mask);

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    drive(w->multi, fd,
          (what & EV_READ ? CURL_CSELECT_IN : 0) |
              (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                     void *unused)
{
    struct watch *w = &watches[fd];
    short want = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                         (what & CURL_POLL_OUT ? EV_WRITE : 0));

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE || w->armed == want)
        return 0;
    if (w->armed)
        (void)event_del(&w->event);
    w->multi = arg;
    w->armed = want;
    (void)event_assign(&w->event, base, fd, (short)(want | EV_PERSIST),
                       on_event, w);
    return event_add(&w->event, NULL);
}

static int on_close(void *arg, curl_socket_t fd)
{
    (void)arg;
    if (watches[fd].armed)
        (void)event_del(&watches[fd].event);
    watches[fd].armed = 0;
    return evutil_closesocket(fd);
}

static int on_timer(CURLM *curl, long ms, void *arg)
{
    struct multi *m = arg;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    (void)curl;
    return ms < 0 ? event_del(&m->timer) : event_add(&m->timer, &tv);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
    (void)at;
    (void)size;
    (void)arg;
    return n;
}

static void drive(struct multi *m, curl_socket_t fd, int mask)
{
    CURLMsg *msg;
    int left;

    (void)curl_multi_socket_action(m->curl, fd, mask, &left);
    while ((msg = curl_multi_info_read(m->curl, &left))) {
        CURL *easy = msg->easy_handle;
        long status = 0;

        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        bench.failed += msg->data.result != CURLE_OK || status != 200;
        bench.ended++;
        (void)curl_multi_remove_handle(m->curl, easy);
        if (bench.started < bench.count) {
            bench.started++;
            (void)curl_multi_add_handle(m->curl, easy);
        }
    }
    if (bench.ended == bench.count)
        (void)event_base_loopbreak(base);
}

static void multi_init(struct multi *m)
{
    m->curl = curl_multi_init();
    (void)evtimer_assign(&m->timer, base, on_timeout, m);
    (void)curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    (void)curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    (void)curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)PER_MULTI + 8);
}

static CURL *easy_new(struct curl_slist *headers)
{
    CURL *c = curl_easy_init();

    (void)curl_easy_setopt(c, CURLOPT_URL, bench.url);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
                           (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                           (curl_off_t)bench.body_len);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, bench.body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    /* What any client of a JSON API asks for. */
    if (!getenv("BENCH_NO_ENCODING"))
        (void)curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    return c;
}

int main(int argc, char **argv)
{
    bench_arguments(&bench, argc, argv);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    struct event_config *config = event_config_new();
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    event_config_free(config);
    watches = calloc(MOST_FDS, sizeof(*watches));
    size_t multi_count = (bench.in_flight + PER_MULTI - 1) / PER_MULTI;
    struct multi *multis = calloc(multi_count, sizeof(*multis));
    if (!base || !watches || !multis)
        return 2;
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    for (size_t i = 0; i < multi_count; i++)
        multi_init(&multis[i]);
    bench_begin(&bench);
    for (size_t i = 0; i < bench.in_flight && i < bench.count; i++) {
        bench.started++;
        (void)curl_multi_add_handle(multis[i / PER_MULTI].curl,
                                    easy_new(headers));
    }
    (void)event_base_dispatch(base);
    return bench_report(&bench, "bare");
}
