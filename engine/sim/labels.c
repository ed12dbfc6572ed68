#include "engine/sim/labels.h"

#include "engine/base/hash.h"

static void add(struct asbi_sim_labels *labels, asbi_str json)
{
    if (labels->count < ASBI_SIM_MAX_LABELS)
        labels->at[labels->count++] = json;
}

static const struct asbi_json_node *enum_of(struct asbi_json *json,
                                            const struct asbi_json_node *member)
{
    if (!asbi_str_eq(member->key, ASBI_STR("output")) &&
        !asbi_str_eq(member->key, ASBI_STR("label")))
        return NULL;
    const struct asbi_json_node *list =
        asbi_json_get(json, member, ASBI_STR("enum"));
    return list && list->type == ASBI_JSON_ARRAY ? list : NULL;
}

static void find_in_schema(struct asbi_sim_labels *labels,
                           struct asbi_json *json,
                           const struct asbi_json_node *format)
{
    const struct asbi_json_node *end = asbi_json_root(json) + format->next;
    const struct asbi_json_node *list = NULL;

    for (const struct asbi_json_node *n = format; n < end && !list; n++)
        list = enum_of(json, n);
    const struct asbi_json_node *label = asbi_json_child(json, list);
    for (; label; label = asbi_json_after(json, list, label))
        add(labels, label->raw);
}

static bool is_quoted(asbi_str s)
{
    return s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"';
}

static void find_in_prompt(struct asbi_sim_labels *labels, asbi_str rest)
{
    bool below = false;

    while (rest.len) {
        asbi_str line = asbi_str_trim(asbi_str_take_line(&rest));
        asbi_str label = asbi_str_starts(line, ASBI_STR("- "))
                             ? asbi_str_of(line.at + 2, line.len - 2)
                             : ASBI_STR("");

        if (below && !is_quoted(label))
            return;
        if (below)
            add(labels, label);
        below = below || asbi_str_eq(line, ASBI_STR("Labels:"));
    }
}

void asbi_sim_labels_find(struct asbi_sim_labels *labels,
                          struct asbi_json *json,
                          const struct asbi_json_node *format, asbi_str system)
{
    labels->count = 0;
    if (format && format->type == ASBI_JSON_OBJECT)
        find_in_schema(labels, json, format);
    if (labels->count == 0)
        find_in_prompt(labels, system);
}

asbi_str asbi_sim_labels_choose(const struct asbi_sim_labels *labels,
                                asbi_str text)
{
    return labels->at[asbi_hash64(text.at, text.len, 1) % labels->count];
}
