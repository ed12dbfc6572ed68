#include "tests/support/fault_mem.h"

#include <stdlib.h>

static void *resize(void *block, size_t size, void *arg)
{
    struct fault_mem *fm = arg;

    if (size == 0) {
        fm->live -= block != NULL;
        free(block);
        return NULL;
    }
    fm->seen++;
    if (fm->fail_at &&
        (fm->seen == fm->fail_at || (fm->for_ever && fm->seen > fm->fail_at)))
        return NULL;
    void *grown = realloc(block, size);
    fm->live += grown && !block;
    return grown;
}

void fault_mem_init(struct fault_mem *fm, size_t fail_at)
{
    *fm = (struct fault_mem){ .fail_at = fail_at };
    fm->mem = (struct asbi_mem){ .resize = resize, .arg = fm };
}
