/* What one run learned, as text for the next. */
#include "scheduler/learned.h"

#include <math.h>

#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static const asbi_str lane_name = { "openai 1f gpt", 13 };
static const asbi_str kind_name = { "openai 1f gpt translate en>ru", 29 };

struct rig {
    struct fault_mem fm;
    const struct asbi_mem *mem;
    struct asbi_json *json;
    struct asbi_buf lines, text;
};

/* `mem` NULL: memory of its own, which rig_fini() wants back. */
static void rig_init(struct rig *r, const struct asbi_mem *mem)
{
    fault_mem_init(&r->fm, 0);
    r->mem = mem ? mem : &r->fm.mem;
    r->json = asbi_json_new(r->mem, ASBI_LEARNED_MAX_BYTES);
    asbi_buf_init(&r->lines, r->mem, ASBI_LEARNED_MAX_BYTES);
    asbi_buf_init(&r->text, r->mem, ASBI_LEARNED_MAX_BYTES);
}

static void rig_fini(struct rig *r)
{
    asbi_json_free(r->json);
    asbi_buf_fini(&r->lines);
    asbi_buf_fini(&r->text);
    CHECK_INT(r->fm.live, ==, 0);
}

static void learn_call(struct asbi_learned_lane *lane, uint64_t n,
                       double seconds)
{
    asbi_latency_learn(&lane->latency, n * 100, n * 40, seconds);
    asbi_law_learn(&lane->law, n * 100, n * 40, seconds, (unsigned)n % 9);
    asbi_tally_add(&lane->failed, 1, n % 7 == 0);
    asbi_tally_add(&lane->cut, 1, n % 20 == 0);
}

static struct asbi_learned_lane some_lane(void)
{
    struct asbi_learned_lane lane = { .in_flight = 48.5, .slow_start = true };

    asbi_latency_init(&lane.latency, 0);
    for (int i = 1; i < 60; i++)
        learn_call(&lane, (uint64_t)i, 1.25 + i * 0.2);
    lane.requests = 500;
    lane.tokens = 200000;
    lane.lacks = 37;
    return lane;
}

static struct asbi_learned_kind some_kind(void)
{
    struct asbi_learned_kind kind = { .bad = { 0, 0 } };

    asbi_calibration_init(&kind.input, 1);
    asbi_ratio_init(&kind.output, 1.3);
    asbi_sizing_init(&kind.sizing);
    for (int i = 0; i < 5; i++) {
        asbi_calibration_learn(&kind.input, 100, 131);
        asbi_ratio_learn(&kind.output, 100, 210);
    }
    kind.bad = (struct asbi_tally){ 200, 3 };
    kind.sizing.count_cap = 61.25;
    kind.sizing.output_share = 0.5;
    return kind;
}

static void put_both(struct rig *r)
{
    struct asbi_learned_lane lane = some_lane();
    struct asbi_learned_kind kind = some_kind();

    asbi_learned_put_lane(&r->lines, lane_name, &lane);
    asbi_learned_put_kind(&r->lines, kind_name, &kind);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

static void what_is_put_is_found_again(void)
{
    struct rig r;
    struct asbi_learned_lane lane, want = some_lane();
    struct asbi_learned_kind kind, want_kind = some_kind();

    rig_init(&r, NULL);
    put_both(&r);
    asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
    asbi_str text = asbi_buf_view(&r.text);
    CHECK(asbi_learned_is_sound(text));
    CHECK(asbi_learned_find_lane(text, lane_name, r.json, &lane));
    CHECK(asbi_learned_find_kind(text, kind_name, r.json, &kind));
    CHECK(near(lane.in_flight, want.in_flight) && lane.slow_start);
    CHECK_INT(lane.latency.samples, ==, want.latency.samples);
    for (uint64_t n = 100; n < 10000; n += 700)
        CHECK(near(asbi_latency_p95(&lane.latency, n, n),
                   asbi_latency_p95(&want.latency, n, n)));
    CHECK(near(kind.input.factor, want_kind.input.factor));
    CHECK_INT(kind.input.calls, ==, 5);
    CHECK(near(kind.output.value, want_kind.output.value));
    CHECK(near(kind.sizing.count_cap, 61.25));
    CHECK(near(kind.sizing.output_share, 0.5));
    for (size_t i = 0; i < ASBI_LAW_SUMS; i++)
        CHECK(near(lane.law.sum[i], want.law.sum[i]));
    CHECK(near(asbi_tally_share(&lane.failed), 8.0 / 59));
    CHECK(near(asbi_tally_share(&lane.cut), 2.0 / 59));
    CHECK(near(asbi_tally_share(&kind.bad), 3.0 / 200));
    CHECK(near(lane.requests, 500) && near(lane.tokens, 200000));
    CHECK_INT(lane.lacks, ==, 37);
    CHECK(!asbi_learned_find_lane(text, kind_name, r.json, &lane));
    CHECK(!asbi_learned_find_kind(text, lane_name, r.json, &kind));
    rig_fini(&r);
}

/* A server that changed meanwhile is learned anew in a few calls. */
static void what_was_known_is_not_believed_for_ever(void)
{
    struct rig r;
    struct asbi_learned_lane lane;

    rig_init(&r, NULL);
    put_both(&r);
    asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
    CHECK(asbi_learned_find_lane(asbi_buf_view(&r.text), lane_name, r.json,
                                 &lane));
    for (int i = 1; i < 60; i++)
        asbi_latency_learn(&lane.latency, (uint64_t)i * 100, (uint64_t)i * 40,
                           2 * (1.25 + i * 0.2));
    double now = asbi_latency_expect(&lane.latency, 3000, 1200);
    CHECK(now > 0.85 * 2 * 7.25 && now < 1.15 * 2 * 7.25);
    rig_fini(&r);
}

static void others_are_kept_and_our_own_replaced(void)
{
    struct rig r;
    struct asbi_learned_lane lane = some_lane();
    struct asbi_buf second;

    rig_init(&r, NULL);
    asbi_buf_init(&second, r.mem, ASBI_LEARNED_MAX_BYTES);
    put_both(&r);
    asbi_learned_put_lane(&r.lines, ASBI_STR("other"), &lane);
    asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
    asbi_buf_clear(&r.lines);
    lane.in_flight = 7;
    asbi_learned_put_lane(&r.lines, lane_name, &lane);
    asbi_learned_merge(&second, asbi_buf_view(&r.lines),
                       asbi_buf_view(&r.text));
    asbi_str text = asbi_buf_view(&second);
    struct asbi_learned_kind kind;
    CHECK(asbi_learned_find_lane(text, lane_name, r.json, &lane));
    CHECK(near(lane.in_flight, 7));
    CHECK(asbi_learned_find_kind(text, kind_name, r.json, &kind));
    CHECK(asbi_learned_find_lane(text, ASBI_STR("other"), r.json, &lane));
    CHECK_INT(second.len, ==, r.text.len - 3); /* "48.5" became "7" */
    asbi_buf_fini(&second);
    rig_fini(&r);
}

static void the_longest_unused_is_dropped_first(void)
{
    struct rig r;
    struct asbi_learned_lane lane = some_lane();
    struct asbi_buf old;
    char name[32];

    rig_init(&r, NULL);
    asbi_buf_init(&old, r.mem, ASBI_LEARNED_MAX_BYTES);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "lane-%d", i);
        asbi_buf_clear(&r.lines);
        asbi_learned_put_lane(&r.lines, asbi_str_c(name), &lane);
        asbi_buf_clear(&old);
        asbi_buf_str(&old, asbi_buf_view(&r.text));
        asbi_buf_clear(&r.text);
        asbi_learned_merge(&r.text, asbi_buf_view(&r.lines),
                           asbi_buf_view(&old));
        CHECK(!asbi_buf_failed(&r.text));
    }
    asbi_str text = asbi_buf_view(&r.text);
    CHECK(asbi_learned_find_lane(text, ASBI_STR("lane-299"), r.json, &lane));
    CHECK(asbi_learned_find_lane(text, ASBI_STR("lane-200"), r.json, &lane));
    CHECK(!asbi_learned_find_lane(text, ASBI_STR("lane-199"), r.json, &lane));
    asbi_buf_fini(&old);
    rig_fini(&r);
}

/* Any changed byte, any cut: nothing of it is believed. */
static void a_damaged_text_is_not_sound(void)
{
    struct rig r;
    struct asbi_learned_lane lane;

    rig_init(&r, NULL);
    put_both(&r);
    asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
    for (size_t i = 0; i < r.text.len; i++) {
        asbi_str text = asbi_buf_view(&r.text);

        CHECK(!asbi_learned_is_sound(asbi_str_of(text.at, i)));
        r.text.data[i] ^= 1;
        CHECK(!asbi_learned_is_sound(text));
        CHECK(!asbi_learned_find_lane(text, lane_name, r.json, &lane));
        r.text.data[i] ^= 1;
    }
    CHECK(!asbi_learned_is_sound((asbi_str){ NULL, 0 }));
    rig_fini(&r);
}

/* Sums that are right over numbers that are not. */
static void numbers_out_of_range_are_refused_or_bounded(void)
{
    static const char *const bad[] = {
        "{\"lane\":\"x\"}",
        "{\"lane\":\"x\",\"in_flight\":[-1,0],\"seconds\":[1,1,1],\"evidence\":"
        "[1,1,1],\"usual\":[1,1,1],\"spread\":[1,1,1]}",
        "{\"lane\":\"x\",\"in_flight\":[1,0],\"seconds\":[1,1],\"evidence\":"
        "[1,1,1],\"usual\":[1,1,1],\"spread\":[1,1,1]}",
        "{\"lane\":\"x\",\"in_flight\":[1,0],\"seconds\":[1,1,1e300],"
        "\"evidence\":"
        "[1,1,1],\"usual\":[1,1,1],\"spread\":[1,1,1]}",
        "{\"lane\":\"x\",\"in_flight\":\"9\",\"seconds\":[1,1,1],\"evidence\":"
        "[1,1,1],\"usual\":[1,1,1],\"spread\":[1,1,1]}",
        "not even JSON",
    };
    struct rig r;
    struct asbi_learned_lane lane;
    struct asbi_learned_kind kind;

    rig_init(&r, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        asbi_buf_clear(&r.lines);
        asbi_buf_fmt(&r.lines, "%s\n", bad[i]);
        asbi_buf_clear(&r.text);
        asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
        CHECK(asbi_learned_is_sound(asbi_buf_view(&r.text)));
        CHECK(!asbi_learned_find_lane(asbi_buf_view(&r.text), ASBI_STR("x"),
                                      r.json, &lane));
    }
    asbi_buf_clear(&r.lines);
    asbi_buf_c(&r.lines, "{\"kind\":\"x\",\"input\":[1e9,3],\"output\":[0,3],"
                         "\"size\":[0.1,9]}\n");
    asbi_buf_clear(&r.text);
    asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
    CHECK(asbi_learned_find_kind(asbi_buf_view(&r.text), ASBI_STR("x"), r.json,
                                 &kind));
    CHECK(near(kind.input.factor, 3) && kind.output.value >= 0.001);
    CHECK(near(kind.sizing.count_cap, 1) && near(kind.sizing.output_share, 1));
    rig_fini(&r);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct rig r;
    struct asbi_learned_lane lane;
    int rc = ASB_ENOMEM;

    (void)arg;
    rig_init(&r, mem);
    if (r.json) {
        put_both(&r);
        asbi_learned_merge(&r.text, asbi_buf_view(&r.lines), ASBI_STR(""));
        if (!asbi_buf_failed(&r.lines) && !asbi_buf_failed(&r.text) &&
            asbi_learned_find_lane(asbi_buf_view(&r.text), lane_name, r.json,
                                   &lane))
            rc = ASB_OK;
    }
    rig_fini(&r);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(what_is_put_is_found_again),
          CASE(what_was_known_is_not_believed_for_ever),
          CASE(others_are_kept_and_our_own_replaced),
          CASE(the_longest_unused_is_dropped_first),
          CASE(a_damaged_text_is_not_sound),
          CASE(numbers_out_of_range_are_refused_or_bounded),
          CASE(every_failed_allocation_is_survived))
