#include "engine/recall_store.h"

#include <string.h>

#include "cache/record.h"
#include "engine/base/units.h"
#include "engine/recall_keep.h"
#include "engine/refresh.h"

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

bool asbi_recall_outlives(const struct asbi_recall *r)
{
    bool any = r->store != NULL;

    for (int i = 0; i < ASBI_REMOTES; i++)
        any = any || r->remotes[i];
    return any;
}

void asbi_recall_close(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    if (r->store)
        r->store->ops->free(r->store);
    r->store = NULL;
    for (int i = 0; i < ASBI_REMOTES; i++) {
        if (r->remotes[i])
            r->remotes[i]->ops->free(r->remotes[i]);
        r->remotes[i] = NULL;
    }
}

static void save_before(struct asb_engine *e, int tier,
                        const struct asbi_cache_key *key, asbi_str record,
                        uint64_t expires_ms);

/* ---- looking up ------------------------------------------------------- */

void asbi_recall_look_up(struct asb_engine *e, struct asbi_item *item)
{
    asbi_item_enter(item, ASBI_ITEM_ASKED);
    asbi_list_append(&e->recall.asked, &item->link);
    e->world->ops->wake(e->world);
}

/* Answers and ends the item, if it can.  `lent`: others say how long that
 * holds. */
static bool answer_with(struct asb_engine *e, struct asbi_item *item,
                        asbi_str record, uint64_t expires_ms,
                        enum asbi_tier tier, bool lent)
{
    const struct asbi_cache_key key = item->seat.flight->key;

    if (!asbi_recall_answer(e, item, record, &key, ASB_CACHE))
        return false; /* a damaged record is replaced by the next answer */
    e->recall.tiers[tier].found++;
    e->recall.tiers[tier].saved_nano_usd += item->saved;
    asbi_recall_remember(e, item, record, &key, expires_ms, false, lent);
    if (tier == ASBI_TIER_REDIS && !lent)
        save_before(e, (int)tier, &key, record, expires_ms);
    asbi_engine_finish(e, item); /* which leaves the flight */
    if (!lent)
        asbi_refresh(e, item, &key, expires_ms);
    return true;
}

/* True when the item is answered and done, or its artefacts are on their way.
 * Over HTTP the server says how long it holds: that goes no further. */
static bool answer_by(struct asb_engine *e, struct asbi_item *item,
                      asbi_str record, uint64_t expires_ms, enum asbi_tier tier)
{
    if (item->media)
        return asbi_shelf_take(&e->media.shelf, item, record, expires_ms, tier);
    return answer_with(e, item, record, expires_ms, tier,
                       tier == ASBI_TIER_HTTP);
}

static bool answer_from_store(struct asb_engine *e, struct asbi_item *item)
{
    struct asbi_recall *r = &e->recall;
    const struct asbi_cache_key *key = &item->seat.flight->key;
    uint64_t expires_ms = 0;

    r->tiers[ASBI_TIER_FILE].asked++;
    asbi_buf_clear(&r->bytes);
    int rc = r->store->ops->get(r->store, key, asbi_wall_ms(e->world),
                                &r->bytes, &expires_ms);
    if (rc == ASB_EIO)
        give_up_store(e);
    if (rc || asbi_buf_failed(&r->bytes))
        return false;
    return answer_by(e, item, asbi_buf_view(&r->bytes), expires_ms,
                     ASBI_TIER_FILE);
}

/* Asks the remotes from `tier` on; without any that can be asked now the answer
 * is not known. */
static void ask_remotes(struct asb_engine *e, struct asbi_item *item, int tier)
{
    struct asbi_recall *r = &e->recall;

    item->look.key = &item->seat.flight->key;
    for (; tier < ASBI_REMOTES; tier++) {
        struct asbi_remote *remote = r->remotes[tier];

        if (!remote ||
            !remote->ops->ask(remote, &item->look, asbi_now(e->world)))
            continue;
        r->tiers[tier].asked++;
        asbi_list_append(&r->looking, &item->link);
        return;
    }
    asbi_recall_miss(e, item);
}

static void flush_when_looked(struct asb_engine *e)
{
    struct asbi_recall *r = &e->recall;

    if (r->asked.count || r->looking.count || !(r->flush || e->draining))
        return;
    r->flush = false;
    asbi_former_flush(&e->former, NULL);
    e->world->ops->wake(e->world);
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
            ask_remotes(e, item, 0);
    }
    if (r->store)
        r->store->ops->end(r->store);
    if (r->asked.count)
        e->world->ops->wake(e->world);
    else
        flush_when_looked(e);
}

void asbi_recall_flush(struct asb_engine *e)
{
    e->recall.flush = e->recall.asked.count + e->recall.looking.count > 0;
}

bool asbi_recall_give(struct asb_engine *e, struct asbi_item *item,
                      asbi_str record, uint64_t expires_ms, enum asbi_tier tier)
{
    if (!answer_with(e, item, record, expires_ms, tier, true))
        return false;
    flush_when_looked(e);
    return true;
}

void asbi_recall_lack(struct asb_engine *e, struct asbi_item *item)
{
    asbi_recall_miss(e, item);
    flush_when_looked(e);
}

void asbi_recall_stop_look(struct asbi_item *item)
{
    asbi_list_remove(&item->link);
    if (item->look.at)
        item->look.at->ops->forget(item->look.at, &item->look);
}

/* ---- what remotes report ---------------------------------------------- */

static int tier_of(const struct asbi_recall *r, const struct asbi_remote *at)
{
    int tier = 0;

    while (tier < ASBI_REMOTES && r->remotes[tier] != at)
        tier++;
    return tier;
}

static void on_end(void *arg, struct asbi_remote *remote,
                   struct asbi_look *look, asbi_str record, uint64_t expires_ms)
{
    struct asb_engine *e = arg;
    struct asbi_item *item = ASBI_OF(look, struct asbi_item, look);
    int tier = tier_of(&e->recall, remote);

    asbi_list_remove(&item->link);
    if (!record.at ||
        !answer_by(e, item, record, expires_ms, (enum asbi_tier)tier))
        ask_remotes(e, item, tier + 1);
    flush_when_looked(e);
}

static void on_purge(void *arg, const struct asbi_cache_key *key)
{
    struct asb_engine *e = arg;
    struct asbi_recall *r = &e->recall;

    if (r->memory && key)
        asbi_memory_drop(r->memory, key);
    else if (r->memory)
        asbi_memory_clear(r->memory);
    if (key && r->store && r->store->ops->drop)
        r->store->ops->drop(r->store, key);
}

static void on_health(void *arg, struct asbi_remote *remote, bool well,
                      const char *why)
{
    struct asb_engine *e = arg;

    if (well && why[0])
        asbi_log(&e->log, ASB_LOG_WARN, "the %s cache %s", remote->name, why);
    else if (well)
        asbi_log(&e->log, ASB_LOG_INFO, "the %s cache can be used",
                 remote->name);
    else
        asbi_log(&e->log, ASB_LOG_WARN,
                 "the %s cache cannot be used for now (%s); the run goes on "
                 "without it",
                 remote->name, why);
}

static void on_rest(void *arg)
{
    struct asb_engine *e = arg;

    e->world->ops->wake(e->world);
}

void asbi_recall_listen(struct asb_engine *e)
{
    for (int i = 0; i < ASBI_REMOTES; i++) {
        struct asbi_remote *r = e->recall.remotes[i];

        if (!r)
            continue;
        r->on_end = on_end;
        r->on_purge = on_purge;
        r->on_health = on_health;
        r->on_rest = on_rest;
        r->arg = e;
    }
}

/* ---- saving ----------------------------------------------------------- */

static void save_in_store(struct asb_engine *e,
                          const struct asbi_cache_key *key, asbi_str record,
                          uint64_t expires_ms)
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

/* Where it would have been looked for before `tier`. */
static void save_before(struct asb_engine *e, int tier,
                        const struct asbi_cache_key *key, asbi_str record,
                        uint64_t expires_ms)
{
    const struct asbi_store_entry entry = { *key, expires_ms, record };
    uint64_t now_ms = asbi_wall_ms(e->world), now = asbi_now(e->world);

    save_in_store(e, key, record, expires_ms);
    for (int i = 0; i < tier; i++) {
        struct asbi_remote *remote = e->recall.remotes[i];

        if (remote)
            remote->ops->keep(remote, &entry, now_ms, now);
    }
}

void asbi_recall_save(struct asb_engine *e, const struct asbi_cache_key *key,
                      asbi_str record, uint64_t expires_ms)
{
    save_before(e, ASBI_REMOTES, key, record, expires_ms);
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

static void turn_remotes(struct asb_engine *e, uint64_t now)
{
    for (int i = 0; i < ASBI_REMOTES; i++) {
        struct asbi_remote *remote = e->recall.remotes[i];

        if (remote)
            remote->ops->turn(remote, now);
    }
}

bool asbi_recall_turn(struct asb_engine *e, uint64_t now)
{
    struct asbi_recall *r = &e->recall;

    if (r->asked.count)
        look_up_some(e);
    turn_remotes(e, now);
    if (r->save_at_ns <= now) {
        (void)save_some(e);
        if (r->unsaved.count)
            r->save_at_ns = now + SAVE_EVERY;
    }
    bool was_busy = r->was_busy;
    r->was_busy = asbi_recall_busy(e);
    return was_busy && !r->was_busy;
}

bool asbi_recall_busy(const struct asb_engine *e)
{
    bool busy = asbi_shelf_busy(&e->media.shelf);

    for (int i = 0; i < ASBI_REMOTES; i++) {
        const struct asbi_remote *remote = e->recall.remotes[i];

        busy = busy || (remote && remote->ops->busy(remote));
    }
    return busy;
}

uint64_t asbi_recall_due(const struct asb_engine *e)
{
    uint64_t due = e->recall.save_at_ns;

    for (int i = 0; i < ASBI_REMOTES; i++) {
        const struct asbi_remote *remote = e->recall.remotes[i];
        uint64_t its = remote ? remote->ops->due(remote) : ASBI_NEVER;

        due = its < due ? its : due;
    }
    return due;
}
