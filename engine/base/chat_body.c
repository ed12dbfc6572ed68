#include "engine/base/chat_body.h"

/* More answers than anybody asks for; guards the product. */
enum { MOST_ANSWERS = 1024 };

void asbi_chat_body_read(struct asbi_json *json,
                         const struct asbi_json_node *body,
                         struct asbi_chat_body *out)
{
    uint64_t n = 1;

    *out = (struct asbi_chat_body){ .max_tokens = 0 };
    for (const struct asbi_json_node *m = asbi_json_child(json, body); m;
         m = asbi_json_after(json, body, m)) {
        if (asbi_str_eq(m->key, ASBI_STR("model")))
            out->model = asbi_json_text(json, m);
        else if (asbi_str_eq(m->key, ASBI_STR("n")))
            (void)asbi_json_u64(m, &n);
        else if (asbi_str_eq(m->key, ASBI_STR("max_tokens")) ||
                 asbi_str_eq(m->key, ASBI_STR("max_output_tokens")) ||
                 asbi_str_eq(m->key, ASBI_STR("max_completion_tokens")))
            (void)asbi_json_u64(m, &out->max_tokens);
    }
    if (n > 1 && n <= MOST_ANSWERS &&
        out->max_tokens <= UINT64_MAX / MOST_ANSWERS)
        out->max_tokens *= n;
}
