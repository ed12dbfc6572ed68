/*
 * settings.c -- what may be changed while an engine runs: whom it serves first.
 *
 * What is queued keeps its place in its batch; the next choice between batches
 * is made by the new rules.  A setting that does not hold changes nothing.
 */
#include <string.h>

#include "config/options.h"
#include "engine/base/error.h"
#include "engine/engine.h"

static bool may_change(const char *name)
{
    static const char *const names[] = { "priority_weights", "class_shares",
                                         "class_targets" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Back to what it was; that held before. */
static void restore(struct asb_engine *e, const char *name, const char *before)
{
    if (asb_options_set(e->options, name, before, ASB_FROM_HOST, NULL))
        asbi_log(&e->log, ASB_LOG_WARN, "%s: the former value is forgotten",
                 name);
}

int asb_engine_set(struct asb_engine *e, const char *name, const char *value,
                   struct asb_message *why)
{
    const struct asb_option_info *option =
        name && value ? asb_option_find(name) : NULL;

    if (!name || !value)
        return ASB_EINVAL;
    if (!option || !may_change(option->name)) {
        (void)asbi_fail(why, ASB_ENOENT,
                        "%.100s cannot be changed while an engine runs; "
                        "priority_weights, class_shares and class_targets can",
                        name);
        return ASB_ENOENT;
    }
    const char *now = asb_options_get(e->options, option->name, NULL);
    char *before = asbi_strndup(&e->mem, now, strlen(now));
    if (!before)
        return ASB_ENOMEM;
    int rc =
        asb_options_set(e->options, option->name, value, ASB_FROM_HOST, why);
    if (!rc) {
        rc = asbi_pick_set_rules(&e->pick, e->config, why);
        if (rc)
            restore(e, option->name, before);
    }
    asbi_free(&e->mem, before);
    if (!rc)
        e->world->ops->wake(e->world);
    return rc;
}
