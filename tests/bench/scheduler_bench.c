/*
 * What deciding costs, and how well it packs.
 *
 *   scheduler_bench speed           items a second through every decision
 *   scheduler_bench pack < LINES    calls against the lower bound
 *
 * A decision is all that happens to an item between submission and the wire,
 * and back: its tokens estimated, a place found in an open batch, the batch
 * closed, weighed against the others, let through the gates, and what it
 * taught taken in.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/bucket.h"
#include "scheduler/budget.h"
#include "scheduler/former.h"
#include "scheduler/latency.h"
#include "scheduler/limiter.h"
#include "scheduler/priority.h"
#include "scheduler/retry.h"
#include "scheduler/sizing.h"
#include "scheduler/tokens.h"

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- speed -------------------------------------------------------------- */

enum { HELD = 4096, KINDS = 3, IN_FLIGHT = 64, SLACK = 14 };

/* All that decides, as an engine with one lane has it. */
struct scheduler {
    struct asbi_former former;
    struct asbi_kind kinds[KINDS];
    struct asbi_account tenant;
    struct asbi_priority priority;
    struct asbi_limiter limiter;
    struct asbi_bucket requests, tokens;
    struct asbi_budget budget;
    struct asbi_breaker breaker;
    struct asbi_latency latency;
    struct asbi_sizing sizing;
    struct asbi_calibration input;
    struct asbi_ratio output;
    struct asbi_parcel parcels[HELD];
    size_t spare[HELD], spare_count;
    struct asbi_batch *flight[IN_FLIGHT];
    size_t flight_first, flight_count;
    uint64_t now, items, calls;
};

static const struct asbi_sizing_limits limits = {
    .context_tokens = 128000,
    .max_output_tokens = 16384,
    .prompt_tokens = 400,
    .max_items = 50,
    .target_ns = 30 * ASBI_SECOND,
    .headroom = 1.15,
};

static struct scheduler *scheduler_new(void)
{
    struct scheduler *s = calloc(1, sizeof(*s));
    struct asbi_priority_rules rules;

    if (!s)
        exit(1);
    asbi_former_init(&s->former, &asbi_mem_system);
    asbi_priority_rules_init(&rules);
    asbi_priority_init(&s->priority, &rules);
    asbi_limiter_init(&s->limiter, 0, IN_FLIGHT, NULL);
    asbi_bucket_init(&s->requests, 100000000);
    asbi_bucket_init(&s->tokens, 1000000000000);
    asbi_budget_init(&s->budget, INT64_MAX);
    asbi_breaker_init(&s->breaker);
    asbi_latency_init(&s->latency, 1);
    asbi_sizing_init(&s->sizing);
    asbi_calibration_init(&s->input, 1);
    asbi_ratio_init(&s->output, 1.3);
    for (size_t i = 0; i < KINDS; i++) {
        asbi_kind_init(&s->kinds[i]);
        s->kinds[i].wait_ns = ASBI_SECOND;
        asbi_sizing_caps(&s->sizing, &limits, &s->latency, &s->kinds[i].caps);
    }
    for (size_t i = 0; i < HELD; i++)
        s->spare[s->spare_count++] = i;
    return s;
}

static void scheduler_free(struct scheduler *s)
{
    asbi_former_fini(&s->former);
    free(s);
}

/* One call has been answered: what the engine tells its lane. */
static void answer(struct scheduler *s)
{
    struct asbi_batch *b = s->flight[s->flight_first];
    uint64_t in = b->load.input_tokens, out = b->load.output_tokens;
    struct asbi_took took = { .seconds = 1 };
    struct asbi_link *link;

    s->flight_first = (s->flight_first + 1) % IN_FLIGHT;
    s->flight_count--;
    asbi_limiter_ended(&s->limiter, ASBI_LIMITER_OK, &took, 0, s->now);
    asbi_breaker_ended(&s->breaker, true, s->now);
    asbi_bucket_settle(&s->tokens, (double)(in + out), (double)in);
    asbi_budget_settle(&s->budget, b->load.cost, b->load.cost / 2);
    asbi_latency_learn(&s->latency, in, out, 0.5 + (double)out / 1000);
    asbi_calibration_learn(&s->input, (double)in, (double)in);
    asbi_ratio_learn(&s->output, (double)in,
                     (double)(out - SLACK * b->load.items));
    asbi_sizing_learn(&s->sizing, &limits, b->load.items, 0, false);
    while ((link = asbi_list_pop(&b->parcels)))
        s->spare[s->spare_count++] =
            (size_t)(ASBI_OF(link, struct asbi_parcel, link) - s->parcels);
    asbi_former_recycle(&s->former, b);
}

static void contend(struct scheduler *s, struct asbi_contender *c,
                    struct asbi_batch **batches, size_t *n)
{
    static const enum asb_class classes[KINDS] = { ASB_URGENT, ASB_NORMAL,
                                                   ASB_BACKGROUND };

    ASBI_LIST_EACH (it, &s->former.ready) {
        struct asbi_kind *k = asbi_kind_of_ready(it);
        struct asbi_batch *b = asbi_kind_first(k);

        c[*n] = (struct asbi_contender){
            .priority = classes[k - s->kinds],
            .tenant = &s->tenant,
            .arrived_ns = b->opened_ns,
            .deadline_ns = ASBI_NEVER,
            .seconds = asbi_latency_p95(&s->latency, b->load.input_tokens,
                                        b->load.output_tokens),
            .cost = 1,
        };
        batches[(*n)++] = b;
    }
}

static bool gates_open(struct scheduler *s, const struct asbi_batch *b)
{
    double tokens = (double)(b->load.input_tokens + b->load.output_tokens);

    return asbi_limiter_has_room(&s->limiter) &&
           asbi_breaker_ready_at(&s->breaker, s->now) <= s->now &&
           asbi_bucket_ready_at(&s->requests, 1, s->now) <= s->now &&
           asbi_bucket_ready_at(&s->tokens, tokens, s->now) <= s->now &&
           asbi_budget_reserve(&s->budget, b->load.cost);
}

/* Sends what may go; true when something went. */
static bool send(struct scheduler *s)
{
    struct asbi_contender c[KINDS];
    struct asbi_batch *batches[KINDS];
    size_t n = 0;

    asbi_former_close_due(&s->former, s->now);
    contend(s, c, batches, &n);
    if (n == 0)
        return false;
    size_t chosen = asbi_priority_pick(&s->priority, c, n, s->now);
    struct asbi_batch *b = batches[chosen];
    if (!gates_open(s, b)) {
        s->now += ASBI_MS;
        answer(s);
        return true;
    }
    asbi_former_take(&s->former, b);
    asbi_limiter_started(&s->limiter);
    asbi_breaker_started(&s->breaker);
    asbi_bucket_take(&s->requests, 1, s->now);
    asbi_bucket_take(&s->tokens, (double)b->load.input_tokens, s->now);
    asbi_priority_charge(&s->priority, &c[chosen], (double)b->load.items);
    s->flight[(s->flight_first + s->flight_count++) % IN_FLIGHT] = b;
    s->calls++;
    return true;
}

static void submit(struct scheduler *s, asbi_str text, size_t kind)
{
    struct asbi_parcel *p = &s->parcels[s->spare[--s->spare_count]];
    struct asbi_kind *k = &s->kinds[kind];

    uint64_t in =
        asbi_calibrated(&s->input, asbi_tokens_estimate(ASBI_O200K, text));
    uint64_t out = (uint64_t)(s->output.value * (double)in) + SLACK;
    p->load =
        (struct asbi_load){ 1, in, out, text.len, (int64_t)(in + 4 * out), 0 };
    p->arrived_ns = s->now;
    asbi_sizing_caps(&s->sizing, &limits, &s->latency, &k->caps);
    if (asbi_former_add(&s->former, k, p, s->now) != ASB_OK)
        exit(1);
    s->items++;
}

static double run(uint64_t items)
{
    static const char text[] =
        "Your changes could not be saved because the disk is full.";
    struct scheduler *s = scheduler_new();
    struct asbi_rng rng;
    double start = cpu_seconds();

    asbi_rng_seed(&rng, 1);
    while (s->items < items) {
        while (s->spare_count == 0 && send(s))
            ;
        submit(s,
               asbi_str_of(text, 20 + asbi_rng_below(&rng, sizeof(text) - 21)),
               asbi_rng_below(&rng, KINDS));
        if (s->items % 16 == 0)
            (void)send(s);
    }
    asbi_former_flush(&s->former, NULL);
    while (send(s))
        ;
    while (s->flight_count)
        answer(s);
    double seconds = cpu_seconds() - start;
    (void)printf("%8" PRIu64 " items, %6" PRIu64 " calls: %.0f items a second, "
                 "%.0f ns each\n",
                 items, s->calls, (double)items / seconds,
                 seconds / (double)items * 1e9);
    scheduler_free(s);
    return seconds / (double)items;
}

static void speed(void)
{
    (void)run(10000); /* warms up */
    double few = run(10000), many = run(3000000);

    (void)printf("3,000,000 items cost %.2f times as much each as 10,000\n",
                 many / few);
}

/* ---- packing ------------------------------------------------------------ */

enum { MOST_LINES = 1 << 20 };

static struct asbi_parcel *lines;
static size_t line_count;

static void read_lines(void)
{
    char line[65536];

    lines = calloc(MOST_LINES, sizeof(*lines));
    while (lines && line_count < MOST_LINES &&
           fgets(line, sizeof(line), stdin)) {
        double raw = asbi_tokens_estimate(ASBI_O200K, asbi_str_c(line));
        uint64_t in = (uint64_t)ceil(raw);

        lines[line_count++].load = (struct asbi_load){
            .items = 1,
            .input_tokens = in,
            .output_tokens = (uint64_t)(1.3 * raw) + 14,
        };
    }
}

static double share(uint64_t sum, uint64_t cap)
{
    return (double)sum / (double)cap;
}

static void pack(const struct asbi_batch_caps *caps)
{
    struct asbi_former f;
    struct asbi_kind k;
    struct asbi_load sum = { 0 };
    struct asbi_batch *b;
    size_t calls = 0;

    asbi_former_init(&f, &asbi_mem_system);
    asbi_kind_init(&k);
    k.caps = *caps;
    for (size_t i = 0; i < line_count; i++) {
        asbi_load_add(&sum, &lines[i].load);
        if (asbi_former_add(&f, &k, &lines[i], 0) != ASB_OK)
            exit(1);
    }
    asbi_former_flush(&f, NULL);
    while ((b = asbi_former_peek(&f, 0))) {
        struct asbi_link *link;

        asbi_former_take(&f, b);
        while ((link = asbi_list_first(&b->parcels)))
            asbi_former_remove(&f, b, ASBI_OF(link, struct asbi_parcel, link));
        asbi_former_recycle(&f, b);
        calls++;
    }
    double bound =
        ceil(fmax(share(sum.items, caps->items),
                  fmax(share(sum.input_tokens, caps->input_tokens),
                       share(sum.output_tokens, caps->output_tokens))));
    (void)printf("%zu lines, at most %" PRIu64 " items, %" PRIu64 " tokens in, "
                 "%" PRIu64 " out: %zu calls, bound %.0f, %.3f times\n",
                 line_count, caps->items, caps->input_tokens,
                 caps->output_tokens, calls, bound, (double)calls / bound);
    asbi_former_fini(&f);
}

static void packing(void)
{
    static const struct asbi_batch_caps caps[] = {
        { .items = 50, .input_tokens = 8000, .output_tokens = 4096 },
        { .items = 1000, .input_tokens = 3000, .output_tokens = 8000 },
        { .items = 1000, .input_tokens = 8000, .output_tokens = 1500 },
    };

    read_lines();
    for (size_t i = 0; line_count && i < sizeof(caps) / sizeof(caps[0]); i++)
        pack(&caps[i]);
    free(lines);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "speed") == 0)
        speed();
    else if (argc == 2 && strcmp(argv[1], "pack") == 0)
        packing();
    else
        return 2;
    return 0;
}
