#include "tests/support/check.h"

#include "engine/base/units.h"
#include "scheduler/room.h"

enum { START = 1000, MOST = 3000 };

static struct asbi_room fresh(void)
{
    struct asbi_room r;

    asbi_room_init(&r, START, MOST);
    asbi_room_look(&r, false, ASBI_SECOND);
    return r;
}

static void a_limit_below_the_start_is_kept(void)
{
    struct asbi_room r;

    asbi_room_init(&r, START, 10);
    CHECK_INT(r.bytes, ==, 10);
}

static void enough_room_stays_as_it_is(void)
{
    struct asbi_room r = fresh();

    for (uint64_t t = 1; t < 1000; t++)
        asbi_room_look(&r, false, t * ASBI_SECOND);
    CHECK_INT(r.bytes, ==, START);
}

static void a_second_of_want_doubles_it_up_to_the_limit(void)
{
    struct asbi_room r = fresh();

    asbi_room_look(&r, true, 2 * ASBI_SECOND);
    asbi_room_look(&r, true, 3 * ASBI_SECOND - 1);
    CHECK_INT(r.bytes, ==, START);
    asbi_room_look(&r, true, 3 * ASBI_SECOND);
    CHECK_INT(r.bytes, ==, 2 * START);
    asbi_room_look(&r, true, 4 * ASBI_SECOND);
    CHECK_INT(r.bytes, ==, MOST);
    asbi_room_look(&r, true, 5 * ASBI_SECOND);
    CHECK_INT(r.bytes, ==, MOST);
}

static void short_wants_do_not_add_up(void)
{
    struct asbi_room r = fresh();

    for (uint64_t t = 100; t < 1000; t += 2) {
        asbi_room_look(&r, true, t * 100 * ASBI_MS);
        asbi_room_look(&r, false, (t + 1) * 100 * ASBI_MS);
    }
    CHECK_INT(r.bytes, ==, START);
}

static void want_for_most_of_the_time_is_want(void)
{
    struct asbi_room r = fresh();

    for (uint64_t t = 100; t < 140; t += 3) {
        asbi_room_look(&r, true, t * 100 * ASBI_MS);
        asbi_room_look(&r, false, (t + 2) * 100 * ASBI_MS);
    }
    CHECK_INT(r.bytes, ==, 2 * START);
}

TEST_MAIN(CASE(a_limit_below_the_start_is_kept),
          CASE(enough_room_stays_as_it_is),
          CASE(a_second_of_want_doubles_it_up_to_the_limit),
          CASE(short_wants_do_not_add_up),
          CASE(want_for_most_of_the_time_is_want))
