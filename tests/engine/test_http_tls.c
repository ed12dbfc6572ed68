/*
 * test_http_tls.c -- whom we trust, and TLS connections that end while idle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "tests/support/caller.h"
#include "tests/support/certs.h"
#include "tests/support/check.h"
#include "tests/support/web.h"

static struct certs certs;
static struct surroundings s;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call call;

static void ok(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "fine");
}

static void begin_with(const char *ca_file, web_fn *server)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .ca_file = ca_file } };

    surroundings_init(&s, NULL, &options);
    CHECK(s.world);
    web = web_new(s.base, server, NULL);
    web_use_tls(web, certs.ssl_ctx);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    call_init(&call, &s, &endpoint);
}

static void begin(const char *names, web_fn *server)
{
    certs_init(&certs, names);
    begin_with(certs.ca_file, server);
}

static void finish(void)
{
    call_fini(&call);
    web_free(web);
    surroundings_fini(&s);
    certs_fini(&certs);
}

/* ---- trust ----------------------------------------------------------- */

static void the_right_authority_is_accepted(void)
{
    begin("IP:127.0.0.1", ok);
    for (int i = 0; i < 3; i++) {
        call_do(&call, "x");
        CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
        CHECK_STR(asbi_buf_view(&call.body), "fine");
    }
    CHECK_INT(web_counts(web).connections, ==, 1);
    finish();
}

static void check_refused(void)
{
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK(call.text[0]);
    CHECK_INT(web_counts(web).requests, ==, 0);
}

static void another_authority_is_refused(void)
{
    struct certs other;

    certs_init(&certs, "IP:127.0.0.1");
    certs_init(&other, "IP:127.0.0.1");
    begin_with(other.ca_file, ok);
    check_refused();
    finish();
    certs_fini(&other);
}

static void the_systems_authorities_do_not_know_ours(void)
{
    certs_init(&certs, "IP:127.0.0.1");
    begin_with(NULL, ok);
    check_refused();
    finish();
}

static void the_environment_may_name_the_authorities(void)
{
    certs_init(&certs, "IP:127.0.0.1");
    CHECK(setenv("SSL_CERT_FILE", certs.ca_file, 1) == 0);
    begin_with(NULL, ok);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    finish();
    CHECK(unsetenv("SSL_CERT_FILE") == 0);
}

static void another_host_name_is_refused(void)
{
    begin("DNS:elsewhere.test", ok);
    check_refused();
    finish();
}

static void a_missing_bundle_is_an_error_at_once(void)
{
    struct asbi_real_options options = {
        .http = { .proxy = "none", .ca_file = "/nonexistent/ca.pem" }
    };

    surroundings_init(&s, NULL, &options);
    CHECK(!s.world);
    CHECK(strstr(s.why.text, "/nonexistent/ca.pem"));
    CHECK(strstr(s.why.text, "No such file"));
    surroundings_fini(&s);
}

static void a_bundle_without_a_certificate_is_an_error_at_once(void)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .ca_file = "/dev/null" } };

    surroundings_init(&s, NULL, &options);
    CHECK(!s.world);
    CHECK(strstr(s.why.text, "/dev/null"));
    CHECK(strstr(s.why.text, "no usable certificate"));
    surroundings_fini(&s);
}

static void a_missing_bundle_of_the_environment_is_told_by_the_call(void)
{
    certs_init(&certs, "IP:127.0.0.1");
    CHECK(setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1) == 0);
    begin_with(NULL, ok);
    check_refused();
    CHECK(strstr(call.text, "/nonexistent/ca.pem"));
    finish();
    CHECK(unsetenv("SSL_CERT_FILE") == 0);
}

static void answer_and_close(struct web_request *r, void *arg)
{
    (void)arg;
    web_answer(r->conn, 200, "Connection: close\r\n", "bye", 3);
    web_close(r->conn);
}

/* Fresh connections, over several multi handles, after the file is gone. */
static void the_bundle_is_read_once(void)
{
    struct call more[20];
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .calls_per_multi = 3 } };

    certs_init(&certs, "IP:127.0.0.1");
    options.http.ca_file = certs.ca_file;
    surroundings_init(&s, NULL, &options);
    web = web_new(s.base, answer_and_close, NULL);
    web_use_tls(web, certs.ssl_ctx);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    call_init(&call, &s, &endpoint);
    CHECK(unlink(certs.ca_file) == 0);
    for (int i = 0; i < 20; i++) {
        call_init(&more[i], &s, &endpoint);
        CHECK_INT(call_start(&more[i], "x"), ==, ASB_OK);
    }
    for (int i = 0; i < 20; i++) {
        run_until(&s, &more[i].ended, 1);
        CHECK_INT(more[i].end.outcome, ==, ASBI_COMPLETE);
        call_fini(&more[i]);
    }
    CHECK_INT(web_counts(web).connections, ==, 20);
    finish();
}

static unsigned resumed;

static void count_resumed(const SSL *ssl, int where, int ret)
{
    (void)ret;
    if (where & SSL_CB_HANDSHAKE_DONE)
        resumed += (unsigned)SSL_session_reused(ssl);
}

/* Also over slots that never talked to the server before. */
static void sessions_are_resumed_across_slots(void)
{
    struct call second;

    begin("IP:127.0.0.1", ok);
    SSL_CTX_set_info_callback(certs.ssl_ctx, count_resumed);
    resumed = 0;
    call_do(&call, "x");
    CHECK_INT(resumed, ==, 0);
    call_init(&second, &s, &endpoint);
    CHECK_INT(call_start(&second, "x"), ==, ASB_OK);
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_until(&s, &second.ended, 1);
    run_until(&s, &call.ended, 2);
    CHECK_INT(web_counts(web).connections, ==, 2);
    CHECK_INT(resumed, >=, 1);
    call_fini(&second);
    finish();
}

/* ---- connections that end -------------------------------------------- */

static int count_watched(const struct event_base *base,
                         const struct event *event, void *arg)
{
    (void)base;
    /* The transport's are of libevent's internal kind. */
    if (event_get_fd(event) >= 0 &&
        (event->ev_evcallback.evcb_flags & EVLIST_INTERNAL))
        ++*(unsigned *)arg;
    return 0;
}

/* An idle connection is watched until it ends. */
static bool all_ends_were_noticed(void)
{
    unsigned watched = 0;

    (void)event_base_foreach_event(s.base, count_watched, &watched);
    return watched == 0;
}

/* libcurl 7.88 takes the pending close_notify for a sign of life. */
static void a_closed_idle_connection_is_not_used(void)
{
    begin("IP:127.0.0.1", ok);
    for (unsigned i = 1; i <= 5; i++) {
        call_do(&call, "x");
        CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
        CHECK_INT(web_counts(web).requests, ==, i);
        CHECK(!all_ends_were_noticed());
        web_close_all(web);
        run_until_holds(&s, all_ends_were_noticed);
    }
    CHECK_INT(web_counts(web).connections, ==, 5);
    finish();
}

static void many_closed_idle_connections_are_not_used(void)
{
    struct call more[20];
    unsigned rounds = 3;

    begin("IP:127.0.0.1", ok);
    for (unsigned round = 1; round <= rounds; round++) {
        for (int i = 0; i < 20; i++) {
            if (round == 1)
                call_init(&more[i], &s, &endpoint);
            CHECK_INT(call_start(&more[i], "x"), ==, ASB_OK);
        }
        for (int i = 0; i < 20; i++) {
            run_until(&s, &more[i].ended, round);
            CHECK_INT(more[i].end.outcome, ==, ASBI_COMPLETE);
        }
        web_close_all(web);
        run_until_holds(&s, all_ends_were_noticed);
    }
    CHECK_INT(web_counts(web).requests, ==, 60);
    for (int i = 0; i < 20; i++)
        call_fini(&more[i]);
    finish();
}

/* In TLS 1.3 the alert looks like data, and the FIN may be a while behind. */
static void a_goodbye_is_enough(void)
{
    begin("IP:127.0.0.1", ok);
    call_do(&call, "x");
    web_say_goodbye(web_last(web));
    run_until_holds(&s, all_ends_were_noticed);
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(web_counts(web).connections, ==, 2);
    CHECK_INT(web_counts(web).requests, ==, 2);
    finish();
}

static void a_post_that_was_taken_is_not_sent_again(void)
{
    begin("IP:127.0.0.1", web_answers_one);
    call_do(&call, "warm up");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    call_do(&call, "paid");
    CHECK_INT(call.end.outcome, ==, ASBI_UNANSWERED);
    run_for(&s, 20);
    CHECK_INT(web_counts(web).requests, ==, 2);
    finish();
}

static void hang_up(struct web_conn *c)
{
    web_reset(c);
}

static void a_broken_handshake_was_sent_nothing(void)
{
    begin("IP:127.0.0.1", ok);
    web_on_accept(web, hang_up);
    check_refused();
    finish();
}

static void speak_plainly(struct web_conn *c)
{
    web_text(c, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
}

static void plain_http_where_tls_is_expected_was_sent_nothing(void)
{
    char url[64];

    begin("IP:127.0.0.1", ok);
    web_use_tls(web, NULL);
    web_on_accept(web, speak_plainly);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", web_port(web));
    endpoint.url = url;
    check_refused();
    finish();
}

TEST_MAIN(CASE(the_right_authority_is_accepted),
          CASE(another_authority_is_refused),
          CASE(the_systems_authorities_do_not_know_ours),
          CASE(the_environment_may_name_the_authorities),
          CASE(another_host_name_is_refused),
          CASE(a_missing_bundle_is_an_error_at_once),
          CASE(a_bundle_without_a_certificate_is_an_error_at_once),
          CASE(a_missing_bundle_of_the_environment_is_told_by_the_call),
          CASE(the_bundle_is_read_once),
          CASE(sessions_are_resumed_across_slots),
          CASE(a_closed_idle_connection_is_not_used),
          CASE(many_closed_idle_connections_are_not_used),
          CASE(a_goodbye_is_enough),
          CASE(a_post_that_was_taken_is_not_sent_again),
          CASE(a_broken_handshake_was_sent_nothing),
          CASE(plain_http_where_tls_is_expected_was_sent_nothing))
