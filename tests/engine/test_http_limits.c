/*
 * test_http_limits.c -- hung servers, cancelled calls, calls from callbacks.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/web.h"

#define HOUR (3600 * ASBI_SECOND)

static struct surroundings s;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call call;

static void begin(web_fn *server, void *arg)
{
    surroundings_init(&s, NULL, NULL);
    web = web_new(s.base, server, arg);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    call_init(&call, &s, &endpoint);
}

static void finish(void)
{
    call_fini(&call);
    web_free(web);
    surroundings_fini(&s);
}

static void say(struct web_request *r, void *arg)
{
    web_text(r->conn, arg);
}

static void generous(void)
{
    call.exchange.limits.connect_ns = HOUR;
    call.exchange.limits.first_byte_ns = HOUR;
    call.exchange.limits.stall_ns = HOUR;
    call.exchange.limits.total_ns = HOUR;
}

/* ---- time ------------------------------------------------------------ */

static void no_first_byte_in_time(void)
{
    begin(say, "");
    generous();
    call.exchange.limits.first_byte_ns = 200 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_INT(call.end.status, ==, 0);
    CHECK(!call.end.unreachable);
    CHECK(call.end.ended_ns - call.end.started_ns >= 200 * ASBI_MS);
    CHECK_BYTES(call.text, strlen(call.text),
                "no answer within the time limit");
    CHECK_INT(web_counts(web).requests, ==, 1);
    finish();
}

static void a_stalled_answer_is_given_up(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    generous();
    call.exchange.limits.stall_ns = 100 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_INT(call.end.status, ==, 200);
    CHECK_BYTES(call.text, strlen(call.text), "the answer stalled");
    CHECK(call.end.ended_ns - call.end.first_byte_ns >= 100 * ASBI_MS);
    finish();
}

/* ---- a long way up */

enum { FILE_BYTES = 60 << 20, ROUND = 16 << 20 }; /* more than is in between */

static uint64_t clock_ns;

static uint64_t read_clock(void *arg)
{
    (void)arg;
    return clock_ns;
}

/* A server that reads when it is told to. */
struct reader {
    int listens, fd;
    size_t taken;
    char url[64];
};

static void reader_init(struct reader *r)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);

    *r = (struct reader){ .fd = -1 };
    r->listens = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(bind(r->listens, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(listen(r->listens, 1) == 0);
    (void)getsockname(r->listens, (struct sockaddr *)&at, &len);
    (void)snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%u/",
                   ntohs(at.sin_port));
}

/* Until it has so many bytes. */
static void reader_take(struct reader *r, size_t bytes)
{
    static char waste[65536];
    unsigned ended = call.ended;

    while (r->taken < bytes) {
        (void)event_base_loop(s.base, EVLOOP_NONBLOCK);
        CHECK_INT(call.ended, ==, ended);
        if (r->fd < 0)
            r->fd = accept(r->listens, NULL, NULL);
        ssize_t n = recv(r->fd, waste, sizeof(waste), MSG_DONTWAIT);
        r->taken += n > 0 ? (size_t)n : 0;
    }
}

static void reader_fini(struct reader *r)
{
    (void)close(r->fd);
    (void)close(r->listens);
}

/* What is said of the time to an answer is not said of the way of what is
 * asked. */
static void a_request_on_its_way_is_not_late(void)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                 "taken";
    const struct asbi_real_options options = { .http = { .proxy = "none" },
                                               .now_ns = read_clock };
    char *file = malloc(FILE_BYTES + 1);
    struct reader r;

    clock_ns = ASBI_SECOND;
    memset(file, 'f', FILE_BYTES);
    file[FILE_BYTES] = '\0';
    surroundings_init(&s, NULL, &options);
    reader_init(&r);
    endpoint = (struct asbi_endpoint){ .method = "PUT", .url = r.url };
    call_init(&call, &s, &endpoint);
    call.exchange.limits.first_byte_ns = 50 * ASBI_MS;
    CHECK_INT(call_start(&call, file), ==, ASB_OK);
    for (size_t round = 1; round <= 3; round++) {
        reader_take(&r, round * ROUND);
        clock_ns += 40 * ASBI_MS;
    }
    run_for(&s, 100); /* for the limit to be looked at */
    CHECK_INT(call.ended, ==, 0);
    reader_take(&r, FILE_BYTES);
    CHECK_INT(write(r.fd, answer, sizeof(answer) - 1), >, 0);
    run_until(&s, &call.ended, 1);
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    /* And then it is. */
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    reader_take(&r, r.taken + 1);
    clock_ns += 51 * ASBI_MS;
    run_until(&s, &call.ended, 2);
    CHECK_INT(call.end.outcome, ==, ASBI_TIMED_OUT);
    call_fini(&call);
    reader_fini(&r);
    surroundings_fini(&s);
    free(file);
}

/* ---- a server that sends a byte now and then */

struct drip {
    struct event *timer;
    struct web_conn *conn;
    unsigned left;
};

static struct drip drip;

static void on_drip(evutil_socket_t fd, short what, void *arg)
{
    struct timeval pause = { 0, 10000 };

    (void)fd;
    (void)what;
    (void)arg;
    web_text(drip.conn, "b");
    if (--drip.left > 0)
        (void)event_add(drip.timer, &pause);
}

static void drip_answer(struct web_request *r, void *arg)
{
    struct timeval pause = { 0, 10000 };

    (void)arg;
    drip.conn = r->conn;
    drip.timer = evtimer_new(s.base, on_drip, NULL);
    web_text(r->conn, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n");
    (void)event_add(drip.timer, &pause);
}

static void each_byte_renews_the_stall_limit(void)
{
    drip.left = 40;
    begin(drip_answer, NULL);
    generous();
    /* The whole takes 400 ms; a gap 10, with room for a busy machine. */
    call.exchange.limits.first_byte_ns = 300 * ASBI_MS;
    call.exchange.limits.stall_ns = 300 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.body_bytes, ==, 40);
    event_free(drip.timer);
    finish();
}

static void the_total_limit_holds_while_bytes_come(void)
{
    drip.left = 40;
    begin(drip_answer, NULL);
    generous();
    call.exchange.limits.total_ns = 200 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_TIMED_OUT);
    CHECK_BYTES(call.text, strlen(call.text),
                "not complete within the time limit");
    event_free(drip.timer);
    finish();
}

/* Accepts into a full backlog: the connection never comes about. */
static void no_connection_in_time(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    char url[64];
    int full = socket(AF_INET, SOCK_STREAM, 0);
    int filler[4];

    CHECK(bind(full, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(listen(full, 0) == 0);
    (void)getsockname(full, (struct sockaddr *)&at, &len);
    for (int i = 0; i < 4; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(filler[i], (struct sockaddr *)&at, sizeof(at));
    }
    begin(say, "");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
                   ntohs(at.sin_port));
    endpoint.url = url;
    generous();
    call.exchange.limits.connect_ns = 20 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK_BYTES(call.text, strlen(call.text),
                "no connection within the time limit");
    call.exchange.limits.connect_ns = 0;
    call.exchange.limits.total_ns = 20 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    finish();
    for (int i = 0; i < 4; i++)
        (void)close(filler[i]);
    (void)close(full);
}

/* An early limit of one call must not end the next one on the same handle. */
static void limits_do_not_outlive_their_call(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    generous();
    call.exchange.limits.total_ns = 300 * ASBI_MS;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    web_free(web);
    web = web_new(s.base, say, "");
    struct asbi_endpoint silent = { .method = "POST",
                                    .url = web_url(web, "/") };
    call.exchange.endpoint = &silent;
    generous();
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_for(&s, 400);
    CHECK_INT(call.ended, ==, 1);
    call_cancel(&call);
    finish();
}

/* ---- cancel ---------------------------------------------------------- */

static void a_call_can_be_cancelled_at_once(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    call_cancel(&call);
    call_cancel(&call); /* of what is not under way: nothing */
    run_for(&s, 10);
    CHECK_INT(call.ended, ==, 0);
    CHECK_INT(web_counts(web).requests, ==, 0);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    finish();
}

/* After each number of turns of the loop that a call can take. */
static void a_call_can_be_cancelled_at_any_moment(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (unsigned turns = 0; turns < 30; turns++) {
        call.ended = 0;
        CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
        for (unsigned i = 0; i < turns && call.ended == 0; i++)
            (void)event_base_loop(s.base, EVLOOP_NONBLOCK);
        unsigned ended = call.ended;
        call_cancel(&call);
        (void)event_base_loop(s.base, EVLOOP_NONBLOCK);
        CHECK_INT(call.ended, ==, ended);
    }
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    finish();
}

static unsigned cancelled;

static void cancel_self(struct call *c)
{
    call_cancel(c);
    c->meanwhile = NULL;
    cancelled++;
}

static void a_call_can_be_cancelled_from_its_own_callbacks(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok");
    call.meanwhile = cancel_self;
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_until(&s, &cancelled, 1);
    run_for(&s, 5);
    CHECK_INT(call.ended, ==, 0);
    CHECK_INT(call.status, ==, 200);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    finish();
}

static void cancel_other(struct call *c)
{
    call_cancel(c->data);
}

static struct web *never;

static bool never_is_left_alone(void)
{
    return web_counts(never).open == 0;
}

static void a_call_can_be_cancelled_from_anothers_callback(void)
{
    struct call victim;

    begin(say, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok");
    never = web_new(s.base, say, "");
    struct asbi_endpoint hung = { .method = "POST",
                                  .url = web_url(never, "/") };
    call_init(&victim, &s, &hung);
    CHECK_INT(call_start(&victim, "x"), ==, ASB_OK);
    call.meanwhile = cancel_other;
    call.data = &victim;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    run_until_holds(&s, never_is_left_alone);
    CHECK_INT(victim.ended, ==, 0);
    call_fini(&victim);
    web_free(never);
    finish();
}

static void the_world_can_go_while_calls_are_under_way(void)
{
    struct call more[5];

    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    for (int i = 0; i < 5; i++) {
        call_init(&more[i], &s, &endpoint);
        CHECK_INT(call_start(&more[i], "x"), ==, ASB_OK);
        run_for(&s, 3);
    }
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(more[i].ended, ==, 0);
        call_fini(&more[i]);
    }
    finish();
}

/* ---- calls from callbacks -------------------------------------------- */

static void again(struct call *c)
{
    if (c->ended < 50)
        CHECK_INT(call_start(c, "x"), ==, ASB_OK);
}

static void a_call_can_be_started_again_from_its_end(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    call.then = again;
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_until(&s, &call.ended, 50);
    CHECK_INT(web_counts(web).requests, ==, 50);
    CHECK_INT(web_counts(web).connections, ==, 1);
    finish();
}

/* A failure that costs no system call must not shut out everybody else. */
static void failing_for_ever_leaves_the_loop_its_turns(void)
{
    struct asbi_endpoint bad = { .method = "POST", .url = "junk://" };
    struct call failing;

    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    call_init(&failing, &s, &bad);
    failing.then = again;
    CHECK_INT(call_start(&failing, "x"), ==, ASB_OK);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    run_until(&s, &failing.ended, 50);
    CHECK_INT(failing.end.outcome, ==, ASBI_NOT_SENT);
    call_fini(&failing);
    finish();
}

static void start_other(struct call *c)
{
    struct call *other = c->data;

    c->meanwhile = NULL;
    CHECK_INT(call_start(other, "x"), ==, ASB_OK);
}

static void a_call_can_be_started_from_anothers_callback(void)
{
    struct call other;

    begin(say, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok");
    call_init(&other, &s, &endpoint);
    call.meanwhile = start_other;
    call.data = &other;
    call_do(&call, "x");
    run_until(&s, &other.ended, 1);
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(other.end.outcome, ==, ASBI_COMPLETE);
    call_fini(&other);
    finish();
}

static unsigned freed;

static void free_self(struct call *c)
{
    call_fini(c);
    free(c);
    freed++;
}

static void a_call_can_be_freed_from_its_end(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    struct call *fresh = malloc(sizeof(*fresh));
    call_init(fresh, &s, &endpoint);
    fresh->then = free_self;
    CHECK_INT(call_start(fresh, "x"), ==, ASB_OK);
    run_until(&s, &freed, 1);
    finish();
}

/* ---- the loop -------------------------------------------------------- */

static void an_idle_transport_lets_the_loop_end(void)
{
    begin(say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    generous();
    call_do(&call, "x");
    CHECK_INT(event_base_get_num_events(s.base, EVENT_BASE_COUNT_ADDED), ==,
              2); /* the server's */
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    CHECK_INT(event_base_get_num_events(s.base, EVENT_BASE_COUNT_ADDED), >, 2);
    call_cancel(&call);
    finish();
}

static void no_more_than_the_capacity_is_taken(void)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .max_in_flight = 2 } };
    struct call more[3];

    surroundings_init(&s, NULL, &options);
    CHECK_INT(s.world->transport->capacity, ==, 2);
    web = web_new(s.base, say, "");
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    for (int i = 0; i < 3; i++)
        call_init(&more[i], &s, &endpoint);
    CHECK_INT(call_start(&more[0], "x"), ==, ASB_OK);
    CHECK_INT(call_start(&more[1], "x"), ==, ASB_OK);
    CHECK_INT(call_start(&more[2], "x"), ==, ASB_EFULL);
    call_cancel(&more[0]);
    CHECK_INT(call_start(&more[2], "x"), ==, ASB_OK);
    for (int i = 0; i < 3; i++) {
        call_cancel(&more[i]);
        call_fini(&more[i]);
    }
    call_init(&call, &s, &endpoint);
    finish();
}

TEST_MAIN(CASE(no_first_byte_in_time), CASE(a_stalled_answer_is_given_up),
          CASE(a_request_on_its_way_is_not_late),
          CASE(each_byte_renews_the_stall_limit),
          CASE(the_total_limit_holds_while_bytes_come),
          CASE(no_connection_in_time), CASE(limits_do_not_outlive_their_call),
          CASE(a_call_can_be_cancelled_at_once),
          CASE(a_call_can_be_cancelled_at_any_moment),
          CASE(a_call_can_be_cancelled_from_its_own_callbacks),
          CASE(a_call_can_be_cancelled_from_anothers_callback),
          CASE(the_world_can_go_while_calls_are_under_way),
          CASE(a_call_can_be_started_again_from_its_end),
          CASE(failing_for_ever_leaves_the_loop_its_turns),
          CASE(a_call_can_be_started_from_anothers_callback),
          CASE(a_call_can_be_freed_from_its_end),
          CASE(an_idle_transport_lets_the_loop_end),
          CASE(no_more_than_the_capacity_is_taken))
