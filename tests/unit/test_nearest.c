#include "config/nearest.h"

#include "tests/support/check.h"

static size_t distance(const char *a, const char *b)
{
    return asbi_edit_distance(asbi_str_c(a), asbi_str_c(b));
}

static void edits_are_counted_and_a_swap_is_one(void)
{
    CHECK_INT(distance("", ""), ==, 0);
    CHECK_INT(distance("", "abc"), ==, 3);
    CHECK_INT(distance("abc", ""), ==, 3);
    CHECK_INT(distance("kitten", "sitting"), ==, 3);
    CHECK_INT(distance("wokrers", "workers"), ==, 1);
    CHECK_INT(distance("workers", "workers"), ==, 0);
    CHECK_INT(distance("ca", "abc"), ==, 3);
}

static void dashes_and_underscores_are_the_same(void)
{
    CHECK_INT(distance("batch-size", "batch_size"), ==, 0);
}

static void long_names_are_near_nothing(void)
{
    char text[80];

    memset(text, 'a', sizeof(text));
    asbi_str most = asbi_str_of(text, ASBI_NEAREST_MAX);
    asbi_str more = asbi_str_of(text, ASBI_NEAREST_MAX + 1);
    CHECK_INT(asbi_edit_distance(most, most), ==, 0);
    CHECK(asbi_edit_distance(more, most) == SIZE_MAX);
    CHECK(asbi_edit_distance(most, more) == SIZE_MAX);
}

static asbi_str nearest(const char *wanted)
{
    static const char *const known[] = { "workers", "worker", "budget" };
    struct asbi_nearest n;

    asbi_nearest_init(&n, asbi_str_c(wanted));
    for (size_t i = 0; i < 3; i++)
        asbi_nearest_offer(&n, asbi_str_c(known[i]));
    return n.best;
}

static void only_what_is_near_is_offered(void)
{
    CHECK_STR(nearest("wrokers"), "workers");
    CHECK_STR(nearest("worke"), "worker");
    CHECK_STR(nearest("bugdet"), "budget");
    CHECK_STR(nearest("budgets"), "budget");
    CHECK_STR(nearest("gadget"), "budget");
    CHECK_STR(nearest("fidget"), "budget");
    CHECK_STR(nearest("widest"), "");
    CHECK_STR(nearest("temperature"), "");
    CHECK_STR(nearest(""), "");
}

TEST_MAIN(CASE(edits_are_counted_and_a_swap_is_one),
          CASE(dashes_and_underscores_are_the_same),
          CASE(long_names_are_near_nothing), CASE(only_what_is_near_is_offered))
