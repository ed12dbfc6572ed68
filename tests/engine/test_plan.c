/* Plans: the real scheduler in virtual time, from a file to a report. */
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

struct rig {
    char path[64];
    struct asb_options *options;
    struct asb_plan *plan;
    struct asb_forecast f;
    struct asb_message why;
};

static void set(struct rig *r, const char *name, const char *value)
{
    if (asb_options_set(r->options, name, value, ASB_FROM_HOST, &r->why))
        check_fail(__FILE__, __LINE__, "%s", r->why.text);
}

static void rig_init(struct rig *r, size_t items)
{
    *r = (struct rig){ .path = "/tmp/asb-plan-XXXXXX" };
    int fd = mkstemp(r->path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    CHECK(f != NULL);
    for (size_t i = 0; i < items; i++)
        (void)fprintf(f,
                      "{\"id\":\"%zu\",\"text\":\"Sentence number %zu of a "
                      "file.\"}\n",
                      i, i);
    CHECK(fclose(f) == 0);
    r->options = asb_options_new();
    CHECK(r->options != NULL);
    set(r, "input", r->path);
    set(r, "input_format", "jsonl");
    set(r, "target_lang", "fr");
    set(r, "seed", "7");
}

static void append(struct rig *r, const char *lines)
{
    FILE *f = fopen(r->path, "a");

    CHECK(f && fputs(lines, f) >= 0 && fclose(f) == 0);
}

static void make(struct rig *r)
{
    int rc = asb_plan_new(r->options, NULL, &r->plan, &r->why);

    if (rc)
        check_fail(__FILE__, __LINE__, "%d: %s", rc, r->why.text);
    r->f.size = sizeof(r->f);
    asb_plan_get(r->plan, &r->f);
}

static void rig_fini(struct rig *r)
{
    asb_plan_free(r->plan);
    asb_options_free(r->options);
    (void)unlink(r->path);
}

static bool says(const struct rig *r, enum asb_plan_format format,
                 const char *what)
{
    return strstr(asb_plan_text(r->plan, format).at, what) != NULL;
}

static void a_plan_counts_what_a_run_would_do(void)
{
    struct rig r;

    rig_init(&r, 100);
    set(&r, "batch_size", "10");
    make(&r);
    CHECK_INT(r.f.rows, ==, 100);
    CHECK_INT(r.f.items_ok, ==, 100);
    CHECK_INT(r.f.calls, ==, 10);
    CHECK(r.f.input_tokens > 0 && r.f.output_tokens > 0);
    CHECK_INT(r.f.cost_nano_usd, >, 0);
    CHECK_INT(r.f.cost_worst_nano_usd, >=, r.f.cost_nano_usd);
    CHECK(r.f.seconds > 0.1 && r.f.seconds < 10);
    CHECK(says(&r, ASB_PLAN_JSON, "\"recommendation\":\"process_as_batch\""));
    CHECK(says(&r, ASB_PLAN_JSON, "\"risk\":\"low\""));
    rig_fini(&r);
}

static void bad_and_repeated_rows_are_counted_and_not_sent(void)
{
    struct rig r;

    rig_init(&r, 3);
    append(&r, "{broken\n{\"id\":\"1\",\"text\":\"again\"}\n");
    make(&r);
    CHECK_INT(r.f.rows, ==, 5);
    CHECK_INT(r.f.rows_bad, ==, 2);
    CHECK_INT(r.f.items_ok, ==, 3);
    rig_fini(&r);
}

static void no_key_is_needed_and_prices_are_the_catalogues(void)
{
    struct rig r;

    rig_init(&r, 50);
    set(&r, "provider", "openai");
    set(&r, "model", "gpt-4.1-mini");
    set(&r, "api_key", "env:ASB_TEST_NO_SUCH_VARIABLE");
    make(&r);
    CHECK_INT(r.f.items_ok, ==, 50);
    int64_t in = asbi_price_of(r.f.input_tokens, ASBI_USD * 40 / 100);
    int64_t out = asbi_price_of(r.f.output_tokens, ASBI_USD * 160 / 100);
    CHECK_INT(r.f.cost_nano_usd, >=, in + out - 100);
    CHECK_INT(r.f.cost_nano_usd, <=, in + out + 100);
    CHECK(!r.f.price_unknown);
    rig_fini(&r);
}

static void an_unknown_price_is_told_and_never_guessed(void)
{
    struct rig r;

    rig_init(&r, 5);
    set(&r, "provider", "vllm");
    set(&r, "model", "my-own");
    make(&r);
    CHECK(!r.f.price_unknown); /* free: on the user's machines */
    asb_plan_free(r.plan);
    set(&r, "provider", "openai");
    make(&r);
    CHECK(r.f.price_unknown);
    CHECK_INT(r.f.cost_nano_usd, ==, 0);
    CHECK(says(&r, ASB_PLAN_JSON, "\"price_known\":false"));
    CHECK(says(&r, ASB_PLAN_TABLE, "unknown"));
    rig_fini(&r);
}

/* Each setting makes another limit the one that binds. */
static void the_limit_that_binds_is_named(void)
{
    static const char *const table[][5] = {
        { "batch_size", "5", "workers", "100", "count cap" },
        { "requests_per_minute", "20", "workers", "100", "rate limit" },
        { "batch_size", "2", "workers", "1", "concurrency" },
        { "batch_cost_max", "0.001", "workers", "100", "cost of a call" },
        { "batch_target", "1500ms", "workers", "100", "target time" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char want[64];
        struct rig r;

        rig_init(&r, 300);
        set(&r, table[i][0], table[i][1]);
        set(&r, table[i][2], table[i][3]);
        make(&r);
        (void)snprintf(want, sizeof(want), "\"binding_limit\":\"%s\"",
                       table[i][4]);
        if (!says(&r, ASB_PLAN_JSON, want))
            check_fail(__FILE__, __LINE__, "no %s in %s", want,
                       asb_plan_text(r.plan, ASB_PLAN_JSON).at);
        rig_fini(&r);
    }
}

static void a_rate_limit_sets_the_time(void)
{
    struct rig r;

    rig_init(&r, 600);
    set(&r, "batch_size", "10");
    set(&r, "requests_per_minute", "20");
    make(&r);
    CHECK_INT(r.f.calls, ==, 60);
    CHECK(r.f.seconds > 170 && r.f.seconds < 200);
    rig_fini(&r);
}

static void a_budget_that_is_too_small_is_told(void)
{
    struct rig r;

    rig_init(&r, 500);
    set(&r, "budget", "0.005");
    make(&r);
    CHECK_INT(r.f.halt, ==, ASB_HALT_BUDGET);
    CHECK(r.f.items_ok > 0 && r.f.items_failed > 0);
    CHECK_INT(r.f.cost_nano_usd, <=, ASBI_USD * 5 / 1000);
    CHECK(says(&r, ASB_PLAN_JSON, "\"stops_early\":\"the budget"));
    rig_fini(&r);
}

/* What one by one takes, as the table says it. */
static double times_alone(const struct rig *r)
{
    static const char before[] = "one by one takes ";
    const char *at = strstr(asb_plan_text(r->plan, ASB_PLAN_TABLE).at, before);

    CHECK(at != NULL);
    return at ? strtod(at + sizeof(before) - 1, NULL) : 0;
}

static void what_a_budget_cuts_off_makes_packing_no_better(void)
{
    double times[2];

    for (int i = 0; i < 2; i++) {
        struct rig r;

        rig_init(&r, 400);
        if (i)
            set(&r, "budget", "0.01");
        make(&r);
        CHECK_INT(r.f.halt, ==, i ? ASB_HALT_BUDGET : ASB_RUNNING);
        times[i] = times_alone(&r);
        rig_fini(&r);
    }
    CHECK(times[1] > 0.7 * times[0] && times[1] < 1.3 * times[0]);
}

static void kinds_are_told_apart(void)
{
    struct rig r;

    rig_init(&r, 20);
    append(&r, "{\"id\":\"u\",\"text\":\"Hurry.\",\"priority\":1}\n"
               "{\"id\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
               "\"Hello\"}]}\n");
    make(&r);
    CHECK_INT(r.f.items_ok, ==, 22);
    CHECK(says(&r, ASB_PLAN_JSON, "\"class\":\"urgent\""));
    CHECK(says(&r, ASB_PLAN_JSON, "\"way\":\"single\""));
    CHECK(says(&r, ASB_PLAN_TABLE, "a call of its own"));
    rig_fini(&r);
}

static void the_report_is_one_json_object(void)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 1 << 20);
    struct rig r;

    rig_init(&r, 40);
    make(&r);
    struct asb_bytes text = asb_plan_text(r.plan, ASB_PLAN_JSON);
    CHECK_INT(asbi_json_parse(json, text.at, text.len), ==, ASB_OK);
    CHECK_INT(asbi_json_root(json)->type, ==, ASBI_JSON_OBJECT);
    asbi_json_free(json);
    rig_fini(&r);
}

/* Counts blocks and remembers the most there were at once. */
struct meter {
    struct fault_mem fm;
    size_t most;
};

static void *metered(void *block, size_t size, void *arg)
{
    struct meter *m = arg;

    block = m->fm.mem.resize(block, size, m->fm.mem.arg);
    if (m->fm.live > m->most)
        m->most = m->fm.live;
    return block;
}

static void memory_does_not_grow_with_the_input(void)
{
    size_t most[2];

    for (size_t i = 0; i < 2; i++) {
        struct meter m = { .most = 0 };
        struct asb_hooks hooks = { .size = sizeof(hooks),
                                   .resize = metered,
                                   .resize_arg = &m };
        struct rig r;

        fault_mem_init(&m.fm, 0);
        rig_init(&r, i ? 16000 : 4000);
        set(&r, "max_item_bytes", "4KiB");
        set(&r, "max_memory", "128KiB");
        set(&r, "cache_memory", "64KiB");
        CHECK_INT(asb_plan_new(r.options, &hooks, &r.plan, &r.why), ==, ASB_OK);
        most[i] = m.most;
        rig_fini(&r);
        CHECK_INT(m.fm.live, ==, 0);
    }
    CHECK(most[1] < most[0] + most[0] / 5);
}

/* One that ends behind the log: both hooks it has are taken. */
static void hooks_of_an_older_header_are_taken(void)
{
    struct meter m = { .most = 0 };
    struct asb_hooks hooks = { .resize = metered, .resize_arg = &m };
    struct rig r;

    fault_mem_init(&m.fm, 0);
    rig_init(&r, 1);
    CHECK_INT(asb_plan_new(r.options, &hooks, &r.plan, &r.why), ==, ASB_EINVAL);
    hooks.size = offsetof(struct asb_hooks, now_ns);
    CHECK_INT(asb_plan_new(r.options, &hooks, &r.plan, &r.why), ==, ASB_OK);
    CHECK_INT(m.most, >, 0);
    rig_fini(&r);
    CHECK_INT(m.fm.live, ==, 0);
}

static void every_failed_allocation_is_survived(void)
{
    struct rig r;
    size_t all = 0;

    rig_init(&r, 12);
    for (size_t n = 1; all == 0 || n <= all; n += 1 + n / 50) {
        struct fault_mem fm;
        struct asb_hooks hooks = { .size = sizeof(hooks) };
        struct asb_plan *plan = NULL;

        fault_mem_init(&fm, n);
        hooks.resize = fm.mem.resize;
        hooks.resize_arg = fm.mem.arg;
        int rc = asb_plan_new(r.options, &hooks, &plan, &r.why);
        CHECK(rc == ASB_OK || rc == ASB_ENOMEM);
        CHECK((rc == ASB_OK) == (plan != NULL));
        asb_plan_free(plan);
        CHECK_INT(fm.live, ==, 0);
        if (fm.seen < n)
            all = fm.seen;
    }
    rig_fini(&r);
}

static void what_cannot_be_read_is_refused(void)
{
    struct rig r;
    struct asb_plan *plan = NULL;

    rig_init(&r, 1);
    set(&r, "input", "/tmp/asb-no-such-file.jsonl");
    CHECK_INT(asb_plan_new(r.options, NULL, &plan, &r.why), ==, ASB_EIO);
    CHECK(plan == NULL && strstr(r.why.text, "asb-no-such-file"));
    set(&r, "input", "/tmp");
    CHECK_INT(asb_plan_new(r.options, NULL, &plan, &r.why), ==, ASB_EIO);
    CHECK_INT(asb_plan_new(NULL, NULL, &plan, NULL), ==, ASB_EINVAL);
    rig_fini(&r);
}

TEST_MAIN(CASE(a_plan_counts_what_a_run_would_do),
          CASE(bad_and_repeated_rows_are_counted_and_not_sent),
          CASE(no_key_is_needed_and_prices_are_the_catalogues),
          CASE(an_unknown_price_is_told_and_never_guessed),
          CASE(the_limit_that_binds_is_named), CASE(a_rate_limit_sets_the_time),
          CASE(a_budget_that_is_too_small_is_told),
          CASE(what_a_budget_cuts_off_makes_packing_no_better),
          CASE(kinds_are_told_apart), CASE(the_report_is_one_json_object),
          CASE(memory_does_not_grow_with_the_input),
          CASE(hooks_of_an_older_header_are_taken),
          CASE(every_failed_allocation_is_survived),
          CASE(what_cannot_be_read_is_refused))
