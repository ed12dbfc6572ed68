#include "engine/base/pool.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/prefetch.h"

/* Stands before each block that is handed out. */
struct asbi_pool_block {
    alignas(max_align_t) struct asbi_pool_block *next; /* while it is spare */
    size_t class; /* ASBI_POOL_CLASSES: a large one */
};

enum { HEAD = sizeof(struct asbi_pool_block) };

static size_t class_of(size_t size)
{
    if (size > ASBI_POOL_CLASSES * ASBI_POOL_STEP - HEAD)
        return ASBI_POOL_CLASSES;
    return (size + HEAD - 1) / ASBI_POOL_STEP;
}

/* With the head. */
static size_t bytes_of(size_t class)
{
    return (class + 1) * ASBI_POOL_STEP;
}

static void *take(struct asbi_pool *p, size_t size)
{
    size_t class = class_of(size);
    bool large = class == ASBI_POOL_CLASSES;
    struct asbi_pool_block *b = large ? NULL : p->spare[class];

    if (b) {
        p->spare[class] = b->next;
        asbi_prefetch(b->next); /* it is the next to be looked into */
        p->spare_bytes -= bytes_of(class);
        return b + 1;
    }
    if (size > SIZE_MAX - HEAD)
        return NULL;
    b = asbi_alloc(p->below, large ? size + HEAD : bytes_of(class));
    if (!b)
        return NULL;
    b->class = class;
    return b + 1;
}

static void give(struct asbi_pool *p, struct asbi_pool_block *b)
{
    if (b->class == ASBI_POOL_CLASSES ||
        p->spare_bytes + bytes_of(b->class) > ASBI_POOL_KEEPS) {
        asbi_free(p->below, b);
        return;
    }
    b->next = p->spare[b->class];
    p->spare[b->class] = b;
    p->spare_bytes += bytes_of(b->class);
}

/* From one class to another; large ones among themselves without a copy. */
static void *move(struct asbi_pool *p, struct asbi_pool_block *b, size_t size)
{
    size_t class = class_of(size);

    if (class == b->class && class < ASBI_POOL_CLASSES)
        return b + 1;
    if (class == b->class) {
        if (size > SIZE_MAX - HEAD)
            return NULL;
        b = asbi_resize(p->below, b, size + HEAD, 1);
        return b ? b + 1 : NULL;
    }
    void *copy = take(p, size);
    if (!copy)
        return NULL;
    size_t old = b->class < class ? bytes_of(b->class) - HEAD : size;
    memcpy(copy, b + 1, old < size ? old : size);
    give(p, b);
    return copy;
}

static void *pool_resize(void *at, size_t size, void *arg)
{
    struct asbi_pool_block *b = at;

    if (!b)
        return take(arg, size);
    b--;
    if (size)
        return move(arg, b, size);
    give(arg, b);
    return NULL;
}

void asbi_pool_init(struct asbi_pool *p, const struct asbi_mem *below)
{
    *p = (struct asbi_pool){ .mem = { pool_resize, p }, .below = below };
}

void asbi_pool_fini(struct asbi_pool *p)
{
    struct asbi_pool_block *b;

    for (size_t i = 0; i < ASBI_POOL_CLASSES; i++) {
        while ((b = p->spare[i])) {
            p->spare[i] = b->next;
            asbi_free(p->below, b);
        }
    }
    p->spare_bytes = 0;
}
