/*
 * routes.h -- the lanes of one job: what each says for itself.
 *
 * Option `routes` lists the lanes that share a job, `fallback` those that take
 * over when none of them can go on.  Both are texts, of which each part lies
 * over the job's own options:
 *
 *     openai/gpt-4.1-mini,weight=3;provider=azure,base_url=https://...,rpm=600
 *
 * A part names a provider and a model by "PROVIDER/MODEL" or by their keys.
 * What it does not say is the job's; but one that names another provider has
 * that one's address and key unless it gives its own.  In YAML both are lists
 * of mappings.  Without them a job has one lane, of the options as they are.
 */
#ifndef ASBI_CONFIG_ROUTES_H
#define ASBI_CONFIG_ROUTES_H

#include "config/config.h"
#include "config/yaml.h"
#include "engine/base/buf.h"
#include "engine/base/str.h"

enum { ASBI_ROUTE_MOST = 16, ASBI_ROUTE_WEIGHT_MOST = 1000 };

struct asbi_route {
    struct asb_options *options; /* owned: the job's, and over them its own */
    unsigned weight;             /* 0: a fallback */
    char name[128];              /* "openai/gpt-4.1-mini", or as given */
};

/* How many lanes a job has: 1 or more. */
size_t asbi_route_count(const struct asb_options *options);

/* Lane `index`; asbi_route_fini() is right in every case.  ASB_OK, ASB_ECONFIG
 * or ASB_ENOMEM. */
int asbi_route_read(const struct asb_options *options, size_t index,
                    const struct asbi_mem *mem, struct asbi_route *out,
                    struct asb_message *why);
void asbi_route_fini(struct asbi_route *route);

/* Makes the options those of their first lane, so that who asks for provider
 * and model gets its; they stay the caller's.  ASB_OK, ASB_ECONFIG or
 * ASB_ENOMEM. */
int asbi_route_lead(struct asb_options *options, struct asbi_route *out,
                    struct asb_message *why);

/* Whether a text can be option `routes`, or with `spares` option `fallback`:
 * known keys with values of their form.  ASB_OK or ASB_ECONFIG. */
int asbi_routes_check(asbi_str text, bool spares, const char *place,
                      struct asb_message *why);

/* The text of a YAML list of mappings.  ASB_OK, ASB_ECONFIG with the place of
 * what cannot stand there, or ASB_ENOMEM. */
int asbi_routes_from_yaml(const struct asbi_yaml *y,
                          const struct asbi_yaml_node *list, bool spares,
                          struct asbi_buf *out, struct asb_message *why);

#endif
