#include "scheduler/split.h"

#include "engine/base/error.h"

int asbi_split_new(const struct asbi_mem *mem, enum asbi_split_kind kind,
                   struct asbi_split **out, struct asb_message *why)
{
    (void)mem;
    (void)kind;
    *out = NULL;
    return asbi_fail(why, ASB_ECONFIG,
                     "tokenizer: this asyncbatch was built without PCRE2 and "
                     "cannot count exactly; leave the option out");
}

void asbi_split_free(struct asbi_split *s)
{
    (void)s;
}

size_t asbi_split_next(struct asbi_split *s, asbi_str text, size_t from)
{
    (void)s;
    (void)text;
    (void)from;
    return 0;
}
