/* Items that ask the same share one answer, whatever the provider does. */
#include "engine/recall_keep.h"

#include "engine/base/units.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

static const char *always_the_same(size_t i, char *room, size_t size)
{
    (void)i;
    (void)room;
    (void)size;
    return "Open the door, {name}.";
}

static const char *one_of_forty(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "Sentence number %zu of {name}.", i * 7 % 40);
    return room;
}

/* Money and sources of every answer, and what the counters say of them. */
static void check_books(const struct sim_run *r)
{
    int64_t cost = 0, saved = 0;

    for (size_t i = 0; i < r->items; i++) {
        const struct sim_answer *a = &r->answers[i];

        cost += a->cost;
        saved += a->saved;
        if (a->source != ASB_API_CALL) {
            CHECK_INT(a->cost, ==, 0);
            CHECK_INT(a->attempts, ==, 0);
            CHECK_INT(a->saved, >=, 0);
        }
    }
    CHECK_INT(cost, ==, r->stats.cost_nano_usd);
    CHECK_INT(saved, ==, r->stats.saved_nano_usd);
    CHECK_INT(sim_run_from(r, ASB_DUPLICATE), ==, r->stats.items_duplicate);
    CHECK_INT(sim_run_from(r, ASB_CACHE), ==, r->stats.items_cached);
}

static void ten_thousand_identical_items_are_one_call(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 10000;
    r.text = always_the_same;
    sim_run_all(&r);
    CHECK_INT(r.served.calls, ==, 1);
    CHECK_INT(r.served.items, ==, 1);
    CHECK_INT(r.stats.items_ok, ==, 10000);
    CHECK_INT(r.stats.items_duplicate, ==, 9999);
    CHECK_INT(r.stats.saved_nano_usd, ==, 9999 * r.stats.cost_nano_usd);
    check_books(&r);
    sim_run_end(&r);
}

static const struct asb_request the_same = {
    .size = sizeof(the_same),
    .text = { "Open the door, {name}.", 22 },
};

/* The record of the one text, where memory keeps it. */
static asbi_str kept_record(struct sim_run *r, struct asbi_memory_note *note)
{
    struct asb_engine *e = r->engine;
    struct asbi_item *item = asbi_item_new(&e->mem, &the_same, the_same.text);
    struct asbi_cache_key key;
    asbi_str record;

    CHECK(item != NULL);
    item->packed = true;
    CHECK(asbi_recall_key_of(e, item, &key));
    CHECK(asbi_memory_get(e->recall.memory, &key, asbi_wall_ms(e->world),
                          &record, note));
    asbi_item_free(&e->mem, item);
    return record;
}

/* The next item, to its end. */
static void ask_one(struct sim_run *r)
{
    CHECK(sim_run_submit(r));
    asb_flush(r->engine);
    while (r->answered < r->submitted)
        CHECK(asbi_sim_world_step(r->world));
}

static void a_flipped_bit_in_memory_costs_a_call_and_is_no_answer(void)
{
    struct asbi_memory_note note;
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 4;
    r.text = always_the_same;
    sim_run_start(&r);
    ask_one(&r);
    ask_one(&r);
    CHECK_INT(asbi_sim_world_stats(r.world)->calls, ==, 1);
    asbi_str record = kept_record(&r, &note);
    ((char *)(uintptr_t)record.at)[record.len - 3] ^= 8;
    ask_one(&r);
    CHECK_INT(asbi_sim_world_stats(r.world)->calls, ==, 2);
    CHECK_INT(r.answers[2].source, ==, ASB_API_CALL);
    CHECK(r.answers[2].output_hash == r.answers[0].output_hash);
    ask_one(&r);
    CHECK_INT(asbi_sim_world_stats(r.world)->calls, ==, 2);
    sim_run_play(&r);
    sim_run_end(&r);
}

/* An answer that is known without a call, and what memory notes of it. */
static void check_known(enum asbi_known_from from, bool of_this_run)
{
    const struct asb_result known = { .size = sizeof(known),
                                      .ok = true,
                                      .output = ASBI_STR("Entrez, {name}."),
                                      .cost_nano_usd = 70 };
    struct asbi_memory_note note;
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 2;
    r.text = always_the_same;
    sim_run_start(&r);
    CHECK(asbi_submit_known(r.engine, &the_same, &known, from));
    (void)kept_record(&r, &note);
    CHECK_INT(note.mark, ==, of_this_run);
    CHECK_INT(note.worth, ==, of_this_run ? 70 : 0);
    CHECK(!note.lent);
    sim_run_play(&r);
    CHECK_INT(r.stats.calls, ==, 0);
    CHECK_INT(sim_run_ok(&r), ==, 2);
    CHECK_INT(sim_run_from(&r, of_this_run ? ASB_DUPLICATE : ASB_CACHE), ==, 2);
    CHECK_INT(r.answers[0].output_len, ==, known.output.len);
    check_books(&r);
    sim_run_end(&r);
}

static void what_an_earlier_run_was_answered_is_shared(void)
{
    check_known(ASBI_FROM_JOURNAL, true);
}

static void what_a_table_says_is_shared(void)
{
    check_known(ASBI_FROM_TABLE, false);
}

static void what_a_table_says_is_judged_like_an_answer(void)
{
    const struct asb_result lacking = { .size = sizeof(lacking),
                                        .ok = true,
                                        .output = ASBI_STR("Entrez.") };
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 1;
    r.text = always_the_same;
    sim_run_start(&r);
    CHECK(!asbi_submit_known(r.engine, &the_same, &lacking, ASBI_FROM_TABLE));
    sim_run_play(&r);
    CHECK_INT(sim_run_from(&r, ASB_API_CALL), ==, 1);
    sim_run_end(&r);
}

static void without_memory_for_answers_who_is_under_way_together_shares(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 3000;
    r.text = always_the_same;
    sim_run_set(&r, "cache_memory", "0");
    sim_run_all(&r);
    CHECK_INT(r.served.calls, ==, 1);
    check_books(&r);
    sim_run_end(&r);
}

static void each_different_text_is_asked_once(void)
{
    struct sim_run r;

    sim_run_init(&r, 2);
    r.items = 4000;
    r.text = one_of_forty;
    sim_run_all(&r);
    CHECK_INT(r.served.items, ==, 40);
    CHECK_INT(sim_run_from(&r, ASB_API_CALL), ==, 40);
    for (size_t i = 40; i < r.items; i++)
        CHECK(r.answers[i].output_hash == r.answers[i - 40].output_hash);
    CHECK(r.answers[0].output_hash != r.answers[1].output_hash);
    check_books(&r);
    sim_run_end(&r);
}

static void reuse_can_be_turned_off(void)
{
    struct sim_run r;

    sim_run_init(&r, 2);
    r.text = one_of_forty;
    sim_run_set(&r, "reuse", "off");
    sim_run_all(&r);
    CHECK_INT(r.served.items, ==, 200);
    CHECK_INT(sim_run_from(&r, ASB_API_CALL), ==, 200);
    sim_run_end(&r);
}

static void answers_that_are_drawn_at_random_are_not_shared(void)
{
    struct sim_run r;

    sim_run_init(&r, 2);
    r.text = one_of_forty;
    sim_run_set(&r, "temperature", "0.7");
    sim_run_all(&r);
    CHECK_INT(r.served.items, ==, 200);
    sim_run_end(&r);
}

static void duplicates_under_faults_are_answered_once_or_explained(void)
{
    static const char *const sizes[] = { "0", "1", "5", "40" };
    static const char *const memories[] = { "0", "64KiB", "16MiB" };

    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sim_run r;

        sim_run_init(&r, seed);
        r.items = 300;
        r.text = one_of_forty;
        r.provider.error_rate = (double)(seed % 4) * 0.1;
        r.provider.drop_item_rate = (double)(seed % 3) * 0.1;
        r.provider.truncate_rate = (double)(seed % 5) * 0.05;
        r.provider.garbage_rate = (double)(seed % 7) * 0.05;
        r.provider.disconnect_rate = (double)(seed % 2) * 0.15;
        r.provider.network.cut_rate = (double)(seed % 6) * 0.05;
        sim_run_set(&r, "batch_size", sizes[seed % 4]);
        sim_run_set(&r, "cache_memory", memories[seed % 3]);
        if (seed % 5 == 0)
            sim_run_set(&r, "max_attempts", "1");
        if (seed % 11 == 0)
            sim_run_set(&r, "budget", "0.0005");
        sim_run_all(&r);
        for (size_t i = 0; i < r.items; i++)
            CHECK(r.answers[i].ok ? r.answers[i].output_len > 0
                                  : r.answers[i].code[0] != '\0');
        CHECK_INT(r.stats.items_ok + r.stats.items_failed, ==, r.items);
        check_books(&r);
        sim_run_end(&r);
    }
}

static void a_failure_is_told_to_all_and_asked_again_by_the_next(void)
{
    struct sim_run r;

    sim_run_init(&r, 3);
    r.items = 50;
    r.text = always_the_same;
    r.provider.drop_item_rate = 1;
    sim_run_set(&r, "max_attempts", "2");
    sim_run_all(&r);
    CHECK_INT(r.stats.items_failed, ==, 50);
    CHECK_INT(r.stats.items_duplicate, ==, 0);
    CHECK_INT(r.served.calls, ==, 2);
    for (size_t i = 0; i < r.items; i++)
        CHECK(strcmp(r.answers[i].code, r.answers[0].code) == 0);
    sim_run_end(&r);
}

/* ---- by hand: cancel, class, deadline --------------------------------- */

enum { HANDS = 8 };

struct hand {
    unsigned callbacks;
    bool ok;
    char code[32], output[64];
    enum asb_source source;
    uint64_t number;
};

static struct hand hands[HANDS];

static void on_hand(struct asb_engine *e, const struct asb_result *result,
                    void *arg)
{
    struct hand *h = arg;

    (void)e;
    h->callbacks++;
    h->ok = result->ok;
    h->source = result->source;
    (void)snprintf(h->code, sizeof(h->code), "%s",
                   result->error_code ? result->error_code : "");
    (void)snprintf(h->output, sizeof(h->output), "%.*s",
                   (int)result->output.len,
                   result->output.len ? result->output.at : "");
}

static void submit_as(struct sim_run *r, int n, enum asb_class priority,
                      uint64_t deadline_ms, const char *tenant)
{
    struct asb_request request = { .size = sizeof(request),
                                   .id = ASBI_STR("x"),
                                   .text = ASBI_STR("Open the door"),
                                   .tenant = asbi_str_c(tenant),
                                   .priority = priority,
                                   .deadline_ms = deadline_ms };

    hands[n] = (struct hand){ 0 };
    CHECK_INT(
        asb_submit(r->engine, &request, on_hand, &hands[n], &hands[n].number),
        ==, ASB_OK);
}

static void begin(struct sim_run *r)
{
    sim_run_init(r, 5);
    r->items = 1;
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
}

static void step_until(struct sim_run *r, unsigned calls)
{
    while (asbi_sim_world_stats(r->world)->calls < calls)
        CHECK(asbi_sim_world_step(r->world));
}

/* Steps to the end; everybody was called back once. */
static void finish(struct sim_run *r, int count, unsigned calls)
{
    asb_drain(r->engine);
    while (!asbi_engine_idle(r->engine))
        CHECK(asbi_sim_world_step(r->world));
    for (int i = 0; i < count; i++)
        CHECK_INT(hands[i].callbacks, ==, 1);
    CHECK_INT(asbi_sim_world_stats(r->world)->calls, ==, calls);
    sim_run_end(r);
}

static void cancel(struct sim_run *r, int n)
{
    CHECK_INT(asb_cancel(r->engine, hands[n].number), ==, ASB_OK);
    CHECK_INT(asb_cancel(r->engine, hands[n].number), ==, ASB_ENOENT);
}

static void a_follower_that_is_cancelled_leaves_the_rest(void)
{
    struct sim_run r;

    begin(&r);
    for (int i = 0; i < 3; i++)
        submit_as(&r, i, ASB_NORMAL, 0, "");
    cancel(&r, 1);
    finish(&r, 3, 1);
    CHECK(hands[0].ok && hands[2].ok && !hands[1].ok);
    CHECK_INT(hands[0].source, ==, ASB_API_CALL);
    CHECK_INT(hands[2].source, ==, ASB_DUPLICATE);
    CHECK(strcmp(hands[1].code, "cancelled") == 0);
    CHECK(strcmp(hands[0].output, hands[2].output) == 0);
}

static void
a_leader_that_is_cancelled_in_the_queue_is_followed_by_the_next(void)
{
    struct sim_run r;

    begin(&r);
    for (int i = 0; i < 3; i++)
        submit_as(&r, i, ASB_NORMAL, 0, "");
    cancel(&r, 0);
    finish(&r, 3, 1);
    CHECK(!hands[0].ok && hands[1].ok && hands[2].ok);
    CHECK_INT(hands[1].source, ==, ASB_API_CALL);
    CHECK_INT(hands[2].source, ==, ASB_DUPLICATE);
}

static void the_answer_of_a_leader_cancelled_on_the_wire_is_not_lost(void)
{
    struct sim_run r;

    begin(&r);
    for (int i = 0; i < 3; i++)
        submit_as(&r, i, ASB_NORMAL, 0, "");
    asb_flush(r.engine);
    step_until(&r, 1);
    cancel(&r, 0);
    finish(&r, 3, 1);
    CHECK(!hands[0].ok && hands[1].ok && hands[2].ok);
    CHECK_INT(hands[1].source, ==, ASB_API_CALL);
}

static void everybody_can_be_cancelled(void)
{
    struct sim_run r;

    begin(&r);
    for (int i = 0; i < 3; i++)
        submit_as(&r, i, ASB_NORMAL, 0, "");
    for (int i = 0; i < 3; i++)
        cancel(&r, i);
    submit_as(&r, 3, ASB_NORMAL, 0, "");
    finish(&r, 4, 1);
    CHECK(hands[3].ok);
}

static void an_urgent_follower_takes_the_lead_of_a_patient_one(void)
{
    struct sim_run r;

    begin(&r);
    submit_as(&r, 0, ASB_BACKGROUND, 0, "");
    submit_as(&r, 1, ASB_URGENT, 0, "");
    uint64_t start = asbi_now(r.world);
    step_until(&r, 1);
    /* 30 ms is the longest that urgent items wait for company, 5 s the
     * longest of the others. */
    CHECK_INT(asbi_now(r.world) - start, <=, 35 * ASBI_MS);
    finish(&r, 2, 1);
    CHECK(hands[0].ok && hands[1].ok);
    CHECK_INT(hands[1].source, ==, ASB_API_CALL);
    CHECK_INT(hands[0].source, ==, ASB_DUPLICATE);
}

static void a_leader_that_is_too_late_does_not_fail_its_followers(void)
{
    struct sim_run r;

    sim_run_init(&r, 5);
    r.items = 1;
    r.provider.rpm = 1;
    sim_run_set(&r, "requests_per_minute", "1");
    sim_run_start(&r);
    submit_as(&r, 4, ASB_NORMAL, 0, "another");
    asb_flush(r.engine);
    step_until(&r, 1); /* which uses up the minute */
    submit_as(&r, 0, ASB_NORMAL, 2000, "");
    submit_as(&r, 1, ASB_NORMAL, 0, "");
    finish(&r, 2, 2);
    CHECK(!hands[0].ok && hands[1].ok);
    CHECK(strcmp(hands[0].code, "deadline_exceeded") == 0);
}

static void tenants_do_not_share(void)
{
    struct sim_run r;

    begin(&r);
    submit_as(&r, 0, ASB_NORMAL, 0, "a");
    submit_as(&r, 1, ASB_NORMAL, 0, "b");
    submit_as(&r, 2, ASB_NORMAL, 0, "a");
    finish(&r, 3, 2);
    CHECK_INT(hands[1].source, ==, ASB_API_CALL);
    CHECK_INT(hands[2].source, ==, ASB_DUPLICATE);
}

static void an_engine_can_be_freed_with_everybody_waiting(void)
{
    struct sim_run r;

    begin(&r);
    for (int i = 0; i < 4; i++)
        submit_as(&r, i, ASB_NORMAL, 0, i % 2 ? "a" : "b");
    asb_flush(r.engine);
    step_until(&r, 1);
    sim_run_end(&r);
    for (int i = 0; i < 4; i++)
        CHECK_INT(hands[i].callbacks, ==, 0);
}

static void prepare_sixty(struct sim_run *r)
{
    sim_run_init(r, 7);
    r->items = 60;
    r->text = one_of_forty;
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(prepare_sixty, 60);
}

TEST_MAIN(CASE(ten_thousand_identical_items_are_one_call),
          CASE(a_flipped_bit_in_memory_costs_a_call_and_is_no_answer),
          CASE(what_an_earlier_run_was_answered_is_shared),
          CASE(what_a_table_says_is_shared),
          CASE(what_a_table_says_is_judged_like_an_answer),
          CASE(without_memory_for_answers_who_is_under_way_together_shares),
          CASE(each_different_text_is_asked_once),
          CASE(reuse_can_be_turned_off),
          CASE(answers_that_are_drawn_at_random_are_not_shared),
          CASE(duplicates_under_faults_are_answered_once_or_explained),
          CASE(a_failure_is_told_to_all_and_asked_again_by_the_next),
          CASE(a_follower_that_is_cancelled_leaves_the_rest),
          CASE(a_leader_that_is_cancelled_in_the_queue_is_followed_by_the_next),
          CASE(the_answer_of_a_leader_cancelled_on_the_wire_is_not_lost),
          CASE(everybody_can_be_cancelled),
          CASE(an_urgent_follower_takes_the_lead_of_a_patient_one),
          CASE(a_leader_that_is_too_late_does_not_fail_its_followers),
          CASE(tenants_do_not_share),
          CASE(an_engine_can_be_freed_with_everybody_waiting),
          CASE(every_failed_allocation_is_survived))
