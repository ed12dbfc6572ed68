/*
 * msgpack_writer.c -- one map for each answer, with the members of the JSON
 * line.
 */
#include "adapters/format_impl.h"
#include "adapters/msgpack_door.h"

/* A string literal, which the compiler packs: msgpack's fixstr. */
#define PUT_LIT(out, literal)                                         \
    do {                                                              \
        static const struct {                                         \
            unsigned char head;                                       \
            char text[sizeof("" literal)];                            \
        } packed = { 0xa0 | (sizeof(literal) - 1), literal };         \
                                                                      \
        _Static_assert(sizeof(literal) <= 32, "wants a longer head"); \
        asbi_buf_add((out), &packed, sizeof(literal)); /* sans NUL */ \
    } while (0)

#define PUT_COUNT(out, literal, n)        \
    do {                                  \
        PUT_LIT(out, literal);            \
        asbi_msgpack_put_u64((out), (n)); \
    } while (0)

static void put_word(struct asbi_buf *out, const char *word)
{
    asbi_msgpack_put_text(out, asbi_str_c(word));
}

/* Text that is UTF-8; what is not has no place in msgpack's str. */
static void put_output_text(struct asbi_writer *w, struct asbi_buf *out,
                            asbi_str text)
{
    struct asbi_buf json;

    if (asbi_utf8_valid(text.at, text.len)) {
        asbi_msgpack_put_text(out, text);
        return;
    }
    /* The JSON writer repairs it. */
    asbi_buf_init(&json, w->mem, SIZE_MAX / 2);
    asbi_json_put_string(&json, text);
    if (asbi_buf_failed(&json) || asbi_json_parse(w->json, json.data, json.len))
        out->failed = true;
    else
        asbi_msgpack_put_json(out, w->json);
    asbi_buf_fini(&json);
}

/* JSON as a value; what is none, an error page perhaps, as text. */
static void put_json(struct asbi_writer *w, struct asbi_buf *out, asbi_str text)
{
    int rc = asbi_json_parse(w->json, text.at, text.len);

    if (rc == ASB_ENOMEM)
        out->failed = true;
    else if (rc)
        put_output_text(w, out, text);
    else
        asbi_msgpack_put_json(out, w->json);
}

static void put_id(struct asbi_writer *w, struct asbi_buf *out, asbi_str id,
                   bool is_number)
{
    if (is_number && asbi_id_is_integer(id))
        asbi_msgpack_put_number(out, id);
    else
        put_output_text(w, out, id);
}

static void put_error(struct asbi_writer *w, struct asbi_buf *out,
                      const struct asb_result *result, bool with_retryable)
{
    PUT_LIT(out, "error");
    asbi_msgpack_put_map(out, with_retryable ? 3 : 2);
    PUT_LIT(out, "code");
    put_word(out, asbi_error_word(result));
    PUT_LIT(out, "message");
    put_output_text(w, out, result->error_message);
    if (with_retryable) {
        PUT_LIT(out, "retryable");
        asbi_msgpack_put_bool(out, result->retryable);
    }
}

static void put_usage(struct asbi_buf *out, const struct asb_usage *usage)
{
    PUT_LIT(out, "usage");
    asbi_msgpack_put_map(out, usage->cached_tokens ? 3 : 2);
    PUT_COUNT(out, "input_tokens", usage->input_tokens);
    if (usage->cached_tokens)
        PUT_COUNT(out, "cached_tokens", usage->cached_tokens);
    PUT_COUNT(out, "output_tokens", usage->output_tokens);
}

static void put_outcome(struct asbi_writer *w, struct asbi_buf *out,
                        const struct asb_result *result)
{
    if (!result->ok) {
        put_error(w, out, result, true);
        return;
    }
    PUT_LIT(out, "output");
    if (result->output_is_json)
        put_json(w, out, result->output);
    else
        put_output_text(w, out, result->output);
}

static void put_item(struct asbi_writer *w, const struct asbi_row_memo *memo,
                     const struct asb_result *result, struct asbi_buf *out)
{
    unsigned more =
        (result->saved_nano_usd ? 1u : 0u) + (result->route ? 1u : 0u);

    asbi_msgpack_put_map(out, 8 + more);
    PUT_LIT(out, "id");
    put_id(w, out, result->id, memo->id_is_number);
    PUT_COUNT(out, "seq", memo->seq);
    PUT_LIT(out, "status");
    put_word(out, asbi_status_word(result));
    put_outcome(w, out, result);
    PUT_LIT(out, "source");
    put_word(out, asbi_source_word(result->source));
    PUT_COUNT(out, "attempts", result->attempts);
    put_usage(out, &result->usage);
    PUT_LIT(out, "cost_usd");
    asbi_msgpack_put_double(out, (double)result->cost_nano_usd / 1e9);
    if (result->saved_nano_usd) {
        PUT_LIT(out, "saved_usd");
        asbi_msgpack_put_double(out, (double)result->saved_nano_usd / 1e9);
    }
    if (result->route) {
        PUT_LIT(out, "route");
        put_word(out, result->route);
    }
}

/* As in JSON lines: see there. */
static void put_made_up_body(struct asbi_writer *w, struct asbi_buf *out,
                             const struct asb_result *result)
{
    const struct asb_usage *usage = &result->usage;

    asbi_msgpack_put_map(out, 3);
    PUT_LIT(out, "object");
    PUT_LIT(out, "chat.completion");
    PUT_LIT(out, "choices");
    asbi_msgpack_put_array(out, 1);
    asbi_msgpack_put_map(out, 3);
    PUT_COUNT(out, "index", 0);
    PUT_LIT(out, "message");
    asbi_msgpack_put_map(out, 2);
    PUT_LIT(out, "role");
    PUT_LIT(out, "assistant");
    PUT_LIT(out, "content");
    put_output_text(w, out, result->output);
    PUT_LIT(out, "finish_reason");
    PUT_LIT(out, "stop");
    PUT_LIT(out, "usage");
    asbi_msgpack_put_map(out, 3);
    PUT_COUNT(out, "prompt_tokens", usage->input_tokens);
    PUT_COUNT(out, "completion_tokens", usage->output_tokens);
    PUT_COUNT(out, "total_tokens", usage->input_tokens + usage->output_tokens);
}

static void put_response(struct asbi_writer *w, struct asbi_buf *out,
                         const struct asb_result *result, int status_code)
{
    asbi_msgpack_put_map(out, 3);
    PUT_COUNT(out, "status_code", (uint64_t)status_code);
    PUT_LIT(out, "request_id");
    put_output_text(w, out, result->request_id);
    PUT_LIT(out, "body");
    if (result->body.len)
        put_json(w, out, result->body);
    else
        put_made_up_body(w, out, result);
}

static void put_batch_line(struct asbi_writer *w,
                           const struct asbi_row_memo *memo,
                           const struct asb_result *result,
                           struct asbi_buf *out)
{
    struct asbi_batch_shape shape = asbi_batch_shape_of(result);
    char id[32];

    asbi_batch_id(memo->seq, id);
    asbi_msgpack_put_map(out, 4);
    PUT_LIT(out, "id");
    put_word(out, id);
    PUT_LIT(out, "custom_id");
    put_id(w, out, result->id, memo->id_is_number);
    PUT_LIT(out, "response");
    if (shape.response)
        put_response(w, out, result, shape.status_code);
    else
        asbi_msgpack_put_nil(out);
    if (shape.error) {
        put_error(w, out, result, false);
        return;
    }
    PUT_LIT(out, "error");
    asbi_msgpack_put_nil(out);
}

void asbi_msgpack_write_row(struct asbi_writer *w,
                            const struct asbi_row_memo *memo,
                            const struct asb_result *result,
                            struct asbi_buf *out)
{
    if (memo->batch_line)
        put_batch_line(w, memo, result, out);
    else
        put_item(w, memo, result, out);
}
