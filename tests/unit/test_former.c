#include "tests/support/former_world.h"

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

static void a_closed_batch_tells_what_bounded_it(void)
{
    static const struct {
        struct asbi_batch_caps caps;
        enum asbi_scale scale;
    } table[] = {
        { { .items = 2 }, ASBI_SCALE_ITEMS },
        { { .items = 10, .input_tokens = 100 }, ASBI_SCALE_INPUT },
        { { .items = 10, .output_tokens = 100 }, ASBI_SCALE_OUTPUT },
        { { .items = 10, .bytes = 400 }, ASBI_SCALE_BYTES },
        { { .items = 10, .cost = 200 }, ASBI_SCALE_COST },
        { { .items = 10, .seconds = 10, .seconds_per_input = 0.1 },
          ASBI_SCALE_TIME },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *w = world_new();

        w->k.caps = table[i].caps;
        add(w, 0, 50, 50, 0);
        struct asbi_batch *b = asbi_parcel_batch(add(w, 1, 50, 50, 0));
        CHECK_INT(asbi_batch_bound_by(b), ==, table[i].scale);
        b = asbi_parcel_batch(add(w, 2, 50, 50, 0));
        asbi_former_flush(&w->f, NULL);
        CHECK_INT(asbi_batch_bound_by(b), ==, ASBI_SCALE_NONE);
        world_free(w);
    }
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

            p->load = (struct asbi_load){ 1, tokens, tokens, n, (int64_t)n, 0 };
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
    w->k.urgency = 99;
    add(w, 0, 1, 1, 0);
    add(w, 1, 1, 1, 0);
    for (int i = 0; i < 2; i++)
        CHECK(asbi_former_add(&w->f, &urgent, &p[i], 0) == ASB_OK);
    const struct asbi_parcel *order[] = { &p[0], &p[1], &w->parcels[0],
                                          &w->parcels[1] };

    for (size_t i = 0; i < 4; i++) {
        struct asbi_batch *b = asbi_parcel_batch(order[i]);

        CHECK(next_batch(&w->f, 0) == b);
        batch_drop(&w->f, b);
    }
    CHECK(asbi_former_peek(&w->f, 0) == NULL);
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
    CHECK(next_batch(&w->f, 0) == half);
    CHECK(asbi_former_peek(&w->f, 0) == b);
    batch_drop(&w->f, half);
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
    CHECK_INT(asbi_parcel_batch(b)->load.items, ==, 1);
    CHECK_INT(w->f.waiting.items, ==, 1);
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
    w->k.caps.items = 5;
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
    CHECK_INT(w->f.ready.count, ==, 1);
    CHECK_INT(asbi_parcel_batch(&p)->why, ==, ASBI_BATCH_OPEN);
    world_free(w);
}

/* ---- memory ------------------------------------------------------------ */

static int small_life(const struct asbi_mem *mem, void *arg)
{
    struct world *w = world_new_of(mem);
    struct asbi_batch *b, *half;
    int rc = ASB_OK;

    (void)arg;
    w->k.caps = (struct asbi_batch_caps){ .items = 4, .input_tokens = 100 };
    for (size_t i = 0; rc == ASB_OK && i < 40; i++) {
        w->parcels[i].load = (struct asbi_load){ 1, 30 + i, 1, 1, 1, 0 };
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
    world_free(w);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(small_life, NULL), >, 0);
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
          CASE(a_closed_batch_tells_what_bounded_it),
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
          CASE(every_failed_allocation_is_survived),
          CASE(batches_are_reused_not_allocated_again))
