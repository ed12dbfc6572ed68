/*
 * labels.h -- when an answer must be one of a list: which list, and which one.
 *
 * The list is the enum under a member "output" or "label" of the request's
 * JSON schema, else the lines "- \"...\"" below a line "Labels:" of its system
 * prompt.  The choice follows from the text alone.
 */
#ifndef ASBI_SIM_LABELS_H
#define ASBI_SIM_LABELS_H

#include "engine/base/json.h"

/* Of a longer list only the first ones are chosen. */
enum { ASBI_SIM_MAX_LABELS = 256 };

/* Each is JSON text of the request. */
struct asbi_sim_labels {
    size_t count; /* 0: any answer will do */
    asbi_str at[ASBI_SIM_MAX_LABELS];
};

/* `format`: the member response_format, or NULL.  `system`: may be empty. */
void asbi_sim_labels_find(struct asbi_sim_labels *labels,
                          struct asbi_json *json,
                          const struct asbi_json_node *format, asbi_str system);

/* The label for a text, as JSON.  The list is not empty. */
asbi_str asbi_sim_labels_choose(const struct asbi_sim_labels *labels,
                                asbi_str text);

#endif
