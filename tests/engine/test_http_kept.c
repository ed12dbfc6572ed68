/*
 * test_http_kept.c -- connections between two calls: whose they are, how long
 * they last, and which are not used again.
 */
#include <string.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/web.h"

static struct surroundings s;
static struct web *web, *other;
static struct asbi_endpoint endpoint, there;
static struct call call;
static uint64_t clock_ns;

static uint64_t read_clock(void *arg)
{
    (void)arg;
    return clock_ns;
}

static void begin_with(web_fn *server, unsigned max_in_flight)
{
    struct asbi_real_options options = {
        .http = { .proxy = "none", .max_in_flight = max_in_flight },
        .now_ns = read_clock,
    };

    clock_ns = ASBI_SECOND;
    surroundings_init(&s, NULL, &options);
    CHECK(s.world);
    web = web_new(s.base, server, NULL);
    other = web_new(s.base, server, NULL);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/a") };
    call_init(&call, &s, &endpoint);
}

static void begin(web_fn *server)
{
    begin_with(server, 0);
}

static void finish(void)
{
    call_fini(&call);
    web_free(web);
    web_free(other);
    surroundings_fini(&s);
}

static void ok(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "fine");
}

static void check_fine(void)
{
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_STR(asbi_buf_view(&call.body), "fine");
}

static void one_server_is_one_whatever_is_asked_of_it(void)
{
    begin(ok);
    char url[128];
    (void)snprintf(url, sizeof(url), "%s", web_url(web, "/b?c=d"));
    struct asbi_endpoint b = { .method = "PUT", .url = url };

    for (int i = 0; i < 4; i++) {
        call.exchange.endpoint = i % 2 ? &endpoint : &b;
        call_do(&call, "x");
        check_fine();
    }
    CHECK_INT(web_counts(web).connections, ==, 1);
    endpoint_forget(&s, &b);
    call.exchange.endpoint = &endpoint;
    call_do(&call, "x");
    CHECK_INT(web_counts(web).connections, ==, 1);
    endpoint_forget(&s, &endpoint);
    run_for(&s, 5);
    CHECK_INT(web_counts(web).open, ==, 0);
    finish();
}

static void a_connection_gets_too_old(void)
{
    begin(ok);
    call_do(&call, "x");
    clock_ns += 49 * ASBI_SECOND;
    call_do(&call, "x");
    CHECK_INT(web_counts(web).connections, ==, 1);
    clock_ns += 51 * ASBI_SECOND;
    call_do(&call, "x");
    check_fine();
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

/* All that may be open is kept for one server: another is served, too. */
static void the_oldest_makes_room_for_another_server(void)
{
    struct call second;
    char url[128];

    begin_with(ok, 2);
    (void)snprintf(url, sizeof(url), "%s", web_url(other, "/"));
    there = (struct asbi_endpoint){ .method = "POST", .url = url };
    call_init(&second, &s, &endpoint);
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    call_do(&second, "x");
    run_until(&s, &call.ended, 1);
    run_for(&s, 5);
    CHECK_INT(web_counts(web).open, ==, 2);
    call.exchange.endpoint = &there;
    call_do(&call, "x");
    check_fine();
    run_for(&s, 5);
    CHECK_INT(web_counts(web).open, ==, 1);
    CHECK_INT(web_counts(other).open, ==, 1);
    call_fini(&second);
    finish();
}

static const char *bytes;

static void say(struct web_request *r, void *arg)
{
    (void)arg;
    web_text(r->conn, bytes);
}

static void check_not_kept(const char *answer)
{
    begin(say);
    bytes = answer;
    call_do(&call, "x");
    check_fine();
    call_do(&call, "x");
    check_fine();
    CHECK_INT(web_counts(web).connections, ==, 2);
    finish();
}

static void more_than_one_answer_is_one_too_many(void)
{
    check_not_kept("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
                   "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
}

static void who_wants_to_close_is_closed(void)
{
    check_not_kept("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
                   "Connection: close\r\n\r\nfine");
    check_not_kept("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine");
}

static void say_and_close(struct web_request *r, void *arg)
{
    say(r, arg);
    web_close(r->conn);
}

static void the_end_of_the_connection_may_end_an_answer(void)
{
    begin(say_and_close);
    bytes = "HTTP/1.1 200 OK\r\n\r\nfine";
    call_do(&call, "x");
    check_fine();
    finish();
}

static void reset_it(struct call *c)
{
    (void)c;
    if (web_last(web))
        web_reset(web_last(web));
}

/* Nothing else says how long it is: what came may be the half of it. */
static void a_reset_does_not_end_an_answer(void)
{
    begin(say);
    bytes = "HTTP/1.1 200 OK\r\n\r\nfi";
    call.meanwhile = reset_it;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 200);
    CHECK_STR(asbi_buf_view(&call.body), "fi");
    finish();
}

static void check_cut(const char *answer)
{
    begin(say_and_close);
    bytes = answer;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    CHECK_INT(call.end.status, ==, 200);
    CHECK(call.text[0]);
    finish();
}

static void what_cannot_be_unpacked_is_a_cut(void)
{
    /* asked for gzip alone; the second ends in the middle */
    check_cut("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n"
              "Content-Length: 4\r\n\r\nabcd");
    check_cut("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
              "\x1f\x8b\x08");
}

static void an_answer_of_two_lengths_is_none(void)
{
    begin(say);
    bytes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"
            "fine";
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_CUT);
    finish();
}

/* It could be a whole second request. */
static void a_header_of_two_lines_is_not_sent(void)
{
    static const char *const lines[] = { "X-Key: a\r\nX-Other: b", NULL };

    begin(ok);
    endpoint.headers = lines;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK_BYTES(call.text, strlen(call.text),
                "a header has a line break in it");
    CHECK_INT(web_counts(web).connections, ==, 0);
    finish();
}

TEST_MAIN(CASE(one_server_is_one_whatever_is_asked_of_it),
          CASE(a_connection_gets_too_old),
          CASE(the_oldest_makes_room_for_another_server),
          CASE(more_than_one_answer_is_one_too_many),
          CASE(who_wants_to_close_is_closed),
          CASE(the_end_of_the_connection_may_end_an_answer),
          CASE(a_reset_does_not_end_an_answer),
          CASE(what_cannot_be_unpacked_is_a_cut),
          CASE(an_answer_of_two_lengths_is_none),
          CASE(a_header_of_two_lines_is_not_sent))
