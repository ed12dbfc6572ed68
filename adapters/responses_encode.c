/* Requests of OpenAI's Responses API.  Nothing is asked to be stored there. */
#include "adapters/encode.h"
#include "adapters/openai.h"
#include "engine/base/json.h"

static void put_head(const struct asbi_call_style *style, asbi_str system,
                     struct asbi_buf *body)
{
    asbi_buf_c(body, "{\"model\":");
    asbi_json_put_string(body, asbi_str_c(style->model));
    asbi_buf_c(body, ",\"store\":false");
    if (style->temperature >= 0) {
        asbi_json_put_key(body, "temperature");
        asbi_json_put_double(body, style->temperature);
    }
    if (style->stream)
        asbi_buf_c(body, ",\"stream\":true");
    if (!system.len)
        return;
    asbi_json_put_key(body, "instructions");
    asbi_json_put_string(body, system);
}

static void put_tail(const struct asbi_call_style *style, struct asbi_buf *body)
{
    if (style->max_output_tokens) {
        asbi_json_put_key(body, "max_output_tokens");
        asbi_buf_u64(body, style->max_output_tokens);
    }
    asbi_buf_char(body, '}');
}

static void put_format(const struct asbi_packed_request *request,
                       const struct asbi_call_style *style,
                       struct asbi_buf *body)
{
    if (style->structured) {
        asbi_buf_c(body, ",\"text\":{\"format\":{\"type\":\"json_schema\","
                         "\"name\":\"answers\",\"strict\":true,\"schema\":");
        asbi_put_answer_schema(request, body);
        asbi_buf_c(body, "}}");
    } else if (style->json_mode) {
        asbi_buf_c(body, ",\"text\":{\"format\":{\"type\":\"json_object\"}}");
    }
}

void asbi_responses_encode_packed(const struct asbi_packed_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body)
{
    put_head(style, request->system, body);
    put_format(request, style, body);
    asbi_buf_c(body, ",\"input\":[{\"role\":\"user\",\"content\":");
    asbi_put_items(ASBI_STR(""), request, body);
    asbi_buf_c(body, "}]");
    put_tail(style, body);
}

void asbi_responses_encode_single(const struct asbi_single_request *request,
                                  const struct asbi_call_style *style,
                                  struct asbi_buf *body)
{
    if (request->body.len) {
        asbi_buf_str(body, request->body);
        return;
    }
    put_head(style, request->system, body);
    asbi_buf_c(body, ",\"input\":");
    if (request->messages.len) {
        asbi_buf_str(body, request->messages);
    } else {
        asbi_buf_c(body, "[{\"role\":\"user\",\"content\":");
        asbi_json_put_string(body, request->text);
        asbi_buf_c(body, "}]");
    }
    put_tail(style, body);
}
