/*
 * openai_encode.c -- requests as OpenAI-compatible servers take them.
 *
 * What is the same for all calls of a kind is written first and byte for byte
 * the same; what differs comes in the last message and behind it.  That message
 * is the JSON object of the items and nothing else: what to do with it is the
 * task's to say, in the system message.
 */
#include "adapters/openai.h"

#include "adapters/encode.h"
#include "engine/base/json.h"

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
    if (style->max_output_tokens == 0 || style->no_limit)
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

static void put_response_format(const struct asbi_packed_request *request,
                                const struct asbi_call_style *style,
                                struct asbi_buf *body)
{
    if (style->structured) {
        asbi_buf_c(body, ",\"response_format\":{\"type\":\"json_schema\","
                         "\"json_schema\":{\"name\":\"answers\","
                         "\"strict\":true,\"schema\":");
        asbi_put_answer_schema(request, body);
        asbi_buf_c(body, "}}");
    } else if (style->json_mode) {
        asbi_buf_c(body, ",\"response_format\":{\"type\":\"json_object\"}");
    }
}

/* The messages up to the text of the last one; what that begins with. */
static asbi_str begin_messages(asbi_str system,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"messages\":[");
    if (system.len && !style->no_system) {
        asbi_buf_c(body, "{\"role\":\"system\",\"content\":");
        asbi_json_put_string(body, system);
        asbi_buf_c(body, "},");
    }
    asbi_buf_c(body, "{\"role\":\"user\",\"content\":");
    return style->no_system ? system : ASBI_STR("");
}

void asbi_openai_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    put_model(style, body);
    put_response_format(request, style, body);
    put_style(style, body);
    asbi_put_items(begin_messages(request->system, style, body), request, body);
    asbi_buf_c(body, "}]");
    put_limit(style, body);
    asbi_buf_char(body, '}');
}

static void put_single_messages(const struct asbi_single_request *request,
                                const struct asbi_call_style *style,
                                struct asbi_buf *body)
{
    if (request->messages.len) {
        asbi_buf_c(body, ",\"messages\":");
        asbi_buf_str(body, request->messages);
        return;
    }
    asbi_put_user_text(begin_messages(request->system, style, body),
                       request->text, body);
    asbi_buf_c(body, "}]");
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
    put_single_messages(request, style, body);
    put_limit(style, body);
    asbi_buf_char(body, '}');
}

static void put_embed(const struct asbi_array_request *request,
                      const struct asbi_call_style *style,
                      struct asbi_buf *body)
{
    put_model(style, body);
    asbi_buf_c(body, ",\"encoding_format\":\"float\"");
    if (style->dimensions) {
        asbi_json_put_key(body, "dimensions");
        asbi_buf_u64(body, style->dimensions);
    }
    asbi_buf_c(body, ",\"input\":");
    asbi_put_texts(request, body);
    asbi_buf_char(body, '}');
}

static void put_moderate(const struct asbi_array_request *request,
                         const struct asbi_call_style *style,
                         struct asbi_buf *body)
{
    put_model(style, body);
    asbi_buf_c(body, ",\"input\":");
    asbi_put_texts(request, body);
    asbi_buf_char(body, '}');
}

void asbi_openai_encode_array(const struct asbi_array_request *request,
                              const struct asbi_call_style *style,
                              struct asbi_buf *body)
{
    if (style->array == ASBI_MODERATE)
        put_moderate(request, style, body);
    else
        put_embed(request, style, body);
}
