#include "engine/base/shared.h"

#include <stdint.h>
#include <string.h>

struct asbi_shared *asbi_shared_new(const struct asbi_mem *mem, asbi_str text)
{
    if (text.len == 0 || text.len > SIZE_MAX - sizeof(struct asbi_shared))
        return NULL;
    struct asbi_shared *s = asbi_alloc(mem, sizeof(*s) + text.len);
    if (!s)
        return NULL;
    s->holders = 1;
    s->len = text.len;
    memcpy(s->text, text.at, text.len);
    return s;
}

struct asbi_shared *asbi_shared_hold(struct asbi_shared *s)
{
    if (s)
        s->holders++;
    return s;
}

void asbi_shared_drop(const struct asbi_mem *mem, struct asbi_shared *s)
{
    if (s && --s->holders == 0)
        asbi_free(mem, s);
}
