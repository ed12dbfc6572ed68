/* What a crash left in doubt is settled once, as the user chose. */
#include <stdlib.h>
#include <unistd.h>

#include "engine/job_identity.h"
#include "engine/real/journal_sqlite.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static char folder[64], path[96];

struct rig {
    struct asbi_journal_file file;
    struct asbi_journal j;
    struct asbi_journal_doubts found;
    struct asb_message why;
};

static int rig_open(struct rig *g, const struct asbi_mem *mem)
{
    const struct asbi_identity who = { .count = 0 };

    g->why.text[0] = '\0';
    int rc = asbi_journal_sqlite_open(mem, path, &g->file, &g->why);
    if (rc)
        return rc;
    if (g->file.fresh) {
        g->file.state.round = 1;
        CHECK_INT(asbi_journal_sqlite_begin(g->file.store, &who, &g->file.state,
                                            &g->why),
                  ==, ASB_OK);
    }
    asbi_journal_init(&g->j, mem, g->file.store, &g->file.state);
    return ASB_OK;
}

static void rig_close(struct rig *g)
{
    asbi_journal_fini(&g->j);
    g->file.store->ops->free(g->file.store);
}

static void put_part(struct rig *g, uint64_t call, uint64_t seq)
{
    const struct asbi_journal_answer part = {
        .seq = seq,
        .key = 70 + seq,
        .result = { .size = sizeof(part.result),
                    .ok = true,
                    .output = ASBI_STR("an answer"),
                    .output_is_json = seq == 1,
                    .source = seq == 9 ? ASB_DUPLICATE : ASB_API_CALL,
                    .attempts = 2 },
    };

    asbi_journal_part(&g->j, call, &part);
}

/* Three calls were begun: one ended, one has answered two of its four rows, and
 * row 9 besides, which shares an answer; one nothing. */
static void crash(void)
{
    const uint64_t rows[] = { 0, 1, 2, 3, 4, 5 };
    uint64_t ended = 0, half = 0, none = 0;
    struct rig g;

    (void)snprintf(folder, sizeof(folder), "/tmp/asb-doubt-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/j", folder);
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(asbi_journal_intent(&g.j, 50, rows, 1, &ended), ==, ASB_OK);
    CHECK_INT(asbi_journal_intent(&g.j, 400, rows + 1, 4, &half), ==, ASB_OK);
    CHECK_INT(asbi_journal_intent(&g.j, 30, rows + 5, 1, &none), ==, ASB_OK);
    put_part(&g, ended, 0);
    put_part(&g, half, 1);
    put_part(&g, half, 2);
    put_part(&g, half, 9);
    CHECK_INT(asbi_journal_commit(&g.j, 0), ==, ASB_OK);
    asbi_journal_end(&g.j, ended, 7, 7);
    CHECK_INT(asbi_journal_commit(&g.j, 0), ==, ASB_OK);
    rig_close(&g);
}

static void remove_folder(void)
{
    (void)unlink(path);
    CHECK_INT(rmdir(folder), ==, 0);
}

static int take_up(struct rig *g, enum asbi_in_doubt policy)
{
    return asbi_journal_take_up(&g->j, policy, &g->found, &g->why);
}

static int find(struct rig *g, uint64_t seq, struct asbi_journal_answer *a)
{
    return g->file.store->ops->find(g->file.store, seq, a, &g->why);
}

static void what_was_answered_by_then_is_not_asked_again(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    crash();
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(find(&g, 2, &a), ==, ASB_OK);
    CHECK(a.result.ok);
    CHECK_STR(a.result.output, "an answer");
    CHECK_INT(a.result.attempts, ==, 2);
    CHECK_INT(a.result.source, ==, ASB_API_CALL);
    CHECK_INT(a.key, ==, 72);
    CHECK_INT(a.round, ==, 1);
    CHECK_INT(find(&g, 9, &a), ==, ASB_OK);
    CHECK_INT(a.result.source, ==, ASB_DUPLICATE);
    CHECK(!a.result.output_is_json);
    CHECK_INT(find(&g, 1, &a), ==, ASB_OK);
    CHECK(a.result.output_is_json);
    CHECK_INT(find(&g, 0, &a), ==, ASB_ENOENT); /* its call had ended */
    CHECK_INT(find(&g, 3, &a), ==, ASB_ENOENT);
    CHECK_INT(find(&g, 5, &a), ==, ASB_ENOENT);
    rig_close(&g);
    remove_folder();
}

/* Only what is asked again may be paid twice; the budget holds for all. */
static void doubt_is_counted_for_the_rest_alone(void)
{
    struct rig g;

    crash();
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(g.found.calls, ==, 2);
    CHECK_INT(g.found.rows, ==, 3);
    CHECK_INT(g.found.worst, ==, 230);
    CHECK_INT(g.found.adrift, ==, 0);
    CHECK_INT(g.j.state.spent, ==, 7 + 430);
    CHECK_INT(g.j.state.doubtful, ==, 230);
    rig_close(&g);
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(g.found.calls, ==, 0); /* once */
    CHECK_INT(g.j.state.spent, ==, 7 + 430);
    rig_close(&g);
    remove_folder();
}

static void the_rest_fails_where_that_is_the_policy(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    crash();
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_FAIL), ==, ASB_OK);
    CHECK_INT(find(&g, 2, &a), ==, ASB_OK);
    CHECK(a.result.ok);
    for (uint64_t seq = 3; seq <= 5; seq++) {
        CHECK_INT(find(&g, seq, &a), ==, ASB_OK);
        CHECK(!a.result.ok);
        CHECK(strcmp(a.result.error_code, "in_doubt") == 0);
    }
    CHECK_INT(find(&g, 0, &a), ==, ASB_ENOENT);
    rig_close(&g);
    remove_folder();
}

static void asking_changes_nothing(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    crash();
    for (int i = 0; i < 2; i++) {
        CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
        CHECK_INT(take_up(&g, ASBI_DOUBT_ASK), ==, ASB_ECONFIG);
        CHECK_INT(g.found.calls, ==, 2);
        CHECK_INT(g.found.worst, ==, 230);
        CHECK_INT(find(&g, 2, &a), ==, ASB_ENOENT);
        rig_close(&g);
    }
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(g.found.calls, ==, 2);
    rig_close(&g);
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_ASK), ==, ASB_OK); /* nothing to ask */
    rig_close(&g);
    remove_folder();
}

/* A job that was paid for, and whose row is not known any more, may be paid for
 * twice; what it cost is among what was spent. */
static void what_was_paid_for_is_spent_once(void)
{
    const uint64_t row = 6;
    const struct asbi_journal_call paid = {
        .worst = 90, .rows = &row, .count = 1, .line = ASBI_JOURNAL_PAID
    };
    uint64_t number = 0;
    struct rig g;

    crash();
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(asbi_journal_line(&g.j, &paid, &number), ==, ASB_OK);
    CHECK_INT(asbi_journal_commit(&g.j, 0), ==, ASB_OK);
    CHECK_INT(asbi_journal_sqlite_set_aside(g.file.store, &g.why), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(g.found.adrift, ==, 430 + 90);
    CHECK_INT(g.j.state.spent, ==, 7 + 430);
    CHECK_INT(g.j.state.doubtful, ==, 430);
    rig_close(&g);
    remove_folder();
}

/* A changed input numbers its rows anew: the calls count, their rows do not,
 * and what was answered is found by what was asked. */
static void doubt_outlives_a_changed_input(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    crash();
    CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
    CHECK_INT(asbi_journal_sqlite_set_aside(g.file.store, &g.why), ==, ASB_OK);
    CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
    CHECK_INT(g.found.calls, ==, 2);
    CHECK_INT(g.found.worst, ==, 430);
    CHECK_INT(g.found.adrift, ==, 430);
    CHECK_INT(find(&g, 2, &a), ==, ASB_ENOENT);
    CHECK_INT(g.file.store->ops->find_earlier(g.file.store, 72, &a, &g.why), ==,
              ASB_OK);
    CHECK_STR(a.result.output, "an answer");
    rig_close(&g);
    remove_folder();
}

static void every_failed_allocation_is_survived(void)
{
    bool passed = false;

    for (size_t n = 1; !passed; n++) {
        struct fault_mem fm;
        struct rig g;

        crash();
        fault_mem_init(&fm, n);
        if (rig_open(&g, &fm.mem) == ASB_OK) {
            passed = take_up(&g, ASBI_DOUBT_FAIL) == ASB_OK;
            rig_close(&g);
        }
        CHECK_INT(fm.live, ==, 0);
        /* Nothing was forgotten: another try finds it all. */
        if (!passed) {
            CHECK_INT(rig_open(&g, &asbi_mem_system), ==, ASB_OK);
            CHECK_INT(take_up(&g, ASBI_DOUBT_RETRY), ==, ASB_OK);
            CHECK_INT(g.found.calls, ==, 2);
            rig_close(&g);
        }
        remove_folder();
        CHECK(n < 100);
    }
}

TEST_MAIN(CASE(what_was_answered_by_then_is_not_asked_again),
          CASE(doubt_is_counted_for_the_rest_alone),
          CASE(the_rest_fails_where_that_is_the_policy),
          CASE(asking_changes_nothing), CASE(what_was_paid_for_is_spent_once),
          CASE(doubt_outlives_a_changed_input),
          CASE(every_failed_allocation_is_survived))
