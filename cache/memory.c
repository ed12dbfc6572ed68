#include "cache/memory.h"

#include <string.h>

#include "cache/sketch.h"
#include "engine/base/list.h"
#include "engine/base/map.h"

enum {
    /* A place in the table, which is between 3/8 and 3/4 full. */
    SLOT_BYTES = 2 * sizeof(struct asbi_map_slot),
    /* The sketch is made for entries of this size. */
    ORDINARY_BYTES = 512,
    /* No entry may take more than this part of the room ... */
    LARGEST_PART = 8,
    /* ... or push out more than this many others. */
    MOST_VICTIMS = 256,
    /* Places of the table looked at for each entry put. */
    SWEEP = 4,
};

enum part { WINDOW, PROBATION, PROTECTED, PARTS };

struct entry {
    struct asbi_cache_key key;
    struct asbi_link link; /* in its part, last used last */
    enum part part;
    struct asbi_memory_note note;
    size_t weight, len;
    char record[];
};

struct asbi_memory {
    const struct asbi_mem *mem;
    struct asbi_map table;
    struct asbi_sketch sketch;
    struct asbi_list lists[PARTS];
    size_t bytes[PARTS];
    double worth; /* of all entries together, asked for once each */
    size_t window_max, main_max, protected_max;
    size_t least_weight; /* so that max_items cannot be passed */
    size_t hand;         /* of the sweep */
    uint64_t soonest_ms; /* when the sweep is worth its while again ... */
    uint64_t round_ms;   /* ... as far as the hand has come round */
    struct asbi_memory_stats stats;
};

/* ---- entries ---------------------------------------------------------- */

static uint64_t hash_of(const struct asbi_cache_key *key)
{
    uint64_t hash;

    memcpy(&hash, key->bytes, sizeof(hash)); /* a hash already */
    return hash;
}

size_t asbi_memory_weight(size_t record_len)
{
    return sizeof(struct entry) + SLOT_BYTES + record_len;
}

static double each_worth(const struct entry *e)
{
    return e->note.worth > 0 ? (double)e->note.worth : 1;
}

static void enter(struct asbi_memory *m, struct entry *e, enum part part)
{
    e->part = part;
    m->worth += each_worth(e);
    m->bytes[part] += e->weight;
    asbi_list_append(&m->lists[part], &e->link);
}

static void leave(struct asbi_memory *m, struct entry *e)
{
    m->worth -= each_worth(e);
    m->bytes[e->part] -= e->weight;
    asbi_list_remove(&e->link);
}

static void entry_free(struct asbi_memory *m, struct entry *e)
{
    (void)asbi_map_take(&m->table, asbi_cache_key_str(&e->key));
    leave(m, e);
    asbi_free(m->mem, e);
}

static struct entry *first_of(struct asbi_memory *m, enum part part)
{
    struct asbi_link *link = asbi_list_first(&m->lists[part]);

    return link ? ASBI_OF(link, struct entry, link) : NULL;
}

/* The one used before it, in probation first, then among the protected. */
static struct entry *next_victim(struct asbi_memory *m, struct entry *e)
{
    if (!e)
        e = first_of(m, PROBATION);
    else if (e->link.next != &m->lists[e->part].head)
        return ASBI_OF(e->link.next, struct entry, link);
    else if (e->part == PROBATION)
        e = NULL;
    else
        return NULL;
    return e ? e : first_of(m, PROTECTED);
}

/* ---- who stays -------------------------------------------------------- */

static double worth_of(const struct asbi_memory *m, const struct entry *e)
{
    return asbi_sketch_ask(&m->sketch, hash_of(&e->key)) * each_worth(e);
}

static size_t main_bytes(const struct asbi_memory *m)
{
    return m->bytes[PROBATION] + m->bytes[PROTECTED];
}

/* One that is dearer than most must not stand before the cheap ones: the next
 * candidate is compared with another. */
static bool spare(struct asbi_memory *m, struct entry *victim)
{
    enum part part = victim->part;

    if (each_worth(victim) * (double)m->table.count <= m->worth)
        return false;
    leave(m, victim);
    enter(m, victim, part);
    return false;
}

/* Makes room in the main part for a candidate, if it is worth more than all
 * that would have to go together. */
static bool make_room(struct asbi_memory *m, const struct entry *candidate)
{
    size_t used = main_bytes(m) + candidate->weight, freed = 0;
    size_t need = used > m->main_max ? used - m->main_max : 0;
    double worth = worth_of(m, candidate), lost = 0;
    struct entry *victim = NULL;
    size_t victims = 0;

    while (freed < need) {
        victim = next_victim(m, victim);
        if (!victim || ++victims > MOST_VICTIMS)
            return false;
        freed += victim->weight;
        lost += worth_of(m, victim);
        if (lost >= worth)
            return spare(m, victim);
    }
    for (; victims > 0; victims--) {
        entry_free(m, next_victim(m, NULL));
        m->stats.evicted++;
    }
    return true;
}

static void shrink_window(struct asbi_memory *m)
{
    struct entry *e;

    while (m->bytes[WINDOW] > m->window_max && (e = first_of(m, WINDOW))) {
        if (make_room(m, e)) {
            leave(m, e);
            enter(m, e, PROBATION);
        } else {
            m->stats.refused++;
            entry_free(m, e);
        }
    }
}

static void use(struct asbi_memory *m, struct entry *e)
{
    enum part to = e->part == WINDOW ? WINDOW : PROTECTED;

    leave(m, e);
    enter(m, e, to);
    while (m->bytes[PROTECTED] > m->protected_max) {
        e = first_of(m, PROTECTED);
        leave(m, e);
        enter(m, e, PROBATION);
    }
}

/* ---- time ------------------------------------------------------------- */

static void expire(struct asbi_memory *m, struct entry *e)
{
    m->stats.expired++;
    entry_free(m, e);
}

static void will_expire(struct asbi_memory *m, uint64_t expires_ms)
{
    if (expires_ms < m->soonest_ms)
        m->soonest_ms = expires_ms;
    if (expires_ms < m->round_ms)
        m->round_ms = expires_ms;
}

static void sweep_one(struct asbi_memory *m, uint64_t now_ms)
{
    struct entry *e = m->table.slots[m->hand].value;

    if (e && e->note.expires_ms <= now_ms) {
        expire(m, e); /* another may stand there now */
        return;
    }
    if (e)
        will_expire(m, e->note.expires_ms);
    if (++m->hand < m->table.cap)
        return;
    m->hand = 0;
    m->soonest_ms = m->round_ms;
    m->round_ms = UINT64_MAX;
}

/* Mostly nothing expires for days, and to look at entries costs misses of the
 * processor's cache.  One that the table moves past the hand is found in the
 * round after the next that has expired. */
static void sweep(struct asbi_memory *m, uint64_t now_ms)
{
    for (unsigned i = 0; i < SWEEP && m->table.count && m->soonest_ms <= now_ms;
         i++)
        sweep_one(m, now_ms);
}

/* ---- from outside ----------------------------------------------------- */

static void set_limits(struct asbi_memory *m,
                       const struct asbi_memory_options *o)
{
    if (o->max_items)
        m->least_weight = o->max_bytes / o->max_items;
    m->window_max = o->lru ? o->max_bytes : o->max_bytes / 100;
    m->main_max = o->max_bytes - m->window_max;
    m->protected_max = m->main_max / 5 * 4;
}

int asbi_memory_new(const struct asbi_mem *mem,
                    const struct asbi_memory_options *o,
                    struct asbi_memory **out)
{
    size_t entries = o->max_bytes / ORDINARY_BYTES;
    struct asbi_memory *m = asbi_calloc(mem, 1, sizeof(*m));

    *out = NULL;
    if (!m)
        return ASB_ENOMEM;
    m->mem = mem;
    m->soonest_ms = m->round_ms = UINT64_MAX;
    asbi_map_init(&m->table, mem, o->seed);
    for (int i = 0; i < PARTS; i++)
        asbi_list_init(&m->lists[i]);
    set_limits(m, o);
    if (o->max_items && o->max_items < entries)
        entries = (size_t)o->max_items;
    if (asbi_sketch_init(&m->sketch, mem, entries)) {
        asbi_free(mem, m);
        return ASB_ENOMEM;
    }
    *out = m;
    return ASB_OK;
}

void asbi_memory_free(struct asbi_memory *m)
{
    if (!m)
        return;
    for (int i = 0; i < PARTS; i++) {
        struct asbi_link *link;

        while ((link = asbi_list_pop(&m->lists[i])))
            asbi_free(m->mem, ASBI_OF(link, struct entry, link));
    }
    asbi_map_fini(&m->table);
    asbi_sketch_fini(&m->sketch);
    asbi_free(m->mem, m);
}

void asbi_memory_expect(const struct asbi_memory *m,
                        const struct asbi_cache_key *key)
{
    asbi_map_expect(&m->table, asbi_cache_key_str(key));
}

bool asbi_memory_get(struct asbi_memory *m, const struct asbi_cache_key *key,
                     uint64_t now_ms, asbi_str *record,
                     struct asbi_memory_note *note)
{
    struct entry *e = asbi_map_get(&m->table, asbi_cache_key_str(key));

    asbi_sketch_count(&m->sketch, hash_of(key));
    if (e && e->note.expires_ms <= now_ms) {
        expire(m, e);
        e = NULL;
    }
    m->stats.hits += e != NULL;
    m->stats.misses += e == NULL;
    if (!e)
        return false;
    use(m, e);
    *record = asbi_str_of(e->record, e->len);
    *note = e->note;
    return true;
}

void asbi_memory_put(struct asbi_memory *m, const struct asbi_cache_key *key,
                     asbi_str record, const struct asbi_memory_note *note,
                     uint64_t now_ms)
{
    size_t weight = asbi_memory_weight(record.len);
    size_t most = (m->window_max + m->main_max) / LARGEST_PART;

    sweep(m, now_ms);
    asbi_memory_drop(m, key);
    if (weight > most && weight > m->least_weight)
        return;
    struct entry *e = asbi_alloc(m->mem, sizeof(*e) + record.len);
    if (!e)
        return;
    memset(e, 0, sizeof(*e));
    e->key = *key;
    e->note = *note;
    e->weight = weight > m->least_weight ? weight : m->least_weight;
    e->len = record.len;
    if (record.len)
        memcpy(e->record, record.at, record.len);
    if (asbi_map_put(&m->table, asbi_cache_key_str(&e->key), e)) {
        asbi_free(m->mem, e);
        return;
    }
    enter(m, e, WINDOW);
    will_expire(m, note->expires_ms);
    shrink_window(m);
}

void asbi_memory_drop(struct asbi_memory *m, const struct asbi_cache_key *key)
{
    struct entry *e = asbi_map_get(&m->table, asbi_cache_key_str(key));

    if (e)
        entry_free(m, e);
}

void asbi_memory_clear(struct asbi_memory *m)
{
    for (int i = 0; i < PARTS; i++) {
        struct entry *e;

        while ((e = first_of(m, (enum part)i)))
            entry_free(m, e);
    }
}

void asbi_memory_stats(const struct asbi_memory *m,
                       struct asbi_memory_stats *out)
{
    *out = m->stats;
    out->items = m->table.count;
    out->bytes = m->bytes[WINDOW] + main_bytes(m);
}
