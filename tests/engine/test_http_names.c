/*
 * test_http_names.c -- host names are resolved on the loop, by one thread.
 */
#include <event2/event.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/names.h"
#include "tests/support/web.h"

static struct surroundings s;
static struct names *names;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call call;
static char url[128];
static struct asbi_real_options options;
static const struct asbi_mem *mem = &asbi_mem_system;

static void tell_host(struct web_request *r, void *arg)
{
    const char *host = strstr(r->head, "\r\nHost: ") + 8;

    (void)arg;
    web_answer(r->conn, 200, "", host, strcspn(host, "\r"));
}

/* The name server needs a loop before the world is made, and the world its
 * files: so both are put on one base. */
static void begin(const char *host, const char *hosts)
{
    s = (struct surroundings){ .mem = mem, .open_before = open_descriptors() };
    s.base = event_base_new();
    names = names_new(s.base);
    options = (struct asbi_real_options){
        .http = { .proxy = "none",
                  .hosts_file = names_hosts(names, hosts),
                  .resolv_conf = names_resolv_conf(names) }
    };
    int rc =
        asbi_real_world_new(s.mem, s.base, &options, NULL, &s.world, &s.why);
    CHECK(rc == ASB_OK || (rc == ASB_ENOMEM && mem != &asbi_mem_system));
    web = web_new(s.base, tell_host, NULL);
    (void)snprintf(url, sizeof(url), "http://%s:%u/", host, web_port(web));
    endpoint = (struct asbi_endpoint){ .method = "POST", .url = url };
    call_init(&call, &s, &endpoint);
}

static void finish(void)
{
    call_fini(&call);
    web_free(web);
    names_free(names);
    surroundings_fini(&s); /* checks that one task is all there is */
}

static void check_answered(const char *host)
{
    char want[128];

    call_do(&call, "x");
    CHECK_INT(tasks(), ==, 1);
    CHECK_BYTES(call.text, strlen(call.text), "");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    (void)snprintf(want, sizeof(want), "%s:%u", host, web_port(web));
    CHECK_STR(asbi_buf_view(&call.body), want);
}

static void localhost_needs_no_name_server(void)
{
    begin("localhost", "");
    check_answered("localhost");
    CHECK_INT(names_asked(names), ==, 0);
    finish();
}

static void names_under_localhost_need_none_either(void)
{
    begin("api.LocalHost", "");
    check_answered("api.LocalHost");
    CHECK_INT(names_asked(names), ==, 0);
    finish();
}

static void the_hosts_file_is_read(void)
{
    begin("api.example", "# comment\n127.0.0.1 other api.example\n");
    check_answered("api.example");
    CHECK_INT(names_asked(names), ==, 0);
    finish();
}

static void the_name_server_is_asked_once(void)
{
    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.1");
    for (int i = 0; i < 5; i++)
        check_answered("api.example");
    CHECK_INT(names_asked(names), >=, 1);
    CHECK_INT(names_asked(names), <=, 2); /* A, and AAAA where there is IPv6 */
    CHECK_INT(web_counts(web).connections, ==, 1);
    finish();
}

static void many_calls_wait_for_one_answer(void)
{
    struct call more[30];

    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.1");
    for (int i = 0; i < 30; i++) {
        call_init(&more[i], &s, &endpoint);
        CHECK_INT(call_start(&more[i], "x"), ==, ASB_OK);
    }
    for (int i = 0; i < 30; i++) {
        run_until(&s, &more[i].ended, 1);
        CHECK_INT(more[i].end.outcome, ==, ASBI_COMPLETE);
        call_fini(&more[i]);
    }
    CHECK_INT(names_asked(names), <=, 2);
    CHECK_INT(tasks(), ==, 1);
    finish();
}

static void check_unreachable(void)
{
    call_do(&call, "x");
    CHECK_INT(tasks(), ==, 1);
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK(call.text[0]);
}

static void a_name_that_does_not_exist_is_unreachable(void)
{
    begin("nowhere.example", "");
    check_unreachable();
    CHECK_INT(names_asked(names), >=, 1);
    check_unreachable();
    finish();
}

static void a_silent_name_server_meets_the_limit(void)
{
    begin("api.example", "");
    names_be_silent(names);
    call.exchange.limits.connect_ns = 30 * ASBI_MS;
    check_unreachable();
    CHECK_BYTES(call.text, strlen(call.text),
                "no connection within the time limit");
    finish();
}

static void a_call_can_be_cancelled_while_its_name_is_resolved(void)
{
    begin("api.example", "");
    names_be_silent(names);
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_for(&s, 5);
    call_cancel(&call);
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_for(&s, 5);
    CHECK_INT(call.ended, ==, 0);
    finish(); /* with a question open and a call waiting */
}

static void an_endpoint_can_be_forgotten_while_its_name_is_resolved(void)
{
    begin("api.example", "");
    names_be_silent(names);
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    run_for(&s, 5);
    call_cancel(&call);
    endpoint_forget(&s, &endpoint);
    run_for(&s, 5);
    finish();
}

/* Nobody listens at 127.0.0.2, 127.0.0.3 on that port. */
static void the_next_address_is_tried(void)
{
    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.2");
    names_add(names, "api.example", "127.0.0.3");
    names_add(names, "api.example", "127.0.0.1");
    check_answered("api.example");
    CHECK_INT(web_counts(web).connections, ==, 1);
    /* The dead ones are not tried again by the next call. */
    check_answered("api.example");
    CHECK_INT(web_counts(web).connections, ==, 1);
    finish();
}

static void all_addresses_may_be_dead(void)
{
    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.2");
    names_add(names, "api.example", "127.0.0.3");
    check_unreachable();
    unsigned asked = names_asked(names);
    check_unreachable();
    CHECK_INT(names_asked(names), >, asked); /* it may have moved */
    finish();
}

static void a_numeric_host_needs_no_name(void)
{
    begin("127.0.0.1", "");
    check_answered("127.0.0.1");
    CHECK_INT(names_asked(names), ==, 0);
    finish();
}

/* Moves the server to [::1].  False on a machine without IPv6. */
static bool serve_ipv6(const char *host)
{
    struct web *other = web_new_ipv6(s.base, tell_host, NULL);

    if (!other)
        return false;
    web_free(web);
    web = other;
    (void)snprintf(url, sizeof(url), "http://%s:%u/", host, web_port(web));
    return true;
}

static void an_address_may_be_ipv6(void)
{
    begin("six.example", "");
    names_add(names, "six.example", "::1");
    if (serve_ipv6("six.example")) {
        check_answered("six.example");
        check_answered("six.example"); /* on the connection there is */
        CHECK_INT(web_counts(web).connections, ==, 1);
    }
    finish();
}

static void the_hosts_file_may_name_ipv6(void)
{
    begin("six.example", "::1 six.example\n");
    if (serve_ipv6("six.example")) {
        check_answered("six.example");
        CHECK_INT(names_asked(names), ==, 0);
    }
    finish();
}

static void a_numeric_host_may_be_ipv6(void)
{
    begin("127.0.0.1", "");
    if (serve_ipv6("[::1]"))
        check_answered("[::1]");
    finish();
}

/* Nobody listens at [::1] on that port. */
static void a_dead_ipv6_address_gives_way_to_ipv4(void)
{
    begin("both.example", "");
    names_add(names, "both.example", "::1");
    names_add(names, "both.example", "127.0.0.1");
    check_answered("both.example");
    finish();
}

static void names_differ_in_case_only(void)
{
    struct asbi_endpoint other;
    char loud[128];

    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.1");
    check_answered("api.example");
    unsigned asked = names_asked(names);
    (void)snprintf(loud, sizeof(loud), "http://API.Example:%u/", web_port(web));
    other = (struct asbi_endpoint){ .method = "POST", .url = loud };
    call.exchange.endpoint = &other;
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_INT(names_asked(names), ==, asked);
    finish();
}

static void a_world_of_its_own_goes_with_a_question_open(void)
{
    static const char *const host = "http://api.example:1/";
    struct asbi_world *world;

    begin("api.example", "");
    names_be_silent(names);
    CHECK_INT(asbi_real_world_new(s.mem, NULL, &options, NULL, &world, NULL),
              ==, ASB_OK);
    struct asbi_world *outer = s.world;
    s.world = world;
    struct asbi_endpoint e = { .method = "POST", .url = host };
    call.exchange.endpoint = &e;
    CHECK_INT(call_start(&call, "x"), ==, ASB_OK);
    (void)event_base_loop(asbi_real_world_base(world), EVLOOP_NONBLOCK);
    world->ops->free(world); /* LeakSanitizer is the judge */
    s.world = outer;
    finish();
}

/* One call whose first address is dead. */
static int life(const struct asbi_mem *of_world, void *arg)
{
    (void)arg;
    mem = of_world;
    begin("api.example", "");
    names_add(names, "api.example", "127.0.0.2");
    names_add(names, "api.example", "127.0.0.1");
    int rc = call_survive(&call, "x");
    finish();
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

TEST_MAIN(CASE(localhost_needs_no_name_server),
          CASE(names_under_localhost_need_none_either),
          CASE(the_hosts_file_is_read), CASE(the_name_server_is_asked_once),
          CASE(many_calls_wait_for_one_answer),
          CASE(a_name_that_does_not_exist_is_unreachable),
          CASE(a_silent_name_server_meets_the_limit),
          CASE(a_call_can_be_cancelled_while_its_name_is_resolved),
          CASE(an_endpoint_can_be_forgotten_while_its_name_is_resolved),
          CASE(the_next_address_is_tried), CASE(all_addresses_may_be_dead),
          CASE(a_numeric_host_needs_no_name), CASE(an_address_may_be_ipv6),
          CASE(the_hosts_file_may_name_ipv6), CASE(a_numeric_host_may_be_ipv6),
          CASE(a_dead_ipv6_address_gives_way_to_ipv4),
          CASE(names_differ_in_case_only),
          CASE(a_world_of_its_own_goes_with_a_question_open),
          CASE(every_failed_allocation_is_survived))
