/*
 * api_check.c -- whether options can be used, before anything is opened.
 */
#include <string.h>

#include "config/options.h"
#include "engine/alerts.h"
#include "engine/base/error.h"
#include "engine/pick.h"
#include "engine/real/http.h"
#include "engine/sim/options.h"
#include "engine/tiers.h"

/* Texts with a form of their own, each read as by who will use it. */
static int check_texts(const struct asb_options *options,
                       struct asb_message *why)
{
    const struct asbi_config *c = &options->values;
    struct asbi_priority_rules rules;
    struct asbi_alerts alerts;
    struct asbi_sim_options sim;
    int rc = asbi_pick_read(&rules, c, why);

    if (!rc)
        rc = asbi_alerts_read(&alerts, c, why);
    if (!rc)
        rc = asbi_tiers_check(options, why);
    if (!rc && c->proxy[0])
        rc = asbi_http_check_proxy(c->proxy, why);
    if (!rc && strcmp(c->provider, "sim") == 0)
        rc = asbi_sim_options_from_config(c, &sim, why);
    return rc;
}

int asb_options_check(const struct asb_options *options,
                      struct asb_message *why)
{
    int rc = asbi_options_check(options, why);

    return rc ? rc : check_texts(options, why);
}
