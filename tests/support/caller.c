#include "tests/support/caller.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "tests/support/check.h"

static unsigned entries(const char *folder)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    while (d && readdir(d))
        n++;
    (void)closedir(d);
    return n - 2; /* . and .. */
}

unsigned open_descriptors(void)
{
    return entries("/proc/self/fd") - 1; /* the listing's own */
}

unsigned tasks(void)
{
    return entries("/proc/self/task");
}

/*
 * Stands before the C library's: a thread that lives for a millisecond, such as
 * libcurl's for a name, would be missed by looking at the tasks.
 */
static unsigned threads_wanted;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*start)(void *), void *arg)
{
    (void)thread;
    (void)attributes;
    (void)start;
    (void)arg;
    threads_wanted++;
    return EAGAIN;
}

/* ---- surroundings ---------------------------------------------------- */

void surroundings_init(struct surroundings *s, const struct asbi_mem *mem,
                       const struct asbi_real_options *options)
{
    struct asbi_real_options usual = { .http = { .proxy = "none" } };
    static const uint64_t seed = 1;

    *s = (struct surroundings){ .mem = mem ? mem : &asbi_mem_system };
    usual.seed = &seed;
    s->open_before = open_descriptors();
    s->base = event_base_new();
    CHECK(s->base);
    int rc = asbi_real_world_new(s->mem, s->base, options ? options : &usual,
                                 NULL, &s->world, &s->why);
    CHECK((rc == ASB_OK) == (s->world != NULL));
}

void surroundings_fini(struct surroundings *s)
{
    unsigned threads = tasks();

    if (s->world)
        s->world->ops->free(s->world);
    (void)event_base_loop(s->base, EVLOOP_NONBLOCK);
    event_base_free(s->base);
    CHECK_INT(threads, ==, 1);
    CHECK_INT(threads_wanted, ==, 0);
    CHECK_INT(open_descriptors(), ==, s->open_before);
}

/* ---- the loop -------------------------------------------------------- */

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    check_fail(__FILE__, __LINE__, "the loop waits for what does not come");
}

void run_until(struct surroundings *s, const unsigned *count, unsigned want)
{
    struct timeval long_time = { 30, 0 };
    struct event *watchdog = evtimer_new(s->base, on_watchdog, NULL);

    (void)event_add(watchdog, &long_time);
    while (*count < want)
        (void)event_base_loop(s->base, EVLOOP_ONCE);
    event_free(watchdog);
}

static void on_while_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(unsigned *)arg = 1;
}

void run_for(struct surroundings *s, unsigned ms)
{
    struct timeval tv = { .tv_sec = ms / 1000,
                          .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
    unsigned over = 0;
    struct event *timer = evtimer_new(s->base, on_while_over, &over);

    (void)event_add(timer, &tv);
    run_until(s, &over, 1);
    event_free(timer);
}

void run_until_holds(struct surroundings *s, bool (*holds)(void))
{
    enum { PAUSE_MS = 3, PATIENCE = 10000 };

    for (unsigned i = 0; !holds(); i++) {
        CHECK_INT(i, <, PATIENCE);
        run_for(s, PAUSE_MS);
    }
}

/* ---- calls ----------------------------------------------------------- */

static struct call *call_of(struct asbi_exchange *x)
{
    return (struct call *)(void *)x;
}

static void on_status(struct asbi_exchange *x, int status)
{
    struct call *c = call_of(x);

    CHECK_INT(c->status, ==, 0); /* told once */
    c->status = status;
}

static void on_header(struct asbi_exchange *x, asbi_str name, asbi_str value)
{
    struct call *c = call_of(x);

    CHECK(c->status != 0);
    asbi_buf_str(&c->headers, name);
    asbi_buf_char(&c->headers, '=');
    asbi_buf_str(&c->headers, value);
    asbi_buf_char(&c->headers, ';');
    if (c->meanwhile)
        c->meanwhile(c);
}

static int on_body(struct asbi_exchange *x, const char *at, size_t len)
{
    struct call *c = call_of(x);

    c->body_bytes += len;
    if (!c->drop_body)
        asbi_buf_add(&c->body, at, len);
    if (c->meanwhile)
        c->meanwhile(c);
    return c->refuse_from && c->body_bytes >= (size_t)c->refuse_from;
}

static void on_end(struct asbi_exchange *x, const struct asbi_exchange_end *end)
{
    struct call *c = call_of(x);

    c->ended++;
    c->end = *end;
    (void)snprintf(c->text, sizeof(c->text), "%s", end->text);
    c->end.text = c->text;
    if (c->then)
        c->then(c);
}

void call_init(struct call *c, struct surroundings *s,
               struct asbi_endpoint *endpoint)
{
    static const struct asbi_exchange_ops ops = { on_status, on_header, on_body,
                                                  on_end };

    *c = (struct call){ .in = s };
    asbi_buf_init(&c->headers, &asbi_mem_system, 1 << 24);
    asbi_buf_init(&c->body, &asbi_mem_system, 1 << 28);
    c->exchange = (struct asbi_exchange){
        .endpoint = endpoint,
        .ops = &ops,
        .limits = { .max_header_bytes = 65536, .max_body_bytes = 1 << 26 },
    };
}

void call_fini(struct call *c)
{
    asbi_buf_fini(&c->headers);
    asbi_buf_fini(&c->body);
}

int call_start(struct call *c, const char *body)
{
    struct asbi_transport *t = c->in->world->transport;

    c->status = 0;
    c->body_bytes = 0;
    asbi_buf_clear(&c->headers);
    asbi_buf_clear(&c->body);
    c->exchange.body = body;
    c->exchange.body_len = body ? strlen(body) : 0;
    unsigned ended = c->ended;
    int rc = t->ops->start(t, &c->exchange);
    CHECK_INT(c->ended, ==, ended); /* never from inside start() */
    return rc;
}

void call_do(struct call *c, const char *body)
{
    unsigned want = c->ended + 1;

    CHECK_INT(call_start(c, body), ==, ASB_OK);
    run_until(c->in, &c->ended, want);
    CHECK_INT(c->ended, ==, want);
}

int call_survived(struct call *c, int rc)
{
    CHECK(rc == ASB_OK || rc == ASB_ENOMEM);
    if (rc)
        return rc;
    run_until(c->in, &c->ended, 1);
    CHECK(c->end.outcome == ASBI_COMPLETE || c->end.outcome == ASBI_NOT_SENT);
    return c->end.outcome == ASBI_COMPLETE ? ASB_OK : ASB_ENOMEM;
}

int call_survive(struct call *c, const char *body)
{
    return call_survived(c, c->in->world ? call_start(c, body) : ASB_ENOMEM);
}

void call_cancel(struct call *c)
{
    struct asbi_transport *t = c->in->world->transport;
    unsigned ended = c->ended;

    t->ops->cancel(t, &c->exchange);
    CHECK_INT(c->ended, ==, ended);
}

void endpoint_forget(struct surroundings *s, struct asbi_endpoint *e)
{
    s->world->transport->ops->forget(s->world->transport, e);
    CHECK(!e->transport_data);
}
