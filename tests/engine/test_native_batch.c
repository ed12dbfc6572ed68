/* Batches at the provider, through a simulated day: half the price, every item
 * answered in time, none paid for twice, whatever expires, hangs or breaks. */
#include "engine/native_batch.h"

#include "engine/base/units.h"
#include "engine/call_hold.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/mem_journal.h"
#include "tests/support/sim_run.h"

#define HOUR (3600 * ASBI_SECOND)
#define HOUR_MS UINT64_C(3600000)

/* `items` in lines of ten, batches of twenty lines; worked off in six hours. */
static void day(struct sim_run *r, uint64_t seed, size_t items)
{
    sim_run_init(r, seed);
    r->items = items;
    r->provider.job_ns = 6 * HOUR;
    sim_run_set(r, "native_batch", "on");
    sim_run_set(r, "batch_size", "10");
    sim_run_set(r, "model", "sim-1");
}

static void start(struct sim_run *r)
{
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    r->engine->native.requests_most = 20;
}

static void play(struct sim_run *r)
{
    start(r);
    sim_run_play(r);
    CHECK(r->finished);
    for (size_t i = 0; i < r->items; i++)
        CHECK_INT(r->answers[i].callbacks, ==, 1);
}

static uint64_t last_at(const struct sim_run *r)
{
    uint64_t last = 0;

    for (size_t i = 0; i < r->items; i++)
        last = r->answers[i].at_ns > last ? r->answers[i].at_ns : last;
    return last;
}

/* The provider's bill is ours but for the rounding of each call. */
static void check_bill(const struct sim_run *r)
{
    int64_t apart = r->stats.cost_nano_usd - r->served.billed_nano_usd;

    CHECK_INT(apart, >=, -(int64_t)r->stats.calls);
    CHECK_INT(apart, <=, (int64_t)r->stats.calls);
    CHECK_INT(r->stats.input_tokens, ==, r->served.billed_input);
    CHECK_INT(r->stats.output_tokens, ==, r->served.billed_output);
}

static void all_is_done_at_half_the_price(void)
{
    struct sim_run direct, bulk;

    day(&direct, 1, 1000);
    sim_run_set(&direct, "native_batch", "off");
    play(&direct);
    day(&bulk, 1, 1000);
    play(&bulk);
    CHECK_INT(sim_run_ok(&bulk), ==, 1000);
    CHECK_INT(bulk.served.calls, ==, 0); /* none was made directly */
    CHECK_INT(bulk.served.batch_lines, ==, 100);
    CHECK_INT(bulk.served.items, ==, 1000);
    check_bill(&bulk);
    /* Prompts are cached in direct calls. */
    int64_t full = (int64_t)(bulk.stats.input_tokens * 400 +
                             bulk.stats.output_tokens * 1600);
    CHECK_INT(bulk.stats.cost_nano_usd, <=, full / 2 + 100);
    CHECK_INT(bulk.stats.cost_nano_usd, >=, full / 2);
    CHECK_INT(bulk.stats.cost_nano_usd, <, direct.stats.cost_nano_usd);
    CHECK_INT(last_at(&bulk), <, 7 * HOUR);
    sim_run_end(&direct);
    sim_run_end(&bulk);
}

static void what_expires_or_hangs_is_asked_directly_in_time(void)
{
    struct sim_run r;

    day(&r, 2, 1000);
    r.provider.batch_expire_rate = 0.1;
    r.provider.batch_stuck = 2;
    r.deadline_ms = 30 * HOUR_MS;
    start(&r);
    r.engine->in_order = true;
    sim_run_play(&r);
    CHECK(r.finished);
    for (size_t i = 0; i < r.items; i++) {
        CHECK_INT(r.answers[i].callbacks, ==, 1);
        CHECK_INT(r.answers[i].order, ==, i);
    }
    CHECK_INT(sim_run_ok(&r), ==, 1000);
    CHECK_INT(r.served.items, ==, 1000); /* none twice */
    CHECK_INT(r.served.batch_lines, >=, 60);
    CHECK_INT(r.served.batch_lines, <=, 79); /* of 100; 20 hang */
    CHECK_INT(r.served.calls, ==, 100 - r.served.batch_lines);
    CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==, 0);
    check_bill(&r);
    CHECK_INT(last_at(&r), <, 30 * HOUR);
    sim_run_end(&r);
}

static void a_near_deadline_cancels_and_keeps_what_is_done(void)
{
    struct sim_run r;

    day(&r, 3, 1000);
    r.provider.batch_expire_rate = 0.1;
    r.provider.batch_stuck = 1;
    r.deadline_ms = 8 * HOUR_MS;
    play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 1000);
    CHECK_INT(r.served.items, ==, 1000);
    CHECK_INT(r.served.batch_lines, >=, 60);
    CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==, 0);
    check_bill(&r);
    CHECK_INT(last_at(&r), <, 8 * HOUR);
    sim_run_end(&r);
}

static void a_batch_without_an_end_is_not_waited_for_for_ever(void)
{
    struct sim_run r;

    day(&r, 12, 100);
    r.provider.batch_stuck = 1;
    r.provider.window_ns = 1000 * HOUR;
    play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 100);
    CHECK_INT(last_at(&r), >, 48 * HOUR);
    CHECK_INT(last_at(&r), <, 56 * HOUR); /* with a second one */
    CHECK_INT(r.stats.maybe_paid_twice_nano_usd, >, 0);
    sim_run_end(&r);
}

static void auto_waits_for_a_deadline_a_day_away(void)
{
    static const struct {
        const char *deadline;
        uint64_t ms;
        bool bulk;
    } cases[] = { { "none", 0, false },
                  { "20h", 20 * HOUR_MS, false },
                  { "26h", 26 * HOUR_MS, true } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sim_run r;

        day(&r, 4, 200);
        sim_run_set(&r, "native_batch", "auto");
        sim_run_set(&r, "deadline", cases[i].deadline);
        r.deadline_ms = cases[i].ms;
        start(&r);
        r.engine->patient = true;
        sim_run_play(&r);
        CHECK_INT(sim_run_ok(&r), ==, 200);
        CHECK_INT(r.served.batch_lines, ==, cases[i].bulk ? 20 : 0);
        sim_run_end(&r);
    }
}

static void no_more_waits_with_the_provider_than_it_allows(void)
{
    struct sim_run r;

    day(&r, 5, 1000);
    r.provider.batch_tokens = 12000;
    play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 1000);
    CHECK_INT(r.served.items, ==, 1000);
    CHECK_INT(r.served.batch_lines, >=, 50);
    check_bill(&r);
    sim_run_end(&r);
}

static void a_broken_network_costs_time_not_money(void)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct sim_run r;

        day(&r, seed, 300);
        r.provider.network.refuse_rate = 0.1;
        r.provider.network.cut_rate = 0.1;
        play(&r);
        CHECK_INT(sim_run_ok(&r), ==, 300);
        CHECK_INT(r.served.batch_lines, ==, 30); /* each once */
        CHECK_INT(r.served.calls, ==, 0);
        CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==, 0);
        sim_run_end(&r);
    }
}

static void failing_lines_are_asked_again(void)
{
    struct sim_run r;

    day(&r, 6, 1000);
    r.provider.error_rate = 0.05;
    r.provider.drop_item_rate = 0.02;
    play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 1000);
    check_bill(&r);
    sim_run_end(&r);
}

/* Items of one batch that is with the provider. */
static void cancel_all(struct sim_run *r)
{
    struct asbi_link *first = asbi_list_first(&r->engine->native.batches);
    struct asbi_native_batch *b =
        ASBI_OF(first, struct asbi_native_batch, link);

    CHECK(first && b->state == ASBI_NATIVE_RUNNING);
    for (size_t i = 0; i < b->count; i++) {
        for (size_t k = 0; k < b->calls[i]->count; k++)
            CHECK_INT(
                asb_cancel(r->engine, b->calls[i]->entries[k].item->number), ==,
                ASB_OK);
    }
}

static void a_batch_that_nobody_wants_is_cancelled(void)
{
    struct sim_run r;

    day(&r, 7, 100);
    start(&r);
    while (r.submitted < r.items)
        CHECK(sim_run_submit(&r));
    asb_drain(r.engine);
    while (asbi_now(r.world) < HOUR) /* it was created by then */
        CHECK(asbi_sim_world_step(r.world));
    cancel_all(&r);
    sim_run_play(&r);
    CHECK_INT(r.answered, ==, 100);
    CHECK_INT(r.served.batch_lines, ==, 0); /* cancelled there, too */
    CHECK_INT(r.served.billed_nano_usd, ==, 0);
    sim_run_end(&r);
}

static void a_stopped_run_keeps_what_the_batch_has_done(void)
{
    struct sim_run r;

    day(&r, 8, 200);
    start(&r);
    while (r.submitted < r.items)
        sim_run_submit(&r);
    asb_drain(r.engine);
    while (asbi_now(r.world) < 3 * HOUR)
        CHECK(asbi_sim_world_step(r.world));
    asb_stop(r.engine);
    sim_run_play(&r);
    CHECK_INT(r.answered, ==, 200);
    CHECK_INT(sim_run_ok(&r), ==, r.served.items);
    CHECK_INT(sim_run_ok(&r), >, 0);
    CHECK_INT(sim_run_ok(&r), <, 200);
    check_bill(&r);
    sim_run_end(&r);
}

static void the_budget_holds_for_batches(void)
{
    struct sim_run all, r;

    day(&all, 9, 400);
    play(&all);
    day(&r, 9, 400);
    sim_run_set(&r, "budget", "0.002");
    play(&r);
    CHECK_INT(all.stats.cost_nano_usd, >, 2000000);
    CHECK_INT(r.stats.cost_nano_usd, <=, 2000000);
    CHECK_INT(r.served.billed_nano_usd, <=, 2000000);
    CHECK_INT(sim_run_ok(&r), >, 0);
    sim_run_end(&all);
    sim_run_end(&r);
}

static void embeddings_go_in_bulk_too(void)
{
    struct sim_run r;

    day(&r, 10, 500);
    sim_run_set(&r, "task", "embed");
    play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 500);
    CHECK_INT(r.served.calls, ==, 0);
    CHECK_INT(r.served.batch_lines, >, 0);
    sim_run_end(&r);
}

/* OpenAI counts the texts of all lists. */
static void a_batch_has_no_more_texts_than_the_provider_takes(void)
{
    struct sim_run r;

    day(&r, 12, 500);
    sim_run_set(&r, "task", "embed");
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    CHECK_INT(r.engine->native.array_texts, ==, 50000);
    r.engine->native.array_texts = 95;
    while (r.submitted < r.items)
        CHECK(sim_run_submit(&r));
    asb_drain(r.engine);
    while (asbi_now(r.world) < HOUR)
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(r.engine->native.batches.count, ==, 6); /* five of 90 */
    ASBI_LIST_EACH (link, &r.engine->native.batches)
        CHECK_INT(ASBI_OF(link, struct asbi_native_batch, link)->texts, <=, 95);
    sim_run_play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 500);
    CHECK_INT(r.served.items, ==, 500);
    sim_run_end(&r);
}

static void on_named(struct asb_engine *e, const struct asb_result *r,
                     void *arg)
{
    (void)e;
    (void)r;
    (void)arg;
}

static const struct asbi_item *submit_row(struct sim_run *r, const char *text,
                                          uint64_t row)
{
    struct asb_request request = { .size = sizeof(request),
                                   .text = asbi_str_c(text) };
    uint64_t number;

    CHECK_INT(asb_submit(r->engine, &request, on_named, NULL, &number), ==,
              ASB_OK);
    if (row != ASBI_NO_ROW)
        asbi_hold_row(r->engine, number, row, 1);
    return asbi_slots_get(&r->engine->numbers, number);
}

/* What is asked for no row, such as an answer that grows old, has its place
 * and its name in a line like the rows around it. */
static void a_line_tells_the_places_of_its_rows(void)
{
    const struct asbi_journal_state none = { .round = 1 };
    struct mem_journal disk;
    struct asbi_journal journal;
    struct sim_run r;

    day(&r, 13, 3);
    start(&r);
    mem_journal_init(&disk);
    asbi_journal_init(&journal, &r.engine->mem, &disk.store, &none);
    r.engine->journal = &journal;
    (void)submit_row(&r, "one", 5);
    (void)submit_row(&r, "two", ASBI_NO_ROW);
    (void)submit_row(&r, "three", 6);
    asb_drain(r.engine);
    while (disk.intents == 0)
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(disk.intents, ==, 1);
    CHECK_INT(disk.last_rows, ==, 3);
    asbi_journal_fini(&journal);
    r.engine->journal = NULL;
    sim_run_end(&r);
}

static void a_row_of_an_earlier_line_gets_its_own_place(void)
{
    const struct asbi_journal_job job = { .number = 1,
                                          .id = ASBI_STR("batch_1"),
                                          .address = ASBI_STR("name") };
    const uint64_t rows[] = { 5, ASBI_NO_ROW, 6 };
    const struct asbi_journal_call line = {
        .number = 2, .rows = rows, .count = 3, .job = 1
    };
    struct asbi_native_batch *b;
    struct sim_run r;

    day(&r, 14, 1);
    start(&r);
    CHECK_INT(asbi_native_know(r.engine, &job, &b), ==, ASB_OK);
    CHECK_INT(asbi_native_know_line(b, &line), ==, ASB_OK);
    CHECK_INT(b->missing, ==, 2);
    const struct asbi_item *last = submit_row(&r, "three", 6);
    CHECK(b->calls[0]->entries[2].item == last);
    CHECK(b->calls[0]->entries[1].item == NULL);
    CHECK_INT(b->missing, ==, 1);
    sim_run_end(&r);
}

/* A run that takes up a batch of an earlier one: a line of two rows. */
struct earlier {
    struct sim_run run;
    struct mem_journal disk;
    struct asbi_journal journal;
    struct asbi_native_batch *batch;
};

static void earlier_init(struct earlier *g)
{
    const struct asbi_journal_state none = { .round = 1 };
    const struct asbi_journal_job job = { .number = 1,
                                          .id = ASBI_STR("batch_1"),
                                          .address = ASBI_STR("name") };
    const uint64_t rows[] = { 5, 6 };
    const struct asbi_journal_call line = {
        .number = 2, .rows = rows, .count = 2, .worst = 90, .job = 1
    };

    day(&g->run, 15, 1);
    start(&g->run);
    mem_journal_init(&g->disk);
    asbi_journal_init(&g->journal, &g->run.engine->mem, &g->disk.store, &none);
    g->run.engine->journal = &g->journal;
    CHECK_INT(asbi_native_know(g->run.engine, &job, &g->batch), ==, ASB_OK);
    CHECK_INT(asbi_native_know_line(g->batch, &line), ==, ASB_OK);
    (void)submit_row(&g->run, "five", 5);
    (void)submit_row(&g->run, "six", 6);
    CHECK_INT(g->batch->missing, ==, 0);
}

static void earlier_end(struct earlier *g)
{
    asbi_journal_fini(&g->journal);
    g->run.engine->journal = NULL;
    sim_run_end(&g->run);
}

/* Of two batches one is whole before its row has come again. */
static void who_comes_too_late_for_a_batch_is_in_none(void)
{
    const struct asbi_journal_job job = { .number = 3,
                                          .id = ASBI_STR("batch_2"),
                                          .address = ASBI_STR("other") };
    const uint64_t row = 7, more = 8;
    const struct asbi_journal_call line = {
        .number = 4, .rows = &row, .count = 1, .job = 3
    };
    const struct asbi_journal_call next = {
        .number = 5, .rows = &more, .count = 1, .job = 1, .line = 1
    };
    struct asbi_native_batch *other;
    struct earlier g;

    earlier_init(&g);
    CHECK_INT(asbi_native_know_line(g.batch, &next), ==, ASB_OK);
    CHECK_INT(asbi_native_know(g.run.engine, &job, &other), ==, ASB_OK);
    CHECK_INT(asbi_native_know_line(other, &line), ==, ASB_OK);
    asbi_native_seal(other);
    CHECK_INT(other->missing, ==, 0);
    CHECK(submit_row(&g.run, "seven", 7)->call == NULL);
    CHECK(submit_row(&g.run, "eight", 8)->call == g.batch->calls[1]);
    earlier_end(&g);
}

/* The provider has none of that name: nobody knows what became of it. */
static void rows_of_a_batch_that_is_gone_are_asked_for_anew(void)
{
    struct asb_stats stats = { .size = sizeof(stats) };
    struct earlier g;

    earlier_init(&g);
    asb_drain(g.run.engine);
    while (!asbi_engine_idle(g.run.engine))
        CHECK(asbi_sim_world_step(g.run.world));
    asb_engine_stats(g.run.engine, &stats);
    CHECK(!stats.halt);
    CHECK_INT(stats.items_ok, ==, 2);
    CHECK_INT(stats.maybe_paid_twice_nano_usd, ==, 90);
    CHECK_INT(g.run.engine->purse.budget.reserved, ==, 0);
    earlier_end(&g);
}

static void a_line_that_cannot_be_read_spoils_no_other(void)
{
    static const char results[] = "so {\"custom_id\":\"line-0\"}\n"
                                  "{\"custom_id\":\"line-0\",\"response\":null,"
                                  "\"error\":{\"code\":\"batch_expired\"}}\n";
    struct earlier g;

    earlier_init(&g);
    CHECK_INT(asbi_native_results(g.batch, results, 28), ==, ASB_OK);
    CHECK(g.batch->calls[0] != NULL);
    CHECK_INT(
        asbi_native_results(g.batch, results + 28, sizeof(results) - 1 - 28),
        ==, ASB_OK);
    CHECK(g.batch->calls[0] == NULL);
    CHECK_INT(g.batch->open, ==, 0);
    earlier_end(&g);
}

static void an_earlier_batch_is_known_whole_or_not_at_all(void)
{
    const struct asbi_journal_job job = { .number = 1,
                                          .id = ASBI_STR("batch_1"),
                                          .address = ASBI_STR("name") };
    const uint64_t rows[] = { 5, 6 };
    const struct asbi_journal_call line = {
        .number = 2, .rows = rows, .count = 2, .job = 1
    };
    size_t whole = 0;

    for (size_t n = 1; n <= 40; n++) {
        struct asbi_native_batch *b;
        struct sim_run r;

        day(&r, 14, 1);
        start(&r);
        r.mem.fail_at = r.mem.seen + n;
        int rc = asbi_native_know(r.engine, &job, &b);
        if (!rc)
            rc = asbi_native_know_line(b, &line);
        r.mem.fail_at = 0;
        CHECK(rc == ASB_OK || rc == ASB_ENOMEM);
        if (!rc) {
            r.world->ops->wake(r.world);
            (void)asbi_sim_world_step(r.world);
            CHECK_INT(r.engine->native.batches.count, ==, 1);
            CHECK_INT(r.engine->native.lines, ==, 1);
            whole++;
        }
        sim_run_end(&r);
    }
    CHECK_INT(whole, >, 0);
}

static void prepare_24(struct sim_run *r)
{
    day(r, 11, 24);
    r->provider.batch_expire_rate = 0.3;
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(prepare_24, 40);
}

TEST_MAIN(CASE(all_is_done_at_half_the_price),
          CASE(what_expires_or_hangs_is_asked_directly_in_time),
          CASE(a_near_deadline_cancels_and_keeps_what_is_done),
          CASE(a_batch_without_an_end_is_not_waited_for_for_ever),
          CASE(auto_waits_for_a_deadline_a_day_away),
          CASE(no_more_waits_with_the_provider_than_it_allows),
          CASE(a_broken_network_costs_time_not_money),
          CASE(failing_lines_are_asked_again),
          CASE(a_batch_that_nobody_wants_is_cancelled),
          CASE(a_stopped_run_keeps_what_the_batch_has_done),
          CASE(the_budget_holds_for_batches), CASE(embeddings_go_in_bulk_too),
          CASE(a_batch_has_no_more_texts_than_the_provider_takes),
          CASE(a_line_tells_the_places_of_its_rows),
          CASE(a_row_of_an_earlier_line_gets_its_own_place),
          CASE(who_comes_too_late_for_a_batch_is_in_none),
          CASE(rows_of_a_batch_that_is_gone_are_asked_for_anew),
          CASE(a_line_that_cannot_be_read_spoils_no_other),
          CASE(an_earlier_batch_is_known_whole_or_not_at_all),
          CASE(every_failed_allocation_is_survived))
