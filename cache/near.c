#include "cache/near.h"

#include <string.h>

#include "cache/minhash.h"
#include "cache/shingle.h"
#include "engine/base/hash.h"
#include "engine/base/prefetch.h"

enum {
    BANDS = 21,
    ROWS = 6,
    /* A place is made for each so many bytes of room. */
    ORDINARY_BYTES = 768,
    LEAST_PLACES = 16,
    MOST_COMPARED = 64, /* for one text */
};

#define MOST_PLACES (UINT32_C(1) << 24)

struct entry {
    uint64_t space, owner;
    char *output;
    size_t text_len, output_len;
    size_t shingles;
    char text[];
};

/* A text has a serial number; its place is that modulo the number of places.
 * A chain leads from the newest of a band to the oldest, so it ends where a
 * text is gone, and nothing is ever taken out of one. */
struct place {
    uint32_t older[BANDS]; /* serial of the next in the chain; 0: none */
    uint32_t tag[BANDS];   /* the band's hash */
    uint32_t compared;     /* with the text of this round */
    struct entry *entry;   /* NULL: dropped */
};

struct asbi_near {
    const struct asbi_mem *mem;
    double threshold;
    uint64_t seed;
    size_t max_bytes, bytes, texts;
    struct asbi_minhash family;

    struct place *places;
    uint32_t place_count;
    uint32_t *heads;       /* serial of the newest of a chain; 0: none */
    size_t heads_each;     /* of a band; a power of two */
    uint32_t oldest, next; /* serials */

    /* -- the text looked at */
    struct asbi_shingles shingles;
    uint32_t bands[BANDS];
    uint64_t space;
    asbi_str text;
    uint32_t round;
};

/* ---- birth and death -------------------------------------------------- */

static int make_tables(struct asbi_near *n)
{
    size_t places = n->max_bytes / ORDINARY_BYTES;

    places = places < LEAST_PLACES ? LEAST_PLACES : places;
    places = places > MOST_PLACES ? MOST_PLACES : places;
    n->heads_each = 1;
    while (n->heads_each < places)
        n->heads_each *= 2;
    n->place_count = (uint32_t)places;
    n->places = asbi_calloc(n->mem, places, sizeof(*n->places));
    n->heads = asbi_calloc(n->mem, BANDS * n->heads_each, sizeof(*n->heads));
    return n->places && n->heads ? ASB_OK : ASB_ENOMEM;
}

int asbi_near_new(const struct asbi_mem *mem,
                  const struct asbi_near_options *options,
                  struct asbi_near **out)
{
    struct asbi_near *n = asbi_calloc(mem, 1, sizeof(*n));

    *out = NULL;
    if (!n)
        return ASB_ENOMEM;
    n->mem = mem;
    n->threshold = options->threshold;
    n->seed = options->seed;
    n->max_bytes = options->max_bytes;
    n->oldest = n->next = 1;
    asbi_minhash_init(&n->family, options->seed);
    int rc = make_tables(n);
    if (rc) {
        asbi_near_free(n);
        return rc;
    }
    *out = n;
    return ASB_OK;
}

static struct place *place_of(const struct asbi_near *n, uint32_t serial)
{
    return &n->places[serial % n->place_count];
}

static size_t weight_of(const struct entry *e)
{
    size_t tables = sizeof(struct place) + BANDS * 2 * sizeof(uint32_t);

    return tables + sizeof(*e) + e->text_len + e->output_len;
}

static void forget(struct asbi_near *n, struct place *place)
{
    struct entry *e = place->entry;

    if (!e)
        return;
    n->bytes -= weight_of(e);
    n->texts--;
    asbi_free(n->mem, e->output);
    asbi_free(n->mem, e);
    place->entry = NULL;
}

static void forget_oldest(struct asbi_near *n)
{
    forget(n, place_of(n, n->oldest++));
}

void asbi_near_free(struct asbi_near *n)
{
    if (!n)
        return;
    while (n->places && n->oldest != n->next)
        forget_oldest(n);
    asbi_free(n->mem, n->places);
    asbi_free(n->mem, n->heads);
    asbi_free(n->mem, n);
}

/* ---- the text looked at ----------------------------------------------- */

bool asbi_near_look(struct asbi_near *n, uint64_t space, asbi_str text)
{
    uint32_t signature[ASBI_MINHASHES];

    asbi_shingles_of(&n->shingles, text, n->seed);
    n->space = space;
    n->text = text;
    if (n->shingles.count == 0)
        return false;
    asbi_minhash_sign(&n->family, n->shingles.at, n->shingles.count, signature);
    for (size_t i = 0; i < BANDS; i++)
        n->bands[i] = (uint32_t)asbi_hash64(signature + i * ROWS,
                                            ROWS * sizeof(*signature),
                                            n->seed ^ space ^ i);
    return true;
}

static uint32_t *head_of(const struct asbi_near *n, size_t band)
{
    return &n->heads[band * n->heads_each +
                     (n->bands[band] & (n->heads_each - 1))];
}

static bool is_held(const struct asbi_near *n, uint32_t serial)
{
    return serial >= n->oldest && serial < n->next;
}

/* False: no more. */
static bool compare(struct asbi_near *n, const struct entry *e,
                    bool (*each)(void *arg, const struct asbi_near_match *m),
                    void *arg)
{
    struct asbi_near_match match = { .owner = e->owner };

    match.text = asbi_str_of(e->text, e->text_len);
    match.similarity =
        asbi_shingles_jaccard(&n->shingles, match.text, e->shingles, n->seed);
    if (match.similarity < n->threshold)
        return true;
    match.output = asbi_str_of(e->output, e->output_len);
    return each(arg, &match);
}

/* The first pass has all heads on their way from memory at once. */
static void fetch_heads(const struct asbi_near *n)
{
    for (size_t i = 0; i < BANDS; i++)
        asbi_prefetch(head_of(n, i));
}

void asbi_near_each(struct asbi_near *n,
                    bool (*each)(void *arg, const struct asbi_near_match *m),
                    void *arg)
{
    unsigned left = MOST_COMPARED;

    n->round++;
    fetch_heads(n);
    for (size_t i = 0; i < BANDS; i++) {
        uint32_t serial = *head_of(n, i);

        for (; is_held(n, serial); serial = place_of(n, serial)->older[i]) {
            struct place *p = place_of(n, serial);

            if (p->tag[i] != n->bands[i] || p->compared == n->round ||
                !p->entry || p->entry->space != n->space)
                continue;
            p->compared = n->round;
            if (left-- == 0 || !compare(n, p->entry, each, arg))
                return;
        }
    }
}

/* ---- what is held ----------------------------------------------------- */

/* After four thousand million texts: begin anew rather than mistake one for
 * another. */
static void start_over(struct asbi_near *n)
{
    while (n->oldest != n->next)
        forget_oldest(n);
    memset(n->heads, 0, BANDS * n->heads_each * sizeof(*n->heads));
    n->oldest = n->next = 1;
}

static void make_room(struct asbi_near *n, size_t bytes)
{
    if (n->next == UINT32_MAX)
        start_over(n);
    while (n->oldest != n->next && (n->bytes + bytes > n->max_bytes ||
                                    n->next - n->oldest >= n->place_count))
        forget_oldest(n);
}

static struct entry *entry_new(const struct asbi_near *n, uint64_t owner)
{
    struct entry *e = asbi_alloc(n->mem, sizeof(*e) + n->text.len);

    if (!e)
        return NULL;
    *e = (struct entry){ .space = n->space,
                         .owner = owner,
                         .text_len = n->text.len,
                         .shingles = n->shingles.count };
    memcpy(e->text, n->text.at, n->text.len);
    return e;
}

uint64_t asbi_near_add(struct asbi_near *n, uint64_t owner)
{
    if (n->shingles.count == 0)
        return 0;
    struct entry *e = entry_new(n, owner);
    if (!e)
        return 0;
    make_room(n, weight_of(e));
    if (weight_of(e) > n->max_bytes) {
        asbi_free(n->mem, e);
        return 0;
    }
    uint32_t serial = n->next++;
    struct place *p = place_of(n, serial);
    p->entry = e;
    p->compared = 0;
    for (size_t i = 0; i < BANDS; i++) {
        uint32_t *head = head_of(n, i);

        p->older[i] = *head;
        p->tag[i] = n->bands[i];
        *head = serial;
    }
    n->bytes += weight_of(e);
    n->texts++;
    return serial;
}

static struct place *held_place(struct asbi_near *n, uint64_t number)
{
    if (number == 0 || number > UINT32_MAX || !is_held(n, (uint32_t)number))
        return NULL;
    return place_of(n, (uint32_t)number);
}

void asbi_near_answer(struct asbi_near *n, uint64_t number, asbi_str output)
{
    struct place *p = held_place(n, number);

    if (!p || !p->entry || p->entry->output)
        return;
    char *copy = asbi_strndup(n->mem, output.at, output.len);
    if (!copy)
        return;
    p->entry->output = copy;
    p->entry->output_len = output.len;
    n->bytes += output.len;
    make_room(n, 0);
}

void asbi_near_drop(struct asbi_near *n, uint64_t number)
{
    struct place *p = held_place(n, number);

    if (p)
        forget(n, p);
}

size_t asbi_near_bytes(const struct asbi_near *n, size_t *texts)
{
    *texts = n->texts;
    return n->bytes;
}
