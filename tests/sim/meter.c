#include "tests/sim/meter.h"

#include <stdlib.h>
#include <string.h>

/* Each block begins with its size. */
enum { HEAD = 16 };

static void count(struct meter *m, size_t before, size_t after)
{
    m->bytes += after - before;
    if (m->bytes > m->most_bytes)
        m->most_bytes = m->bytes;
}

static size_t size_of(const char *block)
{
    size_t size = 0;

    if (block)
        memcpy(&size, block, sizeof(size));
    return size;
}

static bool fails(struct meter *m)
{
    if (m->fail_at &&
        (m->asked == m->fail_at || (m->fail_after && m->asked > m->fail_at)))
        return true;
    return m->fail_rate > 0 && asbi_rng_unit(&m->rng) < m->fail_rate;
}

static void *resize(void *user, size_t size, void *arg)
{
    struct meter *m = arg;
    char *block = user ? (char *)user - HEAD : NULL;
    size_t before = size_of(block);

    if (size == 0) {
        m->blocks -= block != NULL;
        count(m, before, 0);
        free(block);
        return NULL;
    }
    m->asked++;
    if (fails(m)) {
        m->failed++;
        return NULL;
    }
    char *grown = realloc(block, size + HEAD);
    if (!grown)
        return NULL;
    memcpy(grown, &size, sizeof(size));
    m->blocks += block == NULL;
    count(m, before, size);
    return grown + HEAD;
}

void meter_init(struct meter *m, uint64_t seed)
{
    *m = (struct meter){ .blocks = 0 };
    m->mem = (struct asbi_mem){ .resize = resize, .arg = m };
    asbi_rng_seed(&m->rng, seed);
}
