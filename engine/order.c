#include "engine/order.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAP = 1024 };

void asbi_order_init(struct asbi_order *o, const struct asbi_mem *mem,
                     asbi_order_fetch_cb fetch, void *arg)
{
    *o = (struct asbi_order){ .mem = mem, .fetch = fetch, .arg = arg };
}

static struct asbi_order_place *at(const struct asbi_order *o, uint64_t place)
{
    return &o->ring[place & (o->cap - 1)];
}

void asbi_order_fini(struct asbi_order *o)
{
    for (uint64_t p = o->first; p < o->next; p++)
        asbi_free(o->mem, at(o, p)->bytes);
    asbi_free(o->mem, o->ring);
    *o = (struct asbi_order){ .mem = o->mem };
}

static int grow(struct asbi_order *o)
{
    struct asbi_order bigger = *o;

    bigger.cap = o->cap ? o->cap * 2 : FIRST_CAP;
    bigger.ring = asbi_calloc(o->mem, bigger.cap, sizeof(*bigger.ring));
    if (!bigger.ring)
        return ASB_ENOMEM;
    for (uint64_t p = o->first; p < o->next; p++)
        *at(&bigger, p) = *at(o, p);
    bigger.held_bytes += (bigger.cap - o->cap) * sizeof(*bigger.ring);
    asbi_free(o->mem, o->ring);
    *o = bigger;
    return ASB_OK;
}

int asbi_order_reserve(struct asbi_order *o, uint64_t *place)
{
    if (o->next - o->first == o->cap) {
        int rc = grow(o);
        if (rc)
            return rc;
    }
    *place = o->next++;
    *at(o, *place) = (struct asbi_order_place){ .bytes = NULL };
    return ASB_OK;
}

void asbi_order_pass(struct asbi_order *o)
{
    assert(o->first < o->next && !at(o, o->first)->bytes);
    o->first++;
}

static int keep(struct asbi_order *o, uint64_t place, asbi_str row,
                bool is_slip)
{
    struct asbi_order_place *p = at(o, place);

    assert(place >= o->first && place < o->next && !p->bytes);
    p->bytes = asbi_strndup(o->mem, row.at, row.len);
    if (!p->bytes)
        return ASB_ENOMEM;
    p->len = row.len;
    p->is_slip = is_slip;
    o->held_bytes += row.len;
    return ASB_OK;
}

int asbi_order_keep(struct asbi_order *o, uint64_t place, asbi_str row)
{
    return keep(o, place, row, false);
}

int asbi_order_keep_slip(struct asbi_order *o, uint64_t place, asbi_str slip)
{
    return keep(o, place, slip, true);
}

bool asbi_order_is_ready(const struct asbi_order *o)
{
    return !o->stuck && o->first < o->next && at(o, o->first)->bytes;
}

/* False when it cannot be had. */
static bool put(struct asbi_order *o, const struct asbi_order_place *p,
                struct asbi_buf *out)
{
    asbi_str bytes = asbi_str_of(p->bytes, p->len);

    if (p->is_slip)
        return o->fetch(o->arg, bytes, out) == 0;
    asbi_buf_str(out, bytes);
    return true;
}

size_t asbi_order_take(struct asbi_order *o, struct asbi_buf *out, size_t most)
{
    size_t rows = 0;

    while (out->len < most && asbi_order_is_ready(o)) {
        struct asbi_order_place *p = at(o, o->first);

        if (!put(o, p, out)) {
            o->stuck = true;
            break;
        }
        o->held_bytes -= p->len;
        asbi_free(o->mem, p->bytes);
        p->bytes = NULL;
        o->first++;
        rows++;
    }
    return rows;
}
