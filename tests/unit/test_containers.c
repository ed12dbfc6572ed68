/* The heap, the list and the map of engine/base. */
#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/base/map.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

/* ---- heap ------------------------------------------------------------- */

struct timer {
    struct asbi_heap_node node;
    uint64_t key, order; /* the model: equal keys come in this order */
    bool in;
};

static void equal_keys_come_out_as_they_came_in(void)
{
    struct asbi_heap h;
    struct asbi_heap_node n[100];

    memset(n, 0, sizeof(n));
    asbi_heap_init(&h, &asbi_mem_system);
    CHECK(!asbi_heap_first(&h));
    CHECK(!asbi_heap_pop(&h));
    for (size_t i = 0; i < 100; i++)
        CHECK_INT(asbi_heap_push(&h, &n[i], i % 3), ==, ASB_OK);
    for (size_t key = 0; key < 3; key++) {
        for (size_t i = key; i < 100; i += 3) {
            struct asbi_heap_node *first = asbi_heap_pop(&h);
            CHECK(first == &n[i]);
            CHECK_INT(first->at, ==, 0);
        }
    }
    asbi_heap_fini(&h);
}

/* The smallest of those in, by key and then order. */
static struct timer *model_first(struct timer *t, size_t count)
{
    struct timer *best = NULL;

    for (size_t i = 0; i < count; i++) {
        if (t[i].in && (!best || t[i].key < best->key ||
                        (t[i].key == best->key && t[i].order < best->order)))
            best = &t[i];
    }
    return best;
}

static void model_step(struct asbi_heap *h, struct timer *t, uint64_t dice,
                       uint64_t key, uint64_t order)
{
    if (t->in && dice == 0) {
        asbi_heap_remove(h, &t->node);
        t->in = false;
        return;
    }
    if (t->in)
        asbi_heap_rekey(h, &t->node, key);
    else
        CHECK_INT(asbi_heap_push(h, &t->node, key), ==, ASB_OK);
    t->in = true;
    t->key = key;
    t->order = order;
}

static void a_heap_agrees_with_a_linear_search(void)
{
    enum { COUNT = 60 };
    struct timer t[COUNT];
    struct asbi_heap h;
    struct asbi_rng rng;

    memset(t, 0, sizeof(t));
    asbi_heap_init(&h, &asbi_mem_system);
    asbi_rng_seed(&rng, 1);
    for (uint64_t step = 0; step < 20000; step++) {
        struct timer *one = &t[asbi_rng_below(&rng, COUNT)];

        model_step(&h, one, asbi_rng_below(&rng, 2), asbi_rng_below(&rng, 20),
                   step);
        struct timer *first = model_first(t, COUNT);
        CHECK(asbi_heap_first(&h) == (first ? &first->node : NULL));
    }
    asbi_heap_remove(&h, &(struct asbi_heap_node){ 0 }); /* in no heap */
    asbi_heap_fini(&h);
}

static void a_reserved_heap_needs_no_memory(void)
{
    struct fault_mem fm;
    struct asbi_heap h;
    struct asbi_heap_node n[101];

    memset(n, 0, sizeof(n));
    fault_mem_init(&fm, 0);
    asbi_heap_init(&h, &fm.mem);
    CHECK_INT(asbi_heap_reserve(&h, 100), ==, ASB_OK);
    fm.fail_at = fm.seen + 1;
    fm.for_ever = true;
    for (size_t i = 0; i < 100; i++)
        CHECK_INT(asbi_heap_push(&h, &n[i], i), ==, ASB_OK);
    while (h.count < h.cap) {
        n[100].at = 0;
        h.nodes[h.count++] = &n[100]; /* only to fill it */
    }
    CHECK_INT(asbi_heap_reserve(&h, h.cap + 1), ==, ASB_ENOMEM);
    asbi_heap_fini(&h);
    CHECK_INT(fm.live, ==, 0);
}

/* ---- list ------------------------------------------------------------- */

struct card {
    int number;
    struct asbi_link link;
};

static void a_list_counts_and_keeps_order(void)
{
    struct asbi_list l, other;
    struct card c[4];
    int sum = 0;

    memset(c, 0, sizeof(c));
    for (int i = 0; i < 4; i++)
        c[i].number = i;
    asbi_list_init(&l);
    asbi_list_init(&other);
    CHECK(asbi_list_empty(&l) && !asbi_list_pop(&l) && !asbi_list_first(&l));
    asbi_list_append(&l, &c[1].link);
    asbi_list_append(&l, &c[2].link);
    asbi_list_prepend(&l, &c[0].link);
    asbi_list_append(&other, &c[3].link);
    CHECK_INT(l.count, ==, 3);
    asbi_list_remove(&c[1].link);
    asbi_list_remove(&c[1].link); /* in no list: nothing happens */
    asbi_list_remove(&c[3].link); /* knows its own list */
    CHECK_INT(l.count, ==, 2);
    CHECK_INT(other.count, ==, 0);
    ASBI_LIST_EACH (it, &l) {
        sum = sum * 10 + ASBI_OF(it, struct card, link)->number + 1;
    }
    CHECK_INT(sum, ==, 13);
    CHECK(asbi_list_pop(&l) == &c[0].link);
    CHECK(asbi_list_pop(&l) == &c[2].link);
    CHECK(asbi_list_empty(&l));
}

/* ---- map -------------------------------------------------------------- */

/* Short keys over a small alphabet collide, repeat and get removed often. */
static void a_map_agrees_with_an_array(void)
{
    enum { COUNT = 500 };
    static char names[COUNT][12];
    static int values[COUNT];
    bool in[COUNT] = { false };
    size_t count = 0;
    struct asbi_map m;
    struct asbi_rng rng;

    asbi_map_init(&m, &asbi_mem_system, 99);
    asbi_rng_seed(&rng, 2);
    for (int i = 0; i < COUNT; i++)
        (void)snprintf(names[i], sizeof(names[i]), "%d", i);
    for (int step = 0; step < 200000; step++) {
        size_t i = asbi_rng_below(&rng, COUNT);
        asbi_str key = asbi_str_c(names[i]);

        CHECK(asbi_map_get(&m, key) == (in[i] ? &values[i] : NULL));
        if (asbi_rng_below(&rng, 2)) {
            CHECK_INT(asbi_map_put(&m, key, &values[i]), ==, ASB_OK);
            count += !in[i];
            in[i] = true;
        } else {
            CHECK(asbi_map_take(&m, key) == (in[i] ? &values[i] : NULL));
            count -= in[i];
            in[i] = false;
        }
        CHECK_INT(m.count, ==, (intmax_t)count);
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(asbi_map_get(&m, asbi_str_c(names[i])) ==
              (in[i] ? &values[i] : NULL));
    asbi_map_fini(&m);
}

static void a_map_takes_any_bytes_as_a_key(void)
{
    struct asbi_map m;
    int a, b;

    asbi_map_init(&m, &asbi_mem_system, 1);
    CHECK(!asbi_map_get(&m, ASBI_STR("")));
    CHECK(!asbi_map_take(&m, ASBI_STR("")));
    CHECK_INT(asbi_map_put(&m, (asbi_str){ NULL, 0 }, &a), ==, ASB_OK);
    CHECK_INT(asbi_map_put(&m, asbi_str_of("a\0b", 3), &b), ==, ASB_OK);
    CHECK(asbi_map_get(&m, ASBI_STR("")) == &a);
    CHECK(asbi_map_get(&m, asbi_str_of("a\0b", 3)) == &b);
    CHECK(!asbi_map_get(&m, ASBI_STR("a")));
    CHECK_INT(asbi_map_put(&m, ASBI_STR(""), &b), ==, ASB_OK);
    CHECK(asbi_map_get(&m, ASBI_STR("")) == &b);
    CHECK_INT(m.count, ==, 2);
    asbi_map_fini(&m);
}

static void a_map_survives_a_failed_allocation(void)
{
    static char names[200][8];
    struct fault_mem fm;
    struct asbi_map m;
    int value;
    size_t put = 0;

    fault_mem_init(&fm, 3);
    asbi_map_init(&m, &fm.mem, 1);
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%zu", i);
        if (asbi_map_put(&m, asbi_str_c(names[i]), &value))
            break;
        put++;
    }
    CHECK_INT(put, ==, 96); /* three quarters of 128 */
    CHECK_INT(m.count, ==, 96);
    for (size_t i = 0; i < 200; i++)
        CHECK(!asbi_map_get(&m, asbi_str_c(names[i])) == (i >= put));
    asbi_map_fini(&m);
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(equal_keys_come_out_as_they_came_in),
          CASE(a_heap_agrees_with_a_linear_search),
          CASE(a_reserved_heap_needs_no_memory),
          CASE(a_list_counts_and_keeps_order), CASE(a_map_agrees_with_an_array),
          CASE(a_map_takes_any_bytes_as_a_key),
          CASE(a_map_survives_a_failed_allocation))
