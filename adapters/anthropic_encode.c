/* Requests of Anthropic's Messages API. */
#include "adapters/anthropic.h"

#include "adapters/chat_messages.h"
#include "adapters/encode.h"
#include "engine/base/json.h"

/* What is shorter than 1,024 tokens is never cached, and a mark on it is
 * ignored: half a token a byte leaves room for dense scripts. */
enum { CACHE_FROM_BYTES = 2048 };

static void put_head(const struct asbi_call_style *style, struct asbi_buf *body)
{
    uint64_t most = style->max_output_tokens ? style->max_output_tokens
                                             : style->model_max_output;

    asbi_buf_c(body, "{\"model\":");
    asbi_json_put_string(body, asbi_str_c(style->model));
    asbi_buf_c(body, ",\"max_tokens\":");
    asbi_buf_u64(body, most ? most : 1);
    if (style->temperature >= 0) {
        asbi_json_put_key(body, "temperature");
        asbi_json_put_double(body,
                             style->temperature < 1 ? style->temperature : 1);
    }
    if (style->stream)
        asbi_buf_c(body, ",\"stream\":true");
}

static void put_tool(const struct asbi_packed_request *request,
                     struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"tools\":[{\"name\":\"answer\",\"description\":"
                     "\"Gives the answer to every item.\","
                     "\"input_schema\":");
    asbi_put_answer_schema(request, body);
    asbi_buf_c(body, "}],\"tool_choice\":{\"type\":\"tool\","
                     "\"name\":\"answer\"}");
}

/* To be written into the cache costs a quarter more, to be read from it a
 * tenth: from the second call on that pays. */
static void put_system(asbi_str system, const struct asbi_call_style *style,
                       struct asbi_buf *body)
{
    if (!system.len)
        return;
    asbi_buf_c(body, ",\"system\":[{\"type\":\"text\",\"text\":");
    asbi_json_put_string(body, system);
    if (!style->once && system.len >= CACHE_FROM_BYTES)
        asbi_buf_c(body, ",\"cache_control\":{\"type\":\"ephemeral\"}");
    asbi_buf_c(body, "}]");
}

void asbi_anthropic_encode_packed(const struct asbi_packed_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body)
{
    put_head(style, body);
    if (style->structured)
        put_tool(request, body);
    put_system(request->system, style, body);
    asbi_buf_c(body, ",\"messages\":[{\"role\":\"user\",\"content\":");
    asbi_put_items(ASBI_STR(""), request, body);
    asbi_buf_c(body, "}]}");
}

static void put_system_messages(struct asbi_chat_messages *m,
                                struct asbi_buf *body)
{
    struct asbi_chat_message one;
    bool first = true;

    asbi_buf_c(body, ",\"system\":[");
    while (asbi_chat_messages_next(m, &one)) {
        if (one.is_system)
            asbi_chat_put_texts(m, one.content,
                                "{\"type\":\"text\",\"text\":", "}", &first,
                                body);
    }
    asbi_buf_char(body, ']');
    asbi_chat_messages_rewind(m);
}

static void put_other_messages(struct asbi_chat_messages *m,
                               struct asbi_buf *body)
{
    struct asbi_chat_message one;
    bool first = true;

    asbi_buf_c(body, ",\"messages\":[");
    while (asbi_chat_messages_next(m, &one)) {
        if (one.is_system)
            continue;
        if (!first)
            asbi_buf_char(body, ',');
        first = false;
        asbi_buf_str(body, one.raw);
    }
    asbi_buf_char(body, ']');
}

/* System messages stand apart from the others, which stay as they are. */
static void put_messages(asbi_str messages, struct asbi_buf *body)
{
    struct asbi_chat_messages m;

    if (asbi_chat_messages_open(&m, body->mem, messages) && m.has_system) {
        put_system_messages(&m, body);
        put_other_messages(&m, body);
    } else {
        asbi_buf_c(body, ",\"messages\":");
        asbi_buf_str(body, messages);
    }
    asbi_chat_messages_close(&m);
}

void asbi_anthropic_encode_single(const struct asbi_single_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body)
{
    if (request->body.len) {
        asbi_buf_str(body, request->body);
        return;
    }
    put_head(style, body);
    if (request->messages.len) {
        put_messages(request->messages, body);
    } else {
        put_system(request->system, style, body);
        asbi_buf_c(body, ",\"messages\":[{\"role\":\"user\",\"content\":");
        asbi_json_put_string(body, request->text);
        asbi_buf_c(body, "}]");
    }
    asbi_buf_char(body, '}');
}
