/*
 * A plan against what then happens: the same items, options and provider, the
 * run with luck of its own.  Virtual time, several shapes of job.
 */
#include <math.h>
#include <unistd.h>

#include "engine/base/units.h"
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

struct shape {
    const char *name, *options[3][2];
};

/* The simulator's options are the plan's and the run's provider alike. */
static void set_all(struct asb_options *o, const struct shape *shape)
{
    struct asb_message why = { "" };

    for (size_t i = 0; i < 3 && shape->options[i][0]; i++) {
        if (asb_options_set(o, shape->options[i][0], shape->options[i][1],
                            ASB_FROM_HOST, &why))
            check_fail(__FILE__, __LINE__, "%s", why.text);
    }
}

static void plan(const struct shape *shape, const char *path,
                 struct asb_forecast *f)
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

static void run(const struct shape *shape, uint64_t seed, struct sim_run *r)
{
    struct asb_options *o = asb_options_new();
    size_t n = 0;

    sim_run_init(r, seed);
    r->items = ITEMS;
    r->text = text;
    set_all(o, shape);
    CHECK_INT(asbi_sim_options_from_config(&o->values, &r->provider, NULL), ==,
              ASB_OK);
    r->provider.seed = seed;
    asb_options_free(o);
    for (; n < 3 && shape->options[n][0]; n++) {
        r->options[n][0] = shape->options[n][0];
        r->options[n][1] = shape->options[n][1];
    }
    r->options[n][0] = "model";
    r->options[n][1] = "sim-1";
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    r->engine->patient = true; /* as a job is that reads a file */
    sim_run_play(r);
    CHECK(r->finished);
}

static double off(double told, double was)
{
    return fabs(told - was) / was;
}

static void check(const struct shape *shape, const char *path)
{
    struct asb_forecast f;

    plan(shape, path, &f);
    for (uint64_t seed = 11; seed < 11 + check_times(2, 10); seed++) {
        struct sim_run r;

        run(shape, seed, &r);
        double cost =
            off((double)f.cost_nano_usd, (double)r.stats.cost_nano_usd);
        double seconds = off(f.seconds, (double)r.virtual_ns / 1e9);
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr,
                          "%-12s cost off %.1f %%, time off %.1f %% (%.1f s)\n",
                          shape->name, 100 * cost, 100 * seconds, f.seconds);
        CHECK(cost <= 0.05);
        /* How long one item fails again and again is luck. */
        CHECK(strcmp(shape->name, "faults") == 0 || seconds <= 0.15);
        sim_run_end(&r);
    }
}

static void a_plan_holds_for_jobs_of_many_shapes(void)
{
    static const struct shape shapes[] = {
        { "adaptive",
          { { "sim_latency", "base=1s,per_output_token=2ms,sigma=0.3" } } },
        { "one worker",
          { { "sim_latency", "base=1s,per_output_token=2ms,sigma=0.3" },
            { "workers", "1" } } },
        { "rate limit",
          { { "sim_rpm", "60" }, { "rpm", "60" }, { "batch_size", "10" } } },
        { "token limit", { { "sim_tpm", "60000" }, { "tpm", "60000" } } },
        { "slow server",
          { { "sim_capacity", "4" },
            { "sim_latency", "base=1s,per_output_token=1ms,sigma=0.5" } } },
        { "faults",
          { { "sim_drop_item_rate", "0.02" },
            { "sim_error_rate", "0.02" },
            { "sim_latency", "base=2s,per_output_token=5ms,sigma=0.3" } } },
        { "one each",
          { { "batch_size", "1" },
            { "workers", "20" },
            { "sim_latency", "base=500ms,sigma=0.3" } } },
    };
    char path[] = "/tmp/asb-test-plan-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0 && close(fd) == 0);
    put_input(path);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        check(&shapes[i], path);
    CHECK_INT(unlink(path), ==, 0);
}

TEST_MAIN(CASE(a_plan_holds_for_jobs_of_many_shapes))
