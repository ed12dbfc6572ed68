#include "cache/shingle.h"

#include "engine/base/utf8.h"

enum {
    RUN = 5,
    RUN_EAST_ASIAN = 3,
    /* Code points below which a text is only near itself. */
    SHORTEST = 20,
    SHORTEST_EAST_ASIAN = 10,
    LEAST_TABLE = 64,
};

/* Odd, from the golden ratio; the base of the polynomial. */
#define BASE UINT64_C(0x9e3779b97f4a7c15)

struct points {
    uint32_t at[ASBI_SHINGLES_MAX];
    size_t count;
    size_t run; /* 0: no shingles */
};

/* ---- the text as it is compared --------------------------------------- */

/* From U+2E80, CJK radicals, to U+D7FF, the last Hangul syllable, and beyond
 * the basic plane the supplementary ideographs. */
static bool is_east_asian(uint32_t c)
{
    return (c >= 0x2e80 && c <= 0xd7ff) || (c >= 0x20000 && c <= 0x3ffff);
}

static uint32_t folded(uint32_t c)
{
    if (c == '\t' || c == '\n' || c == '\r' || c == 0xa0 || c == 0x3000)
        return ' ';
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* False when it is too long. */
static bool read_points(struct points *p, asbi_str text)
{
    const char *at = text.at, *end = asbi_str_end(text);
    size_t east_asian = 0;

    p->count = p->run = 0;
    while (at < end) {
        uint32_t c = folded(asbi_utf8_next(&at, end));

        if (c == ' ' && (p->count == 0 || p->at[p->count - 1] == ' '))
            continue;
        if (p->count == ASBI_SHINGLES_MAX)
            return false;
        east_asian += is_east_asian(c);
        p->at[p->count++] = c;
    }
    if (p->count && p->at[p->count - 1] == ' ')
        p->count--;
    bool short_runs = 2 * east_asian > p->count;
    if (p->count >= (short_runs ? SHORTEST_EAST_ASIAN : SHORTEST))
        p->run = short_runs ? RUN_EAST_ASIAN : RUN;
    return true;
}

/* ---- runs ------------------------------------------------------------- */

/* The finaliser of MurmurHash3: each bit of the sum reaches each of the hash.
 */
static uint64_t mixed(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h ? h : 1;
}

/* A hash of each run in turn, rolled on from the one before. */
struct roll {
    const struct points *points;
    uint64_t sum, leaving, seed;
    size_t next; /* behind the run */
};

static void roll_begin(struct roll *r, const struct points *p, uint64_t seed)
{
    *r = (struct roll){ .points = p, .leaving = 1, .seed = seed };
    for (size_t i = 0; i < p->run; i++)
        r->leaving *= BASE;
    while (r->next + 1 < p->run)
        r->sum = r->sum * BASE + p->at[r->next++];
}

static uint64_t roll_on(struct roll *r)
{
    const uint32_t *at = r->points->at;
    size_t run = r->points->run;

    r->sum = r->sum * BASE + at[r->next];
    if (r->next >= run)
        r->sum -= r->leaving * at[r->next - run];
    r->next++;
    return mixed(r->sum ^ r->seed);
}

/* ---- the set ---------------------------------------------------------- */

/* The place of a hash, or the free one where it would go. */
static size_t place_of(const struct asbi_shingles *s, uint64_t hash)
{
    size_t i = hash & s->mask;

    while (s->table[i] && s->table[i] != hash)
        i = (i + 1) & s->mask;
    return i;
}

static void clear(struct asbi_shingles *s, size_t points)
{
    size_t size = LEAST_TABLE;

    while (size < 2 * points)
        size *= 2;
    s->mask = size - 1;
    s->count = 0;
    s->compared = 0;
    memset(s->table, 0, size * sizeof(s->table[0]));
    memset(s->round, 0, size * sizeof(s->round[0]));
}

void asbi_shingles_of(struct asbi_shingles *s, asbi_str text, uint64_t seed)
{
    struct points p;
    struct roll r;

    if (!read_points(&p, text) || p.run == 0) {
        clear(s, 0);
        return;
    }
    clear(s, p.count);
    roll_begin(&r, &p, seed);
    while (r.next < p.count) {
        uint64_t hash = roll_on(&r);
        size_t i = place_of(s, hash);

        if (s->table[i])
            continue;
        s->table[i] = hash;
        s->at[s->count++] = hash;
    }
}

double asbi_shingles_jaccard(struct asbi_shingles *s, asbi_str other,
                             size_t other_count, uint64_t seed)
{
    struct points p;
    struct roll r;
    size_t both = 0;

    if (s->count == 0 || !read_points(&p, other) || p.run == 0)
        return 0;
    s->compared++;
    roll_begin(&r, &p, seed);
    while (r.next < p.count) {
        size_t i = place_of(s, roll_on(&r));

        if (s->table[i] && s->round[i] != s->compared) {
            s->round[i] = s->compared;
            both++;
        }
    }
    return (double)both / (double)(s->count + other_count - both);
}
