/*
 * anthropic_batch.c -- one request carries all lines; the results are lines
 * again, kept for 29 days.
 *
 * Its list of batches names nothing of ours, so one whose creation was cut off
 * cannot be found again.
 */
#include "adapters/batch_api.h"

static void begin(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    (void)ref;
    asbi_buf_c(out, "{\"requests\":[");
}

static void line(const struct asbi_batch_ref *ref, asbi_str id, asbi_str body,
                 struct asbi_buf *out)
{
    (void)ref;
    asbi_batch_put_comma(out);
    asbi_buf_c(out, "{\"custom_id\":");
    asbi_json_put_string(out, id);
    asbi_buf_c(out, ",\"params\":");
    asbi_buf_str(out, body);
    asbi_buf_char(out, '}');
}

static void end(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    (void)ref;
    asbi_buf_c(out, "]}");
}

static bool ask(enum asbi_batch_step step, const struct asbi_batch_ref *ref,
                struct asbi_remote_request *out)
{
    bool posts = step == ASBI_BATCH_CREATE || step == ASBI_BATCH_CANCEL;

    out->method = posts ? "POST" : "GET";
    asbi_buf_c(out->path, "/messages/batches");
    if (step == ASBI_BATCH_CREATE)
        return true;
    asbi_buf_fmt(out->path, "/%s", ref->id);
    if (step == ASBI_BATCH_CANCEL)
        asbi_buf_c(out->path, "/cancel");
    if (step == ASBI_BATCH_OUTPUT)
        asbi_buf_c(out->path, "/results");
    return step == ASBI_BATCH_POLL || step == ASBI_BATCH_CANCEL ||
           step == ASBI_BATCH_OUTPUT;
}

static void read(enum asbi_batch_step step, struct asbi_json *json,
                 struct asbi_batch_ref *ref, struct asbi_remote_news *news)
{
    const struct asbi_json_node *at = asbi_json_root(json);
    asbi_str status = asbi_remote_text(json, at, "processing_status");

    (void)step;
    *news = (struct asbi_remote_news){ .state = ASBI_REMOTE_UNKNOWN };
    if (status.len == 0 ||
        !asbi_remote_keep_id(asbi_remote_text(json, at, "id"), ref->id))
        return;
    news->state = asbi_str_eq(status, ASBI_STR("ended")) ? ASBI_REMOTE_OVER
                                                         : ASBI_REMOTE_AT_WORK;
}

/* As these errors come with a direct call. */
static int status_of(asbi_str type)
{
    static const struct {
        const char *type;
        int status;
    } table[] = {
        { "invalid_request_error", 400 }, { "authentication_error", 401 },
        { "billing_error", 402 },         { "permission_error", 403 },
        { "not_found_error", 404 },       { "request_too_large", 413 },
        { "rate_limit_error", 429 },      { "timeout_error", 504 },
        { "overloaded_error", 529 },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (asbi_str_eq(type, asbi_str_c(table[i].type)))
            return table[i].status;
    }
    return 500;
}

static void result(struct asbi_json *json, const struct asbi_json_node *node,
                   struct asbi_buf *scratch, struct asbi_batch_result *out)
{
    static const char *const kind[] = { "error", "error", "type", NULL };
    const struct asbi_json_node *r =
        asbi_json_get(json, node, ASBI_STR("result"));
    const struct asbi_json_node *message =
        asbi_json_get(json, r, ASBI_STR("message"));
    const struct asbi_json_node *error =
        asbi_json_get(json, r, ASBI_STR("error"));
    asbi_str type = asbi_remote_text(json, r, "type");

    (void)scratch;
    *out = (struct asbi_batch_result){ .answered = false };
    out->id = asbi_remote_text(json, node, "custom_id");
    if (asbi_str_eq(type, ASBI_STR("succeeded")) && message) {
        out->answered = true;
        out->status = 200;
        out->body = message->raw;
    } else if (asbi_str_eq(type, ASBI_STR("errored")) && error) {
        out->answered = true;
        out->body = error->raw;
        out->status =
            status_of(asbi_json_text(json, asbi_remote_find(json, r, kind)));
    }
}

const struct asbi_batch_api asbi_anthropic_batches = {
    .requests_most = 100000,
    .bytes_most = (size_t)256 << 20,
    .first = ASBI_BATCH_CREATE,
    .begin = begin,
    .line = line,
    .end = end,
    .ask = ask,
    .read = read,
    .result = result,
};
