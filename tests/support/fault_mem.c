#include "tests/support/fault_mem.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "tests/support/check.h"

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

static size_t sweep(int (*life)(const struct asbi_mem *mem, void *arg),
                    void *arg, bool may_be_spared)
{
    for (size_t n = 1;; n++) {
        struct fault_mem fm;

        fault_mem_init(&fm, n);
        int rc = life(&fm.mem, arg);
        bool last = fm.seen < n;
        bool right = last ? rc == ASB_OK
                          : rc == ASB_ENOMEM || (may_be_spared && rc == ASB_OK);
        if (!right || fm.live)
            check_fail(__FILE__, __LINE__,
                       "allocation %zu %s: it says %d, %zu blocks are left", n,
                       last ? "is one too many" : "failed", rc, fm.live);
        if (last)
            return fm.seen;
    }
}

size_t fault_sweep(int (*life)(const struct asbi_mem *mem, void *arg),
                   void *arg)
{
    return sweep(life, arg, false);
}

size_t fault_sweep_spared(int (*life)(const struct asbi_mem *mem, void *arg),
                          void *arg)
{
    return sweep(life, arg, true);
}
