/* Which lane a call takes: shares by weight, spares, and what is waited for. */
#include "scheduler/routing.h"
#include "tests/support/check.h"

#define OPEN ASBI_STANDS_OPEN
#define FULL ASBI_STANDS_FULL
#define HELD ASBI_STANDS_HELD
#define AWAY ASBI_STANDS_AWAY
#define LOST ASBI_STANDS_LOST
#define NONE ASBI_ROUTES_MAX

static struct asbi_routing routes(size_t count, const unsigned weights[])
{
    struct asbi_routing r;

    asbi_routing_init(&r);
    for (size_t i = 0; i < count; i++)
        CHECK(asbi_routing_add(&r, weights[i]));
    return r;
}

#define ROUTES(...)                                                \
    routes(sizeof((unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned), \
           (const unsigned[]){ __VA_ARGS__ })
#define STAND(...) ((const enum asbi_standing[]){ __VA_ARGS__ })

/* Sends one call of so many items; where it went, or NONE. */
static size_t send(struct asbi_routing *r, const enum asbi_standing stands[],
                   double items)
{
    size_t at = asbi_routing_pick(r, stands);

    if (at != NONE)
        asbi_routing_charge(r, at, stands, items);
    return at;
}

static void shares_follow_the_weights(void)
{
    struct asbi_routing r = ROUTES(3, 1);
    double items[2] = { 0, 0 };

    for (int i = 0; i < 4000; i++) {
        double size = 1 + (i * 7919) % 40;
        size_t at = send(&r, STAND(OPEN, OPEN), size);

        CHECK_INT(at, <, 2);
        items[at] += size;
    }
    CHECK(items[0] / items[1] > 2.98 && items[0] / items[1] < 3.02);
}

static void calls_of_a_route_are_spread(void)
{
    struct asbi_routing r = ROUTES(3, 1);
    int run = 0;

    for (int i = 0; i < 100; i++) {
        run = send(&r, STAND(OPEN, OPEN), 1) == 0 ? run + 1 : 0;
        CHECK_INT(run, <=, 3);
    }
}

static void a_full_route_keeps_its_share(void)
{
    struct asbi_routing r = ROUTES(1, 1);

    CHECK_INT(send(&r, STAND(OPEN, OPEN), 1), ==, 0);
    CHECK_INT(send(&r, STAND(FULL, OPEN), 1), ==, 1);
    CHECK_INT(send(&r, STAND(FULL, OPEN), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(OPEN, OPEN), 1), ==, 0);
}

static void a_held_route_lends_its_share_and_is_not_owed_it(void)
{
    struct asbi_routing r = ROUTES(3, 1);
    int first = 0;

    for (int i = 0; i < 1000; i++)
        CHECK_INT(send(&r, STAND(HELD, OPEN), 1), ==, 1);
    for (int i = 0; i < 400; i++)
        first += send(&r, STAND(OPEN, OPEN), 1) == 0;
    CHECK_INT(first, >=, 299);
    CHECK_INT(first, <=, 301);
}

static void a_spare_waits_until_no_other_is_well(void)
{
    struct asbi_routing r = ROUTES(2, 0, 1);

    CHECK_INT(send(&r, STAND(OPEN, OPEN, OPEN), 1), ==, 0);
    CHECK_INT(send(&r, STAND(AWAY, OPEN, OPEN), 1), ==, 2);
    CHECK_INT(send(&r, STAND(LOST, OPEN, HELD), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(HELD, OPEN, AWAY), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(FULL, OPEN, LOST), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(AWAY, OPEN, LOST), 1), ==, 1);
    CHECK_INT(send(&r, STAND(LOST, OPEN, AWAY), 1), ==, 1);
}

static void spares_go_in_their_order(void)
{
    struct asbi_routing r = ROUTES(1, 0, 0);

    for (int i = 0; i < 10; i++)
        CHECK_INT(send(&r, STAND(LOST, OPEN, OPEN), 5), ==, 1);
    CHECK_INT(send(&r, STAND(LOST, FULL, OPEN), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(LOST, HELD, OPEN), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(LOST, AWAY, OPEN), 1), ==, 2);
    CHECK_INT(send(&r, STAND(LOST, LOST, LOST), 1), ==, NONE);
    CHECK_INT(send(&r, STAND(OPEN, OPEN, OPEN), 1), ==, 0);
}

static void there_is_a_most_of_routes(void)
{
    struct asbi_routing r = ROUTES(1);

    for (int i = 1; i < ASBI_ROUTES_MAX; i++)
        CHECK(asbi_routing_add(&r, 1));
    CHECK(!asbi_routing_add(&r, 1));
    CHECK_INT(r.count, ==, ASBI_ROUTES_MAX);
}

TEST_MAIN(CASE(shares_follow_the_weights), CASE(calls_of_a_route_are_spread),
          CASE(a_full_route_keeps_its_share),
          CASE(a_held_route_lends_its_share_and_is_not_owed_it),
          CASE(a_spare_waits_until_no_other_is_well),
          CASE(spares_go_in_their_order), CASE(there_is_a_most_of_routes))
