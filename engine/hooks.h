/*
 * hooks.h -- what the host lends, as this version of the library knows it.
 */
#ifndef ASBI_HOOKS_H
#define ASBI_HOOKS_H

#include <asyncbatch/asyncbatch.h>

#include "engine/base/log.h"
#include "engine/base/mem.h"

/* From a host that was built with an older header or a newer one; NULL for no
 * hooks.  ASB_OK, or ASB_EINVAL when their size is not set. */
int asbi_hooks_take(const struct asb_hooks *given, struct asb_hooks *out,
                    struct asbi_mem *mem, struct asbi_log *log,
                    struct asb_message *why);

#endif
