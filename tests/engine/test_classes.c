/* Classes, tenants and the budget's soft threshold, in virtual time. */
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

struct lines {
    unsigned alerts, sheds;
};

static void on_log(enum asb_log_level level, const char *line, void *arg)
{
    struct lines *l = arg;

    l->alerts += level == ASB_LOG_WARN && strstr(line, " % reached") != NULL;
    l->sheds += level == ASB_LOG_WARN && strstr(line, "items wait") != NULL;
}

static void set(struct sim_run *r, const char *name, const char *value)
{
    size_t i = 0;

    while (r->options[i][0])
        i++;
    r->options[i][0] = name;
    r->options[i][1] = value;
}

/* The first half is background, then urgent and normal by turns. */
static enum asb_class background_first(size_t i)
{
    if (i < 500)
        return ASB_BACKGROUND;
    return i % 2 ? ASB_URGENT : ASB_NORMAL;
}

static double mean_order(const struct sim_run *r, enum asb_class c)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < r->items; i++) {
        if (r->priority(i) != c)
            continue;
        sum += (double)r->answers[i].order;
        count++;
    }
    return sum / count;
}

static void the_urgent_overtake_what_came_before(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 1000;
    r.priority = background_first;
    set(&r, "workers", "2");
    set(&r, "batch_size", "10");
    sim_run_all(&r);
    CHECK(mean_order(&r, ASB_URGENT) < mean_order(&r, ASB_NORMAL));
    CHECK(mean_order(&r, ASB_NORMAL) < mean_order(&r, ASB_BACKGROUND));
    CHECK_INT(r.stats.sla_misses, ==, 0);
    sim_run_end(&r);
}

static void late_answers_are_counted(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.provider.latency.base_ns = ASBI_SECOND;
    set(&r, "class_targets", "normal=500ms");
    sim_run_all(&r);
    CHECK_INT(r.stats.items_ok, ==, r.items);
    CHECK_INT(r.stats.sla_misses, ==, r.items);
    sim_run_end(&r);
}

static const char *three_of_four_are_of_one(size_t i)
{
    return i % 4 ? "large" : "small";
}

/* Until the small one's are all answered, both get as many. */
static void tenants_share_whatever_they_ask_for(void)
{
    struct sim_run r;
    double before = 0, last = 0;

    sim_run_init(&r, 1);
    r.items = 2000;
    r.tenant = three_of_four_are_of_one;
    set(&r, "workers", "2");
    set(&r, "batch_size", "10");
    sim_run_all(&r);
    for (size_t i = 0; i < r.items; i += 4) {
        if ((double)r.answers[i].order > last)
            last = (double)r.answers[i].order;
    }
    for (size_t i = 0; i < r.items; i++)
        before += i % 4 && (double)r.answers[i].order < last;
    CHECK(before > 430 && before < 570);
    sim_run_end(&r);
}

static void background_work_waits_for_the_rest_of_the_budget(void)
{
    struct lines lines = { 0, 0 };
    size_t ok[3] = { 0, 0, 0 };
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 1000;
    r.priority = background_first;
    r.log = on_log;
    r.log_arg = &lines;
    set(&r, "workers", "4");
    set(&r, "batch_size", "10");
    set(&r, "budget", "0.05");
    set(&r, "budget_soft", "0.2");
    sim_run_all(&r);
    for (size_t i = 0; i < r.items; i++)
        ok[r.priority(i)] += r.answers[i].ok;
    CHECK(r.stats.halt == ASB_HALT_BUDGET);
    CHECK_INT(ok[ASB_URGENT], ==, 250);
    CHECK_INT(ok[ASB_NORMAL], ==, 250);
    CHECK(ok[ASB_BACKGROUND] > 0 && ok[ASB_BACKGROUND] < 400);
    CHECK_INT(lines.sheds, ==, 1);
    sim_run_end(&r);
}

static enum asb_class all_background(size_t i)
{
    (void)i;
    return ASB_BACKGROUND;
}

static void background_work_alone_may_spend_it_all(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 2000;
    r.priority = all_background;
    set(&r, "budget", "0.05");
    set(&r, "batch_size", "10");
    sim_run_all(&r);
    CHECK(r.stats.halt == ASB_HALT_BUDGET);
    CHECK_INT(r.stats.cost_nano_usd, >=, ASBI_USD * 5 / 100 * 98 / 100);
    CHECK_INT(r.served.billed_nano_usd, <=, ASBI_USD * 5 / 100);
    sim_run_end(&r);
}

/* What was spent after half of the time. */
static bool note_half(struct sim_run *r, void *arg)
{
    int64_t *half = arg;

    if (*half == 0 && asbi_now(r->world) > 300 * ASBI_SECOND)
        *half = r->engine->stats.cost_nano_usd;
    return true;
}

static void a_budget_may_be_spent_over_a_period(void)
{
    int64_t half = 0;
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 2000;
    set(&r, "budget", "0.05");
    set(&r, "budget_period", "10m");
    set(&r, "batch_size", "10");
    r.on_step = note_half;
    r.on_step_arg = &half;
    sim_run_all(&r);
    CHECK(r.stats.halt == ASB_HALT_BUDGET);
    CHECK(half > ASBI_USD * 21 / 1000 && half < ASBI_USD * 29 / 1000);
    CHECK(r.virtual_ns > 540 * ASBI_SECOND && r.virtual_ns < 680 * ASBI_SECOND);
    sim_run_end(&r);
}

static enum asb_class all_urgent(size_t i)
{
    (void)i;
    return ASB_URGENT;
}

static void the_urgent_do_not_wait_for_the_pace(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 200;
    r.priority = all_urgent;
    set(&r, "budget", "1");
    set(&r, "budget_period", "10h");
    sim_run_all(&r);
    CHECK_INT(r.stats.items_ok, ==, 200);
    CHECK(r.virtual_ns < 10 * ASBI_SECOND);
    sim_run_end(&r);
}

static enum asb_class one_normal_then_background(size_t i)
{
    return i ? ASB_BACKGROUND : ASB_NORMAL;
}

/* More background work than the engine holds: what is held back gives way. */
static void work_held_back_does_not_stop_the_input(void)
{
    size_t shed = 0;
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 6000;
    r.priority = one_normal_then_background;
    set(&r, "budget", "0.5");
    set(&r, "budget_soft", "0");
    sim_run_all(&r);
    for (size_t i = 0; i < r.items; i++)
        shed += strcmp(r.answers[i].code, "shed_for_budget") == 0;
    CHECK(r.answers[0].ok);
    CHECK(shed > 0 && shed < 3000);
    CHECK_INT(r.stats.items_ok, ==, r.items - shed);
    sim_run_end(&r);
}

static void each_level_of_the_budget_is_told_once(void)
{
    struct lines lines = { 0, 0 };
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 2000;
    r.log = on_log;
    r.log_arg = &lines;
    set(&r, "budget", "0.05");
    set(&r, "budget_alerts", "10,50,100");
    sim_run_all(&r);
    CHECK_INT(lines.alerts, ==, 3);
    CHECK_INT(r.stats.budget_alert_percent, ==, 100);
    sim_run_end(&r);
}

static void bad_rules_are_refused_at_the_start(void)
{
    static const char *const bad[][2] = {
        { "budget_alerts", "80,60" },        { "budget_alerts", "101" },
        { "priority_weights", "speed=1" },   { "class_shares", "urgent=0" },
        { "class_targets", "urgent=never" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sim_run r;

        sim_run_init(&r, 1);
        set(&r, bad[i][0], bad[i][1]);
        sim_run_start(&r);
        CHECK_INT(r.rc, ==, ASB_ECONFIG);
        sim_run_end(&r);
    }
}

/* From the first answer on urgency counts for nothing: what came first goes
 * first. */
static bool forget_classes(struct sim_run *r, void *arg)
{
    bool *done = arg;

    if (r->answered == 0 || *done)
        return true;
    *done = true;
    CHECK_INT(asb_engine_set(r->engine, "priority-weights", "urgency=0", NULL),
              ==, ASB_OK);
    return true;
}

static void weights_are_changed_while_it_runs(void)
{
    double mean[2];

    for (int change = 0; change < 2; change++) {
        bool done = !change;
        struct sim_run r;

        sim_run_init(&r, 1);
        r.items = 1000;
        r.priority = background_first;
        r.on_step = forget_classes;
        r.on_step_arg = &done;
        set(&r, "workers", "2");
        set(&r, "batch_size", "10");
        sim_run_all(&r);
        mean[change] = mean_order(&r, ASB_BACKGROUND);
        sim_run_end(&r);
    }
    CHECK(mean[0] > 700); /* the last half, by class */
    CHECK(mean[1] < 350); /* the first, by arrival */
}

static void a_setting_that_does_not_hold_changes_nothing(void)
{
    static const char *const bad[][2] = {
        { "priority_weights", "speed=1" },
        { "class_shares", "urgent=0" },
        { "class_targets", "urgent=never" },
    };
    struct asb_message why;
    struct sim_run r;

    sim_run_init(&r, 1);
    set(&r, "class_shares", "urgent=0.6");
    sim_run_start(&r);
    struct asbi_priority_rules before = r.engine->pick.priority.rules;
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(asb_engine_set(r.engine, bad[i][0], bad[i][1], &why), ==,
                  ASB_ECONFIG);
        CHECK(strstr(why.text, bad[i][0]) != NULL);
    }
    CHECK_INT(asb_engine_set(r.engine, "budget", "1", &why), ==, ASB_ENOENT);
    CHECK_INT(asb_engine_set(r.engine, "nonsense", "1", NULL), ==, ASB_ENOENT);
    CHECK_INT(asb_engine_set(r.engine, NULL, "1", NULL), ==, ASB_EINVAL);
    CHECK(memcmp(&before, &r.engine->pick.priority.rules, sizeof(before)) == 0);
    /* And the next good one is taken with what held before. */
    CHECK_INT(asb_engine_set(r.engine, "class_targets", "urgent=5s", NULL), ==,
              ASB_OK);
    CHECK(r.engine->pick.priority.rules.target_ns[ASB_URGENT] ==
          5 * ASBI_SECOND);
    CHECK(r.engine->pick.priority.rules.share[ASB_URGENT] > 0.54);
    sim_run_play(&r);
    CHECK(r.finished);
    sim_run_end(&r);
}

TEST_MAIN(CASE(the_urgent_overtake_what_came_before),
          CASE(late_answers_are_counted),
          CASE(tenants_share_whatever_they_ask_for),
          CASE(background_work_waits_for_the_rest_of_the_budget),
          CASE(background_work_alone_may_spend_it_all),
          CASE(a_budget_may_be_spent_over_a_period),
          CASE(the_urgent_do_not_wait_for_the_pace),
          CASE(work_held_back_does_not_stop_the_input),
          CASE(each_level_of_the_budget_is_told_once),
          CASE(bad_rules_are_refused_at_the_start),
          CASE(weights_are_changed_while_it_runs),
          CASE(a_setting_that_does_not_hold_changes_nothing))
