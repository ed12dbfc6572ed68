/*
 * jsonl_writer.c -- one line for each answer.
 */
#include "adapters/format_impl.h"

/* JSON as it was received, on one line: outside of strings a line end is
 * white space, inside it cannot stand. */
static void put_one_line(struct asbi_buf *out, asbi_str json)
{
    char *to = asbi_buf_reserve(out, json.len);

    for (size_t i = 0; to && i < json.len; i++)
        to[i] = json.at[i] == '\n' || json.at[i] == '\r' ? ' ' : json.at[i];
    if (to)
        out->len += json.len;
}

/* JSON as JSON; what is none, an error page perhaps, as a string. */
static void put_json(struct asbi_writer *w, struct asbi_buf *out, asbi_str text)
{
    int rc = asbi_json_parse(w->json, text.at, text.len);

    if (rc == ASB_ENOMEM)
        out->failed = true;
    else if (rc)
        asbi_json_put_string(out, text);
    else
        put_one_line(out, asbi_json_root(w->json)->raw);
}

static void put_id(struct asbi_buf *out, asbi_str id, bool is_number)
{
    if (is_number && asbi_id_is_integer(id))
        asbi_buf_str(out, id);
    else
        asbi_json_put_string(out, id);
}

static void put_output(struct asbi_writer *w, struct asbi_buf *out,
                       const struct asb_result *result)
{
    ASBI_BUF_LIT(out, ",\"output\":");
    if (result->output_is_json)
        put_json(w, out, result->output);
    else
        asbi_json_put_string(out, result->output);
}

/* {"code","message"}, and for our own shape "retryable". */
static void put_error(struct asbi_buf *out, const struct asb_result *result,
                      bool with_retryable)
{
    ASBI_BUF_LIT(out, ",\"error\":{\"code\":");
    asbi_json_put_string(out, asbi_str_c(asbi_error_word(result)));
    ASBI_BUF_LIT(out, ",\"message\":");
    asbi_json_put_string(out, result->error_message);
    if (with_retryable) {
        ASBI_BUF_LIT(out, ",\"retryable\":");
        asbi_buf_c(out, result->retryable ? "true" : "false");
    }
    asbi_buf_char(out, '}');
}

static void put_usage(struct asbi_buf *out, const struct asb_usage *usage)
{
    ASBI_BUF_LIT(out, ",\"usage\":{\"input_tokens\":");
    asbi_buf_u64(out, usage->input_tokens);
    if (usage->cached_tokens) {
        ASBI_BUF_LIT(out, ",\"cached_tokens\":");
        asbi_buf_u64(out, usage->cached_tokens);
    }
    ASBI_BUF_LIT(out, ",\"output_tokens\":");
    asbi_buf_u64(out, usage->output_tokens);
    asbi_buf_char(out, '}');
}

static void put_item(struct asbi_writer *w, const struct asbi_row_memo *memo,
                     const struct asb_result *result, struct asbi_buf *out)
{
    ASBI_BUF_LIT(out, "{\"id\":");
    put_id(out, result->id, memo->id_is_number);
    ASBI_BUF_LIT(out, ",\"seq\":");
    asbi_buf_u64(out, memo->seq);
    ASBI_BUF_LIT(out, ",\"status\":\"");
    asbi_buf_c(out, asbi_status_word(result));
    asbi_buf_char(out, '"');
    if (result->ok)
        put_output(w, out, result);
    else
        put_error(out, result, true);
    ASBI_BUF_LIT(out, ",\"source\":\"");
    asbi_buf_c(out, asbi_source_word(result->source));
    ASBI_BUF_LIT(out, "\",\"attempts\":");
    asbi_buf_u64(out, result->attempts);
    put_usage(out, &result->usage);
    ASBI_BUF_LIT(out, ",\"cost_usd\":");
    asbi_json_put_usd(out, result->cost_nano_usd);
    if (result->saved_nano_usd) {
        ASBI_BUF_LIT(out, ",\"saved_usd\":");
        asbi_json_put_usd(out, result->saved_nano_usd);
    }
    if (result->route) {
        ASBI_BUF_LIT(out, ",\"route\":");
        asbi_json_put_string(out, asbi_str_c(result->route));
    }
    asbi_buf_char(out, '}');
}

/* The least that readers of chat answers look at, for an answer of which only
 * the text was kept. */
static void put_made_up_body(struct asbi_buf *out,
                             const struct asb_result *result)
{
    const struct asb_usage *usage = &result->usage;

    ASBI_BUF_LIT(out,
                 "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":");
    asbi_json_put_string(out, result->output);
    ASBI_BUF_LIT(out, "},\"finish_reason\":\"stop\"}],\"usage\":"
                      "{\"prompt_tokens\":");
    asbi_buf_u64(out, usage->input_tokens);
    ASBI_BUF_LIT(out, ",\"completion_tokens\":");
    asbi_buf_u64(out, usage->output_tokens);
    ASBI_BUF_LIT(out, ",\"total_tokens\":");
    asbi_buf_u64(out, usage->input_tokens + usage->output_tokens);
    ASBI_BUF_LIT(out, "}}");
}

static void put_response(struct asbi_writer *w, struct asbi_buf *out,
                         const struct asb_result *result, int status_code)
{
    ASBI_BUF_LIT(out, ",\"response\":{\"status_code\":");
    asbi_buf_u64(out, (uint64_t)status_code);
    ASBI_BUF_LIT(out, ",\"request_id\":");
    asbi_json_put_string(out, result->request_id);
    ASBI_BUF_LIT(out, ",\"body\":");
    if (result->body.len)
        put_json(w, out, result->body);
    else
        put_made_up_body(out, result);
    asbi_buf_char(out, '}');
}

static void put_batch_line(struct asbi_writer *w,
                           const struct asbi_row_memo *memo,
                           const struct asb_result *result,
                           struct asbi_buf *out)
{
    struct asbi_batch_shape shape = asbi_batch_shape_of(result);
    char id[32];

    asbi_batch_id(memo->seq, id);
    ASBI_BUF_LIT(out, "{\"id\":\"");
    asbi_buf_c(out, id);
    ASBI_BUF_LIT(out, "\",\"custom_id\":");
    put_id(out, result->id, memo->id_is_number);
    if (shape.response)
        put_response(w, out, result, shape.status_code);
    else
        asbi_buf_c(out, ",\"response\":null");
    if (shape.error)
        put_error(out, result, false);
    else
        asbi_buf_c(out, ",\"error\":null");
    asbi_buf_char(out, '}');
}

void asbi_jsonl_write_row(struct asbi_writer *w,
                          const struct asbi_row_memo *memo,
                          const struct asb_result *result, struct asbi_buf *out)
{
    if (memo->batch_line)
        put_batch_line(w, memo, result, out);
    else
        put_item(w, memo, result, out);
    asbi_buf_char(out, '\n');
}
