/*
 * test_http_once.c -- a paid request is on the wire once, whatever becomes of
 * the connection under it.
 */
#include <poll.h>

#include <event2/event.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/web.h"

static struct surroundings s;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call call;

static void begin_with(bool http2, const char *method, web_fn *server,
                       void *arg)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .http2 = http2 } };

    surroundings_init(&s, NULL, &options);
    web = web_new(s.base, server, arg);
    endpoint =
        (struct asbi_endpoint){ .method = method, .url = web_url(web, "/") };
    call_init(&call, &s, &endpoint);
}

static void begin(const char *method, web_fn *server, void *arg)
{
    begin_with(false, method, server, arg);
}

static void finish(void)
{
    call_fini(&call);
    web_free(web);
    surroundings_fini(&s);
}

static void reset_second(struct web_request *r, void *arg)
{
    (void)arg;
    if (r->number == 1)
        web_ok(r->conn, "first");
    else
        web_reset(r->conn);
}

static void a_post_is_sent_once(web_fn *server, const char *body)
{
    begin("POST", server, NULL);
    call_do(&call, "warm up");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    call_do(&call, body);
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    CHECK(!call.end.unreachable);
    CHECK_INT(call.end.status, ==, 0);
    CHECK(call.text[0]);
    run_for(&s, 20);
    CHECK_INT(web_counts(web).requests, ==, 2);
    CHECK_INT(web_counts(web).open, ==, 0);
    call_do(&call, "another");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    finish();
}

static void a_post_that_was_taken_is_not_sent_again(void)
{
    a_post_is_sent_once(web_answers_one, "paid");
}

static void a_post_under_a_reset_is_not_sent_again(void)
{
    a_post_is_sent_once(reset_second, "paid");
}

static void an_empty_post_is_not_sent_again(void)
{
    a_post_is_sent_once(web_answers_one, NULL);
}

static void a_large_post_is_not_sent_again(void)
{
    char *body = malloc(300001);

    memset(body, 'p', 300000);
    body[300000] = '\0';
    a_post_is_sent_once(web_answers_one, body);
    free(body);
}

static void reset_what_is_large(struct web_conn *c, const char *at, size_t len)
{
    (void)at;
    if (len > 1000)
        web_reset(c);
    else
        web_ok(c, "first");
}

static void take_bytes(struct web_conn *c)
{
    web_raw(c, reset_what_is_large);
}

/* More than the two ends of a connection hold: it breaks on its way. */
static void half_a_post_is_not_sent_again(void)
{
    enum { LARGE = 32 << 20 };
    char *body = malloc(LARGE + 1);

    memset(body, 'p', LARGE);
    body[LARGE] = '\0';
    begin("POST", NULL, NULL);
    web_on_accept(web, take_bytes);
    call_do(&call, "warm up");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    call_do(&call, body);
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    CHECK_INT(web_counts(web).connections, ==, 1);
    finish();
    free(body);
}

/* With many warm connections at hand, each of which would do for a repeat. */
static void warm_connections_do_not_tempt(void)
{
    struct call more[8];
    unsigned done = 0;

    begin("POST", web_answers_one, NULL);
    for (int i = 0; i < 8; i++) {
        call_init(&more[i], &s, &endpoint);
        CHECK_INT(call_start(&more[i], "warm"), ==, ASB_OK);
    }
    for (int i = 0; i < 8; i++)
        run_until(&s, &more[i].ended, 1);
    CHECK_INT(web_counts(web).open, ==, 8);
    call_do(&call, "paid");
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    run_for(&s, 20);
    CHECK_INT(web_counts(web).requests, ==, 9);
    for (int i = 0; i < 8; i++) {
        done += more[i].ended;
        call_fini(&more[i]);
    }
    CHECK_INT(done, ==, 8);
    finish();
}

/* The owner may send it again, then on a connection that cannot be so old. */
static void check_repeat(bool by_libcurl)
{
    begin_with(by_libcurl, "POST", web_answers_one, NULL);
    call_do(&call, "warm up");
    call.exchange.fresh = true;
    call_do(&call, "paid");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(web_counts(web).connections, ==, 2);
    call.exchange.fresh = false;
    call_do(&call, "paid");
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

static void a_repeat_goes_on_a_fresh_connection(void)
{
    check_repeat(false);
    check_repeat(true);
}

static void answer(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "{}");
}

/* Long runs have many: each takes the place of one that was kept. */
static void repeats_leave_no_connections_behind(void)
{
    begin("POST", answer, NULL);
    call_do(&call, "warm up");
    call.exchange.fresh = true;
    for (unsigned i = 0; i < 5; i++)
        call_do(&call, "again");
    run_for(&s, 20);
    CHECK_INT(web_counts(web).connections, ==, 6);
    CHECK_INT(web_counts(web).open, ==, 1);
    finish();
}

/* Free of charge and of effect: libcurl may repeat it on a fresh connection. */
static void a_get_may_be_repeated(void)
{
    begin("GET", web_answers_one, NULL);
    call_do(&call, NULL);
    call_do(&call, NULL);
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

static void silence(struct web_request *r, void *arg)
{
    (void)arg;
    web_close(r->conn);
}

static void a_fresh_connection_is_no_different(void)
{
    begin("POST", silence, NULL);
    call_do(&call, "paid");
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    run_for(&s, 20);
    CHECK_INT(web_counts(web).requests, ==, 1);
    finish();
}

/* ---- connections that end while idle --------------------------------- */

static void ok(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "fine");
}

static void a_connection_closed_while_idle_is_not_used(void)
{
    begin("POST", ok, NULL);
    for (unsigned i = 1; i <= 5; i++) {
        call_do(&call, "x");
        CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
        web_close_all(web);
        run_for(&s, 5);
        CHECK_INT(web_counts(web).requests, ==, i);
    }
    CHECK_INT(web_counts(web).connections, ==, 5);
    finish();
}

/* Even when the loop had no turn in between to notice. */
static void a_connection_closed_just_now_is_not_used(void)
{
    begin("POST", ok, NULL);
    for (int i = 0; i < 5; i++) {
        call_do(&call, "x");
        CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
        web_close_all(web);
    }
    finish();
}

/* An answer to nothing (as some send before they close) must not be taken for
 * the next call's. */
static void an_answer_nobody_asked_for_is_not_believed(void)
{
    begin("POST", ok, NULL);
    call_do(&call, "x");
    web_text(web_last(web),
             "HTTP/1.1 408 Timeout\r\nContent-Length: 4\r\n\r\nlate");
    run_for(&s, 5);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 200);
    CHECK_STR(asbi_buf_view(&call.body), "fine");
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

/* What the loop is told of at once and again, without end. */
static int count_spinning(const struct event_base *base,
                          const struct event *event, void *arg)
{
    struct pollfd p = { .fd = event_get_fd(event), .events = POLLIN };

    (void)base;
    if (p.fd >= 0 && (event_get_events(event) & EV_READ) && poll(&p, 1, 0) == 1)
        ++*(unsigned *)arg;
    return 0;
}

/* Bytes on an idle connection that nobody reads. */
static void it_does_not_spin(bool http2)
{
    unsigned spinning = 0;

    begin_with(http2, "POST", ok, NULL);
    call_do(&call, "x");
    web_send(web_last(web), "\x17\x03\x03", 3);
    (void)event_base_foreach_event(s.base, count_spinning, &spinning);
    CHECK_INT(spinning, ==, 1); /* the test sees what it looks for */
    run_for(&s, 5);
    spinning = 0;
    (void)event_base_foreach_event(s.base, count_spinning, &spinning);
    CHECK_INT(spinning, ==, 0);
}

static void an_idle_connection_does_not_spin(void)
{
    it_does_not_spin(false);
    finish();
}

/* What may be a frame of HTTP/2 is no reason to give a connection up, its end
 * is. */
static void an_idle_connection_may_hear_something_and_end(void)
{
    it_does_not_spin(true);
    web_close_all(web);
    run_for(&s, 20);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(call.status, ==, 200);
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

TEST_MAIN(CASE(a_post_that_was_taken_is_not_sent_again),
          CASE(a_post_under_a_reset_is_not_sent_again),
          CASE(an_empty_post_is_not_sent_again),
          CASE(a_large_post_is_not_sent_again),
          CASE(half_a_post_is_not_sent_again),
          CASE(warm_connections_do_not_tempt),
          CASE(a_repeat_goes_on_a_fresh_connection),
          CASE(repeats_leave_no_connections_behind),
          CASE(a_get_may_be_repeated), CASE(a_fresh_connection_is_no_different),
          CASE(a_connection_closed_while_idle_is_not_used),
          CASE(a_connection_closed_just_now_is_not_used),
          CASE(an_answer_nobody_asked_for_is_not_believed),
          CASE(an_idle_connection_does_not_spin),
          CASE(an_idle_connection_may_hear_something_and_end))
