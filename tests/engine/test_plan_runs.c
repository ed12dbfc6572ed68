/*
 * A plan against what then happens: the same items, options and provider, the
 * run with luck of its own.  Virtual time, several shapes of job; once with the
 * provider's ways known from the options, once from what an earlier run left.
 */
#include <math.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "engine/learned.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { ITEMS = 10000 };

/* From a word to a paragraph. */
static const char *text(size_t i, char *room, size_t size)
{
    static const char *const parts[] = {
        "Save", "Could not open the file.",
        "Try again in a few minutes, or ask "
        "whoever looks after this machine.",
        "The changes could not be saved because the disk is full; free some "
        "space, choose another folder, or go on without saving."
    };

    (void)snprintf(room, size, "%s (%zu)", parts[i % 4], i);
    return room;
}

enum { MOST_OPTIONS = 5 };

/* What a forecast may be off from the mean of ten runs.  Single ones have luck
 * of their own, where a slow answer or the unluckiest item comes last: half of
 * them may be so far off, and any of them. */
#define TRUE_TIME 0.15
#define HALF 0.2
#define LUCK 0.35
enum { MANY = 10 };

struct shape {
    const char *name, *options[MOST_OPTIONS][2];
};

/* The simulator's options are the plan's and the run's provider alike. */
static void set_all(struct asb_options *o, const struct shape *shape)
{
    struct asb_message why = { "" };

    for (size_t i = 0; i < MOST_OPTIONS && shape->options[i][0]; i++) {
        if (asb_options_set(o, shape->options[i][0], shape->options[i][1],
                            ASB_FROM_HOST, &why))
            check_fail(__FILE__, __LINE__, "%s", why.text);
    }
}

/* `more`: further options, up to a NULL. */
static void plan(const struct shape *shape, const char *path,
                 const char *more[][2], struct asb_forecast *f)
{
    const char *settings[][2] = { { "input", path },
                                  { "input_format", "jsonl" },
                                  { "target_lang", "fr" },
                                  { "model", "sim-1" } };
    struct asb_options *o = asb_options_new();
    struct asb_plan *p = NULL;
    struct asb_message why = { "" };

    for (size_t i = 0; i < 4; i++)
        CHECK_INT(asb_options_set(o, settings[i][0], settings[i][1],
                                  ASB_FROM_HOST, &why),
                  ==, ASB_OK);
    set_all(o, shape);
    for (size_t i = 0; more && more[i][0]; i++)
        CHECK_INT(
            asb_options_set(o, more[i][0], more[i][1], ASB_FROM_HOST, &why), ==,
            ASB_OK);
    if (asb_plan_new(o, NULL, &p, &why))
        check_fail(__FILE__, __LINE__, "%s", why.text);
    f->size = sizeof(*f);
    asb_plan_get(p, f);
    asb_plan_free(p);
    asb_options_free(o);
}

static void put_input(const char *path)
{
    char room[512];
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    for (size_t i = 0; i < ITEMS; i++)
        (void)fprintf(f, "{\"id\":\"%zu\",\"text\":\"%s\"}\n", i,
                      text(i, room, sizeof(room)));
    CHECK(fclose(f) == 0);
}

static void run(const struct shape *shape, const char *more[][2], uint64_t seed,
                struct sim_run *r)
{
    struct asb_options *o = asb_options_new();
    struct asbi_recalled recalled;
    size_t n = 0;

    sim_run_init(r, seed);
    r->items = ITEMS;
    r->text = text;
    set_all(o, shape);
    CHECK_INT(asbi_sim_options_from_config(&o->values, &r->provider, NULL), ==,
              ASB_OK);
    r->provider.seed = seed;
    asb_options_free(o);
    for (size_t i = 0; i < MOST_OPTIONS && shape->options[i][0]; i++, n++)
        memcpy(r->options[n], shape->options[i], sizeof(r->options[n]));
    r->options[n][0] = "model";
    r->options[n++][1] = "sim-1";
    for (size_t i = 0; more && more[i][0]; i++, n++)
        memcpy(r->options[n], more[i], sizeof(r->options[n]));
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    asbi_learned_load(r->engine->options, &asbi_mem_system, &r->engine->log,
                      &recalled);
    asbi_learned_start(r->engine->lane, &recalled);
    r->engine->patient = true; /* as a job is that reads a file */
    sim_run_play(r);
    CHECK(r->finished);
}

static double off(double told, double was)
{
    return fabs(told - was) / was;
}

/* What an earlier run left, as plan and runs alike find it. */
static char left_behind[65536];
static size_t left_bytes;

static void keep_state(const char *path)
{
    FILE *f = fopen(path, "r");

    CHECK(f != NULL);
    left_bytes = fread(left_behind, 1, sizeof(left_behind), f);
    CHECK(left_bytes > 0 && left_bytes < sizeof(left_behind));
    CHECK(fclose(f) == 0);
}

static void put_state(const char *path)
{
    FILE *f = path ? fopen(path, "w") : NULL;

    if (!path)
        return;
    CHECK(f != NULL);
    CHECK(fwrite(left_behind, 1, left_bytes, f) == left_bytes);
    CHECK(fclose(f) == 0);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of one run: how far the time was off. */
static double compare_one(const struct shape *shape,
                          const struct asb_forecast *f, const struct sim_run *r)
{
    double was = (double)r->virtual_ns / 1e9;
    double cost = off((double)f->cost_nano_usd, (double)r->stats.cost_nano_usd);
    double seconds = off(f->seconds, was);

    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr,
                      "%-12s cost off %.1f %%, time off %.1f %%: %.1f s (%.1f "
                      "to %.1f), was %.1f\n",
                      shape->name, 100 * cost, 100 * seconds, f->seconds,
                      f->seconds_low, f->seconds_high, was);
    CHECK(cost <= 0.05);
    CHECK(seconds <= LUCK);
    return seconds;
}

/* What was forecast against so many runs; `state`: each begins with it. */
static void compare(const struct shape *shape, const char *more[][2],
                    const struct asb_forecast *f, const char *state,
                    size_t runs)
{
    double seconds[MANY], all = 0;

    for (size_t i = 0; i < runs; i++) {
        struct sim_run r;

        put_state(state);
        run(shape, more, 11 + i, &r);
        seconds[i] = compare_one(shape, f, &r);
        all += (double)r.virtual_ns / 1e9;
        sim_run_end(&r);
    }
    qsort(seconds, runs, sizeof(seconds[0]), ascending);
    double mean = off(f->seconds, all / (double)runs),
           middle = seconds[runs / 2];
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr,
                      "%-12s time off %.1f %% from the mean, %.1f %% from the "
                      "middling run, %.1f %% at worst\n",
                      shape->name, 100 * mean, 100 * middle,
                      100 * seconds[runs - 1]);
    CHECK(runs < MANY || (mean <= TRUE_TIME && middle <= HALF));
}

static void make_input(char *path)
{
    int fd = mkstemp(path);

    CHECK(fd >= 0 && close(fd) == 0);
    put_input(path);
}

#define SLOW "base=1s,per_output_token=2ms,sigma=0.3"
#define SLOWER "base=2s,per_output_token=5ms,sigma=0.3"

static void a_plan_holds_for_jobs_of_many_shapes(void)
{
    static const struct shape shapes[] = {
        { "adaptive", { { "sim_latency", SLOW } } },
        { "faults",
          { { "sim_drop_item_rate", "0.02" },
            { "sim_error_rate", "0.02" },
            { "sim_latency", SLOWER } } },
        { "one worker", { { "sim_latency", SLOW }, { "workers", "1" } } },
        { "rate limit",
          { { "sim_rpm", "60" }, { "rpm", "60" }, { "batch_size", "10" } } },
        { "token limit", { { "sim_tpm", "60000" }, { "tpm", "60000" } } },
        { "slow server",
          { { "sim_capacity", "4" },
            { "sim_latency", "base=1s,per_output_token=1ms,sigma=0.5" } } },
        { "many faults",
          { { "sim_drop_item_rate", "0.05" },
            { "sim_error_rate", "0.08" },
            { "sim_latency", SLOWER } } },
        { "cut answers",
          { { "sim_disconnect_rate", "0.03" },
            { "sim_garbage_rate", "0.02" },
            { "sim_latency", SLOWER } } },
        { "one each",
          { { "batch_size", "1" },
            { "workers", "20" },
            { "sim_latency", "base=500ms,sigma=0.3" } } },
    };
    char path[] = "/tmp/asb-test-plan-XXXXXX";

    make_input(path);
    for (size_t i = 0; i < check_times(3, sizeof(shapes) / sizeof(shapes[0]));
         i++) {
        struct asb_forecast f;

        plan(&shapes[i], path, NULL, &f);
        compare(&shapes[i], NULL, &f, NULL, check_times(2, MANY));
    }
    CHECK_INT(unlink(path), ==, 0);
}

/* The provider is one of those that a plan knows nothing of; the first run
 * finds out. */
static void a_plan_knows_what_the_last_run_learned(void)
{
    static const struct shape shapes[] = {
        { "quick", { { "sim_latency", SLOW } } },
        { "faults",
          { { "sim_drop_item_rate", "0.02" },
            { "sim_error_rate", "0.02" },
            { "sim_latency", SLOWER } } },
        { "workers", { { "sim_latency", SLOW }, { "workers", "4" } } },
        { "slow server",
          { { "sim_capacity", "4" },
            { "sim_latency", "base=1s,per_output_token=1ms,sigma=0.5" } } },
        { "cut answers",
          { { "sim_disconnect_rate", "0.03" },
            { "sim_garbage_rate", "0.02" },
            { "sim_latency", SLOWER } } },
        { "told limit", { { "sim_tpm", "60000" } } },
    };
    char path[] = "/tmp/asb-test-plan-XXXXXX";
    char state[] = "/tmp/asb-test-state-XXXXXX";
    const char *more[][2] = { { "provider", "openai" },
                              { "model", "gpt-4.1-mini" },
                              { "base_url", "http://sim.test/v1" },
                              { "state", state },
                              { NULL, NULL } };
    int fd = mkstemp(state);

    CHECK(fd >= 0 && close(fd) == 0);
    make_input(path);
    for (size_t i = 0; i < check_times(2, sizeof(shapes) / sizeof(shapes[0]));
         i++) {
        struct asb_forecast f;
        struct sim_run first;

        CHECK_INT(truncate(state, 0), ==, 0);
        run(&shapes[i], more, 5, &first);
        sim_run_end(&first); /* frees the engine, which saves */
        keep_state(state);
        plan(&shapes[i], path, more, &f);
        compare(&shapes[i], more, &f, state, check_times(1, MANY));
    }
    CHECK_INT(unlink(path), ==, 0);
    CHECK_INT(unlink(state), ==, 0);
}

TEST_MAIN(CASE(a_plan_holds_for_jobs_of_many_shapes),
          CASE(a_plan_knows_what_the_last_run_learned))
