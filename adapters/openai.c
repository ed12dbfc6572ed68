#include "adapters/openai.h"

/* A key with anything else in it could smuggle in a header of its own. */
static bool is_header_text(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
            return false;
    }
    return s.len > 0;
}

void asbi_openai_headers(asbi_str key, struct asbi_buf *lines)
{
    asbi_buf_str(lines, ASBI_STR("Content-Type: application/json\0"));
    if (!is_header_text(key))
        return;
    asbi_buf_c(lines, "Authorization: Bearer ");
    asbi_buf_str(lines, key);
    asbi_buf_char(lines, '\0');
}

const struct asbi_dialect asbi_dialect_openai = {
    .name = "openai",
    .chat_path = "/chat/completions",
    .headers = asbi_openai_headers,
    .encode_packed = asbi_openai_encode_packed,
    .encode_single = asbi_openai_encode_single,
    .decoder_new = asbi_openai_decoder_new,
    .decoder_free = asbi_openai_decoder_free,
    .begin = asbi_openai_begin,
    .on_status = asbi_openai_on_status,
    .on_header = asbi_openai_on_header,
    .on_body = asbi_openai_on_body,
    .end = asbi_openai_end,
};
