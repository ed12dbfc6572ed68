/* Media jobs of which somebody knows too little: cancelled while they are
 * begun, begun by a run that is no more, or answered with something odd.  The
 * provider is played by hand. */
#include "engine/media.h"

#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/call_hold.h"
#include "engine/known_jobs.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/mem_journal.h"
#include "tests/support/sim_run.h"

#define COST (4 * ASBI_USD / 10)

enum { MOST = 8 };

static const char begun[] =
    "{\"id\":\"video_1\",\"object\":\"video\",\"status\":\"queued\"}";

/* What the engine has sent, as it came. */
struct rig {
    struct asbi_transport transport; /* first */
    struct sim_run run;
    struct mem_journal disk;
    struct asbi_journal journal;
    bool full; /* takes nothing */
    unsigned refused;
    struct asbi_exchange *sent[MOST];
    char urls[MOST][96];
    const char *methods[MOST];
    char once[MOST][96];
    bool fresh[MOST];
    size_t count;
    unsigned answered;
    char code[32];
};

static int start(struct asbi_transport *t, struct asbi_exchange *x)
{
    struct rig *g = (struct rig *)(void *)t;

    if (g->full) {
        g->refused++;
        return ASB_EFULL;
    }
    CHECK_INT(g->count, <, MOST);
    g->sent[g->count] = x;
    g->methods[g->count] = x->endpoint->method;
    (void)snprintf(g->urls[g->count], sizeof(g->urls[0]), "%s",
                   x->endpoint->url);
    g->fresh[g->count] = x->fresh;
    if (x->extra_headers)
        (void)snprintf(g->once[g->count], sizeof(g->once[0]), "%s",
                       x->extra_headers[0]);
    g->count++;
    return ASB_OK;
}

static void cancel(struct asbi_transport *t, struct asbi_exchange *x)
{
    (void)t;
    (void)x;
}

static void forget(struct asbi_transport *t, struct asbi_endpoint *e)
{
    (void)t;
    (void)e;
}

static const struct asbi_transport_ops by_hand = { .start = start,
                                                   .cancel = cancel,
                                                   .forget = forget };

static void rig_init_with(struct rig *g, const char *provider,
                          const char *model)
{
    const struct asbi_journal_state none = { .round = 1 };

    *g = (struct rig){ .transport = { &by_hand, 100 } };
    sim_run_init(&g->run, 1);
    sim_run_set(&g->run, "task", "video");
    sim_run_set(&g->run, "provider", provider);
    sim_run_set(&g->run, "model", model);
    sim_run_set(&g->run, "job_pace", "1ms");
    g->run.items = 1;
    sim_run_start(&g->run);
    CHECK_INT(g->run.rc, ==, ASB_OK);
    g->run.world->transport = &g->transport;
    mem_journal_init(&g->disk);
    asbi_journal_init(&g->journal, &g->run.engine->mem, &g->disk.store, &none);
    g->run.engine->journal = &g->journal;
}

static void rig_init(struct rig *g)
{
    rig_init_with(g, "sim", "sim-video");
}

static void rig_end(struct rig *g)
{
    asbi_journal_fini(&g->journal);
    g->run.engine->journal = NULL;
    sim_run_end(&g->run);
}

static void on_done(struct asb_engine *e, const struct asb_result *r, void *arg)
{
    struct rig *g = arg;

    (void)e;
    g->answered++;
    (void)snprintf(g->code, sizeof(g->code), "%s",
                   r->error_code ? r->error_code : "");
}

/* A video of that row: four seconds. */
static uint64_t submit_text(struct rig *g, uint64_t row, const char *text)
{
    const struct asb_request wanted = { .size = sizeof(wanted),
                                        .id = ASBI_STR("x"),
                                        .payload = ASB_PROMPT,
                                        .text = asbi_str_c(text) };
    uint64_t item = 0;

    CHECK_INT(asb_submit(g->run.engine, &wanted, on_done, g, &item), ==,
              ASB_OK);
    asbi_hold_row(g->run.engine, item, row, 1);
    return item;
}

static uint64_t submit(struct rig *g, uint64_t row)
{
    return submit_text(g, row, "a pond");
}

static void step_until_sent(struct rig *g, size_t count)
{
    while (g->count < count)
        CHECK(asbi_sim_world_step(g->run.world));
}

/* What happens at once. */
static void settle(struct rig *g)
{
    uint64_t end = asbi_now(g->run.world) + 100 * ASBI_MS;

    while (asbi_now(g->run.world) < end && asbi_sim_world_step(g->run.world))
        ;
}

static void end(struct rig *g, size_t i, enum asbi_outcome outcome, int status,
                const char *body)
{
    struct asbi_exchange *x = g->sent[i];
    const struct asbi_exchange_end end = { .outcome = outcome,
                                           .status = status,
                                           .text = "by hand" };

    if (status) {
        x->ops->on_status(x, status);
        (void)x->ops->on_body(x, body, strlen(body));
    }
    x->ops->on_end(x, &end);
    settle(g);
}

static void check_spent(const struct rig *g, int64_t spent)
{
    const struct asbi_budget *b = &g->run.engine->purse.budget;

    CHECK_INT(b->spent, ==, spent);
    CHECK_INT(b->reserved, ==, 0);
    CHECK_INT(g->disk.state.spent, ==, spent);
    CHECK_INT(g->disk.intents, ==, g->disk.ends);
}

/* One job, cancelled while it is begun, and how that ended. */
static void cancel_then(struct rig *g, enum asbi_outcome outcome, int status,
                        const char *body)
{
    rig_init(g);
    uint64_t item = submit(g, 0);
    step_until_sent(g, 1);
    CHECK_INT(asb_cancel(g->run.engine, item), ==, ASB_OK);
    end(g, 0, outcome, status, body);
}

static void one_that_is_cancelled_while_it_is_begun_is_stopped_and_counted(void)
{
    struct rig g;

    cancel_then(&g, ASBI_COMPLETE, 200, begun);
    CHECK_INT(g.count, ==, 2);
    CHECK(strcmp(g.methods[1], "DELETE") == 0);
    CHECK(strcmp(g.urls[1], "http://sim.test/v1/videos/video_1") == 0);
    check_spent(&g, COST);
    rig_end(&g);
}

static void one_that_is_cancelled_and_refused_costs_nothing(void)
{
    struct rig g;

    cancel_then(&g, ASBI_COMPLETE, 400, "{\"error\":{\"message\":\"no\"}}");
    CHECK_INT(g.count, ==, 1);
    check_spent(&g, 0);
    rig_end(&g);
}

static void one_that_is_cancelled_and_cut_off_counts(void)
{
    struct rig g;

    cancel_then(&g, ASBI_UNANSWERED, 0, "");
    CHECK_INT(g.count, ==, 1);
    check_spent(&g, COST);
    rig_end(&g);
}

static void one_that_is_cancelled_before_it_goes_does_not_go(void)
{
    struct rig g;

    rig_init(&g);
    g.journal.last_commit_ns = asbi_now(g.run.world);
    uint64_t item = submit(&g, 0);
    asb_drain(g.run.engine);
    while (asbi_list_empty(&g.run.engine->held))
        CHECK(asbi_sim_world_step(g.run.world));
    CHECK_INT(asb_cancel(g.run.engine, item), ==, ASB_OK);
    settle(&g);
    CHECK_INT(g.count, ==, 0);
    CHECK_INT(g.answered, ==, 1);
    CHECK_INT(g.run.engine->stats.calls, ==, 0);
    CHECK_INT(g.run.engine->calls.count, ==, 0);
    check_spent(&g, 0);
    rig_end(&g);
}

static void an_answer_that_names_no_job_counts_for_the_next_run_too(void)
{
    struct rig g;

    rig_init(&g);
    (void)submit(&g, 0);
    step_until_sent(&g, 1);
    end(&g, 0, ASBI_COMPLETE, 200, "{\"object\":\"video\"}");
    CHECK(strcmp(g.code, "outcome_unknown") == 0);
    check_spent(&g, COST);
    rig_end(&g);
}

static void one_that_fails_at_once_costs_nothing(void)
{
    struct rig g;

    rig_init(&g);
    (void)submit(&g, 0);
    step_until_sent(&g, 1);
    end(&g, 0, ASBI_COMPLETE, 200,
        "{\"object\":\"video\",\"status\":\"failed\"}");
    CHECK(strcmp(g.code, "job_failed") == 0);
    check_spent(&g, 0);
    rig_end(&g);
}

static void who_takes_over_an_unknown_submission_means_the_same_job(void)
{
    struct rig g;

    rig_init(&g);
    uint64_t first = submit(&g, 0);
    (void)submit(&g, 1);
    step_until_sent(&g, 1);
    end(&g, 0, ASBI_UNANSWERED, 0, "");
    CHECK_INT(asb_cancel(g.run.engine, first), ==, ASB_OK);
    step_until_sent(&g, 2);
    CHECK(strncmp(g.once[0], "Idempotency-Key: ab-", 20) == 0);
    CHECK(strcmp(g.once[0], g.once[1]) == 0);
    CHECK(!g.fresh[0] && g.fresh[1]);
    end(&g, 1, ASBI_COMPLETE, 200, begun);
    CHECK_INT(g.run.engine->purse.budget.spent, ==, 0);
    CHECK_INT(g.run.engine->purse.budget.reserved, ==, COST);
    CHECK_INT(g.disk.intents, ==, 1);
    rig_end(&g);
}

/* It stays open in the journal, by its name, for a run that asks again. */
static void one_that_may_have_begun_is_the_same_in_the_next_run(void)
{
    struct rig g;

    rig_init(&g);
    uint64_t item = submit(&g, 0);
    step_until_sent(&g, 1);
    end(&g, 0, ASBI_UNANSWERED, 0, "");
    CHECK_INT(g.run.engine->purse.budget.reserved, ==, COST);
    CHECK_INT(asb_cancel(g.run.engine, item), ==, ASB_OK);
    settle(&g);
    CHECK_INT(g.answered, ==, 1);
    CHECK_INT(g.count, ==, 1);
    CHECK_INT(g.disk.jobs, ==, 1);
    CHECK_INT(g.disk.ends, ==, 0);
    CHECK_INT(g.disk.jobs_over, ==, 0);
    CHECK_INT(g.run.engine->purse.budget.spent, ==, COST);
    CHECK_INT(g.run.engine->purse.budget.reserved, ==, 0);
    rig_end(&g);
}

/* Of two that ask the same the first is cancelled, while their job is begun or
 * when it runs: the next run finds it by the row of the second. */
static void a_job_goes_over_to_the_row_that_still_wants_it(void)
{
    for (int runs = 0; runs < 2; runs++) {
        struct rig g;

        rig_init(&g);
        uint64_t first = submit(&g, 3);
        (void)submit(&g, 4);
        step_until_sent(&g, 1);
        CHECK_INT(g.disk.last_row, ==, 3);
        if (runs)
            end(&g, 0, ASBI_COMPLETE, 200, begun);
        CHECK_INT(asb_cancel(g.run.engine, first), ==, ASB_OK);
        settle(&g);
        CHECK_INT(g.disk.last_row, ==, 4);
        CHECK_INT(g.disk.intents, ==, 2);
        CHECK_INT(g.disk.ends, ==, 1);
        CHECK_INT(g.disk.jobs_over, ==, 1);
        if (!runs)
            end(&g, 0, ASBI_COMPLETE, 200, begun);
        CHECK_INT(g.disk.jobs, ==, 3); /* named, known, handed over */
        CHECK_INT(g.disk.ends, ==, 1);
        CHECK_INT(asbi_media_count(&g.run.engine->media), ==, 1);
        CHECK_INT(g.run.engine->purse.budget.reserved, ==, COST);
        rig_end(&g);
    }
}

/* The next run, with a good key, asks for the same once more. */
static void an_unknown_submission_stays_open_when_the_key_is_refused(void)
{
    struct rig g;

    rig_init(&g);
    (void)submit(&g, 0);
    step_until_sent(&g, 1);
    end(&g, 0, ASBI_UNANSWERED, 0, "");
    step_until_sent(&g, 2);
    end(&g, 1, ASBI_COMPLETE, 401, "{\"error\":{\"message\":\"no\"}}");
    CHECK(strcmp(g.code, "no_credentials") == 0);
    CHECK_INT(g.disk.intents, ==, 1);
    CHECK_INT(g.disk.ends + g.disk.jobs_over, ==, 0);
    rig_end(&g);
}

/* Its second try finds no room, and goes later, as the same. */
static void an_unknown_submission_outlasts_a_lack_of_connections(void)
{
    struct rig g;

    rig_init(&g);
    (void)submit_text(&g, 0, "a brook"); /* is on its way all the while */
    step_until_sent(&g, 1);
    (void)submit(&g, 1);
    step_until_sent(&g, 2);
    g.full = true; /* also for a try that would go at once */
    end(&g, 1, ASBI_UNANSWERED, 0, "");
    while (!g.refused)
        CHECK(asbi_sim_world_step(g.run.world));
    g.full = false;
    asb_flush(g.run.engine);
    step_until_sent(&g, 3);
    CHECK(strcmp(g.once[1], g.once[2]) == 0);
    CHECK_INT(g.disk.intents, ==, 2);
    rig_end(&g);
}

/* What waited in vain may have been begun by then. */
static void a_gateway_that_gives_up_leaves_a_submission_unknown(void)
{
    static const struct {
        int status;
        size_t sent;
        const char *code;
    } cases[] = { { 504, 1, "outcome_unknown" },
                  { 524, 1, "outcome_unknown" },
                  { 503, 2, "" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig g;

        rig_init_with(&g, "litellm", "sora-2");
        (void)submit(&g, 0);
        step_until_sent(&g, 1);
        end(&g, 0, ASBI_COMPLETE, cases[i].status, "{}");
        while (!g.answered && g.count < 2)
            CHECK(asbi_sim_world_step(g.run.world));
        CHECK_INT(g.count, ==, cases[i].sent);
        CHECK(strcmp(g.code, cases[i].code) == 0);
        CHECK((g.disk.state.spent > 0) == (cases[i].sent == 1));
        rig_end(&g);
    }
}

/* ---- of an earlier run -------------------------------------------------- */

/* What the journal tells of it lives no longer than the telling. */
static void know(struct rig *g, uint64_t row)
{
    char text[] = "video_7 /videos/video_7";
    const struct asbi_journal_job job = { .number = 7,
                                          .id = { text, 7 },
                                          .address = { text + 8, 15 } };
    const struct asbi_journal_call call = {
        .number = 7, .worst = COST, .rows = &row, .count = 1
    };

    CHECK_INT(asbi_media_know(g->run.engine, &job, &call), ==, ASB_OK);
    memset(text, 'x', sizeof(text));
}

static void one_that_was_first_goes_on_with_the_job_of_its_equal(void)
{
    struct rig g;

    rig_init(&g);
    know(&g, 1);
    (void)submit(&g, 0);
    (void)submit(&g, 1);
    settle(&g);
    CHECK_INT(asbi_media_count(&g.run.engine->media), ==, 1);
    CHECK_INT(g.disk.intents, ==, 0); /* nothing is begun anew */
    CHECK_INT(g.run.engine->purse.budget.reserved, ==, COST);
    CHECK_INT(g.run.engine->stats.maybe_paid_twice_nano_usd, ==, 0);
    step_until_sent(&g, 1);
    CHECK(strstr(g.urls[0], "/videos/video_7"));
    rig_end(&g);
}

static void a_job_that_comes_too_late_counts_as_paid(void)
{
    struct rig g;

    rig_init(&g);
    know(&g, 1);
    (void)submit(&g, 0);
    step_until_sent(&g, 1);
    (void)submit(&g, 1);
    settle(&g);
    CHECK_INT(g.run.engine->stats.maybe_paid_twice_nano_usd, ==, COST);
    CHECK_INT(g.run.engine->purse.budget.spent, ==, COST);
    CHECK_INT(g.disk.state.spent, ==, COST);
    CHECK_INT(g.disk.jobs_over, ==, 1);
    rig_end(&g);
}

TEST_MAIN(CASE(one_that_is_cancelled_while_it_is_begun_is_stopped_and_counted),
          CASE(one_that_is_cancelled_and_refused_costs_nothing),
          CASE(one_that_is_cancelled_and_cut_off_counts),
          CASE(one_that_is_cancelled_before_it_goes_does_not_go),
          CASE(an_answer_that_names_no_job_counts_for_the_next_run_too),
          CASE(one_that_fails_at_once_costs_nothing),
          CASE(who_takes_over_an_unknown_submission_means_the_same_job),
          CASE(one_that_may_have_begun_is_the_same_in_the_next_run),
          CASE(a_job_goes_over_to_the_row_that_still_wants_it),
          CASE(an_unknown_submission_stays_open_when_the_key_is_refused),
          CASE(an_unknown_submission_outlasts_a_lack_of_connections),
          CASE(a_gateway_that_gives_up_leaves_a_submission_unknown),
          CASE(one_that_was_first_goes_on_with_the_job_of_its_equal),
          CASE(a_job_that_comes_too_late_counts_as_paid))
