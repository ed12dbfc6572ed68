/* When a provider is asked again. */
#include "scheduler/poll.h"

#include "engine/base/units.h"
#include "tests/support/check.h"

static void the_wait_grows_with_the_time_that_has_passed(void)
{
    const struct asbi_poll_policy *p = &asbi_poll_batches;

    CHECK_INT(asbi_poll_wait(p, 0, 0, 0.5), ==, ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, 80 * ASBI_SECOND, 0, 0.5), ==,
              10 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, 3600 * ASBI_SECOND, 0, 0.5), ==,
              120 * ASBI_SECOND);
}

static void jitter_is_a_tenth_either_way(void)
{
    const struct asbi_poll_policy *p = &asbi_poll_batches;

    CHECK_INT(asbi_poll_wait(p, 80 * ASBI_SECOND, 0, 0), ==, 9 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, 80 * ASBI_SECOND, 0, 0.9999), >,
              10990 * ASBI_MS);
}

static void what_the_provider_asks_for_is_waited(void)
{
    const struct asbi_poll_policy *p = &asbi_poll_batches;

    CHECK_INT(asbi_poll_wait(p, 0, 7 * ASBI_SECOND, 0.5), ==, 7 * ASBI_SECOND);
    CHECK_INT(asbi_poll_wait(p, 80 * ASBI_SECOND, ASBI_SECOND, 0.5), ==,
              10 * ASBI_SECOND);
}

TEST_MAIN(CASE(the_wait_grows_with_the_time_that_has_passed),
          CASE(jitter_is_a_tenth_either_way),
          CASE(what_the_provider_asks_for_is_waited))
