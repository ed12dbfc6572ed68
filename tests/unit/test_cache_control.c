/* What an HTTP answer says of its own life. */
#include "cache/cache_control.h"

#include "tests/support/check.h"

enum { NOW = 1000000, MOST = 999000000 };

static uint64_t fresh, serves;

static void read_life(const char *cache_control, const char *age)
{
    struct asbi_cache_control c = { .no_store = false };

    asbi_cache_control_read(&c, ASBI_STR("Content-Type"),
                            ASBI_STR("max-age=1"));
    asbi_cache_control_read(&c, ASBI_STR("cache-CONTROL"),
                            asbi_str_c(cache_control));
    if (age)
        asbi_cache_control_read(&c, ASBI_STR("Age"), asbi_str_c(age));
    asbi_cache_control_life(&c, NOW, MOST, &fresh, &serves);
}

static void check_life(const char *cache_control, const char *age,
                       uint64_t fresh_s, uint64_t serves_s)
{
    read_life(cache_control, age);
    CHECK_INT(fresh, ==, NOW + fresh_s * 1000);
    CHECK_INT(serves, ==, NOW + serves_s * 1000);
}

static void the_age_is_taken_off_the_most(void)
{
    check_life("max-age=60", NULL, 60, 60);
    check_life("public, max-age=60", "15", 45, 45);
    check_life("max-age=60, s-maxage=30", NULL, 30, 30);
    check_life("s-maxage=30,max-age=60", NULL, 30, 30);
    check_life("max-age=60", "90", 0, 0);
    check_life(" MAX-AGE = \"60\" ,immutable", " 1 ", 59, 59);
}

static void stale_answers_serve_as_long_as_is_said(void)
{
    check_life("max-age=60, stale-while-revalidate=30", NULL, 60, 90);
    check_life("max-age=60, stale-while-revalidate=30", "70", 0, 20);
    check_life("max-age=60, stale-while-revalidate=30", "95", 0, 0);
    check_life("no-cache, stale-while-revalidate=30", NULL, 0, 30);
}

static void what_must_be_checked_is_never_fresh(void)
{
    check_life("no-cache", NULL, 0, 0);
    check_life("no-cache, max-age=60", NULL, 0, 0);
    check_life("s-maxage=60, no-cache", NULL, 0, 0);
    check_life("no-cache, s-maxage=60", NULL, 0, 0);
}

static void what_may_not_be_stored_serves_once(void)
{
    check_life("no-store", NULL, 0, 0);
    check_life("max-age=60, private", NULL, 0, 0);
}

static void nothing_said_limits_nothing(void)
{
    read_life("", NULL);
    CHECK(fresh == MOST && serves == MOST);
    read_life("public", NULL);
    CHECK(fresh == MOST);
}

static void nonsense_is_never_fresh_for_long(void)
{
    check_life("max-age=-5", NULL, 0, 0);
    check_life("max-age=abc", NULL, 0, 0);
    check_life("max-age", NULL, 0, 0);
    read_life("max-age=99999999999999999999999999", NULL);
    CHECK(fresh == MOST && serves == MOST);
    read_life(",,=,=5,;;", NULL);
    CHECK(fresh == MOST);
}

TEST_MAIN(CASE(the_age_is_taken_off_the_most),
          CASE(stale_answers_serve_as_long_as_is_said),
          CASE(what_must_be_checked_is_never_fresh),
          CASE(what_may_not_be_stored_serves_once),
          CASE(nothing_said_limits_nothing),
          CASE(nonsense_is_never_fresh_for_long))
