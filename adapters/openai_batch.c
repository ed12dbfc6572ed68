/*
 * openai_batch.c -- a file of lines is uploaded, a batch is made of it, and it
 * writes two files: answers, and what could not be answered.
 */
#include "adapters/batch_api.h"

#define DATA_TYPE "application/jsonl"

static void begin(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 "--%s\r\nContent-Disposition: form-data; name=\"purpose\""
                 "\r\n\r\nbatch\r\n",
                 ref->name);
    asbi_buf_fmt(out,
                 "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
                 "filename=\"%s.jsonl\"\r\nContent-Type: " DATA_TYPE "\r\n\r\n",
                 ref->name, ref->name);
}

/* A line break within JSON is white space; here it would end the line. */
static void put_on_one_line(asbi_str body, struct asbi_buf *out)
{
    char *to = asbi_buf_reserve(out, body.len);

    if (!to)
        return;
    for (size_t i = 0; i < body.len; i++) {
        bool breaks = body.at[i] == '\n' || body.at[i] == '\r';

        to[i] = breaks ? ' ' : body.at[i];
    }
    out->len += body.len;
}

static void line(const struct asbi_batch_ref *ref, asbi_str id, asbi_str body,
                 struct asbi_buf *out)
{
    asbi_buf_c(out, "{\"custom_id\":");
    asbi_json_put_string(out, id);
    asbi_buf_fmt(
        out, ",\"method\":\"POST\",\"url\":\"%s\",\"body\":", ref->endpoint);
    put_on_one_line(body, out);
    asbi_buf_c(out, "}\n");
}

static void end(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    asbi_buf_fmt(out, "\r\n--%s--\r\n", ref->name);
}

/* The name is random: no text has it after two dashes. */
static void content_type(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    asbi_buf_fmt(out, "Content-Type: multipart/form-data; boundary=%s",
                 ref->name);
}

static void put_create(const struct asbi_batch_ref *ref, struct asbi_buf *body)
{
    asbi_buf_fmt(body,
                 "{\"input_file_id\":\"%s\",\"endpoint\":\"%s\","
                 "\"completion_window\":\"24h\",\"metadata\":{"
                 "\"asyncbatch\":\"%s\"}}",
                 ref->input, ref->endpoint, ref->name);
}

static bool put_content(const char *file, struct asbi_buf *path)
{
    asbi_buf_fmt(path, "/files/%s/content", file);
    return file[0] != '\0';
}

static bool ask(enum asbi_batch_step step, const struct asbi_batch_ref *ref,
                struct asbi_remote_request *out)
{
    bool posts = step == ASBI_BATCH_UPLOAD || step == ASBI_BATCH_CREATE ||
                 step == ASBI_BATCH_CANCEL;

    out->method = posts ? "POST" : "GET";
    switch (step) {
    case ASBI_BATCH_UPLOAD:
        asbi_buf_c(out->path, "/files");
        return true;
    case ASBI_BATCH_CREATE:
        asbi_buf_c(out->path, "/batches");
        put_create(ref, out->body);
        return true;
    case ASBI_BATCH_FIND:
        asbi_buf_c(out->path, "/batches?limit=100");
        asbi_batch_put_page("&after=", ref, out->path);
        return true;
    case ASBI_BATCH_POLL:
        asbi_buf_fmt(out->path, "/batches/%s", ref->id);
        return true;
    case ASBI_BATCH_CANCEL:
        asbi_buf_fmt(out->path, "/batches/%s/cancel", ref->id);
        return true;
    case ASBI_BATCH_OUTPUT:
        return put_content(ref->output, out->path);
    case ASBI_BATCH_ERRORS:
        return put_content(ref->errors, out->path);
    }
    return false;
}

static void read_errors(struct asbi_json *json, const struct asbi_json_node *at,
                        struct asbi_remote_news *news)
{
    static const char *const list[] = { "errors", "data", NULL };
    const struct asbi_json_node *first =
        asbi_json_child(json, asbi_remote_find(json, at, list));

    asbi_remote_copy(asbi_remote_text(json, first, "code"), news->code,
                     sizeof(news->code));
    asbi_remote_copy(asbi_remote_text(json, first, "message"), news->message,
                     sizeof(news->message));
}

static enum asbi_remote_state state_of(asbi_str status)
{
    if (status.len == 0)
        return ASBI_REMOTE_UNKNOWN;
    if (asbi_str_eq(status, ASBI_STR("failed")))
        return ASBI_REMOTE_FAILED;
    if (asbi_str_eq(status, ASBI_STR("completed")) ||
        asbi_str_eq(status, ASBI_STR("expired")) ||
        asbi_str_eq(status, ASBI_STR("cancelled")))
        return ASBI_REMOTE_OVER;
    return ASBI_REMOTE_AT_WORK;
}

static void read_batch(struct asbi_json *json, const struct asbi_json_node *at,
                       struct asbi_batch_ref *ref,
                       struct asbi_remote_news *news)
{
    news->state = state_of(asbi_remote_text(json, at, "status"));
    if (!asbi_remote_keep_id(asbi_remote_text(json, at, "id"), ref->id))
        news->state = ASBI_REMOTE_UNKNOWN;
    (void)asbi_remote_keep_id(asbi_remote_text(json, at, "output_file_id"),
                              ref->output);
    (void)asbi_remote_keep_id(asbi_remote_text(json, at, "error_file_id"),
                              ref->errors);
    if (news->state == ASBI_REMOTE_FAILED)
        read_errors(json, at, news);
}

/* The next page begins after the last of this one. */
static void read_page(struct asbi_json *json, const struct asbi_json_node *at,
                      const struct asbi_json_node *data,
                      struct asbi_batch_ref *ref, struct asbi_remote_news *news)
{
    const struct asbi_json_node *more =
        asbi_json_get(json, at, ASBI_STR("has_more"));
    const struct asbi_json_node *one = asbi_json_child(json, data);
    const struct asbi_json_node *last = NULL;

    for (; one; one = asbi_json_after(json, data, one))
        last = one;
    news->more = more && more->type == ASBI_JSON_TRUE;
    asbi_batch_keep_page(
        news->more ? asbi_remote_text(json, last, "id") : ASBI_STR(""), ref);
}

static void read(enum asbi_batch_step step, struct asbi_json *json,
                 struct asbi_batch_ref *ref, struct asbi_remote_news *news)
{
    static const char *const mark[] = { "metadata", "asyncbatch", NULL };
    const struct asbi_json_node *at = asbi_json_root(json);

    *news = (struct asbi_remote_news){ .state = ASBI_REMOTE_UNKNOWN };
    if (step == ASBI_BATCH_UPLOAD) {
        if (asbi_remote_keep_id(asbi_remote_text(json, at, "id"), ref->input))
            news->state = ASBI_REMOTE_AT_WORK;
        return;
    }
    if (step == ASBI_BATCH_FIND) {
        const struct asbi_json_node *data =
            asbi_json_get(json, at, ASBI_STR("data"));

        read_page(json, at, data, ref, news);
        at = asbi_remote_named(json, data, mark, ref->name);
    }
    if (at)
        read_batch(json, at, ref, news);
}

static void result(struct asbi_json *json, const struct asbi_json_node *node,
                   struct asbi_buf *scratch, struct asbi_batch_result *out)
{
    const struct asbi_json_node *response =
        asbi_json_get(json, node, ASBI_STR("response"));
    const struct asbi_json_node *body =
        asbi_json_get(json, response, ASBI_STR("body"));
    uint64_t status = 0;

    (void)scratch;
    *out = (struct asbi_batch_result){ .id = asbi_remote_text(json, node,
                                                              "custom_id") };
    (void)asbi_json_u64(asbi_json_get(json, response, ASBI_STR("status_code")),
                        &status);
    if (!body || status < 100 || status > 599)
        return;
    out->answered = true;
    out->status = (int)status;
    out->body = body->raw;
}

const struct asbi_batch_api asbi_openai_batches = {
    .requests_most = 50000,
    .bytes_most = (size_t)200 << 20,
    .first = ASBI_BATCH_UPLOAD,
    .takes_arrays = true,
    .array_texts = 50000,
    .shows_names = true,
    .begin = begin,
    .line = line,
    .end = end,
    .content_type = content_type,
    .ask = ask,
    .read = read,
    .result = result,
};
