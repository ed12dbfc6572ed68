/*
 * shared.h -- a text that many have and none changes: the last one frees it.
 */
#ifndef ASBI_BASE_SHARED_H
#define ASBI_BASE_SHARED_H

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_shared {
    size_t holders;
    size_t len;
    char text[];
};

/* A copy of the text with one holder; NULL when it is empty or there is no
 * memory. */
struct asbi_shared *asbi_shared_new(const struct asbi_mem *mem, asbi_str text);

/* One holder more, or less.  Both accept NULL. */
struct asbi_shared *asbi_shared_hold(struct asbi_shared *s);
void asbi_shared_drop(const struct asbi_mem *mem, struct asbi_shared *s);

/* Of NULL the empty text. */
static inline asbi_str asbi_shared_str(const struct asbi_shared *s)
{
    return s ? asbi_str_of(s->text, s->len) : asbi_str_of(NULL, 0);
}

#endif
