/*
 * torture -- one scenario that touches everything, over and over: the n-th
 * allocation fails, for every n; then the n-th and all after it.
 *
 *   torture [--from SEED] [--count SEEDS]
 *
 * Each run is judged like any of the campaign's: nothing is lost, repeated,
 * answered wrongly or leaked, whatever there was no memory for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/units.h"
#include "tests/sim/play.h"

static void add(struct scenario *s, const char *name, const char *value)
{
    struct scenario_option *o = &s->options[s->option_count++];

    o->name = name;
    (void)snprintf(o->value, sizeof(o->value), "%s", value);
}

/* Classes, tenants, repeated texts, single prompts, deadlines, a budget with a
 * webhook, cancelling, flushing, and every fault of the provider. */
static void draw(struct scenario *s, uint64_t seed)
{
    scenario_draw(s, seed);
    s->items = 40;
    s->texts = 25;
    s->tenants = 3;
    s->classes = s->deadlines = s->lengths = s->bodies = true;
    s->cancel = s->flush = s->jump = 0.01;
    s->no_memory = 0;
    s->stop_after = 0;
    s->workers = s->rpm = 0;
    s->paced = false;
    s->max_attempts = 4;
    s->budget = 20 * ASBI_USD / 1000;
    s->provider = (struct asbi_sim_options){
        .seed = seed,
        .latency = { .base_ns = 100 * ASBI_MS, .sigma = 0.3 },
        .network = { .round_trip_ns = ASBI_MS,
                     .cut_rate = 0.05,
                     .refuse_rate = 0.02,
                     .slow_rate = 0.05 },
        .rpm = 400,
        .error_rate = 0.05,
        .drop_item_rate = 0.05,
        .truncate_rate = 0.05,
        .garbage_rate = 0.1,
        .disconnect_rate = 0.05,
    };
    s->option_count = 0;
    add(s, "budget", "0.02");
    add(s, "budget_webhook", "http://sim.test/alerts");
    add(s, "batch_size", "5");
}

static int check(const struct scenario *s, uint64_t seed)
{
    struct outcome o;

    play_scenario(s, &o);
    if (!o.broken[0])
        return 0;
    (void)printf("seed %" PRIu64 ", allocation %zu%s: %s\n", seed,
                 s->no_memory_at, s->no_memory_after ? " and after" : "",
                 o.broken);
    return 1;
}

static int torture(uint64_t seed, size_t *runs)
{
    struct scenario s;
    struct outcome o;
    int broken;

    draw(&s, seed);
    broken = check(&s, seed);
    play_scenario(&s, &o);
    size_t most = o.allocations + o.allocations / 4;
    for (size_t n = 1; !broken && n <= most; n++) {
        s.no_memory_at = n;
        s.no_memory_after = false;
        broken += check(&s, seed);
        s.no_memory_after = true;
        broken += check(&s, seed);
        *runs += 2;
    }
    return broken;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, count = 10;
    size_t runs = 0;
    int broken = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--from") == 0)
            from = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0)
            count = strtoull(argv[i + 1], NULL, 10);
    }
    for (uint64_t seed = from; !broken && seed - from < count; seed++)
        broken += torture(seed, &runs);
    (void)printf("%zu runs, %d broken\n", runs, broken);
    return broken || !runs ? 1 : 0;
}
