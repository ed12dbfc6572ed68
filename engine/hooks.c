#include "engine/hooks.h"

#include <stddef.h>
#include <string.h>

#include "engine/base/error.h"

int asbi_hooks_take(const struct asb_hooks *given, struct asb_hooks *out,
                    struct asbi_mem *mem, struct asbi_log *log,
                    struct asb_message *why)
{
    *out = (struct asb_hooks){ .size = sizeof(*out) };
    if (given && given->size < offsetof(struct asb_hooks, resize))
        return asbi_fail(why, ASB_EINVAL, "the size of the hooks is not set");
    if (given)
        memcpy(out, given,
               given->size < sizeof(*out) ? given->size : sizeof(*out));
    *mem = asbi_mem_system;
    if (out->resize)
        *mem = (struct asbi_mem){ out->resize, out->resize_arg };
    *log = (struct asbi_log){ out->log, out->log_arg };
    return ASB_OK;
}
