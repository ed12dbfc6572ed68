/*
 * test_http_hosts.c -- several servers at once, as routes have them: what one
 * of them does is nothing to the calls of another.
 */
#include <string.h>

#include "tests/support/caller.h"
#include "tests/support/certs.h"
#include "tests/support/check.h"
#include "tests/support/web.h"

enum { CALLS = 10 };

static struct certs certs;
static struct surroundings s;
static struct web *good, *mute;
static struct asbi_endpoint to_good, to_mute;
static char url_good[128], url_mute[128];
static struct call of_good[CALLS], of_mute[CALLS];

static void ok(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "fine");
}

/* With HTTP/2 as a choice that the servers do not have. */
static void begin(unsigned max_in_flight)
{
    struct asbi_real_options options = { .http = { .proxy = "none",
                                                   .http2 = true,
                                                   .max_in_flight =
                                                       max_in_flight } };

    certs_init(&certs, "IP:127.0.0.1");
    options.http.ca_file = certs.ca_file;
    surroundings_init(&s, NULL, &options);
    CHECK(s.world);
    good = web_new(s.base, ok, NULL);
    web_use_tls(good, certs.ssl_ctx);
    mute = web_new(s.base, ok, NULL); /* takes a greeting, and waits for more */
    (void)snprintf(url_good, sizeof(url_good), "%s", web_url(good, "/"));
    (void)snprintf(url_mute, sizeof(url_mute), "https://127.0.0.1:%u/",
                   web_port(mute));
    to_good = (struct asbi_endpoint){ .method = "POST", .url = url_good };
    to_mute = (struct asbi_endpoint){ .method = "POST", .url = url_mute };
    for (size_t i = 0; i < CALLS; i++) {
        call_init(&of_good[i], &s, &to_good);
        call_init(&of_mute[i], &s, &to_mute);
    }
}

static void finish(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        call_fini(&of_good[i]);
        call_fini(&of_mute[i]);
    }
    web_free(good);
    web_free(mute);
    surroundings_fini(&s);
    certs_fini(&certs);
}

/* libcurl has the second call to a server wait for what the first finds. */
static void a_server_that_does_not_answer_holds_up_its_own_calls_only(void)
{
    begin(0);
    for (size_t i = 0; i < CALLS; i++) {
        of_mute[i].exchange.limits.connect_ns = 60 * ASBI_SECOND;
        CHECK_INT(call_start(&of_mute[i], "x"), ==, ASB_OK);
    }
    for (size_t i = 0; i < CALLS; i++)
        CHECK_INT(call_start(&of_good[i], "x"), ==, ASB_OK);
    for (size_t i = 0; i < CALLS; i++) {
        run_until(&s, &of_good[i].ended, 1);
        CHECK_INT(of_good[i].end.outcome, ==, ASBI_COMPLETE);
    }
    for (size_t i = 0; i < CALLS; i++) {
        CHECK_INT(of_mute[i].ended, ==, 0);
        call_cancel(&of_mute[i]);
    }
    finish();
}

static void all_are_answered(struct call calls[CALLS])
{
    for (size_t i = 0; i < CALLS; i++)
        CHECK_INT(call_start(&calls[i], "x"), ==, ASB_OK);
    CHECK_INT(call_start(&calls[0], "x"), ==, ASB_EFULL);
    for (size_t i = 0; i < CALLS; i++) {
        run_until(&s, &calls[i].ended, 1);
        CHECK_INT(calls[i].end.outcome, ==, ASBI_COMPLETE);
        calls[i].ended = 0;
    }
}

/* Each in its turn has all the room there is. */
static void room_goes_over_to_the_server_that_needs_it(void)
{
    begin(CALLS);
    web_use_tls(mute, certs.ssl_ctx);
    for (int turn = 0; turn < 3; turn++) {
        all_are_answered(of_good);
        all_are_answered(of_mute);
    }
    finish();
}

TEST_MAIN(CASE(a_server_that_does_not_answer_holds_up_its_own_calls_only),
          CASE(room_goes_over_to_the_server_that_needs_it))
