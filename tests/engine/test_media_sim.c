#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/mem_artefacts.h"
#include "tests/support/sim_run.h"

static struct mem_artefacts place;

static const char *scene(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "scene %zu", i);
    return room;
}

static const char *request(size_t i, char *room, size_t size)
{
    static const unsigned seconds[] = { 4, 8, 12 };

    (void)snprintf(room, size,
                   "{\"content_type\":\"video\",\"resolution\":\"1280x720\","
                   "\"duration\":%u}",
                   seconds[i % 3]);
    return room;
}

static void media_init(struct sim_run *r, uint64_t seed)
{
    sim_run_init(r, seed);
    sim_run_set(r, "task", "video");
    sim_run_set(r, "model", "sim-video");
    r->items = 60;
    r->text = scene;
    r->fields = request;
    r->provider.job_ns = 20 * ASBI_SECOND;
    r->provider.job_most_ns = 180 * ASBI_SECOND;
    r->provider.artefact_bytes = 20000;
    mem_artefacts_init(&place);
    r->place = &place.place;
}

static size_t count_of(const struct sim_run *r, const char *code)
{
    size_t n = 0;

    for (size_t i = 0; i < r->items; i++)
        n += strcmp(r->answers[i].code, code) == 0;
    return n;
}

static void every_job_is_made_fetched_and_billed_right(void)
{
    struct sim_run r;

    media_init(&r, 1);
    sim_run_all(&r);
    CHECK_INT(count_of(&r, ""), ==, r.items);
    CHECK_INT(place.finished, ==, r.items);
    CHECK_INT(place.bytes, ==, r.items * 20000);
    CHECK_INT(sim_run_cost(&r), ==, r.served.billed_nano_usd);
    CHECK_INT(r.stats.cost_nano_usd, ==, r.served.billed_nano_usd);
    CHECK_INT(r.stats.cost_nano_usd, ==, 20 * 24 * ASBI_USD / 10);
    CHECK_INT(r.engine->purse.budget.reserved, ==, 0);
    CHECK_INT(r.engine->purse.budget.spent, ==, r.served.billed_nano_usd);
    CHECK_INT(r.virtual_ns, <, 260 * ASBI_SECOND);
    sim_run_end(&r);
    CHECK(place.freed);
}

static void refused_failed_and_cut_off_are_told_apart(void)
{
    struct sim_run r;

    media_init(&r, 2);
    r.items = 200;
    r.provider.job_refusal_rate = r.provider.job_failure_rate = 0.1;
    r.provider.disconnect_rate = 0.1;
    r.provider.network.refuse_rate = r.provider.network.cut_rate = 0.02;
    sim_run_all(&r);
    size_t good = count_of(&r, ""), filtered = count_of(&r, "content_filter");
    size_t failed = count_of(&r, "job_failed");
    CHECK_INT(good + filtered + failed, ==, 200);
    CHECK(filtered > 8 && filtered < 40);
    CHECK(failed > 8 && failed < 40);
    CHECK_INT(place.finished, ==, good);
    CHECK_INT(sim_run_cost(&r), ==, r.served.billed_nano_usd);
    CHECK_INT(r.stats.maybe_paid_twice_nano_usd, ==, 0);
    sim_run_end(&r);
}

static void a_job_that_fails_is_begun_so_often(void)
{
    struct sim_run r;

    media_init(&r, 3);
    r.items = 5;
    r.provider.job_failure_rate = 1;
    sim_run_set(&r, "job_attempts", "3");
    sim_run_all(&r);
    CHECK_INT(count_of(&r, "job_failed"), ==, 5);
    CHECK_INT(r.stats.calls, ==, 15);
    CHECK_INT(r.stats.items_retried, ==, 5);
    CHECK_INT(r.stats.cost_nano_usd, ==, 0);
    sim_run_end(&r);
}

/* A host may want its callbacks in order, however long each job takes. */
static void answers_come_in_order_when_asked_for(void)
{
    struct sim_run r;

    media_init(&r, 13);
    r.provider.job_refusal_rate = r.provider.job_failure_rate = 0.1;
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    r.engine->in_order = true;
    sim_run_play(&r);
    for (size_t i = 0; i < r.items; i++) {
        CHECK_INT(r.answers[i].callbacks, ==, 1);
        CHECK_INT(r.answers[i].order, ==, i);
    }
    sim_run_end(&r);
}

static void questions_are_few(void)
{
    struct sim_run r;

    media_init(&r, 4);
    r.items = 200;
    sim_run_set(&r, "jobs_max", "200");
    sim_run_all(&r);
    uint64_t asked =
        r.engine->media.remote.polls + r.engine->media.remote.lists;
    CHECK_INT(r.engine->media.remote.lists, >, 0);
    /* A question for each job in each twentieth of its time would be 4,000. */
    CHECK_INT(asked, <, 600);
    sim_run_end(&r);
}

static void no_more_jobs_run_than_allowed(void)
{
    struct sim_run r;

    media_init(&r, 5);
    r.items = 20;
    sim_run_set(&r, "jobs_max", "4");
    sim_run_set(&r, "job_pace", "1ms");
    sim_run_all(&r);
    CHECK_INT(count_of(&r, ""), ==, 20);
    /* Those that are fetched run no more. */
    CHECK_INT(r.stats.in_flight_max, <=, 4 + 6);
    CHECK_INT(r.virtual_ns, >, 300 * ASBI_SECOND);
    sim_run_end(&r);
}

static void submissions_keep_their_pace(void)
{
    struct sim_run r;

    media_init(&r, 6);
    r.provider.job_ns = r.provider.job_most_ns = ASBI_SECOND;
    sim_run_all(&r);
    /* 59 waits of 200 to 500 ms, 350 on average. */
    CHECK_INT(r.virtual_ns, >, 17 * ASBI_SECOND);
    CHECK_INT(r.virtual_ns, <, 27 * ASBI_SECOND);
    sim_run_end(&r);
}

static void a_download_goes_on_where_it_broke(void)
{
    struct sim_run r;

    media_init(&r, 7);
    r.items = 20;
    r.provider.disconnect_rate = 0.5;
    r.provider.artefact_bytes = 100000;
    sim_run_set(&r, "max_attempts", "40");
    sim_run_all(&r);
    CHECK_INT(place.finished, ==, 20);
    CHECK_INT(place.restarted, ==, 0);
    CHECK_INT(place.bytes, ==, 20 * 100000);
    sim_run_end(&r);
}

static void a_full_disk_is_told_and_nothing_is_made_anew(void)
{
    struct sim_run r;

    media_init(&r, 8);
    r.items = 3;
    place.write_most = 1;
    sim_run_all(&r);
    CHECK_INT(count_of(&r, "artefact_not_fetched"), ==, 3);
    CHECK_INT(r.stats.calls, ==, 3);
    CHECK_INT(sim_run_cost(&r), ==, r.served.billed_nano_usd);
    sim_run_end(&r);
}

static void what_is_larger_than_allowed_is_not_kept(void)
{
    struct sim_run r;

    media_init(&r, 8);
    r.items = 3;
    sim_run_set(&r, "artefact_max", "16KiB");
    sim_run_all(&r);
    CHECK_INT(count_of(&r, "artefact_not_fetched"), ==, 3);
    CHECK_INT(place.finished, ==, 0);
    CHECK_INT(place.bytes, <=, 3 * (16 << 10));
    CHECK_INT(r.stats.calls, ==, 3);
    sim_run_end(&r);
    media_init(&r, 8);
    r.items = 3;
    r.provider.artefact_bytes = 16 << 10;
    sim_run_set(&r, "artefact_max", "16KiB");
    sim_run_all(&r);
    CHECK_INT(place.finished, ==, 3);
    sim_run_end(&r);
}

static void an_unknown_outcome_is_not_tried_again_without_a_name(void)
{
    struct sim_run r;

    media_init(&r, 9);
    r.provider.network.cut_rate = 0.2;
    sim_run_set(&r, "provider", "litellm");
    sim_run_set(&r, "model", "sora-2");
    sim_run_all(&r);
    size_t unknown = count_of(&r, "outcome_unknown");
    CHECK_INT(unknown, >, 3);
    CHECK_INT(count_of(&r, "") + unknown, ==, r.items);
    CHECK_INT(r.stats.calls, ==, r.items);
    /* The budget holds even if all of these were made. */
    CHECK_INT(r.engine->purse.budget.spent, >=, r.served.billed_nano_usd);
    CHECK_INT(r.stats.cost_nano_usd, <=, r.served.billed_nano_usd);
    sim_run_end(&r);
}

static bool is_within_budget(struct sim_run *r, void *arg)
{
    const struct asbi_budget *b = &r->engine->purse.budget;

    (void)arg;
    CHECK_INT(b->spent + b->reserved, <=, b->limit);
    return true;
}

/* Who waits to ask again may have been billed already. */
static void the_budget_holds_while_outcomes_are_unknown(void)
{
    for (uint64_t seed = 20; seed < 30; seed++) {
        struct sim_run r;

        media_init(&r, seed);
        r.items = 20;
        r.provider.error_rate = 0.5;
        r.provider.network.cut_rate = 0.6;
        r.on_step = is_within_budget;
        sim_run_set(&r, "budget", "5");
        sim_run_set(&r, "max_attempts", "1");
        sim_run_all(&r);
        CHECK_INT(r.served.billed_nano_usd, <=, 5 * ASBI_USD);
        CHECK_INT(r.engine->purse.budget.reserved, ==, 0);
        sim_run_end(&r);
    }
}

static void a_job_without_end_is_given_up(void)
{
    struct sim_run r;

    media_init(&r, 10);
    r.items = 3;
    sim_run_set(&r, "job_timeout", "10s");
    sim_run_all(&r);
    CHECK_INT(count_of(&r, "job_timeout"), ==, 3);
    CHECK_INT(r.stats.cost_nano_usd, ==, 0);
    CHECK_INT(r.engine->purse.budget.spent, ==, 24 * ASBI_USD / 10);
    CHECK_INT(r.virtual_ns, <, 20 * ASBI_SECOND);
    sim_run_end(&r);
}

static void on_made(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    (void)e;
    (void)arg;
    CHECK(result->ok);
}

static unsigned cancelled;

static void on_cancelled(struct asb_engine *e, const struct asb_result *result,
                         void *arg)
{
    (void)e;
    (void)arg;
    CHECK(strcmp(result->error_code, "cancelled") == 0);
    cancelled++;
}

static void a_cancelled_job_is_stopped_at_the_provider(void)
{
    struct asb_request wanted = { .size = sizeof(wanted),
                                  .id = ASBI_STR("x"),
                                  .payload = ASB_PROMPT,
                                  .text = ASBI_STR("a pond") };
    struct sim_run r;
    uint64_t item;

    media_init(&r, 11);
    r.items = 1;
    cancelled = 0;
    sim_run_start(&r);
    CHECK_INT(asb_submit(r.engine, &wanted, on_cancelled, NULL, &item), ==,
              ASB_OK);
    asb_drain(r.engine);
    while (asbi_media_count(&r.engine->media) == 0)
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(asb_cancel(r.engine, item), ==, ASB_OK);
    CHECK_INT(asb_cancel(r.engine, item), ==, ASB_ENOENT);
    CHECK_INT(r.engine->media.farewells.count, ==, 1);
    while (!asbi_engine_idle(r.engine))
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(cancelled, ==, 1);
    CHECK_INT(asbi_now(r.world), <, 10 * ASBI_SECOND);
    CHECK_INT(r.engine->purse.budget.reserved, ==, 0);
    sim_run_end(&r);
}

static const char *same_scene(size_t i, char *room, size_t size)
{
    (void)i;
    return scene(0, room, size);
}

static const char *same_request(size_t i, char *room, size_t size)
{
    (void)i;
    return request(0, room, size);
}

static void an_answer_past_its_time_begins_no_other_job(void)
{
    struct sim_run r;

    media_init(&r, 14);
    r.items = 2;
    r.text = same_scene;
    r.fields = same_request;
    sim_run_set(&r, "cache_ttl", "1s");
    sim_run_set(&r, "cache_stale", "1d");
    sim_run_start(&r);
    CHECK(sim_run_submit(&r));
    asb_flush(r.engine);
    while (r.answered < 1)
        CHECK(asbi_sim_world_step(r.world));
    asbi_sim_world_jump(r.world, 60 * ASBI_SECOND, 60000);
    CHECK(sim_run_submit(&r));
    sim_run_play(&r);
    CHECK_INT(sim_run_ok(&r), ==, 2);
    CHECK_INT(sim_run_from(&r, ASB_DUPLICATE), ==, 1);
    CHECK_INT(r.stats.calls, ==, 1);
    sim_run_end(&r);
}

/* A host need not name its items. */
static void artefacts_of_nameless_items_get_names_of_their_own(void)
{
    struct asb_request wanted = { .size = sizeof(wanted),
                                  .payload = ASB_PROMPT };
    const char *const texts[] = { "a pond", "a brook" };
    struct sim_run r;

    media_init(&r, 15);
    place.keeps = true;
    r.items = 2;
    sim_run_start(&r);
    for (size_t i = 0; i < 2; i++) {
        wanted.text = asbi_str_c(texts[i]);
        CHECK_INT(asb_submit(r.engine, &wanted, on_made, NULL, NULL), ==,
                  ASB_OK);
    }
    asb_drain(r.engine);
    while (!asbi_engine_idle(r.engine))
        CHECK(asbi_sim_world_step(r.world));
    CHECK_INT(place.finished, ==, 2);
    CHECK(strcmp(place.kept[0].path, place.kept[1].path) != 0);
    sim_run_end(&r);
    mem_artefacts_fini(&place);
}

static void the_same_seed_gives_the_same_run(void)
{
    uint64_t traces[2];

    for (size_t i = 0; i < 2; i++) {
        struct sim_run r;

        media_init(&r, 12);
        r.provider.disconnect_rate = 0.1;
        r.provider.network.cut_rate = 0.05;
        sim_run_all(&r);
        traces[i] = r.trace;
        sim_run_end(&r);
    }
    CHECK(traces[0] == traces[1]);
}

static void prepare_three(struct sim_run *r)
{
    media_init(r, 13);
    r->items = 3;
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(prepare_three, SIZE_MAX);
}

TEST_MAIN(CASE(every_job_is_made_fetched_and_billed_right),
          CASE(refused_failed_and_cut_off_are_told_apart),
          CASE(a_job_that_fails_is_begun_so_often),
          CASE(answers_come_in_order_when_asked_for), CASE(questions_are_few),
          CASE(no_more_jobs_run_than_allowed),
          CASE(submissions_keep_their_pace),
          CASE(a_download_goes_on_where_it_broke),
          CASE(a_full_disk_is_told_and_nothing_is_made_anew),
          CASE(what_is_larger_than_allowed_is_not_kept),
          CASE(an_unknown_outcome_is_not_tried_again_without_a_name),
          CASE(the_budget_holds_while_outcomes_are_unknown),
          CASE(a_job_without_end_is_given_up),
          CASE(a_cancelled_job_is_stopped_at_the_provider),
          CASE(an_answer_past_its_time_begins_no_other_job),
          CASE(artefacts_of_nameless_items_get_names_of_their_own),
          CASE(the_same_seed_gives_the_same_run),
          CASE(every_failed_allocation_is_survived))
