#include "adapters/encode.h"

#include <string.h>

#include "engine/base/json.h"
#include "engine/base/json_plain.h"

/* More is refused by OpenAI. */
enum { MAX_ENUM = 500 };

void asbi_put_choices(const struct asbi_packed_request *request,
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

void asbi_put_answer_schema(const struct asbi_packed_request *request,
                            struct asbi_buf *body)
{
    asbi_buf_c(body, "{\"type\":\"object\",\"properties\":{\"items\":{"
                     "\"type\":\"array\",\"items\":{\"type\":\"object\","
                     "\"properties\":{\"id\":{\"type\":\"string\"},"
                     "\"output\":{\"type\":\"string\"");
    asbi_put_choices(request, body);
    asbi_buf_c(body, "}},\"required\":[\"id\",\"output\"],"
                     "\"additionalProperties\":false}}},"
                     "\"required\":[\"items\"],"
                     "\"additionalProperties\":false}");
}

bool asbi_data_url_read(asbi_str url, asbi_str *type, asbi_str *base64)
{
    const asbi_str head = ASBI_STR("data:");
    const char *comma, *semicolon;

    if (!asbi_str_starts(url, head))
        return false;
    comma = memchr(url.at, ',', url.len);
    semicolon = memchr(url.at, ';', url.len);
    if (!comma || !semicolon || semicolon > comma)
        return false;
    *type =
        asbi_str_of(url.at + head.len, (size_t)(semicolon - url.at) - head.len);
    *base64 = asbi_str_of(comma + 1, (size_t)(asbi_str_end(url) - comma) - 1);
    return true;
}

/* The text of a JSON string inside a JSON string.  Only runs of other bytes
 * are left to the writer, so no UTF-8 sequence is cut. */
static void put_twice_escaped(struct asbi_buf *body, asbi_str s)
{
    size_t from = 0, i = asbi_json_plain_run(s.at, s.len);

    if (i == s.len) {
        asbi_buf_str(body, s);
        return;
    }
    for (; i < s.len; i++) {
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
    ASBI_BUF_LIT(body, "{\\\"id\\\":\\\"");
    put_twice_escaped(body, item->wire_id);
    ASBI_BUF_LIT(body, "\\\",\\\"text\\\":\\\"");
    put_twice_escaped(body, item->text);
    ASBI_BUF_LIT(body, "\\\"");
    if (item->max_length) {
        ASBI_BUF_LIT(body, ",\\\"max_length\\\":");
        asbi_buf_u64(body, item->max_length);
    }
    if (item->complaint.len) {
        ASBI_BUF_LIT(body, ",\\\"note\\\":\\\"");
        put_twice_escaped(body, item->complaint);
        ASBI_BUF_LIT(body, "\\\"");
    }
    if (item->example_text.len) {
        ASBI_BUF_LIT(body, ",\\\"example\\\":{\\\"text\\\":\\\"");
        put_twice_escaped(body, item->example_text);
        ASBI_BUF_LIT(body, "\\\",\\\"output\\\":\\\"");
        put_twice_escaped(body, item->example_output);
        ASBI_BUF_LIT(body, "\\\"}");
    }
    asbi_buf_char(body, '}');
}

static void begin_user_text(asbi_str before, struct asbi_buf *body)
{
    asbi_buf_char(body, '"');
    if (!before.len)
        return;
    asbi_json_put_escaped(body, before);
    asbi_buf_c(body, "\\n\\n");
}

void asbi_put_user_text(asbi_str before, asbi_str text, struct asbi_buf *body)
{
    begin_user_text(before, body);
    asbi_json_put_escaped(body, text);
    asbi_buf_char(body, '"');
}

void asbi_put_items(asbi_str before, const struct asbi_packed_request *request,
                    struct asbi_buf *body)
{
    begin_user_text(before, body);
    ASBI_BUF_LIT(body, "{\\\"items\\\":[");
    for (size_t i = 0; i < request->count; i++) {
        if (i)
            asbi_buf_char(body, ',');
        put_item(&request->items[i], body);
    }
    ASBI_BUF_LIT(body, "]}\"");
}

void asbi_put_texts(const struct asbi_array_request *request,
                    struct asbi_buf *body)
{
    asbi_buf_char(body, '[');
    for (size_t i = 0; i < request->count; i++) {
        if (i)
            asbi_buf_char(body, ',');
        asbi_json_put_string(body, request->texts[i]);
    }
    asbi_buf_char(body, ']');
}

/* A key with anything else in it could smuggle in a header of its own. */
static bool is_header_text(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
            return false;
    }
    return s.len > 0;
}

void asbi_put_headers(const char *name, asbi_str key, struct asbi_buf *lines)
{
    asbi_put_typed_headers("application/json", name, key, lines);
}

void asbi_put_typed_headers(const char *type, const char *name, asbi_str key,
                            struct asbi_buf *lines)
{
    asbi_buf_c(lines, "Content-Type: ");
    asbi_buf_c(lines, type);
    asbi_buf_char(lines, '\0');
    if (!is_header_text(key))
        return;
    asbi_buf_c(lines, name);
    asbi_buf_str(lines, key);
    asbi_buf_char(lines, '\0');
}

void asbi_put_percent(asbi_str text, struct asbi_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                     c == '.' || c == '~';

        if (plain)
            asbi_buf_char(out, (char)c);
        else
            asbi_buf_fmt(out, "%%%02X", c);
    }
}
