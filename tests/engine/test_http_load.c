/*
 * test_http_load.c -- many calls at once, over several multi handles.
 */
#include <sys/resource.h>

#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/web.h"

enum { CALLS = 500, ROUNDS = 4 };

static struct surroundings s;
static struct web *web;
static struct asbi_endpoint endpoint;
static struct call calls[CALLS];
static unsigned ended;

/* Holds every answer back until all calls of a round have arrived. */
struct gathering {
    struct web_conn *conns[CALLS];
    char numbers[CALLS][16];
    unsigned count, want, most;
    unsigned hottest; /* most requests on one connection */
};

static struct gathering gathering;

static void gather(struct web_request *r, void *arg)
{
    struct gathering *g = arg;

    g->hottest = r->number > g->hottest ? r->number : g->hottest;
    g->conns[g->count] = r->conn;
    (void)snprintf(g->numbers[g->count], sizeof(g->numbers[0]), "%s", r->body);
    if (++g->count < g->want)
        return;
    g->most = g->count > g->most ? g->count : g->most;
    for (unsigned i = 0; i < g->want; i++)
        web_ok(g->conns[g->want - 1 - i], g->numbers[g->want - 1 - i]);
    g->count = 0;
}

static void begin(unsigned calls_per_multi, web_fn *server, void *arg)
{
    struct asbi_real_options options = {
        .http = { .proxy = "none", .calls_per_multi = calls_per_multi }
    };

    surroundings_init(&s, NULL, &options);
    CHECK_INT(s.world->transport->capacity, >=, CALLS);
    web = web_new(s.base, server, arg);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    for (int i = 0; i < CALLS; i++)
        call_init(&calls[i], &s, &endpoint);
    ended = 0;
}

static void finish(void)
{
    for (int i = 0; i < CALLS; i++)
        call_fini(&calls[i]);
    web_free(web);
    surroundings_fini(&s);
}

static void count_end(struct call *c)
{
    CHECK_INT(c->end.outcome, ==, ASBI_COMPLETE);
    ended++;
}

static void start_all(unsigned count)
{
    static char bodies[CALLS][16];

    ended = 0;
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(bodies[i], sizeof(bodies[i]), "call %u", i);
        calls[i].then = count_end;
        calls[i].data = bodies[i];
        CHECK_INT(call_start(&calls[i], bodies[i]), ==, ASB_OK);
    }
}

static void hundreds_are_in_flight_at_once(void)
{
    gathering = (struct gathering){ .want = CALLS };
    begin(0, gather, &gathering);
    for (int round = 0; round < ROUNDS; round++) {
        start_all(CALLS);
        run_until(&s, &ended, CALLS);
        /* Each got its own answer, not another's. */
        for (int i = 0; i < CALLS; i++)
            CHECK_STR(asbi_buf_view(&calls[i].body),
                      (const char *)calls[i].data);
    }
    CHECK_INT(gathering.most, ==, CALLS);
    /* Later rounds found all connections warm: none was closed for want of a
     * place at the end of a burst. */
    CHECK_INT(web_counts(web).connections, ==, CALLS);
    CHECK_INT(web_counts(web).open, ==, CALLS);
    finish();
}

/* A wave of ten after one of a hundred goes on the same ten connections time
 * and again; the others grow old in peace. */
static void few_calls_reuse_the_warmest_connections(void)
{
    gathering = (struct gathering){ .want = 100 };
    begin(10, gather, &gathering);
    start_all(100);
    run_until(&s, &ended, 100);
    gathering.want = 10;
    for (int round = 0; round < 20; round++) {
        start_all(10);
        run_until(&s, &ended, 10);
    }
    CHECK_INT(web_counts(web).connections, ==, 100);
    CHECK_INT(gathering.hottest, ==, 21);
    finish();
}

static bool nobody_is_connected(void)
{
    return web_counts(web).open == 0;
}

static void close_after(struct web_request *r, void *arg)
{
    (void)arg;
    web_answer(r->conn, 200, "Connection: close\r\n", "bye", 3);
    web_close(r->conn);
}

static void a_server_that_keeps_nothing_is_served_too(void)
{
    begin(7, close_after, NULL);
    for (int round = 0; round < 3; round++) {
        start_all(CALLS);
        run_until(&s, &ended, CALLS);
    }
    CHECK_INT(web_counts(web).connections, ==, 3 * CALLS);
    run_until_holds(&s, nobody_is_connected);
    finish();
}

static void never(struct web_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static bool all_have_arrived(void)
{
    return web_counts(web).requests == CALLS;
}

static void all_can_be_cancelled_together(void)
{
    begin(30, never, NULL);
    start_all(CALLS);
    run_until_holds(&s, all_have_arrived);
    for (int i = 0; i < CALLS; i++)
        call_cancel(&calls[i]);
    run_until_holds(&s, nobody_is_connected);
    CHECK_INT(ended, ==, 0);
    finish();
}

static void the_capacity_follows_from_the_descriptors(void)
{
    struct rlimit old, small;

    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    small = old;
    small.rlim_cur = 64 + 110 * 3 + 20;
    CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0);
    surroundings_init(&s, NULL, NULL);
    CHECK_INT(s.world->transport->capacity, ==, 310);
    surroundings_fini(&s);
    small.rlim_cur = 40;
    CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0);
    surroundings_init(&s, NULL, NULL);
    CHECK_INT(s.world->transport->capacity, ==, 1);
    surroundings_fini(&s);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

/* ---- memory ---------------------------------------------------------- */

static void say_yes(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "yes");
}

/* Some calls at once; each ends, and well or unsent.  ASB_OK when all were
 * answered. */
static int life(const struct asbi_mem *mem, void *arg)
{
    enum { FEW = 3 };
    struct asbi_real_options options = { .http = { .proxy = "none" } };
    int started[FEW], rc = ASB_OK;

    (void)arg;
    surroundings_init(&s, mem, &options);
    if (!s.world) {
        surroundings_fini(&s);
        return ASB_ENOMEM;
    }
    web = web_new(s.base, say_yes, NULL);
    endpoint =
        (struct asbi_endpoint){ .method = "POST", .url = web_url(web, "/") };
    for (int i = 0; i < FEW; i++) {
        call_init(&calls[i], &s, &endpoint);
        started[i] = call_start(&calls[i], "x");
    }
    for (int i = 0; i < FEW; i++) {
        if (call_survived(&calls[i], started[i]))
            rc = ASB_ENOMEM;
        call_fini(&calls[i]);
    }
    web_free(web);
    surroundings_fini(&s);
    return rc;
}

static void every_failed_allocation_is_survived_by_all(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

TEST_MAIN(CASE(hundreds_are_in_flight_at_once),
          CASE(few_calls_reuse_the_warmest_connections),
          CASE(a_server_that_keeps_nothing_is_served_too),
          CASE(all_can_be_cancelled_together),
          CASE(the_capacity_follows_from_the_descriptors),
          CASE(every_failed_allocation_is_survived_by_all))
