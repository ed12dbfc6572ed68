#include "engine/base/slots.h"

enum { INDEX_BITS = 24, FIRST_CAP = 64 };

#define INDEX_MASK ((UINT32_C(1) << INDEX_BITS) - 1)

void asbi_slots_init(struct asbi_slots *s, const struct asbi_mem *mem)
{
    *s = (struct asbi_slots){ .mem = mem };
}

void asbi_slots_fini(struct asbi_slots *s)
{
    asbi_free(s->mem, s->slots);
    *s = (struct asbi_slots){ .mem = s->mem };
}

static int grow(struct asbi_slots *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP;

    if (cap > INDEX_MASK)
        return -1;
    void *slots = asbi_resize(s->mem, s->slots, cap, sizeof(*s->slots));
    if (!slots)
        return -1;
    s->slots = slots;
    s->cap = cap;
    return 0;
}

uint64_t asbi_slots_add(struct asbi_slots *s, void *object)
{
    uint32_t i;

    if (s->first_free) {
        i = s->first_free - 1;
        s->first_free = s->slots[i].next_free;
    } else {
        if (s->used == s->cap && grow(s))
            return 0;
        i = s->used++;
        s->slots[i].generation = 0;
    }
    /* Generations start at 1, so that no number is 0. */
    s->slots[i] = (struct asbi_slot){ object, s->slots[i].generation + 1, 0 };
    return s->slots[i].generation << INDEX_BITS | i;
}

static struct asbi_slot *find(const struct asbi_slots *s, uint64_t number)
{
    uint32_t i = (uint32_t)(number & INDEX_MASK);

    if (i >= s->used || !s->slots[i].object ||
        s->slots[i].generation != number >> INDEX_BITS)
        return NULL;
    return &s->slots[i];
}

void *asbi_slots_get(const struct asbi_slots *s, uint64_t number)
{
    struct asbi_slot *slot = find(s, number);

    return slot ? slot->object : NULL;
}

void asbi_slots_remove(struct asbi_slots *s, uint64_t number)
{
    struct asbi_slot *slot = find(s, number);

    if (!slot)
        return;
    slot->object = NULL;
    slot->next_free = s->first_free;
    s->first_free = (uint32_t)(slot - s->slots) + 1;
}

uint64_t asbi_slots_find(const struct asbi_slots *s,
                         bool (*is)(const void *object, const void *arg),
                         const void *arg)
{
    for (uint32_t i = 0; i < s->used; i++) {
        const struct asbi_slot *slot = &s->slots[i];

        if (slot->object && is(slot->object, arg))
            return slot->generation << INDEX_BITS | i;
    }
    return 0;
}
