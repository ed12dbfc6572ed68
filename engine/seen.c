#include "engine/seen.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/prefetch.h"

enum {
    SLOTS = 65536,
    RUN = 49152,      /* entries of a full table: three quarters */
    PAGE = 256,       /* entries read at a time: 4 KiB */
    LEVELS = 24,      /* 8 * 10^11 ids */
    LONGEST_ID = 256, /* longer ones are never taken for rising */
    LINE_BITS = 40,
    PROBES = 4,
    BLOCK = 512, /* bits */
    BITS = 10,   /* of the filter, for each id: one look in fifty is vain */
};

#define LINE_MASK ((UINT64_C(1) << LINE_BITS) - 1)
#define FIRST_BITS (UINT64_C(12) << 20)
#define MOST_BITS (UINT64_C(1) << 27) /* 16 MiB */

/* 88 bits of hash, ordered by the first 64, and the line. */
struct entry {
    uint64_t hash;
    uint64_t more; /* 24 bits of hash above LINE_BITS of line; 0: free slot */
};

struct asbi_seen {
    const struct asbi_mem *mem;
    const struct asbi_seen_store *store;
    void *store_arg;
    struct entry *table; /* SLOTS, open addressing in the order of hashes */
    size_t count;
    void *file;               /* NULL until the first run */
    uint64_t *bloom;          /* of what is in runs; NULL: may be anything */
    uint64_t bits;            /* in it */
    bool used[LEVELS];        /* whether there is a run of that level */
    char highest[LONGEST_ID]; /* id in natural order, so far */
    size_t highest_len;
    bool rising; /* `highest` is known: no longer id came */
};

int asbi_seen_new(const struct asbi_mem *mem,
                  const struct asbi_seen_store *store, void *store_arg,
                  struct asbi_seen **out)
{
    struct asbi_seen *s = asbi_calloc(mem, 1, sizeof(*s));

    *out = NULL;
    if (!s)
        return ASB_ENOMEM;
    s->mem = mem;
    s->store = store;
    s->store_arg = store_arg;
    s->rising = true;
    s->table = asbi_calloc(mem, SLOTS, sizeof(*s->table));
    s->bits = FIRST_BITS;
    s->bloom = asbi_calloc(mem, FIRST_BITS / 64, sizeof(*s->bloom));
    if (!s->table || !s->bloom) {
        asbi_seen_free(s);
        return ASB_ENOMEM;
    }
    *out = s;
    return ASB_OK;
}

void asbi_seen_free(struct asbi_seen *s)
{
    if (!s)
        return;
    if (s->file)
        s->store->close(s->file);
    asbi_free(s->mem, s->bloom);
    asbi_free(s->mem, s->table);
    asbi_free(s->mem, s);
}

static bool same(const struct entry *a, const struct entry *b)
{
    return a->hash == b->hash && a->more >> LINE_BITS == b->more >> LINE_BITS;
}

/* ---- rising order ----------------------------------------------------- */

/* The digits at `at`, without leading zeros. */
static asbi_str digits(asbi_str s, size_t *at)
{
    size_t start;

    while (*at + 1 < s.len && s.at[*at] == '0' &&
           isdigit((unsigned char)s.at[*at + 1]))
        (*at)++;
    start = *at;
    while (*at < s.len && isdigit((unsigned char)s.at[*at]))
        (*at)++;
    return asbi_str_of(s.at + start, *at - start);
}

static int compare_numbers(asbi_str a, asbi_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return memcmp(a.at, b.at, a.len);
}

/* As people sort: runs of digits by their value.  0 also for ids that differ
 * only in leading zeros; the caller does not take those for rising. */
static int compare(asbi_str a, asbi_str b)
{
    size_t i = 0, j = 0;

    while (i < a.len && j < b.len) {
        unsigned char x = (unsigned char)a.at[i], y = (unsigned char)b.at[j];
        int order = (x > y) - (x < y);

        if (isdigit(x) && isdigit(y)) {
            order = compare_numbers(digits(a, &i), digits(b, &j));
        } else {
            i++;
            j++;
        }
        if (order)
            return order;
    }
    return (i < a.len) - (j < b.len);
}

/* Whether the id comes after all before it, and so cannot be among them. */
static bool rises(struct asbi_seen *s, asbi_str id)
{
    asbi_str highest = asbi_str_of(s->highest, s->highest_len);

    if (!s->rising)
        return false;
    if (id.len > LONGEST_ID) {
        s->rising = false;
        return false;
    }
    if (s->highest_len && compare(id, highest) <= 0)
        return false;
    memcpy(s->highest, id.at, id.len);
    s->highest_len = id.len;
    return true;
}

/* ---- the filter ------------------------------------------------------- */

/* All bits of an id are in one block, the size of a cache line.  Blocks are in
 * the order of hashes, as runs are: a merge fills them one after the other. */
static uint64_t *block_of(const struct asbi_seen *s, const struct entry *e)
{
    uint64_t blocks = s->bits / BLOCK;

    return s->bloom + ((e->hash >> 32) * blocks >> 32) * (BLOCK / 64);
}

static uint64_t bit_of(const struct entry *e, unsigned probe)
{
    return e->hash >> probe * 9 & (BLOCK - 1);
}

static void filter_add(struct asbi_seen *s, const struct entry *e)
{
    if (!s->bloom)
        return;
    uint64_t *block = block_of(s, e);
    for (unsigned i = 0; i < PROBES; i++) {
        uint64_t bit = bit_of(e, i);

        block[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static bool filter_may_have(const struct asbi_seen *s, const struct entry *e)
{
    if (!s->bloom)
        return true;
    const uint64_t *block = block_of(s, e);
    for (unsigned i = 0; i < PROBES; i++) {
        uint64_t bit = bit_of(e, i);

        if (!(block[bit / 64] >> bit % 64 & 1))
            return false;
    }
    return true;
}

/* ---- runs ------------------------------------------------------------- */

static uint64_t run_count(unsigned level)
{
    return (uint64_t)RUN << level;
}

/* Levels lie one after the other: 1, 2, 4, ... tables. */
static uint64_t run_at(unsigned level)
{
    return ((uint64_t)RUN << level) - RUN;
}

static int read_page(struct asbi_seen *s, unsigned level, uint64_t first,
                     struct entry *page, size_t *n)
{
    uint64_t left = run_count(level) - first;

    *n = left < PAGE ? (size_t)left : PAGE;
    return s->store->read(s->file,
                          (run_at(level) + first) * sizeof(struct entry), page,
                          *n * sizeof(*page))
               ? ASB_EIO
               : ASB_OK;
}

static uint64_t line_in_page(const struct entry *page, size_t n,
                             const struct entry *e)
{
    for (size_t i = 0; i < n; i++) {
        if (same(&page[i], e))
            return page[i].more & LINE_MASK;
    }
    return 0;
}

/* Pages between two hashes of a run: hashes are even. */
static uint64_t distance(uint64_t from, uint64_t to, uint64_t pages)
{
    return ((to - from) >> 32) * pages >> 32;
}

/* The place of a hash is guessed, and guessed again from what is read there. */
static int look_in_run(struct asbi_seen *s, unsigned level,
                       const struct entry *e, uint64_t *line)
{
    uint64_t count = run_count(level), pages = (count + PAGE - 1) / PAGE;
    uint64_t page_no = distance(0, e->hash, pages), low = 0, high = pages;
    struct entry page[PAGE];
    size_t n;

    while (low < high) {
        if (page_no < low || page_no >= high)
            page_no = low + (high - low) / 2;
        int rc = read_page(s, level, page_no * PAGE, page, &n);
        if (rc)
            return rc;
        *line = line_in_page(page, n, e);
        if (*line)
            return ASB_OK;
        /* Equal hashes may go on in the neighbour page: 2^-64 each, and then
         * the other 24 bits differ; told new at worst. */
        if (e->hash < page[0].hash) {
            high = page_no--;
            page_no -= distance(e->hash, page[0].hash, pages);
        } else if (e->hash > page[n - 1].hash) {
            low = ++page_no;
            page_no += distance(page[n - 1].hash, e->hash, pages);
        } else {
            return ASB_OK;
        }
    }
    return ASB_OK;
}

static int look_in_runs(struct asbi_seen *s, const struct entry *e,
                        uint64_t *line)
{
    for (unsigned level = 0; level < LEVELS && *line == 0; level++) {
        int rc = s->used[level] ? look_in_run(s, level, e, line) : ASB_OK;

        if (rc)
            return rc;
    }
    return ASB_OK;
}

/* A new highest run is made of all there is, so that is when the filter can
 * grow: for the run and as much again.  True: it is empty now, and to be filled
 * anew.  Without memory for it there is none, which costs time alone. */
static bool filter_grow(struct asbi_seen *s, unsigned level)
{
    uint64_t bits = run_count(level) * 2 * BITS;

    if (bits > MOST_BITS)
        bits = MOST_BITS;
    if (bits <= s->bits || !s->bloom)
        return false;
    for (unsigned i = level; i < LEVELS; i++) {
        if (s->used[i])
            return false;
    }
    asbi_free(s->mem, s->bloom);
    s->bits = bits;
    s->bloom = asbi_calloc(s->mem, bits / 64 + 1, sizeof(*s->bloom));
    return s->bloom != NULL;
}

/* ---- merging ---------------------------------------------------------- */

/* One sorted input of a merge: a run read by pages, or the table. */
struct input {
    const struct entry *at; /* what is at hand */
    size_t left;
    uint64_t next, end; /* entries still in the file */
    unsigned level;
    struct entry *page; /* NULL for the table */
};

static int refill(struct asbi_seen *s, struct input *in)
{
    if (in->left || in->next == in->end)
        return ASB_OK;
    int rc = read_page(s, in->level, in->next, in->page, &in->left);
    in->at = in->page;
    in->next += in->left;
    return rc;
}

static struct input *lowest(struct input *inputs, unsigned n)
{
    struct input *best = NULL;

    for (unsigned i = 0; i < n; i++) {
        if (inputs[i].left && (!best || inputs[i].at->hash < best->at->hash))
            best = &inputs[i];
    }
    return best;
}

static int merge(struct asbi_seen *s, struct input *inputs, unsigned n,
                 unsigned to, struct entry *page)
{
    bool anew = filter_grow(s, to);
    uint64_t at = run_at(to) * sizeof(*page);
    size_t used = 0;
    struct input *in;

    for (;;) {
        for (unsigned i = 0; i < n; i++) {
            int rc = refill(s, &inputs[i]);
            if (rc)
                return rc;
        }
        in = lowest(inputs, n);
        if (in) {
            if (anew || in == inputs) /* what was in runs is in the filter */
                filter_add(s, in->at);
            page[used++] = *in->at++;
            in->left--;
        }
        if (used == PAGE || (!in && used)) {
            if (s->store->write(s->file, at, page, used * sizeof(*page)))
                return ASB_EIO;
            at += used * sizeof(*page);
            used = 0;
        }
        if (!in)
            return ASB_OK;
    }
}

/* The table and all runs below `to`, together as many as a run of level `to`
 * holds. */
static int merge_up(struct asbi_seen *s, unsigned to)
{
    struct input inputs[LEVELS + 1] = { { .at = s->table, .left = RUN } };
    struct entry *pages =
        asbi_calloc(s->mem, ((size_t)to + 1) * PAGE, sizeof(*pages));

    if (!pages)
        return ASB_ENOMEM;
    for (unsigned i = 0; i < to; i++)
        inputs[i + 1] =
            (struct input){ .end = run_count(i),
                            .level = i,
                            .page = pages + ((size_t)i + 1) * PAGE };
    int rc = merge(s, inputs, to + 1, to, pages);
    asbi_free(s->mem, pages);
    return rc;
}

/* What shares a place stands near it: all but sorted already. */
static void pack_and_sort(struct asbi_seen *s)
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        struct entry e = s->table[i];
        size_t at = n;

        if (!e.more)
            continue;
        for (; at > 0 && s->table[at - 1].hash > e.hash; at--)
            s->table[at] = s->table[at - 1];
        s->table[at] = e;
        n++;
    }
}

static int open_store(struct asbi_seen *s)
{
    if (!s->file && s->store->open(s->store_arg, &s->file))
        return ASB_EIO;
    return ASB_OK;
}

/* The full table becomes a run.  After a failure nothing more can be looked
 * up: the caller ends. */
static int spill(struct asbi_seen *s)
{
    unsigned to = 0;

    int rc = open_store(s);
    if (rc)
        return rc;
    while (to < LEVELS && s->used[to])
        to++;
    if (to == LEVELS)
        return ASB_EIO;
    pack_and_sort(s);
    rc = merge_up(s, to);
    if (rc)
        return rc;
    memset(s->used, 0, to * sizeof(s->used[0]));
    s->used[to] = true;
    memset(s->table, 0, SLOTS * sizeof(*s->table));
    s->count = 0;
    return ASB_OK;
}

/* ---- the look-up ------------------------------------------------------ */

static size_t home_of(const struct entry *e)
{
    return (size_t)(e->hash / (UINT64_MAX / SLOTS + 1));
}

static struct entry *probe(const struct asbi_seen *s, const struct entry *e)
{
    size_t i = home_of(e);

    while (s->table[i].more && !same(&s->table[i], e))
        i = (i + 1) & (SLOTS - 1);
    return &s->table[i];
}

/* Table and filter are larger than what a processor keeps near: their lines are
 * on their way while the order is looked at. */
static void prefetch(const struct asbi_seen *s, const struct entry *e)
{
    asbi_prefetch(&s->table[home_of(e)]);
    if (s->bloom && !s->rising)
        asbi_prefetch(block_of(s, e));
}

static struct entry entry_of(asbi_str id, uint64_t line)
{
    unsigned char bytes[16];
    struct entry e;

    asbi_hash128(id.at, id.len, 0, bytes);
    memcpy(&e.hash, bytes, sizeof(e.hash));
    memcpy(&e.more, bytes + sizeof(e.hash), sizeof(e.more));
    e.more = e.more << LINE_BITS | (line & LINE_MASK);
    return e;
}

int asbi_seen_check(struct asbi_seen *s, asbi_str id, uint64_t line,
                    uint64_t *earlier)
{
    struct entry e = entry_of(id, line);
    int rc = ASB_OK;

    prefetch(s, &e);
    bool risen = rises(s, id);
    *earlier = 0;
    if (s->count == RUN)
        rc = spill(s);
    if (rc)
        return rc;
    struct entry *slot = probe(s, &e);
    if (slot->more) {
        *earlier = slot->more & LINE_MASK;
        return ASB_OK;
    }
    if (s->file && !risen && filter_may_have(s, &e)) {
        rc = look_in_runs(s, &e, earlier);
        if (rc || *earlier)
            return rc;
    }
    *slot = e;
    s->count++;
    return ASB_OK;
}
