/*
 * What must hold of the former whatever comes: random caps and lives, and how
 * well it packs.
 */
#include "tests/support/former_world.h"

#include "engine/base/rng.h"

#include <math.h>

static struct asbi_batch_caps random_caps(struct asbi_rng *r)
{
    return (struct asbi_batch_caps){
        .items = 1 + asbi_rng_below(r, 40),
        .input_tokens = asbi_rng_below(r, 2) * (50 + asbi_rng_below(r, 5000)),
        .output_tokens = asbi_rng_below(r, 2) * (50 + asbi_rng_below(r, 5000)),
        .bytes = asbi_rng_below(r, 2) * (100 + asbi_rng_below(r, 20000)),
        .cost =
            (int64_t)(asbi_rng_below(r, 2) * (100 + asbi_rng_below(r, 9000))),
        .seconds = (double)asbi_rng_below(r, 2) * 20,
        .fixed_seconds = 1,
        .seconds_per_input = 0.001,
        .seconds_per_output = 0.02,
    };
}

static bool over(const struct asbi_batch_caps *c, const struct asbi_load *l)
{
    double seconds = c->fixed_seconds +
                     c->seconds_per_input * (double)l->input_tokens +
                     c->seconds_per_output * (double)l->output_tokens;

    return l->items > c->items ||
           (c->input_tokens && l->input_tokens > c->input_tokens) ||
           (c->output_tokens && l->output_tokens > c->output_tokens) ||
           (c->bytes && l->bytes > c->bytes) ||
           (c->cost && l->cost > c->cost) ||
           (c->seconds > 0 && seconds > c->seconds);
}

static int64_t rank_of(const struct world *w, const struct asbi_link *link)
{
    return ASBI_OF((struct asbi_link *)(uintptr_t)link, struct asbi_parcel,
                   link) -
           w->parcels;
}

/* A taken batch: no cap exceeded, totals right, order of arrival; its parcels
 * are marked as seen. */
static void check_batch(const struct world *w, const struct asbi_batch *b,
                        bool *seen)
{
    struct asbi_load sum = { 0 };
    int64_t last = -1;

    ASBI_LIST_EACH (it, &b->parcels) {
        int64_t i = rank_of(w, it);

        CHECK_INT(i, >, last);
        CHECK(!seen[i]);
        seen[i] = true;
        last = i;
        asbi_load_add(&sum, &w->parcels[i].load);
    }
    CHECK(memcmp(&sum, &b->load, sizeof(sum)) == 0);
    CHECK_INT(sum.items, >=, 1);
    CHECK(sum.items == 1 || !over(&w->k.caps, &sum));
    CHECK_INT(b->why, !=, ASBI_BATCH_OPEN);
}

static uint64_t length(struct asbi_rng *r)
{
    double x = exp(log(60) + 0.8 * asbi_rng_normal(r));

    return x < 1 ? 1 : (uint64_t)x;
}

/* Adds in bursts, now and then cancels, takes what is closed; in the end each
 * parcel was in exactly one batch or cancelled. */
static void random_life(uint64_t seed)
{
    struct world *w = world_new();
    struct asbi_rng r;
    bool seen[1000] = { false };
    uint64_t now = 0;
    struct asbi_batch *b;

    asbi_rng_seed(&r, seed);
    w->k.caps = random_caps(&r);
    for (size_t i = 0; i < 1000; i++) {
        now += asbi_rng_below(&r, 20 * ASBI_MS);
        struct asbi_parcel *p = add(w, i, length(&r), length(&r), now);
        CHECK_INT(w->k.open.count, <=, ASBI_FORMER_OPEN_MAX);
        if (asbi_rng_below(&r, 20) == 0) {
            asbi_former_remove(&w->f, asbi_parcel_batch(p), p);
            seen[i] = true;
        }
        if (asbi_rng_below(&r, 3) == 0 && (b = next_batch(&w->f, now))) {
            check_batch(w, b, seen);
            batch_drop(&w->f, b);
        }
    }
    asbi_former_flush(&w->f, NULL);
    while ((b = next_batch(&w->f, now))) {
        check_batch(w, b, seen);
        batch_drop(&w->f, b);
    }
    for (size_t i = 0; i < 1000; i++)
        CHECK(seen[i]);
    world_free(w);
}

static void no_cap_is_ever_passed_and_no_item_lost_or_doubled(void)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        random_life(seed);
}

/* An open batch never outlives its wait, whatever kinds there are. */
static void due_is_the_earliest_of_all_open_batches(void)
{
    enum { KINDS = 50 };
    struct asbi_kind kinds[KINDS];
    struct world *w = world_new();
    struct asbi_rng r;
    uint64_t now = 0;

    asbi_rng_seed(&r, 4);
    for (size_t i = 0; i < KINDS; i++) {
        asbi_kind_init(&kinds[i]);
        kinds[i].caps.items = 5;
        kinds[i].wait_ns = asbi_rng_below(&r, ASBI_SECOND);
    }
    for (size_t i = 0; i < 3000; i++) {
        uint64_t earliest = ASBI_NEVER;
        struct asbi_batch *b;

        now += asbi_rng_below(&r, 10 * ASBI_MS);
        w->parcels[i].load.items = 1;
        CHECK(asbi_former_add(&w->f, &kinds[asbi_rng_below(&r, KINDS)],
                              &w->parcels[i], now) == ASB_OK);
        while ((b = next_batch(&w->f, now)))
            batch_drop(&w->f, b);
        for (size_t k = 0; k < KINDS; k++) {
            ASBI_LIST_EACH (it, &kinds[k].open) {
                b = ASBI_OF(it, struct asbi_batch, link);
                uint64_t due = b->opened_ns + kinds[k].wait_ns;
                earliest = due < earliest ? due : earliest;
            }
        }
        CHECK_INT(asbi_former_due(&w->f), ==, earliest);
        CHECK(earliest > now);
    }
    world_free(w);
}

/* ---- packing ----------------------------------------------------------- */

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t lower_bound(const struct world *w, size_t n)
{
    const struct asbi_batch_caps *caps = &w->k.caps;
    struct asbi_load sum = { 0 };

    for (size_t i = 0; i < n; i++)
        asbi_load_add(&sum, &w->parcels[i].load);
    uint64_t most = ceil_div(sum.items, caps->items);
    uint64_t in = ceil_div(sum.input_tokens, caps->input_tokens);
    uint64_t out = ceil_div(sum.output_tokens, caps->output_tokens);

    most = in > most ? in : most;
    return out > most ? out : most;
}

static void check_packing(uint64_t items, uint64_t in, uint64_t out)
{
    struct world *w = world_new();
    struct asbi_rng r;
    size_t batches = 0;
    struct asbi_batch *b;

    asbi_rng_seed(&r, 42);
    w->k.caps = (struct asbi_batch_caps){ .items = items,
                                          .input_tokens = in,
                                          .output_tokens = out };
    for (size_t i = 0; i < PARCELS; i++) {
        uint64_t tokens = length(&r);
        double answer = 1.3 * exp(0.1 * asbi_rng_normal(&r)) * (double)tokens;

        add(w, i, tokens, (uint64_t)answer + 10, 0);
    }
    asbi_former_flush(&w->f, NULL);
    while ((b = next_batch(&w->f, 0))) {
        batches++;
        batch_drop(&w->f, b);
    }
    /* The loads outlive their batches. */
    uint64_t bound = lower_bound(w, PARCELS);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr,
                      "%" PRIu64 "/%" PRIu64 "/%" PRIu64
                      ": %zu batches, bound %" PRIu64 "\n",
                      items, in, out, batches, bound);
    CHECK_INT(batches * 100, <=, bound * 105);
    world_free(w);
}

static void packing_is_within_a_twentieth_of_the_lower_bound(void)
{
    check_packing(100000, 8000, 4096);
    check_packing(50, 8000, 4096);
    check_packing(100000, 3000, 1500);
    check_packing(100000, 3000, 800);
}

TEST_MAIN(CASE(no_cap_is_ever_passed_and_no_item_lost_or_doubled),
          CASE(due_is_the_earliest_of_all_open_batches),
          CASE(packing_is_within_a_twentieth_of_the_lower_bound))
