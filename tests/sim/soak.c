/*
 * soak -- an engine that is fed day and night, in virtual time: what it holds
 * must not grow.
 *
 *   soak [--hours N] [--seed N]      24 hours without arguments
 *
 * Items come in waves, of three tenants and all classes; the provider limits,
 * fails, drops and cuts.  Held memory is looked at each virtual hour; the line
 * through what was held in the second half must not rise by more than a
 * hundredth of it in a day.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/units.h"
#include "engine/engine.h"
#include "engine/sim/world.h"
#include "tests/sim/meter.h"

enum { HOUR_S = 3600, MOST_HOURS = 1000 };

struct soak {
    struct meter mem, world_mem;
    struct asb_engine *engine;
    struct asbi_world *world;
    struct asbi_rng rng;
    uint64_t hours, sent, answered, ok;
    size_t held[MOST_HOURS]; /* at each hour's end, with nothing under way */
};

static void on_done(struct asb_engine *e, const struct asb_result *r, void *arg)
{
    struct soak *s = arg;

    (void)e;
    s->answered++;
    s->ok += r->ok;
}

static void submit(struct soak *s)
{
    static const char *const tenants[] = { "", "ann", "bob" };
    char text[80], id[24];

    (void)snprintf(id, sizeof(id), "%" PRIu64, s->sent);
    (void)snprintf(text, sizeof(text), "Sentence %" PRIu64 " of {name}.",
                   s->sent - asbi_rng_below(&s->rng, 20) * (s->sent > 20));
    struct asb_request q = { .size = sizeof(q),
                             .id = asbi_str_c(id),
                             .text = asbi_str_c(text) };

    q.tenant = asbi_str_c(tenants[asbi_rng_below(&s->rng, 3)]);
    q.priority = (enum asb_class)asbi_rng_below(&s->rng, 3);
    if (asb_submit(s->engine, &q, on_done, s, NULL) == ASB_OK)
        s->sent++;
}

/* One virtual minute: a wave, then whatever it takes. */
static void live_a_minute(struct soak *s)
{
    uint64_t end = asbi_now(s->world) + 60 * ASBI_SECOND;

    for (uint64_t n = asbi_rng_below(&s->rng, 60); n > 0; n--)
        submit(s);
    while (asbi_now(s->world) < end && asbi_sim_world_step(s->world))
        ;
    if (asbi_now(s->world) < end)
        asbi_sim_world_jump(s->world, end - asbi_now(s->world), 0);
}

static void rest(struct soak *s)
{
    asb_flush(s->engine);
    while (!asbi_engine_idle(s->engine) && asbi_sim_world_step(s->world))
        ;
}

static bool begin(struct soak *s, uint64_t seed)
{
    const struct asbi_sim_options provider = {
        .seed = seed,
        .latency = { .base_ns = 300 * ASBI_MS, .sigma = 0.5 },
        .network = { .round_trip_ns = 20 * ASBI_MS, .cut_rate = 0.01 },
        .rpm = 600,
        .error_rate = 0.01,
        .drop_item_rate = 0.02,
        .garbage_rate = 0.01,
        .disconnect_rate = 0.01,
    };
    struct asbi_task_material material = { .target_lang = "fr" };
    const struct asbi_log silent = { NULL, NULL };
    struct asb_options *o = asb_options_new();
    struct asb_message why;

    meter_init(&s->mem, seed);
    meter_init(&s->world_mem, seed);
    asbi_rng_seed(&s->rng, seed);
    s->engine = asbi_engine_alloc(&s->mem.mem, &silent);
    bool ok =
        o && s->engine &&
        !asb_options_set(o, "base_url", "http://sim.test/v1", ASB_FROM_HOST,
                         &why) &&
        !asb_options_set(o, "target_lang", "fr", ASB_FROM_HOST, &why) &&
        !asbi_sim_world_new(&s->world_mem.mem, seed, &provider, &s->world) &&
        !asbi_engine_init(s->engine, s->world, o, asbi_str_of("", 0), &material,
                          NULL, NULL);
    asb_options_free(o);
    return ok;
}

/* Bytes an hour, by least squares over the second half. */
static double slope(const struct soak *s)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;

    for (uint64_t h = s->hours / 2; h < s->hours; h++) {
        n++;
        x += (double)h;
        y += (double)s->held[h];
        xx += (double)h * (double)h;
        xy += (double)h * (double)s->held[h];
    }
    double spread = n * xx - x * x;
    return spread > 0 ? (n * xy - x * y) / spread : 0;
}

static int judge(const struct soak *s, double seconds)
{
    size_t last = s->held[s->hours - 1];
    double rise = slope(s) * 24;

    (void)printf("%" PRIu64 " virtual hours in %.1f core seconds; %" PRIu64
                 " items, %" PRIu64 " answered well; %zu bytes held at the "
                 "end, %zu at most, %.0f more in a day\n",
                 s->hours, seconds, s->sent, s->ok, last, s->mem.most_bytes,
                 rise);
    if (s->answered != s->sent) {
        (void)printf("%" PRIu64 " items are not answered\n",
                     s->sent - s->answered);
        return 1;
    }
    return rise > (double)last / 100 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct soak *s = calloc(1, sizeof(*s));
    uint64_t seed = 1;
    clock_t start = clock();

    if (!s)
        return 2;
    s->hours = 24;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--hours") == 0)
            s->hours = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
    }
    if (s->hours < 2 || s->hours > MOST_HOURS || !begin(s, seed))
        return 2;
    for (uint64_t h = 0; h < s->hours; h++) {
        for (unsigned minute = 0; minute < HOUR_S / 60; minute++)
            live_a_minute(s);
        rest(s);
        s->held[h] = s->mem.bytes;
    }
    int rc = judge(s, (double)(clock() - start) / CLOCKS_PER_SEC);
    asbi_engine_destroy(s->engine);
    if (s->mem.blocks || s->world_mem.blocks)
        rc = 1;
    free(s);
    return rc;
}
