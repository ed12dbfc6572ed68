/*
 * foreign_loop.c -- an engine in a program with a loop of its own, here a bare
 * poll(2); so it goes into any other.
 *
 *     cc foreign_loop.c -o foreign_loop \
 *         $(pkg-config --cflags --libs asyncbatch libevent_core)
 *     ./foreign_loop http://127.0.0.1:8080/v1 fr 'Good morning' 'Good night'
 *
 * libevent tells what it waits for: event_base_foreach_event() names the
 * descriptors and the times.  The loop waits for these together with its own
 * (here: standard input), then has libevent look, which never blocks.  That
 * costs a walk over all events each time around: right for hundreds of calls in
 * flight; with thousands, let libevent be the loop.
 */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FDS = 1024, LONGEST_MS = 60 * 1000 };

/* What libevent waits for. */
struct wanted {
    struct pollfd fds[MOST_FDS];
    nfds_t count;
    int timeout_ms;
    int overflow; /* more than fits: look again soon */
};

static int ms_until(const struct timeval *at, const struct timeval *now)
{
    long long ms = (at->tv_sec - now->tv_sec) * 1000LL +
                   (at->tv_usec - now->tv_usec + 999) / 1000;

    return ms < 0 ? 0 : ms > LONGEST_MS ? LONGEST_MS : (int)ms;
}

/* event_pending() tells the time of an event by the wall clock. */
static int note_event(const struct event_base *base, const struct event *event,
                      void *arg)
{
    struct wanted *w = arg;
    struct timeval at, now;
    int what = event_pending(event, EV_READ | EV_WRITE | EV_TIMEOUT, &at);

    (void)base;
    if (what & EV_TIMEOUT && evutil_gettimeofday(&now, NULL) == 0) {
        int ms = ms_until(&at, &now);

        if (ms < w->timeout_ms)
            w->timeout_ms = ms;
    }
    if (!(what & (EV_READ | EV_WRITE)))
        return 0;
    if (w->count == MOST_FDS) {
        w->overflow = 1;
        return 0;
    }
    w->fds[w->count++] = (struct pollfd){
        .fd = event_get_fd(event),
        .events = (short)((what & EV_READ ? POLLIN : 0) |
                          (what & EV_WRITE ? POLLOUT : 0)),
    };
    return 0;
}

/* Once around: waits for whatever comes first, ours or libevent's. */
static int turn(struct event_base *base, struct pollfd *ours)
{
    static struct wanted w;

    w.count = 0;
    w.overflow = 0;
    w.timeout_ms = LONGEST_MS;
    w.fds[w.count++] = *ours;
    if (event_base_foreach_event(base, note_event, &w) != 0)
        return -1;
    if (event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE) > 0)
        w.timeout_ms = 0; /* callbacks that wait for the next turn */
    else if (w.overflow && w.timeout_ms > 10)
        w.timeout_ms = 10;
    if (poll(w.fds, w.count, w.timeout_ms) < 0)
        return -1;
    *ours = w.fds[0];
    return event_base_loop(base, EVLOOP_NONBLOCK) < 0 ? -1 : 0;
}

/* ---- the program ------------------------------------------------------ */

static int unanswered;

static void on_done(struct asb_engine *engine, const struct asb_result *result,
                    void *arg)
{
    (void)engine;
    unanswered--;
    (void)printf("%s = %.*s\n", (const char *)arg, (int)result->output.len,
                 result->output.at);
}

static int submit(struct asb_engine *engine, const char *text)
{
    struct asb_request request = { .size = sizeof(request) };

    request.text.at = text;
    request.text.len = strlen(text);
    int rc = asb_submit(engine, &request, on_done, (void *)text, NULL);
    if (!rc)
        unanswered++;
    return rc;
}

/* Until all is answered, or standard input says that somebody wants us to
 * end. */
static int loop(struct asb_engine *engine)
{
    struct pollfd ours = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;

    while (unanswered) {
        if (turn(asb_engine_base(engine), &ours))
            return -1;
        if (ours.revents & POLLIN && read(STDIN_FILENO, &byte, 1) == 1 &&
            byte == 'q')
            return 0;
        if (ours.revents)
            ours.fd = -1; /* nothing more will come */
    }
    return 0;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: foreign_loop URL LANGUAGE TEXT...\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return usage();
    struct asb_options *options = asb_options_new();
    struct asb_engine *engine = NULL;
    struct asb_message why = { "" };
    int rc = 1;

    if (options &&
        !asb_options_set(options, "base_url", argv[1], ASB_FROM_HOST, &why) &&
        !asb_options_set(options, "task", "translate", ASB_FROM_HOST, &why) &&
        !asb_options_set(options, "target_lang", argv[2], ASB_FROM_HOST,
                         &why) &&
        !asb_engine_new(options, NULL, &engine, &why))
        rc = 0;
    for (int i = 3; i < argc && !rc; i++)
        rc = submit(engine, argv[i]);
    if (!rc)
        rc = loop(engine);
    if (rc)
        (void)fprintf(stderr, "foreign_loop: failed %s\n", why.text);
    (void)asb_engine_free(engine);
    asb_options_free(options);
    return rc ? 1 : 0;
}
