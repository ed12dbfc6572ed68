#include "adapters/chat_messages.h"

static bool all_objects(const struct asbi_json *json,
                        const struct asbi_json_node *array)
{
    const struct asbi_json_node *n = asbi_json_child(json, array);

    for (; n; n = asbi_json_after(json, array, n)) {
        if (n->type != ASBI_JSON_OBJECT)
            return false;
    }
    return true;
}

static bool find_system(struct asbi_chat_messages *m)
{
    struct asbi_chat_message one;
    bool found = false;

    while (asbi_chat_messages_next(m, &one))
        found = found || one.is_system;
    return found;
}

bool asbi_chat_messages_open(struct asbi_chat_messages *m,
                             const struct asbi_mem *mem, asbi_str text)
{
    m->at = NULL;
    m->has_system = false;
    m->json = asbi_json_new(mem, text.len + 1);
    if (!m->json || asbi_json_parse(m->json, text.at, text.len) ||
        asbi_json_root(m->json)->type != ASBI_JSON_ARRAY ||
        !all_objects(m->json, asbi_json_root(m->json)))
        return false;
    asbi_chat_messages_rewind(m);
    m->has_system = find_system(m);
    asbi_chat_messages_rewind(m);
    return true;
}

void asbi_chat_messages_close(struct asbi_chat_messages *m)
{
    asbi_json_free(m->json);
}

void asbi_chat_messages_rewind(struct asbi_chat_messages *m)
{
    m->at = asbi_json_child(m->json, asbi_json_root(m->json));
}

bool asbi_chat_messages_next(struct asbi_chat_messages *m,
                             struct asbi_chat_message *out)
{
    const struct asbi_json_node *n = m->at;

    if (!n)
        return false;
    asbi_str role =
        asbi_json_text(m->json, asbi_json_get(m->json, n, ASBI_STR("role")));
    *out = (struct asbi_chat_message){
        .role = role,
        .is_system = asbi_str_eq(role, ASBI_STR("system")) ||
                     asbi_str_eq(role, ASBI_STR("developer")),
        .content = asbi_json_get(m->json, n, ASBI_STR("content")),
        .raw = n->raw,
    };
    m->at = asbi_json_after(m->json, asbi_json_root(m->json), n);
    return true;
}

static void put_text(const struct asbi_json_node *text, const char *before,
                     const char *after, bool *first, struct asbi_buf *out)
{
    if (!text || text->type != ASBI_JSON_STRING)
        return;
    if (!*first)
        asbi_buf_char(out, ',');
    *first = false;
    asbi_buf_c(out, before);
    asbi_buf_str(out, text->raw);
    asbi_buf_c(out, after);
}

void asbi_chat_put_texts(const struct asbi_chat_messages *m,
                         const struct asbi_json_node *content,
                         const char *before, const char *after, bool *first,
                         struct asbi_buf *out)
{
    const struct asbi_json_node *part = asbi_json_child(m->json, content);

    if (!content)
        return;
    put_text(content, before, after, first, out);
    for (; part; part = asbi_json_after(m->json, content, part))
        put_text(asbi_json_get(m->json, part, ASBI_STR("text")), before, after,
                 first, out);
}
