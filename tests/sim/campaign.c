/*
 * campaign -- plays seeds, one after the other, and says of each that breaks
 * something what it was and how to see it again.
 *
 *   campaign --seed N          one seed, and what it is about
 *   campaign [--from N] [--count N] [--twice] [--go-on]
 *
 * --twice plays each seed two times and compares the traces.  The last line
 * gives a hash over all traces: two builds that agree on it did the same.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "tests/sim/play.h"
#include "tests/sim/scenario.h"

struct campaign {
    uint64_t from, count;
    bool twice, go_on, one;

    uint64_t played, broken, traces;
    uint64_t items, ok, calls, steps, halted, failed_allocations, deaths;
    size_t most_bytes;
    double virtual_hours;
};

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool read_arguments(struct campaign *c, int argc, char **argv)
{
    *c = (struct campaign){ .from = 1, .count = 1000 };
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;

        if (strcmp(argv[i], "--twice") == 0)
            c->twice = true;
        else if (strcmp(argv[i], "--go-on") == 0)
            c->go_on = true;
        else if (more && strcmp(argv[i], "--seed") == 0)
            c->one = read_number(argv[++i], &c->from);
        else if (more && strcmp(argv[i], "--from") == 0 &&
                 read_number(argv[i + 1], &c->from))
            i++;
        else if (more && strcmp(argv[i], "--count") == 0 &&
                 read_number(argv[i + 1], &c->count))
            i++;
        else
            return false;
    }
    c->count = c->one ? 1 : c->count;
    return true;
}

static void tell_seed(uint64_t seed, const struct outcome *o)
{
    struct scenario s;
    char line[2000];

    scenario_draw(&s, seed);
    scenario_tell(&s, line, sizeof(line));
    (void)printf("seed %" PRIu64 ": %s\n", seed, line);
    (void)printf("%" PRIu64 " of %" PRIu64 " items answered in %" PRIu64
                 " calls, %" PRIu64 " events, %.1f s; %zu of %zu allocations "
                 "failed, %zu bytes at most; trace %016" PRIx64 "\n",
                 o->items_ok, o->items, o->calls, o->steps,
                 (double)o->virtual_ns / 1e9, o->allocations_failed,
                 o->allocations, o->most_bytes, o->trace);
}

static void add(struct campaign *c, const struct outcome *o)
{
    c->played++;
    c->items += o->items;
    c->ok += o->items_ok;
    c->calls += o->calls;
    c->steps += o->steps;
    c->deaths += o->deaths;
    c->halted += o->halt != ASB_RUNNING;
    c->failed_allocations += o->allocations_failed;
    c->virtual_hours += (double)o->virtual_ns / 3.6e12;
    if (o->most_bytes > c->most_bytes)
        c->most_bytes = o->most_bytes;
    c->traces = asbi_hash64(&o->trace, sizeof(o->trace), c->traces);
}

/* For when a seed ends the process, or never ends: two minutes for one is more
 * than any takes. */
static uint64_t seed_now;

static void on_signal(int number)
{
    char line[80];
    int len =
        snprintf(line, sizeof(line), "seed %" PRIu64 " broke: %s\n", seed_now,
                 number == SIGALRM ? "no end to one event" : "a crash");

    if (len > 0 && write(STDOUT_FILENO, line, (size_t)len) != len)
        _exit(3);
    _exit(1);
}

static void watch(uint64_t seed)
{
    static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGALRM };

    seed_now = seed;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)signal(numbers[i], on_signal);
    (void)alarm(120);
}

static void play(struct campaign *c, uint64_t seed)
{
    struct outcome o, again;

    watch(seed);
    play_seed(seed, &o);
    if (c->twice && !o.broken[0]) {
        play_seed(seed, &again);
        if (again.trace != o.trace)
            (void)snprintf(o.broken, sizeof(o.broken),
                           "two runs of it differ: traces %016" PRIx64
                           " and %016" PRIx64,
                           o.trace, again.trace);
    }
    add(c, &o);
    if (c->one)
        tell_seed(seed, &o);
    if (!o.broken[0])
        return;
    c->broken++;
    (void)printf("seed %" PRIu64 " broke: %s\n    replay with --seed %" PRIu64
                 "\n",
                 seed, o.broken, seed);
    (void)fflush(stdout);
}

static void tell(const struct campaign *c, double core_seconds)
{
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " broken; %" PRIu64
                 " items, %" PRIu64 " answered, %" PRIu64 " calls, %" PRIu64
                 " events, %" PRIu64 " halted, %" PRIu64
                 " allocations failed, %" PRIu64 " deaths, %zu bytes at most\n",
                 c->played, c->broken, c->items, c->ok, c->calls, c->steps,
                 c->halted, c->failed_allocations, c->deaths, c->most_bytes);
    (void)printf("%.1f virtual hours in %.1f core seconds: %.0f an hour of one "
                 "core\n",
                 c->virtual_hours, core_seconds,
                 c->virtual_hours / core_seconds * 3600);
    (void)printf("traces %016" PRIx64 "\n", c->traces);
}

int main(int argc, char **argv)
{
    struct campaign c;

    if (!read_arguments(&c, argc, argv)) {
        (void)fprintf(stderr,
                      "usage: %s [--seed N | [--from N] [--count N] "
                      "[--twice] [--go-on]]\n",
                      argv[0]);
        return 2;
    }
    clock_t start = clock();
    for (uint64_t i = 0; i < c.count && (c.go_on || !c.broken); i++)
        play(&c, c.from + i);
    tell(&c, (double)(clock() - start) / CLOCKS_PER_SEC);
    return c.broken ? 1 : 0;
}
