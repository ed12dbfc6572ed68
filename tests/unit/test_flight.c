/* One leads, the others follow, and nobody is forgotten. */
#include "cache/flight.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct fault_mem fm;
static struct asbi_flights flights;

static void start(void)
{
    fault_mem_init(&fm, 0);
    asbi_flights_init(&flights, &fm.mem, 1);
}

static void stop(void)
{
    asbi_flights_fini(&flights);
    CHECK_INT(fm.live, ==, 0);
}

static void join(struct asbi_seat *seat, unsigned char name)
{
    struct asbi_cache_key key = { { name } };

    CHECK_INT(asbi_flight_join(&flights, &key, seat), ==, ASB_OK);
}

static void the_first_leads_and_the_same_key_follows(void)
{
    struct asbi_seat a = { .flight = NULL }, b = a, other = a;

    start();
    join(&a, 1);
    join(&b, 1);
    join(&other, 2);
    CHECK(asbi_seat_leads(&a));
    CHECK(!asbi_seat_leads(&b));
    CHECK(asbi_seat_leads(&other));
    CHECK(asbi_flight_pop(&a) == &b);
    CHECK(b.flight == NULL);
    CHECK(asbi_flight_pop(&a) == NULL);
    CHECK(asbi_flight_leave(&flights, &a) == NULL);
    CHECK(asbi_flight_leave(&flights, &other) == NULL);
    CHECK_INT(flights.by_key.count, ==, 0);
    CHECK_INT(fm.live, ==, 1); /* the table alone */
    stop();
}

static void a_leader_that_goes_leaves_the_lead_to_the_first_behind(void)
{
    struct asbi_seat a = { .flight = NULL }, b = a, c = a;

    start();
    join(&a, 1);
    join(&b, 1);
    join(&c, 1);
    CHECK(asbi_flight_leave(&flights, &a) == &b);
    CHECK(a.flight == NULL && asbi_seat_leads(&b));
    CHECK(asbi_flight_leave(&flights, &c) == NULL);
    CHECK(asbi_flight_pop(&b) == NULL);
    CHECK(asbi_flight_leave(&flights, &b) == NULL);
    CHECK(asbi_flight_leave(&flights, &b) == NULL);
    stop();
}

static void who_overtakes_leads_the_old_leader(void)
{
    struct asbi_seat a = { .flight = NULL }, b = a, c = a;

    start();
    join(&a, 1);
    join(&b, 1);
    join(&c, 1);
    asbi_flight_overtake(&c);
    CHECK(asbi_seat_leads(&c));
    CHECK(asbi_flight_pop(&c) == &a);
    CHECK(asbi_flight_pop(&c) == &b);
    CHECK(asbi_flight_leave(&flights, &c) == NULL);
    stop();
}

static void without_memory_nobody_has_joined(void)
{
    struct asbi_cache_key key = { { 1 } };

    for (size_t n = 1; n <= 2; n++) {
        struct asbi_seat a = { .flight = NULL };

        fault_mem_init(&fm, n);
        asbi_flights_init(&flights, &fm.mem, 1);
        CHECK_INT(asbi_flight_join(&flights, &key, &a), ==, ASB_ENOMEM);
        CHECK(a.flight == NULL);
        CHECK_INT(asbi_flight_join(&flights, &key, &a), ==, ASB_OK);
        stop();
    }
}

/* Any order of moves: each key has one leader exactly while it has seats. */
static void every_key_with_seats_has_one_leader(void)
{
    enum { SEATS = 60, KEYS = 5 };
    struct asbi_seat seats[SEATS] = { { .flight = NULL } };
    int key_of[SEATS] = { 0 };
    struct asbi_rng rng;

    start();
    asbi_rng_seed(&rng, 3);
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)asbi_rng_below(&rng, SEATS);
        int seated[KEYS] = { 0 }, leaders[KEYS] = { 0 };

        if (!seats[i].flight) {
            key_of[i] = (int)asbi_rng_below(&rng, KEYS);
            join(&seats[i], (unsigned char)key_of[i]);
        } else if (!asbi_seat_leads(&seats[i]) && round % 3 == 0) {
            asbi_flight_overtake(&seats[i]);
        } else {
            (void)asbi_flight_leave(&flights, &seats[i]);
        }
        for (size_t k = 0; k < SEATS; k++) {
            seated[key_of[k]] += seats[k].flight != NULL;
            leaders[key_of[k]] += asbi_seat_leads(&seats[k]);
        }
        for (int k = 0; k < KEYS; k++)
            CHECK_INT(leaders[k], ==, seated[k] > 0);
    }
    stop();
}

TEST_MAIN(CASE(the_first_leads_and_the_same_key_follows),
          CASE(a_leader_that_goes_leaves_the_lead_to_the_first_behind),
          CASE(who_overtakes_leads_the_old_leader),
          CASE(without_memory_nobody_has_joined),
          CASE(every_key_with_seats_has_one_leader))
