/*
 * openai_encode.c -- requests as OpenAI-compatible servers take them.
 *
 * What is the same for all calls of a kind is written first and byte for byte
 * the same; what differs comes in the last message and behind it.  That message
 * is the JSON object of the items and nothing else: what to do with it is the
 * task's to say, in the system message.
 */
#include "adapters/openai.h"

#include "engine/base/json.h"

/* More is refused by OpenAI; then the prompt alone names the choices. */
enum { MAX_ENUM = 500 };

static void put_style(const struct asbi_call_style *style,
                      struct asbi_buf *body)
{
    if (style->temperature >= 0) {
        asbi_json_put_key(body, "temperature");
        asbi_json_put_double(body, style->temperature);
    }
    if (style->stream)
        asbi_buf_c(body,
                   ",\"stream\":true,\"stream_options\":{\"include_usage\":"
                   "true}");
}

static void put_limit(const struct asbi_call_style *style,
                      struct asbi_buf *body)
{
    if (style->max_output_tokens == 0)
        return;
    asbi_json_put_key(body, style->max_completion_tokens
                                ? "max_completion_tokens"
                                : "max_tokens");
    asbi_buf_u64(body, style->max_output_tokens);
}

static void put_model(const struct asbi_call_style *style,
                      struct asbi_buf *body)
{
    asbi_buf_c(body, "{\"model\":");
    asbi_json_put_string(body, asbi_str_c(style->model));
}

static void put_choices(const struct asbi_packed_request *request,
                        struct asbi_buf *body)
{
    if (request->choice_count == 0 || request->choice_count > MAX_ENUM)
        return;
    asbi_buf_c(body, ",\"enum\":[");
    for (size_t i = 0; i < request->choice_count; i++) {
        if (i)
            asbi_buf_char(body, ',');
        asbi_json_put_string(body, request->choices[i]);
    }
    asbi_buf_char(body, ']');
}

static void put_schema(const struct asbi_packed_request *request,
                       struct asbi_buf *body)
{
    asbi_buf_c(body,
               ",\"response_format\":{\"type\":\"json_schema\","
               "\"json_schema\":{\"name\":\"answers\",\"strict\":true,"
               "\"schema\":{\"type\":\"object\",\"properties\":{\"items\":{"
               "\"type\":\"array\",\"items\":{\"type\":\"object\","
               "\"properties\":{\"id\":{\"type\":\"string\"},"
               "\"output\":{\"type\":\"string\"");
    put_choices(request, body);
    asbi_buf_c(body, "}},\"required\":[\"id\",\"output\"],"
                     "\"additionalProperties\":false}}},"
                     "\"required\":[\"items\"],"
                     "\"additionalProperties\":false}}}");
}

static void put_response_format(const struct asbi_packed_request *request,
                                const struct asbi_call_style *style,
                                struct asbi_buf *body)
{
    if (style->structured)
        put_schema(request, body);
    else if (style->json_mode)
        asbi_buf_c(body, ",\"response_format\":{\"type\":\"json_object\"}");
}

/* The text of a JSON string inside a JSON string.  Only runs of other bytes
 * are left to the writer, so no UTF-8 sequence is cut. */
static void put_twice_escaped(struct asbi_buf *body, asbi_str s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        asbi_json_put_escaped(body, asbi_str_of(s.at + from, i - from));
        from = i + 1;
        if (c == '"')
            asbi_buf_c(body, "\\\\\\\"");
        else if (c == '\\')
            asbi_buf_c(body, "\\\\\\\\");
        else if (c == '\n')
            asbi_buf_c(body, "\\\\n");
        else
            asbi_buf_fmt(body, "\\\\u%04x", c);
    }
    if (from < s.len)
        asbi_json_put_escaped(body, asbi_str_of(s.at + from, s.len - from));
}

/* One item of the JSON object that is the text of the user message. */
static void put_item(const struct asbi_prompt_item *item, struct asbi_buf *body)
{
    asbi_buf_c(body, "{\\\"id\\\":\\\"");
    put_twice_escaped(body, item->wire_id);
    asbi_buf_c(body, "\\\",\\\"text\\\":\\\"");
    put_twice_escaped(body, item->text);
    asbi_buf_c(body, "\\\"");
    if (item->max_length) {
        asbi_buf_c(body, ",\\\"max_length\\\":");
        asbi_buf_u64(body, item->max_length);
    }
    if (item->complaint.len) {
        asbi_buf_c(body, ",\\\"note\\\":\\\"");
        put_twice_escaped(body, item->complaint);
        asbi_buf_c(body, "\\\"");
    }
    asbi_buf_char(body, '}');
}

static void put_message(const char *role, asbi_str text, struct asbi_buf *body)
{
    asbi_buf_fmt(body, "{\"role\":\"%s\",\"content\":", role);
    asbi_json_put_string(body, text);
    asbi_buf_char(body, '}');
}

static void put_system(asbi_str system, struct asbi_buf *body)
{
    if (!system.len)
        return;
    put_message("system", system, body);
    asbi_buf_char(body, ',');
}

static void put_packed_messages(const struct asbi_packed_request *request,
                                struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"messages\":[");
    put_system(request->system, body);
    asbi_buf_c(body, "{\"role\":\"user\",\"content\":\"{\\\"items\\\":[");
    for (size_t i = 0; i < request->count; i++) {
        if (i)
            asbi_buf_char(body, ',');
        put_item(&request->items[i], body);
    }
    asbi_buf_c(body, "]}\"}]");
}

void asbi_openai_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    put_model(style, body);
    put_response_format(request, style, body);
    put_style(style, body);
    put_packed_messages(request, body);
    put_limit(style, body);
    asbi_buf_char(body, '}');
}

static void put_single_messages(const struct asbi_single_request *request,
                                struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"messages\":");
    if (request->messages.len) {
        asbi_buf_str(body, request->messages);
        return;
    }
    asbi_buf_char(body, '[');
    put_system(request->system, body);
    put_message("user", request->text, body);
    asbi_buf_char(body, ']');
}

void asbi_openai_encode_single(const struct asbi_single_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    if (request->body.len) {
        asbi_buf_str(body, request->body);
        return;
    }
    put_model(style, body);
    put_style(style, body);
    put_single_messages(request, body);
    put_limit(style, body);
    asbi_buf_char(body, '}');
}
