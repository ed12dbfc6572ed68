/* Alike items come together, and that costs no call. */
#include "tests/support/former_world.h"

#include <math.h>

#include "engine/base/rng.h"

/* Items of `groups` kinds of length, in random order. */
static void fill(struct world *w, size_t n, uint64_t groups, uint64_t seed,
                 uint64_t spread)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, seed);
    for (size_t i = 0; i < n; i++) {
        uint64_t group = asbi_rng_below(&r, groups);
        uint64_t length = 40 + 400 * group + asbi_rng_below(&r, 1 + spread);
        struct asbi_parcel *p = &w->parcels[i];

        asbi_likeness_init(&p->likeness);
        p->likeness.extent = (float)length;
        add(w, i, length / 4 + 1, length / 3 + 10, 0);
    }
}

static double group_of(const struct asbi_link *link)
{
    const struct asbi_parcel *p = ASBI_OF(link, struct asbi_parcel, link);

    return floor(((double)p->likeness.extent - 40) / 400);
}

/* Calls; in *mixed how many held more than one group. */
static size_t drain(struct world *w, size_t *mixed)
{
    struct asbi_batch *b;
    size_t calls = 0;

    *mixed = 0;
    asbi_former_flush(&w->f, NULL);
    while ((b = next_batch(&w->f, 0))) {
        double first = group_of(asbi_list_first(&b->parcels));
        bool same = true;

        ASBI_LIST_EACH (it, &b->parcels)
            same = same && !(group_of(it) < first || group_of(it) > first);
        *mixed += !same;
        calls++;
        batch_drop(&w->f, b);
    }
    return calls;
}

static struct world *grouping_world(bool on, uint64_t items, uint64_t in,
                                    uint64_t out)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = items,
                                          .input_tokens = in,
                                          .output_tokens = out };
    w->k.grouping =
        (struct asbi_grouping){ .on = on, .threshold = 0.8, .slack = 100 };
    return w;
}

static void alike_items_share_their_calls(void)
{
    struct world *w = grouping_world(true, 25, 1000000, 1000000);
    size_t mixed;

    fill(w, 1000, 4, 1, 50);
    size_t calls = drain(w, &mixed);
    CHECK_INT(calls, ==, 40); /* 1,000 in calls of 25: none is lost */
    CHECK_INT(mixed, <=, 3);  /* those that were left at the end */
    world_free(w);
}

static void without_grouping_they_do_not(void)
{
    struct world *w = grouping_world(false, 25, 1000000, 1000000);
    size_t mixed;

    fill(w, 1000, 4, 1, 50);
    CHECK_INT(drain(w, &mixed), ==, 40);
    CHECK_INT(mixed, >, 35);
    world_free(w);
}

/* Caps by count, input and output; more groups than open batches. */
static void grouping_costs_no_call(void)
{
    static const uint64_t caps[][3] = {
        { 25, 100000, 100000 }, { 50, 8000, 4096 },   { 100000, 3000, 1500 },
        { 100000, 3000, 8000 }, { 10, 100000, 2000 },
    };

    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            size_t calls[2], mixed;

            for (int on = 0; on < 2; on++) {
                struct world *w =
                    grouping_world(on, caps[i][0], caps[i][1], caps[i][2]);

                fill(w, PARCELS, 12, seed, 300);
                calls[on] = drain(w, &mixed);
                world_free(w);
            }
            if (getenv("ASB_TEST_VERBOSE"))
                (void)fprintf(stderr, "caps %zu: %zu calls, grouped %zu\n", i,
                              calls[0], calls[1]);
            CHECK_INT(calls[1] * 1000, <=, calls[0] * 1005);
        }
    }
}

/* A batch whose time has come does not go half empty while others wait. */
static void what_closes_early_takes_others_along(void)
{
    struct world *w = grouping_world(true, 10, 100000, 100000);

    for (size_t i = 0; i < 9; i++) {
        asbi_likeness_init(&w->parcels[i].likeness);
        w->parcels[i].likeness.extent = (float)(i % 3 * 1000);
        add(w, i, 10, 10, 100 * ASBI_MS * (i / 3));
    }
    CHECK_INT(w->k.open.count, ==, 3);
    struct asbi_batch *b = next_batch(&w->f, 500 * ASBI_MS);
    CHECK(b != NULL);
    CHECK_INT(b->load.items, ==, 9);
    CHECK_INT(b->why, ==, ASBI_BATCH_OLD);
    CHECK_INT(w->k.open.count, ==, 0);
    CHECK_INT(asbi_former_due(&w->f), ==, ASBI_NEVER);
    batch_drop(&w->f, b);
    world_free(w);
}

static void the_length_of_media_is_a_limit_too(void)
{
    struct world *w = world_new();

    w->k.caps = (struct asbi_batch_caps){ .items = 100, .media_ms = 1800000 };
    for (size_t i = 0; i < 61; i++) {
        w->parcels[i].load = (struct asbi_load){ 1, 1, 1, 1, 1, 30000 };
        CHECK(asbi_former_add(&w->f, &w->k, &w->parcels[i], 0) == ASB_OK);
    }
    struct asbi_batch *b = next_batch(&w->f, 0);
    CHECK(b && b->load.items >= 57 && b->load.items <= 60);
    CHECK_INT(asbi_batch_bound_by(b), ==, ASBI_SCALE_MEDIA);
    batch_drop(&w->f, b);
    world_free(w);
}

/* Whatever comes: no cap passed, no item lost or doubled. */
static void random_groups_keep_every_item_once(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct world *w =
            grouping_world(true, 1 + seed % 30, 200 + 40 * seed, 1500);
        bool seen[1000] = { false };
        struct asbi_batch *b;

        w->k.wait_ns = ASBI_MS * (seed % 3);
        fill(w, 1000, 1 + seed % 20, seed, 300);
        asbi_former_flush(&w->f, &w->k);
        while ((b = next_batch(&w->f, ASBI_SECOND))) {
            CHECK_INT(b->load.items, ==, b->parcels.count);
            CHECK(b->load.items == 1 ||
                  (b->load.items <= w->k.caps.items &&
                   b->load.input_tokens <= w->k.caps.input_tokens &&
                   b->load.output_tokens <= w->k.caps.output_tokens));
            ASBI_LIST_EACH (it, &b->parcels) {
                ptrdiff_t i =
                    ASBI_OF(it, struct asbi_parcel, link) - w->parcels;

                CHECK(!seen[i]);
                seen[i] = true;
            }
            batch_drop(&w->f, b);
        }
        for (size_t i = 0; i < 1000; i++)
            CHECK(seen[i]);
        world_free(w);
    }
}

TEST_MAIN(CASE(alike_items_share_their_calls),
          CASE(without_grouping_they_do_not), CASE(grouping_costs_no_call),
          CASE(what_closes_early_takes_others_along),
          CASE(the_length_of_media_is_a_limit_too),
          CASE(random_groups_keep_every_item_once))
