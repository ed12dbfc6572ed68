#include "engine/base/heap.h"

#include <asyncbatch/asyncbatch.h>

#include <assert.h>

void asbi_heap_init(struct asbi_heap *h, const struct asbi_mem *mem)
{
    *h = (struct asbi_heap){ .mem = mem };
}

void asbi_heap_fini(struct asbi_heap *h)
{
    asbi_free(h->mem, h->nodes);
    *h = (struct asbi_heap){ .mem = h->mem };
}

int asbi_heap_reserve(struct asbi_heap *h, size_t count)
{
    size_t cap = h->cap ? h->cap : 16;

    if (count <= h->cap)
        return ASB_OK;
    while (cap < count)
        cap *= 2;
    void *nodes = asbi_resize(h->mem, h->nodes, cap, sizeof(*h->nodes));
    if (!nodes)
        return ASB_ENOMEM;
    h->nodes = nodes;
    h->cap = cap;
    return ASB_OK;
}

static bool before(const struct asbi_heap_node *a,
                   const struct asbi_heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->turn < b->turn;
}

static void put(struct asbi_heap *h, size_t i, struct asbi_heap_node *n)
{
    h->nodes[i] = n;
    n->at = i + 1;
}

static void sift_up(struct asbi_heap *h, size_t i, struct asbi_heap_node *n)
{
    while (i > 0 && before(n, h->nodes[(i - 1) / 2])) {
        put(h, i, h->nodes[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, n);
}

static void sift_down(struct asbi_heap *h, size_t i, struct asbi_heap_node *n)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count &&
            before(h->nodes[child + 1], h->nodes[child]))
            child++;
        if (!before(h->nodes[child], n))
            break;
        put(h, i, h->nodes[child]);
        i = child;
    }
    put(h, i, n);
}

/* Puts `n`, whose key may have gone either way, to its place from slot `i`. */
static void settle(struct asbi_heap *h, size_t i, struct asbi_heap_node *n)
{
    if (i > 0 && before(n, h->nodes[(i - 1) / 2]))
        sift_up(h, i, n);
    else
        sift_down(h, i, n);
}

int asbi_heap_push(struct asbi_heap *h, struct asbi_heap_node *n, uint64_t key)
{
    assert(n->at == 0);
    int rc = asbi_heap_reserve(h, h->count + 1);
    if (rc)
        return rc;
    n->key = key;
    n->turn = h->turn++;
    sift_up(h, h->count++, n);
    return ASB_OK;
}

void asbi_heap_remove(struct asbi_heap *h, struct asbi_heap_node *n)
{
    if (n->at == 0)
        return;
    size_t i = n->at - 1;
    struct asbi_heap_node *last = h->nodes[--h->count];
    n->at = 0;
    if (last != n)
        settle(h, i, last);
}

void asbi_heap_rekey(struct asbi_heap *h, struct asbi_heap_node *n,
                     uint64_t key)
{
    assert(n->at != 0);
    n->key = key;
    n->turn = h->turn++;
    settle(h, n->at - 1, n);
}

struct asbi_heap_node *asbi_heap_first(const struct asbi_heap *h)
{
    return h->count ? h->nodes[0] : NULL;
}

struct asbi_heap_node *asbi_heap_pop(struct asbi_heap *h)
{
    struct asbi_heap_node *n = asbi_heap_first(h);

    if (n)
        asbi_heap_remove(h, n);
    return n;
}
