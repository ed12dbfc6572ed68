#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/former.h"
#include "tests/support/fault_mem.h"

#include <math.h>

enum { PARCELS = 6000 };

/* One former, one kind, and parcels to put in. */
struct world {
    struct fault_mem fm;
    struct asbi_former f;
    struct asbi_kind k;
    struct asbi_parcel parcels[PARCELS];
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    fault_mem_init(&w->fm, 0);
    asbi_former_init(&w->f, &w->fm.mem);
    asbi_kind_init(&w->k);
    w->k.wait_ns = 500 * ASBI_MS;
    return w;
}

static void batch_drop(struct asbi_former *f, struct asbi_batch *b)
{
    struct asbi_link *link;

    while ((link = asbi_list_first(&b->parcels)))
        asbi_former_remove(f, b, ASBI_OF(link, struct asbi_parcel, link));
    asbi_former_recycle(f, b);
}

static struct asbi_batch *next_batch(struct asbi_former *f, uint64_t now_ns)
{
    struct asbi_batch *b = asbi_former_peek(f, now_ns);

    if (b)
        asbi_former_take(f, b);
    return b;
}

static void world_free(struct world *w)
{
    struct asbi_batch *b;

    asbi_former_flush(&w->f, NULL);
    while ((b = next_batch(&w->f, 0)))
        batch_drop(&w->f, b);
    CHECK_INT(w->f.waiting.items, ==, 0);
    CHECK_INT(w->f.waiting.cost, ==, 0);
    asbi_former_fini(&w->f);
    CHECK_INT(w->fm.live, ==, 0);
    free(w);
}

static struct asbi_parcel *add(struct world *w, size_t i, uint64_t in,
                               uint64_t out, uint64_t now_ns)
{
    struct asbi_parcel *p = &w->parcels[i];

    p->load = (struct asbi_load){ 1, in, out, in * 4, (int64_t)(in + out) };
    p->arrived_ns = now_ns;
    CHECK(asbi_former_add(&w->f, &w->k, p, now_ns) == ASB_OK);
    return p;
}

static void items_go_to_the_first_batch_with_room(void)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = 10, .input_tokens = 100 };
    struct asbi_batch *a = asbi_parcel_batch(add(w, 0, 60, 1, 0));
    struct asbi_batch *b = asbi_parcel_batch(add(w, 1, 70, 1, 0));
    CHECK(a != b);
    CHECK(asbi_parcel_batch(add(w, 2, 20, 1, 0)) == a);
    CHECK(asbi_parcel_batch(add(w, 3, 24, 1, 0)) == b);
    CHECK_INT(a->load.input_tokens, ==, 80);
    CHECK_INT(w->f.waiting.items, ==, 4);
    CHECK(asbi_former_peek(&w->f, 0) == NULL);
    world_free(w);
}

static void a_batch_at_its_cap_of_items_closes_at_once(void)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = 2 };
    add(w, 0, 1, 1, 0);
    CHECK(asbi_former_peek(&w->f, 0) == NULL);
    struct asbi_batch *b = asbi_parcel_batch(add(w, 1, 1, 1, 0));
    CHECK(asbi_former_peek(&w->f, 0) == b);
    CHECK_INT(b->why, ==, ASBI_BATCH_FULL);
    CHECK_INT(asbi_former_due(&w->f), ==, ASBI_NEVER);
    world_free(w);
}

/* Each scale in turn: 94 of 100 stays open, 95 closes. */
static void a_batch_at_095_of_any_other_cap_closes_at_once(void)
{
    static const struct asbi_batch_caps caps[] = {
        { .items = 10, .input_tokens = 100 },
        { .items = 10, .output_tokens = 100 },
        { .items = 10, .bytes = 100 },
        { .items = 10, .cost = 100 },
        { .items = 10,
          .seconds = 100,
          .fixed_seconds = 50,
          .seconds_per_input = 0.25,
          .seconds_per_output = 0.25 },
    };

    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct world *w = world_new();
        struct asbi_parcel *p = &w->parcels[0];

        w->k.caps = caps[i];
        for (uint64_t n = 93; n <= 95; n++, p++) {
            uint64_t tokens = caps[i].seconds > 0 ? (n - 50) * 2 : n;

            p->load = (struct asbi_load){ 1, tokens, tokens, n, (int64_t)n };
            CHECK(asbi_former_add(&w->f, &w->k, p, 0) == ASB_OK);
        }
        CHECK_INT(w->k.open.count, ==, 2);
        CHECK(asbi_former_peek(&w->f, 0) == asbi_parcel_batch(p - 1));
        world_free(w);
    }
}

static void an_item_over_a_cap_gets_a_batch_of_its_own_at_once(void)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = 10, .output_tokens = 100 };
    for (size_t i = 0; i < ASBI_FORMER_OPEN_MAX; i++)
        add(w, i, 1, 60, 0);
    struct asbi_parcel *big = add(w, 20, 1, 1000, 0);
    CHECK(asbi_former_peek(&w->f, 0) == asbi_parcel_batch(big));
    CHECK_INT(asbi_parcel_batch(big)->load.items, ==, 1);
    CHECK_INT(w->k.open.count, ==, ASBI_FORMER_OPEN_MAX); /* none evicted */
    world_free(w);
}

static void a_ninth_batch_evicts_the_fullest_of_the_eight(void)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = 10, .input_tokens = 100 };
    for (size_t i = 0; i < ASBI_FORMER_OPEN_MAX; i++)
        add(w, i, i == 5 ? 80 : 70, 1, 0);
    struct asbi_batch *fullest = asbi_parcel_batch(&w->parcels[5]);
    add(w, 9, 90, 1, 0);
    CHECK(asbi_former_peek(&w->f, 0) == fullest);
    CHECK_INT(fullest->why, ==, ASBI_BATCH_EVICTED);
    CHECK_INT(w->k.open.count, ==, ASBI_FORMER_OPEN_MAX);
    world_free(w);
}

static void a_batch_waits_as_long_as_its_kind_allows_and_no_longer(void)
{
    struct world *w = world_new();
    struct asbi_kind slow;
    struct asbi_parcel p = { .load.items = 1 };

    asbi_kind_init(&slow);
    slow.caps.items = w->k.caps.items = 10;
    slow.wait_ns = 5 * ASBI_SECOND;
    CHECK_INT(asbi_former_due(&w->f), ==, ASBI_NEVER);
    CHECK(asbi_former_add(&w->f, &slow, &p, 1000) == ASB_OK);
    CHECK_INT(asbi_former_due(&w->f), ==, 5 * ASBI_SECOND + 1000);
    struct asbi_parcel *quick = add(w, 0, 1, 1, ASBI_SECOND);
    uint64_t due = ASBI_SECOND + 500 * ASBI_MS;
    CHECK_INT(asbi_former_due(&w->f), ==, due);
    add(w, 1, 1, 1, ASBI_SECOND + 1); /* the first item's wait counts */
    CHECK_INT(asbi_former_due(&w->f), ==, due);
    CHECK(asbi_former_peek(&w->f, due - 1) == NULL);
    struct asbi_batch *b = asbi_former_peek(&w->f, due);
    CHECK(b == asbi_parcel_batch(quick));
    CHECK_INT(b->why, ==, ASBI_BATCH_OLD);
    CHECK_INT(asbi_former_due(&w->f), ==, 5 * ASBI_SECOND + 1000);
    world_free(w);
}

static void an_item_may_wish_for_an_earlier_close(void)
{
    struct world *w = world_new();

    w->k.caps.items = 10;
    add(w, 0, 1, 1, 1000);
    w->parcels[1].close_by_ns = 2000;
    add(w, 1, 1, 1, 1000);
    w->parcels[2].close_by_ns = UINT64_MAX;
    add(w, 2, 1, 1, 1000);
    CHECK_INT(asbi_former_due(&w->f), ==, 2000);
    CHECK(asbi_former_peek(&w->f, 2000) == asbi_parcel_batch(&w->parcels[0]));
    world_free(w);
}

static void the_urgent_goes_first_then_first_closed_first(void)
{
    struct world *w = world_new();
    struct asbi_kind urgent;
    struct asbi_parcel p[2] = { { .load.items = 1 }, { .load.items = 1 } };

    asbi_kind_init(&urgent);
    urgent.owner = w;
    w->k.urgency = 99; /* as 2 */
    add(w, 0, 1, 1, 0);
    add(w, 1, 1, 1, 0);
    for (int i = 0; i < 2; i++)
        CHECK(asbi_former_add(&w->f, &urgent, &p[i], 0) == ASB_OK);
    struct asbi_batch *b = asbi_former_peek(&w->f, 0);
    CHECK(b == asbi_parcel_batch(&p[0]));
    CHECK((b = asbi_former_after(&w->f, b)) == asbi_parcel_batch(&p[1]));
    b = asbi_former_after(&w->f, b);
    CHECK(b == asbi_parcel_batch(&w->parcels[0]));
    b = asbi_former_after(&w->f, b);
    CHECK(b == asbi_parcel_batch(&w->parcels[1]));
    CHECK(asbi_former_after(&w->f, b) == NULL);
    world_free(w);
}

static void what_was_taken_and_refused_is_first_again(void)
{
    struct world *w = world_new();

    add(w, 0, 5, 1, 0);
    add(w, 1, 5, 1, 0);
    struct asbi_batch *b = next_batch(&w->f, 0);
    CHECK_INT(w->f.waiting.items, ==, 1);
    asbi_former_untake(&w->f, b);
    asbi_former_untake(&w->f, b);
    CHECK_INT(w->f.waiting.items, ==, 2);
    CHECK(asbi_former_peek(&w->f, 0) == b);
    world_free(w);
}

static void bisected_halves_wait_in_order_before_the_rest(void)
{
    struct world *w = world_new();

    w->k.caps.items = 4;
    for (size_t i = 0; i < 8; i++)
        add(w, i, i + 1, 1, 0);
    struct asbi_batch *b = next_batch(&w->f, 0), *half;
    CHECK(asbi_former_split(&w->f, b, 1, &half) == ASB_OK);
    CHECK_INT(w->f.waiting.items, ==, 8);
    CHECK_INT(half->load.input_tokens, ==, 1);
    CHECK_INT(b->load.input_tokens, ==, 9);
    CHECK(asbi_parcel_batch(&w->parcels[0]) == half);
    asbi_former_untake(&w->f, b); /* is back already */
    CHECK(next_batch(&w->f, 0) == half);
    CHECK(asbi_former_peek(&w->f, 0) == b);
    batch_drop(&w->f, half);
    CHECK(asbi_former_split(&w->f, b, 2, &half) == ASB_OK);
    CHECK(asbi_former_peek(&w->f, 0) == half);
    CHECK(asbi_former_after(&w->f, half) == b);
    world_free(w);
}

static void a_cancelled_item_leaves_no_empty_batch_behind(void)
{
    struct world *w = world_new();

    w->k.caps.items = 2;
    struct asbi_parcel *open = add(w, 0, 1, 1, 0);
    asbi_former_remove(&w->f, asbi_parcel_batch(open), open);
    CHECK_INT(asbi_former_due(&w->f), ==, ASBI_NEVER);
    CHECK_INT(w->k.open.count, ==, 0);
    struct asbi_parcel *a = add(w, 1, 1, 1, 0), *b = add(w, 2, 1, 1, 0);
    asbi_former_remove(&w->f, asbi_parcel_batch(a), a);
    CHECK(asbi_former_peek(&w->f, 0) == asbi_parcel_batch(b));
    asbi_former_remove(&w->f, asbi_parcel_batch(b), b);
    CHECK(asbi_former_peek(&w->f, 0) == NULL);
    world_free(w);
}

static void a_lower_cap_closes_what_is_over_it_when_next_seen(void)
{
    struct world *w = world_new();

    w->k.caps.items = 10;
    for (size_t i = 0; i < 5; i++)
        add(w, i, 1, 1, 0);
    w->k.caps.items = 4;
    struct asbi_batch *old = asbi_parcel_batch(&w->parcels[0]);
    CHECK(asbi_parcel_batch(add(w, 6, 1, 1, 0)) != old);
    CHECK(asbi_former_peek(&w->f, 0) == old);
    world_free(w);
}

static void flushing_one_kind_leaves_the_others_open(void)
{
    struct world *w = world_new();
    struct asbi_kind other;
    struct asbi_parcel p = { .load.items = 1 };

    asbi_kind_init(&other);
    other.wait_ns = ASBI_SECOND;
    other.caps.items = w->k.caps.items = 10;
    add(w, 0, 1, 1, 0);
    CHECK(asbi_former_add(&w->f, &other, &p, 0) == ASB_OK);
    asbi_former_flush(&w->f, &w->k);
    struct asbi_batch *b = asbi_former_peek(&w->f, 0);
    CHECK(b == asbi_parcel_batch(&w->parcels[0]));
    CHECK_INT(b->why, ==, ASBI_BATCH_FLUSHED);
    CHECK(asbi_former_after(&w->f, b) == NULL);
    CHECK_INT(asbi_parcel_batch(&p)->why, ==, ASBI_BATCH_OPEN);
    world_free(w);
}

/* ---- properties -------------------------------------------------------- */

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

/* ---- memory ------------------------------------------------------------ */

static int small_life(struct world *w)
{
    struct asbi_batch *b, *half;
    int rc = ASB_OK;

    w->k.caps = (struct asbi_batch_caps){ .items = 4, .input_tokens = 100 };
    for (size_t i = 0; rc == ASB_OK && i < 40; i++) {
        w->parcels[i].load = (struct asbi_load){ 1, 30 + i, 1, 1, 1 };
        rc = asbi_former_add(&w->f, &w->k, &w->parcels[i], i);
        CHECK(rc == ASB_OK || !w->parcels[i].link.list);
        CHECK_INT(w->f.waiting.items, ==, i + (rc == ASB_OK));
    }
    asbi_former_flush(&w->f, NULL);
    b = next_batch(&w->f, 0);
    if (rc == ASB_OK)
        rc = asbi_former_split(&w->f, b, 1, &half);
    if (b)
        asbi_former_untake(&w->f, b);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    for (size_t n = 1;; n++) {
        struct world *w = world_new();

        fault_mem_init(&w->fm, n);
        int rc = small_life(w);
        bool done = w->fm.seen < n;
        world_free(w);
        if (done)
            break;
        CHECK_INT(rc, ==, ASB_ENOMEM);
    }
}

static void batches_are_reused_not_allocated_again(void)
{
    struct world *w = world_new();
    struct asbi_batch *b;

    w->k.caps.items = 5;
    for (size_t i = 0; i < PARCELS; i++) {
        add(w, i, 1, 1, 0);
        if ((b = next_batch(&w->f, 0)))
            batch_drop(&w->f, b);
    }
    CHECK_INT(w->fm.seen, <=, 2);
    world_free(w);
}

TEST_MAIN(CASE(items_go_to_the_first_batch_with_room),
          CASE(a_batch_at_its_cap_of_items_closes_at_once),
          CASE(a_batch_at_095_of_any_other_cap_closes_at_once),
          CASE(an_item_over_a_cap_gets_a_batch_of_its_own_at_once),
          CASE(a_ninth_batch_evicts_the_fullest_of_the_eight),
          CASE(a_batch_waits_as_long_as_its_kind_allows_and_no_longer),
          CASE(an_item_may_wish_for_an_earlier_close),
          CASE(the_urgent_goes_first_then_first_closed_first),
          CASE(what_was_taken_and_refused_is_first_again),
          CASE(bisected_halves_wait_in_order_before_the_rest),
          CASE(a_cancelled_item_leaves_no_empty_batch_behind),
          CASE(a_lower_cap_closes_what_is_over_it_when_next_seen),
          CASE(flushing_one_kind_leaves_the_others_open),
          CASE(no_cap_is_ever_passed_and_no_item_lost_or_doubled),
          CASE(due_is_the_earliest_of_all_open_batches),
          CASE(packing_is_within_a_twentieth_of_the_lower_bound),
          CASE(every_failed_allocation_is_survived),
          CASE(batches_are_reused_not_allocated_again))
