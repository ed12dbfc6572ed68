#include "cache/sketch.h"

#include <asyncbatch/asyncbatch.h>

enum {
    ROWS = 4,
    MOST = 15,
    COUNTERS_EACH = 16,
    COUNTS_EACH = 10,
    BLOCK = 128, /* counters in a line of the processor's cache */
};

int asbi_sketch_init(struct asbi_sketch *s, const struct asbi_mem *mem,
                     size_t entries)
{
    size_t counters = BLOCK;

    while (counters < entries * COUNTERS_EACH && counters < SIZE_MAX / 4)
        counters *= 2;
    *s = (struct asbi_sketch){ .mem = mem, .mask = counters - 1 };
    s->period = (uint64_t)COUNTS_EACH * (entries ? entries : 1);
    s->words = asbi_calloc(mem, counters / 16, sizeof(*s->words));
    return s->words ? ASB_OK : ASB_ENOMEM;
}

void asbi_sketch_fini(struct asbi_sketch *s)
{
    asbi_free(s->mem, s->words);
    s->words = NULL;
}

/* Counter of row `row`: all rows of a key are in one block, so that they cost
 * one miss of the processor's cache and not four. */
static size_t place(const struct asbi_sketch *s, uint64_t hash, unsigned row)
{
    size_t block = (size_t)(hash >> 28) & s->mask & ~(size_t)(BLOCK - 1);
    size_t within = (size_t)(hash >> 7 * row) & (BLOCK / ROWS - 1);

    return block + row * (BLOCK / ROWS) + within;
}

static unsigned value(const struct asbi_sketch *s, size_t at)
{
    return (unsigned)(s->words[at / 16] >> at % 16 * 4) & MOST;
}

static void halve(struct asbi_sketch *s)
{
    for (size_t i = 0; i <= s->mask / 16; i++)
        s->words[i] = s->words[i] >> 1 & UINT64_C(0x7777777777777777);
    s->counted /= 2;
}

void asbi_sketch_count(struct asbi_sketch *s, uint64_t hash)
{
    for (unsigned row = 0; row < ROWS; row++) {
        size_t at = place(s, hash, row);

        if (value(s, at) < MOST)
            s->words[at / 16] += UINT64_C(1) << at % 16 * 4;
    }
    if (++s->counted >= s->period)
        halve(s);
}

unsigned asbi_sketch_ask(const struct asbi_sketch *s, uint64_t hash)
{
    unsigned least = MOST;

    for (unsigned row = 0; row < ROWS; row++) {
        unsigned n = value(s, place(s, hash, row));

        if (n < least)
            least = n;
    }
    return least;
}
