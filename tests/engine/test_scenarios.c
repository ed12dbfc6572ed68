/*
 * The nine scenarios that a smart batcher of content requests has to master,
 * each through the whole engine; the first eight in virtual time.
 */
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/real/cache_sqlite.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

/* ---- what is seen of the calls ----------------------------------------- */

enum { MOST_CALLS = 400, MOST_ITEMS = 100 };

struct seen {
    size_t calls;
    struct seen_call {
        uint64_t at_ns;
        size_t count, items[MOST_ITEMS];
        uint64_t tokens;
    } call[MOST_CALLS];
};

static void on_send(void *arg, const struct asbi_call *call)
{
    struct seen *s = arg;
    struct seen_call *c = &s->call[s->calls++];

    CHECK(s->calls <= MOST_CALLS && call->count <= MOST_ITEMS);
    c->at_ns = call->started_ns;
    c->count = call->count;
    c->tokens = call->demand.input_tokens + call->demand.output_tokens;
    for (size_t i = 0; i < call->count; i++) {
        const char *digits = strchr(call->entries[i].item->id.at, '-') + 1;

        c->items[i] = (size_t)strtoul(digits, NULL, 10);
    }
}

static const char *prompt(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "A lighthouse in a storm, take %zu", i);
    return room;
}

/* Content requests, each to be turned into a storyboard by a model. */
static void content_init(struct sim_run *r, size_t items,
                         const char *(*fields)(size_t, char *, size_t))
{
    sim_run_init(r, 1);
    r->items = items;
    r->fields = fields;
    r->text = prompt;
    r->instructions = "Write a storyboard of one sentence: {{text}}";
    sim_run_set(r, "task", "prompt");
}

static struct seen *play(struct sim_run *r)
{
    struct seen *s = calloc(1, sizeof(*s));

    CHECK(s != NULL);
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    r->engine->watch = (struct asbi_watch){ on_send, s };
    sim_run_play(r);
    CHECK(r->finished);
    for (size_t i = 0; i < r->items; i++) {
        CHECK_INT(r->answers[i].callbacks, ==, 1);
        CHECK(r->answers[i].ok);
    }
    return s;
}

static void end(struct sim_run *r, struct seen *s)
{
    sim_run_end(r);
    free(s);
}

/* ---- 1 ------------------------------------------------------------------ */

static const char *two_types(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size,
                   "{\"content_type\":\"%s\",\"resolution\":\"1024x1024\"}",
                   i % 2 ? "image" : "video");
    return room;
}

static void basic_batching(void)
{
    struct sim_run r;

    content_init(&r, 40, two_types);
    struct seen *s = play(&r);
    CHECK_INT(s->calls, ==, 2);
    CHECK_INT(r.stats.items_ok, ==, 40);
    for (size_t c = 0; c < s->calls; c++) {
        CHECK_INT(s->call[c].count, ==, 20);
        for (size_t i = 0; i < s->call[c].count; i++)
            CHECK_INT(s->call[c].items[i] % 2, ==, s->call[c].items[0] % 2);
    }
    end(&r, s);
}

/* ---- 2 ------------------------------------------------------------------ */

static const char *engines[] = { "veo", "luma" };
static const char *resolutions[] = { "1920x1080", "3840x2160" };
static const unsigned durations[] = { 30, 60 };

static const char *mixture(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size,
                   "{\"content_type\":\"video\",\"engine\":\"%s\","
                   "\"resolution\":\"%s\",\"duration\":%u,\"style_params\":{"
                   "\"mood\":\"%s\"}}",
                   engines[i % 2], resolutions[i / 2 % 2],
                   durations[i / 4 % 2] + (unsigned)(i % 3),
                   i / 4 % 2 ? "calm" : "wild");
    return room;
}

/* Engine and resolution never mix; durations are within a fifth wherever that
 * costs no call. */
static void similarity_grouping(void)
{
    struct sim_run r;
    size_t apart = 0;

    content_init(&r, 400, mixture);
    struct seen *s = play(&r);
    CHECK_INT(s->calls, ==, 16); /* four kinds of 100, 25 at once */
    for (size_t c = 0; c < s->calls; c++) {
        const struct seen_call *call = &s->call[c];

        CHECK_INT(call->count, ==, 25);
        for (size_t i = 1; i < call->count; i++) {
            CHECK_INT(call->items[i] % 4, ==, call->items[0] % 4);
            apart += call->items[i] / 4 % 2 != call->items[0] / 4 % 2;
        }
    }
    CHECK_INT(apart, ==, 0);
    end(&r, s);
}

/* ---- 3 ------------------------------------------------------------------ */

static const char *one_image(size_t i, char *room, size_t size)
{
    (void)i;
    (void)snprintf(room, size, "{\"content_type\":\"image\"}");
    return room;
}

/* Each prompt three times; all begin with the same five words. */
static const char *thrice(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "A red fox in the %s",
                   (const char *[]){ "snow", "rain", "woods", "city" }[i % 4]);
    return room;
}

/* Milliseconds since 1970 in the simulated world, more or less. */
static const uint64_t virtual_now_ms = UINT64_C(1700000000000);

static struct asbi_store *store_at(const char *path)
{
    struct asbi_cache_file_options o = { .path = path,
                                         .now_ms = virtual_now_ms };
    struct asbi_cache_file *f = NULL;
    struct asb_message why = { "" };

    CHECK_INT(asbi_cache_file_open(&asbi_mem_system, &o, &f, &why), ==, ASB_OK);
    return asbi_cache_file_store(f);
}

static void cache_reuse(void)
{
    char folder[] = "/tmp/asb-test-scenario-XXXXXX", path[64];

    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/answers", folder);
    for (int again = 0; again < 2; again++) {
        struct sim_run r;

        content_init(&r, 12, one_image);
        r.text = thrice;
        r.store = store_at(path);
        struct seen *s = play(&r);
        CHECK_INT(s->calls, ==, again ? 0 : 1);
        CHECK_INT(r.served.items, ==, again ? 0 : 4);
        CHECK_INT(r.stats.items_duplicate + r.stats.items_cached, ==,
                  again ? 12 : 8);
        CHECK(r.stats.saved_nano_usd > 0);
        /* Like is not same: four prompts, four answers. */
        for (size_t i = 0; i < 4; i++) {
            CHECK(r.answers[i].output_hash == r.answers[i + 8].output_hash);
            CHECK(i == 0 ||
                  r.answers[i].output_hash != r.answers[0].output_hash);
        }
        end(&r, s);
    }
    CHECK_INT(unlink(path), ==, 0);
    CHECK_INT(rmdir(folder), ==, 0);
}

/* ---- 4 ------------------------------------------------------------------ */

struct plan_case {
    const char *line; /* of the input, with a number in it */
    const char *advice;
};

static void put_input(const char *path, const char *line, size_t lines)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    for (size_t i = 0; i < lines; i++) {
        (void)fprintf(f, "{\"id\":\"%zu\",", i);
        (void)fprintf(f, "%s", line);
        (void)fprintf(f, "%zu.\"}\n", i);
    }
    CHECK(fclose(f) == 0);
}

static void check_advice(const char *path, const struct plan_case *c)
{
    const char *settings[][2] = { { "input", path },
                                  { "input_format", "jsonl" },
                                  { "target_lang", "fr" },
                                  { "provider", "openai" },
                                  { "model", "gpt-4.1-mini" } };
    struct asb_options *o = asb_options_new();
    struct asb_message why = { "" };
    struct asb_plan *plan = NULL;

    put_input(path, c->line, 60);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        CHECK_INT(asb_options_set(o, settings[i][0], settings[i][1],
                                  ASB_FROM_HOST, &why),
                  ==, ASB_OK);
    CHECK_INT(asb_plan_new(o, NULL, &plan, &why), ==, ASB_OK);
    const char *told = asb_plan_text(plan, ASB_PLAN_JSON).at;
    if (!strstr(told, c->advice))
        check_fail(__FILE__, __LINE__, "no %s in %s", c->advice, told);
    CHECK(strstr(told, "\"risk\":\"") != NULL);
    asb_plan_free(plan);
    asb_options_free(o);
}

/* Thirty words. */
#define LONG                                                              \
    "The keeper of the lighthouse climbs the stairs each evening, trims " \
    "the lamp, writes the weather into a book and waits for the ships "   \
    "that come home late from the far islands. "

/* Short items share a long prompt; of long ones it is a small part; whole
 * requests cannot share one. */
static void cost_benefit_analysis(void)
{
    static const struct plan_case cases[] = {
        { "\"text\":\"Sunrise, shot ", "process_as_batch" },
        { "\"text\":\"" LONG LONG LONG LONG LONG LONG LONG LONG,
          "consider_batch" },
        { "\"prompt\":\"Describe shot ", "process_individually" },
    };
    char path[] = "/tmp/asb-test-scenario-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0 && close(fd) == 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_advice(path, &cases[i]);
    CHECK_INT(unlink(path), ==, 0);
}

/* ---- 5 ------------------------------------------------------------------ */

static enum asb_class the_least_first(size_t i)
{
    static const enum asb_class of[] = { ASB_BACKGROUND, ASB_NORMAL,
                                         ASB_URGENT };

    return of[i / 50];
}

static void priority_order(void)
{
    struct sim_run r;
    double mean[3] = { 0, 0, 0 };

    content_init(&r, 150, one_image);
    r.priority = the_least_first;
    sim_run_set(&r, "workers", "1");
    struct seen *s = play(&r);
    for (size_t i = 0; i < r.items; i++)
        mean[the_least_first(i)] += (double)r.answers[i].order / 50;
    CHECK(mean[ASB_URGENT] < mean[ASB_NORMAL]);
    CHECK(mean[ASB_NORMAL] < mean[ASB_BACKGROUND]);
    /* No call holds items of two classes. */
    for (size_t c = 0; c < s->calls; c++) {
        for (size_t i = 1; i < s->call[c].count; i++)
            CHECK_INT(s->call[c].items[i] / 50, ==, s->call[c].items[0] / 50);
    }
    end(&r, s);
}

/* ---- 6 ------------------------------------------------------------------ */

static const char *simple_then_complex(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "Shot %zu. %s", i, i < 100 ? "" : LONG LONG);
    return room;
}

static const char *simple_or_complex(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "{\"content_type\":\"%s\",\"duration\":%u}",
                   i < 100 ? "image" : "video", i < 100 ? 0 : 600);
    return room;
}

/* Longer texts and longer media make for fewer items in a call. */
static void dynamic_sizing_by_complexity(void)
{
    struct sim_run r;
    size_t most[2] = { 0, 0 };

    content_init(&r, 200, simple_or_complex);
    r.text = simple_then_complex;
    r.provider.latency.per_output_token_ns = 10 * ASBI_MS;
    sim_run_set(&r, "batch_target", "20s");
    struct seen *s = play(&r);
    for (size_t c = 0; c < s->calls; c++) {
        size_t complex = s->call[c].items[0] >= 100;

        if (s->call[c].count > most[complex])
            most[complex] = s->call[c].count;
    }
    CHECK_INT(most[0], >=, 20);
    CHECK_INT(most[0], <=, 25);
    CHECK_INT(most[1], <=, 3); /* half an hour in all */
    CHECK(r.served.longest_ns <= 20 * ASBI_SECOND);
    end(&r, s);
}

/* ---- 7 ------------------------------------------------------------------ */

static void on_job_done(struct asb_job *job, enum asb_exit status,
                        const char *reason, void *arg)
{
    (void)job;
    (void)reason;
    *(int *)arg = (int)status;
}

static void put_pipeline_input(const char *path)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    for (unsigned i = 0; i < 60; i++) {
        if (i == 30)
            (void)fprintf(f, "{\"id\":\"torn\n");
        (void)fprintf(f,
                      "{\"id\":\"job-%u\",\"content_type\":\"%s\",\"text\":"
                      "\"Scene %u\",\"engine\":\"veo\",\"priority\":%u}\n",
                      i, i % 3 ? "video" : "audio", i, 1 + i % 3);
    }
    CHECK(fclose(f) == 0);
}

static struct asb_options *job_options(const char *in, const char *out,
                                       const char *url)
{
    const char *settings[][2] = {
        { "input", in },
        { "output", out },
        { "input_format", "jsonl" },
        { "output_format", "jsonl" },
        { "target_lang", "fr" },
        { "base_url", url },
    };
    struct asb_options *o = asb_options_new();
    struct asb_message why = { "" };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        CHECK_INT(asb_options_set(o, settings[i][0], settings[i][1],
                                  ASB_FROM_HOST, &why),
                  ==, ASB_OK);
    return o;
}

static struct asb_simulator *simulator_on(struct event_base *base)
{
    struct asb_options *o = asb_options_new();
    struct asb_simulator *simulator = NULL;
    struct asb_message why = { "" };

    CHECK_INT(
        asb_options_set(o, "sim_latency", "base=1ms", ASB_FROM_HOST, &why), ==,
        ASB_OK);
    CHECK_INT(asb_simulator_new(base, o, "127.0.0.1:0", &simulator, &why), ==,
              ASB_OK);
    asb_options_free(o);
    return simulator;
}

static int run_job(const char *in, const char *out)
{
    struct asb_hooks hooks = { .size = sizeof(hooks),
                               .base = event_base_new() };
    struct asb_simulator *simulator = simulator_on(hooks.base);
    struct asb_message why = { "" };
    struct asb_engine *engine = NULL;
    struct asb_job *job = NULL;
    char url[128];
    int status = -1;

    (void)snprintf(url, sizeof(url), "%s/v1", asb_simulator_url(simulator));
    struct asb_options *o = job_options(in, out, url);
    CHECK_INT(asb_engine_new(o, &hooks, &engine, &why), ==, ASB_OK);
    CHECK_INT(asb_job_new(engine, on_job_done, &status, &job, &why), ==,
              ASB_OK);
    while (status < 0)
        CHECK_INT(event_base_loop(hooks.base, EVLOOP_ONCE), ==, 0);
    asb_job_free(job);
    CHECK_INT(asb_engine_free(engine), ==, ASB_OK);
    asb_options_free(o);
    asb_simulator_free(simulator);
    event_base_free(hooks.base);
    return status;
}

/* A file of requests in, every answer out, in order; the torn line fails
 * alone. */
static void pipeline_integration(void)
{
    char folder[] = "/tmp/asb-test-scenario-XXXXXX", in[64], out[64];
    char line[4096], want[32];
    unsigned lines = 0, ok = 0;

    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(in, sizeof(in), "%s/in", folder);
    (void)snprintf(out, sizeof(out), "%s/out", folder);
    put_pipeline_input(in);
    CHECK_INT(run_job(in, out), ==, ASB_EXIT_SOME_FAILED);
    FILE *f = fopen(out, "r");
    CHECK(f != NULL);
    for (; fgets(line, sizeof(line), f); lines++) {
        (void)snprintf(want, sizeof(want), "{\"id\":\"job-%u\"",
                       lines - (lines > 30));
        CHECK(lines == 30 || strncmp(line, want, strlen(want)) == 0);
        ok += strstr(line, "\"status\":\"ok\"") != NULL;
    }
    CHECK(fclose(f) == 0);
    CHECK_INT(lines, ==, 61);
    CHECK_INT(ok, ==, 60);
    CHECK_INT(unlink(in) + unlink(out), ==, 0);
    (void)snprintf(in, sizeof(in), "%s/out.journal", folder);
    (void)unlink(in); /* if one was kept */
    CHECK_INT(rmdir(folder), ==, 0);
}

/* ---- 8 ------------------------------------------------------------------ */

/* What is reported is what the provider counted. */
static void performance_metrics(void)
{
    struct sim_run r;

    content_init(&r, 300, one_image);
    r.provider.latency.base_ns = 400 * ASBI_MS;
    r.provider.drop_item_rate = 0.02;
    sim_run_set(&r, "workers", "4");
    struct seen *s = play(&r);
    CHECK_INT(r.stats.calls, ==, r.served.calls);
    CHECK_INT(r.stats.calls, ==, s->calls);
    CHECK_INT(r.stats.batches, ==, s->calls);
    CHECK_INT(r.stats.batch_items, ==, r.served.items);
    CHECK_INT(r.stats.input_tokens, ==, r.served.billed_input);
    CHECK_INT(r.stats.output_tokens, ==, r.served.billed_output);
    CHECK_INT(r.stats.cost_nano_usd, ==, r.served.billed_nano_usd);
    CHECK_INT(r.stats.items_total, ==, r.stats.items_ok);
    CHECK_INT(r.stats.items_retried, ==, r.served.dropped);
    CHECK(r.stats.latency_ms_sum >= 400 * s->calls);
    CHECK(r.stats.latency_ms_sum <= 420 * s->calls);
    CHECK_INT(r.stats.in_flight_max, ==, 4);
    end(&r, s);
}

/* ---- 9 ------------------------------------------------------------------ */

/* Ten a minute, whichever minute one looks at. */
static void rate_limiting(void)
{
    struct sim_run r;

    content_init(&r, 60, one_image);
    r.provider.rpm = 10;
    sim_run_set(&r, "rpm", "10");
    sim_run_set(&r, "batch_size", "1");
    struct seen *s = play(&r);
    CHECK_INT(s->calls, ==, 60);
    CHECK_INT(r.stats.calls_429, ==, 0);
    for (size_t c = 0; c + 10 < s->calls; c++)
        CHECK(s->call[c + 10].at_ns - s->call[c].at_ns >= 60 * ASBI_SECOND);
    CHECK(r.virtual_ns < 380 * ASBI_SECOND); /* and no slower than it may be */
    end(&r, s);
}

TEST_MAIN(CASE(basic_batching), CASE(similarity_grouping), CASE(cache_reuse),
          CASE(cost_benefit_analysis), CASE(priority_order),
          CASE(dynamic_sizing_by_complexity), CASE(pipeline_integration),
          CASE(performance_metrics), CASE(rate_limiting))
