/* Requests of Google's generateContent and batchEmbedContents. */
#include "adapters/gemini.h"

#include "adapters/chat_messages.h"
#include "adapters/encode.h"
#include "engine/base/json.h"

/* All up to the text of the user; what that begins with. */
static asbi_str begin_contents(asbi_str system,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    if (system.len && !style->no_system) {
        asbi_buf_c(body, "\"systemInstruction\":{\"parts\":[{\"text\":");
        asbi_json_put_string(body, system);
        asbi_buf_c(body, "}]},");
    }
    asbi_buf_c(body, "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":");
    return style->no_system ? system : ASBI_STR("");
}

/* The form of schema that Google documents, types in capitals. */
static void put_schema(const struct asbi_packed_request *request,
                       struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"responseSchema\":{\"type\":\"OBJECT\",\"properties\":{"
                     "\"items\":{\"type\":\"ARRAY\",\"items\":{\"type\":"
                     "\"OBJECT\",\"properties\":{\"id\":{\"type\":\"STRING\"},"
                     "\"output\":{\"type\":\"STRING\"");
    asbi_put_choices(request, body);
    asbi_buf_c(body, "}},\"required\":[\"id\",\"output\"]}}},"
                     "\"required\":[\"items\"]}");
}

/* `request` is NULL for what asks for no form. */
static void put_config(const struct asbi_packed_request *request,
                       const struct asbi_call_style *style,
                       struct asbi_buf *body)
{
    asbi_buf_c(body, ",\"generationConfig\":{\"candidateCount\":1");
    if (request && (style->structured || style->json_mode))
        asbi_buf_c(body, ",\"responseMimeType\":\"application/json\"");
    if (request && style->structured)
        put_schema(request, body);
    if (style->temperature >= 0) {
        asbi_json_put_key(body, "temperature");
        asbi_json_put_double(body, style->temperature);
    }
    if (style->max_output_tokens) {
        asbi_json_put_key(body, "maxOutputTokens");
        asbi_buf_u64(body, style->max_output_tokens);
    }
    asbi_buf_c(body, "}}");
}

void asbi_gemini_encode_packed(const struct asbi_packed_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    asbi_buf_char(body, '{');
    asbi_put_items(begin_contents(request->system, style, body), request, body);
    asbi_buf_c(body, "}]}]");
    put_config(request, style, body);
}

/* ---- single ----------------------------------------------------------- */

static void put_system_messages(struct asbi_chat_messages *m,
                                struct asbi_buf *body)
{
    struct asbi_chat_message one;
    bool first = true;

    if (!m->has_system)
        return;
    asbi_buf_c(body, "\"systemInstruction\":{\"parts\":[");
    while (asbi_chat_messages_next(m, &one)) {
        if (one.is_system)
            asbi_chat_put_texts(m, one.content, "{\"text\":", "}", &first,
                                body);
    }
    asbi_buf_c(body, "]},");
    asbi_chat_messages_rewind(m);
}

static void put_picture(asbi_str url, struct asbi_buf *body)
{
    asbi_str type, base64;

    if (asbi_data_url_read(url, &type, &base64)) {
        asbi_buf_c(body, "{\"inlineData\":{\"mimeType\":");
        asbi_json_put_string(body, type);
        asbi_buf_c(body, ",\"data\":");
        asbi_json_put_string(body, base64);
    } else {
        asbi_buf_c(body, "{\"fileData\":{\"fileUri\":");
        asbi_json_put_string(body, url);
    }
    asbi_buf_c(body, "}}");
}

/* What is neither text nor a picture is sent as it is. */
static void put_part(const struct asbi_chat_messages *m,
                     const struct asbi_json_node *part, struct asbi_buf *body)
{
    const struct asbi_json_node *text =
        part->type == ASBI_JSON_STRING
            ? part
            : asbi_json_get(m->json, part, ASBI_STR("text"));
    const struct asbi_json_node *image =
        asbi_json_get(m->json, part, ASBI_STR("image_url"));

    if (image && image->type == ASBI_JSON_OBJECT)
        image = asbi_json_get(m->json, image, ASBI_STR("url"));
    asbi_str url = asbi_json_text(m->json, image);
    if (text && text->type == ASBI_JSON_STRING) {
        asbi_buf_c(body, "{\"text\":");
        asbi_buf_str(body, text->raw);
        asbi_buf_char(body, '}');
    } else if (url.len) {
        put_picture(url, body);
    } else {
        asbi_buf_str(body, part->raw);
    }
}

static void put_parts(const struct asbi_chat_messages *m,
                      const struct asbi_json_node *content,
                      struct asbi_buf *body)
{
    const struct asbi_json_node *part = content;

    if (!content || content->type == ASBI_JSON_NULL)
        return;
    if (content->type != ASBI_JSON_ARRAY) {
        put_part(m, content, body);
        return;
    }
    for (part = asbi_json_child(m->json, content); part;
         part = asbi_json_after(m->json, content, part)) {
        if (body->len && body->data[body->len - 1] == '}')
            asbi_buf_char(body, ',');
        put_part(m, part, body);
    }
}

static void put_contents(struct asbi_chat_messages *m, struct asbi_buf *body)
{
    struct asbi_chat_message one;
    bool first = true;

    asbi_buf_c(body, "\"contents\":[");
    while (asbi_chat_messages_next(m, &one)) {
        if (one.is_system)
            continue;
        if (!first)
            asbi_buf_char(body, ',');
        first = false;
        asbi_buf_fmt(body, "{\"role\":\"%s\",\"parts\":[",
                     asbi_str_eq(one.role, ASBI_STR("assistant")) ? "model"
                                                                  : "user");
        put_parts(m, one.content, body);
        asbi_buf_c(body, "]}");
    }
    asbi_buf_char(body, ']');
}

/* What cannot be read is sent as it is: the provider says what is wrong. */
static void put_messages(asbi_str messages, struct asbi_buf *body)
{
    struct asbi_chat_messages m;

    if (asbi_chat_messages_open(&m, body->mem, messages)) {
        put_system_messages(&m, body);
        put_contents(&m, body);
    } else {
        asbi_buf_c(body, "\"contents\":");
        asbi_buf_str(body, messages);
    }
    asbi_chat_messages_close(&m);
}

void asbi_gemini_encode_single(const struct asbi_single_request *request,
                               const struct asbi_call_style *style,
                               struct asbi_buf *body)
{
    if (request->body.len) {
        asbi_buf_str(body, request->body);
        return;
    }
    asbi_buf_char(body, '{');
    if (request->messages.len) {
        put_messages(request->messages, body);
    } else {
        asbi_put_user_text(begin_contents(request->system, style, body),
                           request->text, body);
        asbi_buf_c(body, "}]}]");
    }
    put_config(NULL, style, body);
}

/* ---- arrays ----------------------------------------------------------- */

void asbi_gemini_encode_array(const struct asbi_array_request *request,
                              const struct asbi_call_style *style,
                              struct asbi_buf *body)
{
    asbi_buf_c(body, "{\"requests\":[");
    for (size_t i = 0; i < request->count; i++) {
        asbi_buf_c(body, i ? ",{\"model\":\"models/" : "{\"model\":\"models/");
        asbi_json_put_escaped(body, asbi_str_c(style->model));
        asbi_buf_c(body, "\",\"content\":{\"parts\":[{\"text\":");
        asbi_json_put_string(body, request->texts[i]);
        asbi_buf_c(body, "}]}");
        if (style->dimensions) {
            asbi_json_put_key(body, "outputDimensionality");
            asbi_buf_u64(body, style->dimensions);
        }
        asbi_buf_char(body, '}');
    }
    asbi_buf_c(body, "]}");
}
