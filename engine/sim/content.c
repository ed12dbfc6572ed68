/*
 * content.c -- the packed answer {"items":[{"id","output"}, ...]}, and what
 * can be wrong with it.
 */
#include "engine/sim/chat.h"

#include "engine/sim/pseudo.h"

static const char prose[] =
    "I'm sorry, but I can't help with that as a list. Could you tell me more "
    "about what you need?";

static void put_output(struct asbi_sim_chat *c,
                       const struct asbi_json_node *item, bool spoiled)
{
    const struct asbi_json_node *limit =
        asbi_json_get(c->payload, item, ASBI_STR("max_length"));
    asbi_str text = asbi_json_text(
        c->payload, asbi_json_get(c->payload, item, ASBI_STR("text")));
    uint64_t max_length = 0;

    if (c->labels.count) {
        asbi_buf_str(&c->content, asbi_sim_labels_choose(&c->labels, text));
        return;
    }
    (void)asbi_json_u64(limit, &max_length);
    asbi_buf_clear(&c->text);
    asbi_sim_pseudo(text, max_length, &c->text);
    if (spoiled)
        asbi_buf_c(&c->text, " (ḃíš)");
    asbi_json_put_string(&c->content, asbi_buf_view(&c->text));
}

static void begin_item(struct asbi_buf *out)
{
    if (out->len && out->data[out->len - 1] == '}')
        asbi_buf_char(out, ',');
    asbi_buf_c(out, "{\"id\":");
}

static void put_item(struct asbi_sim_chat *c, const struct asbi_json_node *item,
                     enum asbi_sim_garbage garbage, bool spoiled)
{
    const struct asbi_json_node *id =
        asbi_json_get(c->payload, item, ASBI_STR("id"));

    begin_item(&c->content);
    if (garbage == ASBI_SIM_WRONG_IDS)
        asbi_buf_fmt(&c->content, "\"wrong-%zu\"", c->content.len);
    else
        asbi_buf_str(&c->content, id->raw);
    asbi_buf_c(&c->content, ",\"output\":");
    if (garbage == ASBI_SIM_NO_TEXT)
        asbi_buf_c(&c->content, "{\"text\":null}");
    else
        put_output(c, item, spoiled);
    asbi_buf_char(&c->content, '}');
}

static void put_items(struct asbi_sim_chat *c,
                      const struct asbi_sim_fault *fault, struct asbi_rng *rng)
{
    const struct asbi_json_node *item = asbi_json_child(c->payload, c->items);

    for (; item; item = asbi_json_after(c->payload, c->items, item)) {
        if (asbi_sim_chance(rng, fault->drop_item_rate)) {
            c->dropped++;
            continue;
        }
        put_item(c, item, fault->garbage, false);
        if (fault->garbage == ASBI_SIM_REPEATED_IDS)
            put_item(c, item, fault->garbage, true);
    }
}

static void put_extra(struct asbi_buf *out)
{
    for (unsigned i = 0; i < 2; i++) {
        begin_item(out);
        asbi_buf_fmt(out, "\"extra-%u\",\"output\":\"éẋťřá\"}", i);
    }
}

void asbi_sim_content_packed(struct asbi_sim_chat *c,
                             const struct asbi_sim_fault *fault,
                             struct asbi_rng *rng)
{
    static const char *const before[ASBI_SIM_GARBAGE_KINDS] = {
        [ASBI_SIM_PROSE_AROUND] = "Here are the translations you asked for:\n",
        [ASBI_SIM_FENCED] = "```json\n",
    };
    static const char *const after[ASBI_SIM_GARBAGE_KINDS] = {
        [ASBI_SIM_PROSE_AROUND] = "\nLet me know if you need anything else!",
        [ASBI_SIM_FENCED] = "\n```",
    };

    if (fault->garbage == ASBI_SIM_PROSE) {
        asbi_buf_c(&c->content, prose);
        return;
    }
    if (before[fault->garbage])
        asbi_buf_c(&c->content, before[fault->garbage]);
    asbi_buf_c(&c->content, "{\"items\":[");
    put_items(c, fault, rng);
    if (fault->garbage == ASBI_SIM_EXTRA_ITEMS)
        put_extra(&c->content);
    asbi_buf_c(&c->content,
               fault->garbage == ASBI_SIM_BROKEN_JSON ? "," : "]}");
    if (after[fault->garbage])
        asbi_buf_c(&c->content, after[fault->garbage]);
}
