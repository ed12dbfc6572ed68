/*
 * deliver.c -- the callbacks that are owed.
 */
#include "engine/engine.h"

#include "engine/pick.h"

static void tell_owner(struct asb_engine *e, struct asbi_item *item)
{
    struct asb_result result;

    asbi_item_result(item, &result);
    if (item->lane && e->routes.count > 1)
        result.route = e->routes.lanes[item->lane - 1]->name;
    e->stats.items_ok += item->ok;
    e->stats.items_failed += !item->ok;
    e->stats.sla_misses += asbi_pick_is_late(e, item, asbi_now(e->world));
    asbi_slots_remove(&e->numbers, item->number);
    item->done(e, &result, item->arg);
}

static void deliver_one(struct asb_engine *e, struct asbi_item *item)
{
    if (item->done) /* else it was nobody's: see refresh.h */
        tell_owner(e, item);
    else
        asbi_slots_remove(&e->numbers, item->number);
    e->held_items--;
    e->held_of[item->priority]--;
    e->held_bytes -= item->bytes;
    asbi_item_free(&e->mem, item); /* after the callback, never before */
}

struct asbi_item *asbi_engine_owed(const struct asb_engine *e)
{
    struct asbi_link *first =
        asbi_list_first(e->in_order ? &e->in_turn : &e->done);

    if (!first)
        return NULL;
    if (!e->in_order)
        return ASBI_OF(first, struct asbi_item, link);
    struct asbi_item *item = ASBI_OF(first, struct asbi_item, turn);
    return item->state == ASBI_ITEM_DONE ? item : NULL;
}

/* Finished items have been left alone for a while: what callbacks will ask of
 * the next ones is on its way. */
static void expect_after(const struct asb_engine *e,
                         const struct asbi_item *item)
{
    const struct asbi_link *next = item->link.next;

    if (next == &e->done.head)
        return;
    asbi_item_expect_result(ASBI_OF(next, const struct asbi_item, link));
    next = next->next;
    if (next != &e->done.head)
        asbi_item_expect(ASBI_OF(next, const struct asbi_item, link));
}

bool asbi_engine_deliver(struct asb_engine *e)
{
    size_t left = e->done.count;
    struct asbi_item *item = NULL;
    bool moved = false;

    e->in_callback = true;
    while (left-- > 0 && !e->freed && (item = asbi_engine_owed(e))) {
        expect_after(e, item);
        asbi_list_remove(&item->link);
        deliver_one(e, item);
        moved = true;
    }
    e->in_callback = false;
    return moved;
}
