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

static void put_text(struct asbi_buf *out, const char *key, const char *text)
{
    asbi_json_put_key(out, key);
    asbi_json_put_string(out, asbi_str_c(text));
}

static void put_count(struct asbi_buf *out, const char *key, uint64_t n)
{
    asbi_json_put_key(out, key);
    asbi_buf_u64(out, n);
}

static void put_output(struct asbi_writer *w, struct asbi_buf *out,
                       const struct asb_result *result)
{
    asbi_json_put_key(out, "output");
    if (result->output_is_json)
        put_json(w, out, result->output);
    else
        asbi_json_put_string(out, result->output);
}

/* {"code","message"}, and for our own shape "retryable". */
static void put_error(struct asbi_buf *out, const struct asb_result *result,
                      bool with_retryable)
{
    asbi_json_put_key(out, "error");
    asbi_buf_char(out, '{');
    put_text(out, "code", asbi_error_word(result));
    asbi_json_put_key(out, "message");
    asbi_json_put_string(out, result->error_message);
    if (with_retryable) {
        asbi_json_put_key(out, "retryable");
        asbi_buf_c(out, result->retryable ? "true" : "false");
    }
    asbi_buf_char(out, '}');
}

static void put_usage(struct asbi_buf *out, const struct asb_usage *usage)
{
    asbi_json_put_key(out, "usage");
    asbi_buf_char(out, '{');
    put_count(out, "input_tokens", usage->input_tokens);
    if (usage->cached_tokens)
        put_count(out, "cached_tokens", usage->cached_tokens);
    put_count(out, "output_tokens", usage->output_tokens);
    asbi_buf_char(out, '}');
}

static void put_item(struct asbi_writer *w, const struct asbi_row_memo *memo,
                     const struct asb_result *result, struct asbi_buf *out)
{
    asbi_buf_char(out, '{');
    asbi_json_put_key(out, "id");
    put_id(out, result->id, memo->id_is_number);
    put_count(out, "seq", memo->seq);
    put_text(out, "status", asbi_status_word(result));
    if (result->ok)
        put_output(w, out, result);
    else
        put_error(out, result, true);
    put_text(out, "source", asbi_source_word(result->source));
    put_count(out, "attempts", result->attempts);
    put_usage(out, &result->usage);
    asbi_json_put_key(out, "cost_usd");
    asbi_json_put_usd(out, result->cost_nano_usd);
    if (result->saved_nano_usd) {
        asbi_json_put_key(out, "saved_usd");
        asbi_json_put_usd(out, result->saved_nano_usd);
    }
    asbi_buf_char(out, '}');
}

/* The least that readers of chat answers look at, for an answer of which only
 * the text was kept. */
static void put_made_up_body(struct asbi_buf *out,
                             const struct asb_result *result)
{
    const struct asb_usage *usage = &result->usage;

    asbi_buf_c(out, "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                    "\"message\":{\"role\":\"assistant\",\"content\":");
    asbi_json_put_string(out, result->output);
    asbi_buf_c(out, "},\"finish_reason\":\"stop\"}],\"usage\":{");
    put_count(out, "prompt_tokens", usage->input_tokens);
    put_count(out, "completion_tokens", usage->output_tokens);
    put_count(out, "total_tokens", usage->input_tokens + usage->output_tokens);
    asbi_buf_c(out, "}}");
}

static void put_response(struct asbi_writer *w, struct asbi_buf *out,
                         const struct asb_result *result, int status_code)
{
    asbi_json_put_key(out, "response");
    asbi_buf_char(out, '{');
    put_count(out, "status_code", (uint64_t)status_code);
    asbi_json_put_key(out, "request_id");
    asbi_json_put_string(out, result->request_id);
    asbi_json_put_key(out, "body");
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
    asbi_buf_char(out, '{');
    put_text(out, "id", id);
    asbi_json_put_key(out, "custom_id");
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
