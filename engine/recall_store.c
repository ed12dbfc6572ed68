#include "engine/recall_store.h"

#include <string.h>

#include "cache/record.h"
#include "engine/base/units.h"

enum {
    LOOK_UPS = 256, /* in one turn: about a millisecond */
    SAVES = 256,    /* in one transaction */
    MAX_UNSAVED_BYTES = 8 << 20,
};

#define SAVE_EVERY (50 * ASBI_MS)

/* An answer on its way to the store. */
struct unsaved {
    struct asbi_link link;
    struct asbi_store_entry entry; /* its record lies right behind */
};

static void drop_unsaved(struct asb_engine *e, size_t count)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_link *link;

    for (; count > 0 && (link = asbi_list_pop(&r->unsaved)); count--) {
        struct unsaved *u = ASBI_OF(link, struct unsaved, link);

        r->unsaved_bytes -= sizeof(*u) + u->entry.record.len;
        asbi_free(&e->mem, u);
    }
    if (r->unsaved.count == 0)
        r->save_at_ns = ASBI_NEVER;
}

static void give_up_store(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    asbi_log(&e->log, ASB_LOG_WARN,
             "the cache file cannot be used any more; the run goes on without "
             "it");
    drop_unsaved(e, SIZE_MAX);
    r->store->ops->free(r->store);
    r->store = NULL;
}

/* ---- looking up ------------------------------------------------------- */

void asbi_recall_look_up(struct asb_engine *e, struct asbi_item *item)
{
    asbi_item_enter(item, ASBI_ITEM_ASKED);
    asbi_list_append(&e->recall.asked, &item->link);
    e->world->ops->wake(e->world);
}

/* True when the item is answered and done. */
static bool answer_from_store(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_recall *r = &e->recall;
    const struct asbi_cache_key *key = &item->seat.flight->key;
    uint64_t expires_ms = 0;

    asbi_buf_clear(&r->bytes);
    int rc = r->store->ops->get(r->store, key, asbi_wall_ms(e->world),
                                &r->bytes, &expires_ms);
    if (rc == ASB_EIO)
        give_up_store(e);
    if (rc || asbi_buf_failed(&r->bytes))
        return false;
    asbi_str record = asbi_buf_view(&r->bytes);
    if (!asbi_recall_answer(e, item, record, key, ASB_CACHE))
        return false; /* a damaged record is replaced by the next answer */
    asbi_recall_remember(e, item, record, key, expires_ms, false);
    asbi_engine_finish(e, item);
    return true;
}

static void look_up_some(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_link *link;

    if (r->store)
        r->store->ops->begin(r->store);
    for (unsigned n = 0; n < LOOK_UPS && (link = asbi_list_pop(&r->asked));
         n++) {
        struct asbi_item *item = ASBI_OF(link, struct asbi_item, link);

        if (!r->store || !answer_from_store(e, item))
            asbi_recall_miss(e, item);
    }
    if (r->store)
        r->store->ops->end(r->store);
    if (r->asked.count) {
        e->world->ops->wake(e->world);
    } else if (r->flush || e->draining) {
        r->flush = false;
        asbi_former_flush(&e->former, NULL);
    }
}

void asbi_recall_flush(struct asb_engine *e)
{
    e->recall.flush = e->recall.asked.count > 0;
}

/* ---- saving ----------------------------------------------------------- */

void asbi_recall_save(struct asb_engine *e, const struct asbi_cache_key *key,
                      asbi_str record, uint64_t expires_ms)
{
    struct asbi_recall *r = &e->recall;
    size_t bytes = sizeof(struct unsaved) + record.len;

    if (!r->store || r->unsaved_bytes + bytes > MAX_UNSAVED_BYTES)
        return;
    struct unsaved *u = asbi_alloc(&e->mem, bytes);
    if (!u)
        return;
    memset(u, 0, sizeof(*u));
    memcpy(u + 1, record.at, record.len);
    u->entry.key = *key;
    u->entry.expires_ms = expires_ms;
    u->entry.record = asbi_str_of((char *)(u + 1), record.len);
    asbi_list_append(&r->unsaved, &u->link);
    r->unsaved_bytes += bytes;
    if (r->save_at_ns == ASBI_NEVER)
        r->save_at_ns = asbi_now(e->world) + SAVE_EVERY;
}

/* ASB_OK, ASB_EBUSY, or ASB_EIO with the store given up. */
static int save_some(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;
    struct asbi_store_entry entries[SAVES] = { 0 };
    size_t n = 0;

    ASBI_LIST_EACH (link, &r->unsaved) {
        if (n == SAVES)
            break;
        entries[n++] = ASBI_OF(link, struct unsaved, link)->entry;
    }
    int rc = r->store->ops->put(r->store, entries, n);
    if (rc == ASB_OK)
        drop_unsaved(e, n);
    else if (rc != ASB_EBUSY)
        give_up_store(e);
    return rc;
}

void asbi_recall_save_all(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    if (r->store && r->unsaved.count)
        r->store->ops->last(r->store);
    while (r->store && r->unsaved.count && save_some(e) == ASB_OK)
        ;
    drop_unsaved(e, SIZE_MAX);
}

void asbi_recall_turn(struct asb_engine *e, uint64_t now)
{
    struct asbi_recall *r = &e->recall;

    if (r->asked.count)
        look_up_some(e);
    if (r->save_at_ns > now)
        return;
    (void)save_some(e);
    if (r->unsaved.count)
        r->save_at_ns = now + SAVE_EVERY;
}

uint64_t asbi_recall_due(const struct asb_engine *e)
{
    return e->recall.save_at_ns;
}
