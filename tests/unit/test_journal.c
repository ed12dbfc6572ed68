/* What must outlive a crash is committed together, once, and in time. */
#include "engine/journal.h"

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/mem_journal.h"

struct rig {
    struct fault_mem fm;
    struct mem_journal disk;
    struct asbi_journal j;
};

static void rig_init(struct rig *g, size_t fail_at)
{
    const struct asbi_journal_state none = { .round = 1 };

    fault_mem_init(&g->fm, fail_at);
    mem_journal_init(&g->disk);
    asbi_journal_init(&g->j, &g->fm.mem, &g->disk.store, &none);
}

static void rig_fini(struct rig *g)
{
    asbi_journal_fini(&g->j);
    CHECK_INT(g->fm.live, ==, 0);
}

static int answer(struct asbi_journal *j, uint64_t seq, const char *text)
{
    const struct asbi_journal_answer a = {
        .seq = seq,
        .result = { .size = sizeof(a.result),
                    .ok = true,
                    .output = asbi_str_c(text) },
    };

    return asbi_journal_answer(j, &a);
}

static uint64_t intent(struct asbi_journal *j, uint64_t row)
{
    uint64_t number = 0;

    CHECK_INT(asbi_journal_intent(j, 5, &row, 1, &number), ==, ASB_OK);
    return number;
}

static void records_are_committed_together_and_once(void)
{
    struct rig g;
    char text[] = "first";

    rig_init(&g, 0);
    uint64_t call = intent(&g.j, 7);
    CHECK_INT(call, !=, 0);
    CHECK_INT(intent(&g.j, 8), !=, call);
    asbi_journal_end(&g.j, call, 3, 4);
    CHECK_INT(answer(&g.j, 7, text), ==, ASB_OK);
    memset(text, 'x', 5); /* it was copied */
    asbi_journal_mark(&g.j, 9, 99);
    CHECK(!asbi_journal_settled(&g.j));
    CHECK_INT(asbi_journal_commit(&g.j, 1), ==, ASB_OK);
    CHECK(asbi_journal_settled(&g.j));
    CHECK_INT(g.disk.intents, ==, 2);
    CHECK_INT(g.disk.last_row, ==, 8);
    CHECK_INT(g.disk.ends, ==, 1);
    CHECK(strcmp(g.disk.last_output, "first") == 0);
    CHECK_INT(g.disk.state.cost, ==, 3);
    CHECK_INT(g.disk.state.spent, ==, 4);
    CHECK_INT(g.disk.state.rows, ==, 9);
    CHECK_INT(g.disk.state.bytes, ==, 99);
    CHECK_INT(asbi_journal_commit(&g.j, 2), ==, ASB_OK);
    CHECK_INT(g.disk.intents, ==, 2);
    rig_fini(&g);
}

static void a_failed_commit_loses_nothing(void)
{
    struct rig g;

    rig_init(&g, 0);
    g.disk.fail_from = 1;
    g.disk.fail_until = 2;
    CHECK_INT(answer(&g.j, 0, "a"), ==, ASB_OK);
    CHECK_INT(asbi_journal_commit(&g.j, 1), ==, ASB_EIO);
    CHECK(g.j.failing);
    CHECK(strcmp(g.j.why.text, "the disk is full") == 0);
    CHECK_INT(answer(&g.j, 1, "b"), ==, ASB_OK);
    /* Not at each turn, but before long. */
    CHECK(!asbi_journal_is_due(&g.j, 2));
    uint64_t again = asbi_journal_next_look(&g.j);
    CHECK(again > 2 && again < ASBI_SECOND);
    CHECK(asbi_journal_is_due(&g.j, again));
    CHECK_INT(asbi_journal_commit(&g.j, again), ==, ASB_EIO);
    CHECK_INT(g.disk.answers, ==, 0);
    CHECK_INT(asbi_journal_commit(&g.j, 2 * again), ==, ASB_OK);
    CHECK(!g.j.failing);
    CHECK_INT(g.disk.answers, ==, 2);
    rig_fini(&g);
}

static void nothing_is_due_while_nothing_is_pending(void)
{
    struct rig g;

    rig_init(&g, 0);
    asbi_journal_mark(&g.j, 1, 1); /* goes along with the next commit */
    CHECK(!asbi_journal_is_due(&g.j, ASBI_SECOND));
    CHECK_INT(asbi_journal_next_look(&g.j) == ASBI_NEVER, ==, true);
    rig_fini(&g);
}

static void a_call_waits_no_longer_than_others_come(void)
{
    struct rig g;

    rig_init(&g, 0);
    CHECK_INT(asbi_journal_commit(&g.j, ASBI_SECOND), ==, ASB_OK);
    (void)intent(&g.j, 1);
    CHECK(!asbi_journal_is_due(&g.j, ASBI_SECOND));
    CHECK_INT(asbi_journal_next_look(&g.j), <=, ASBI_SECOND);
    (void)intent(&g.j, 2);
    CHECK(!asbi_journal_is_due(&g.j, ASBI_SECOND));
    CHECK(asbi_journal_is_due(&g.j, ASBI_SECOND)); /* nothing came */
    rig_fini(&g);
}

static void a_call_waits_a_few_milliseconds_at_most(void)
{
    struct rig g;

    rig_init(&g, 0);
    CHECK_INT(asbi_journal_commit(&g.j, ASBI_SECOND), ==, ASB_OK);
    for (uint64_t i = 0; i < 5; i++) {
        (void)intent(&g.j, i);
        CHECK_INT(asbi_journal_is_due(&g.j, ASBI_SECOND + i * ASBI_MS), ==,
                  i >= 4);
    }
    rig_fini(&g);
}

static void a_large_group_waits_not_at_all(void)
{
    struct rig g;

    rig_init(&g, 0);
    CHECK_INT(asbi_journal_commit(&g.j, ASBI_SECOND), ==, ASB_OK);
    for (uint64_t i = 0; i < 64; i++)
        (void)intent(&g.j, i);
    CHECK(asbi_journal_is_due(&g.j, ASBI_SECOND));
    rig_fini(&g);
}

static void answers_alone_can_wait(void)
{
    struct rig g;

    rig_init(&g, 0);
    CHECK_INT(asbi_journal_commit(&g.j, ASBI_SECOND), ==, ASB_OK);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK_INT(answer(&g.j, i, "a"), ==, ASB_OK);
    CHECK(!asbi_journal_is_due(&g.j, ASBI_SECOND));
    CHECK(!asbi_journal_is_due(&g.j, ASBI_SECOND));
    uint64_t look = asbi_journal_next_look(&g.j);
    CHECK_INT(look - ASBI_SECOND, <=, 5 * ASBI_MS);
    CHECK(asbi_journal_is_due(&g.j, look));
    rig_fini(&g);
}

/* Where the disk is slow the loop still has most of the time to itself; a call
 * that comes after a pause does not wait. */
static void slow_commits_come_further_apart(void)
{
    struct rig g;
    uint64_t now = ASBI_SECOND;

    rig_init(&g, 0);
    g.disk.store.took_ns = 3 * ASBI_MS;
    for (uint64_t i = 0; i < 50; i++) {
        (void)intent(&g.j, i);
        while (!asbi_journal_is_due(&g.j, now)) {
            uint64_t look = asbi_journal_next_look(&g.j);
            CHECK(look - now <= 20 * ASBI_MS || look <= now);
            now = look > now ? look : now;
        }
        CHECK_INT(asbi_journal_commit(&g.j, now), ==, ASB_OK);
    }
    CHECK_INT(now - ASBI_SECOND, >=, 40 * 2 * 3 * ASBI_MS);
    CHECK_INT(now - ASBI_SECOND, <=, 50 * 2 * 3 * ASBI_MS);
    now += ASBI_SECOND;
    (void)intent(&g.j, 1);
    CHECK(asbi_journal_is_due(&g.j, now));
    g.disk.store.took_ns = 10 * ASBI_SECOND; /* once */
    CHECK_INT(asbi_journal_commit(&g.j, now), ==, ASB_OK);
    (void)intent(&g.j, 2);
    CHECK_INT(asbi_journal_next_look(&g.j) - now, <=, 20 * ASBI_MS);
    rig_fini(&g);
}

/* They go with what else is to be committed, and do not ask for it. */
static void parts_are_committed_with_the_rest(void)
{
    struct rig g;
    const struct asbi_journal_answer part = {
        .seq = 3, .result = { .ok = true, .output = ASBI_STR("part") }
    };

    rig_init(&g, 0);
    uint64_t call = intent(&g.j, 3);
    asbi_journal_part(&g.j, call, &part);
    CHECK_INT(asbi_journal_commit(&g.j, 1), ==, ASB_OK);
    CHECK_INT(g.disk.parts, ==, 1);
    CHECK_INT(g.disk.answers, ==, 0);
    rig_fini(&g);
    rig_init(&g, 1); /* no memory for it: asked again after a crash */
    asbi_journal_part(&g.j, 1, &part);
    CHECK(asbi_journal_settled(&g.j));
    CHECK_INT(asbi_journal_commit(&g.j, 1), ==, ASB_OK);
    rig_fini(&g);
}

static void spending_stays_at_the_most_that_fits(void)
{
    struct rig g;

    rig_init(&g, 0);
    for (int i = 0; i < 3; i++)
        asbi_journal_end(&g.j, intent(&g.j, 1), 1, INT64_MAX / 2);
    CHECK_INT(g.j.state.cost, ==, 3);
    CHECK_INT(g.j.state.spent, ==, INT64_MAX);
    rig_fini(&g);
}

/* An answer that could not be kept must not be forgotten: no commit says that
 * all is well.  An end may be missing: the call stays in doubt. */
static void no_answer_is_lost_silently_for_want_of_memory(void)
{
    for (size_t n = 1; n <= 4; n++) {
        struct rig g;
        uint64_t row = 1, number = 0;

        rig_init(&g, n);
        int rc = asbi_journal_intent(&g.j, 1, &row, 1, &number);
        CHECK_INT(rc, ==, n == 1 ? ASB_ENOMEM : ASB_OK);
        asbi_journal_end(&g.j, 1, 1, 1);
        CHECK_INT(answer(&g.j, 1, "a"), ==, n == 3 ? ASB_ENOMEM : ASB_OK);
        rc = asbi_journal_commit(&g.j, 1);
        CHECK_INT(rc, ==, n == 3 ? ASB_ENOMEM : ASB_OK);
        CHECK_INT(asbi_journal_settled(&g.j), ==, n != 3);
        CHECK_INT(g.disk.ends, ==, n == 2 || n == 3 ? 0 : 1);
        rig_fini(&g);
    }
}

TEST_MAIN(CASE(records_are_committed_together_and_once),
          CASE(a_failed_commit_loses_nothing),
          CASE(nothing_is_due_while_nothing_is_pending),
          CASE(a_call_waits_no_longer_than_others_come),
          CASE(a_call_waits_a_few_milliseconds_at_most),
          CASE(a_large_group_waits_not_at_all), CASE(answers_alone_can_wait),
          CASE(slow_commits_come_further_apart),
          CASE(parts_are_committed_with_the_rest),
          CASE(spending_stays_at_the_most_that_fits),
          CASE(no_answer_is_lost_silently_for_want_of_memory))
