/*
 * gemini_batch.c -- one request carries all lines, below 20 MB; the results
 * stand in the batch itself when it is over.
 */
#include "adapters/batch_api.h"

static void begin(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    asbi_buf_fmt(out,
                 "{\"batch\":{\"display_name\":\"%s\",\"input_config\":"
                 "{\"requests\":{\"requests\":[",
                 ref->name);
}

static void line(const struct asbi_batch_ref *ref, asbi_str id, asbi_str body,
                 struct asbi_buf *out)
{
    (void)ref;
    asbi_batch_put_comma(out);
    asbi_buf_c(out, "{\"request\":");
    asbi_buf_str(out, body);
    asbi_buf_c(out, ",\"metadata\":{\"key\":");
    asbi_json_put_string(out, id);
    asbi_buf_c(out, "}}");
}

static void end(const struct asbi_batch_ref *ref, struct asbi_buf *out)
{
    (void)ref;
    asbi_buf_c(out, "]}}}}");
}

/* Ids are names: "batches/123". */
static bool ask(enum asbi_batch_step step, const struct asbi_batch_ref *ref,
                struct asbi_remote_request *out)
{
    out->method =
        step == ASBI_BATCH_CREATE || step == ASBI_BATCH_CANCEL ? "POST" : "GET";
    switch (step) {
    case ASBI_BATCH_CREATE:
        asbi_buf_fmt(out->path, "/models/%s:batchGenerateContent", ref->model);
        return true;
    case ASBI_BATCH_FIND:
        asbi_buf_c(out->path, "/batches?pageSize=100");
        asbi_batch_put_page("&pageToken=", ref, out->path);
        return true;
    case ASBI_BATCH_POLL:
    case ASBI_BATCH_OUTPUT:
        asbi_buf_fmt(out->path, "/%s", ref->id);
        return true;
    case ASBI_BATCH_CANCEL:
        asbi_buf_fmt(out->path, "/%s:cancel", ref->id);
        return true;
    case ASBI_BATCH_UPLOAD:
    case ASBI_BATCH_ERRORS:
        return false;
    }
    return false;
}

static bool ends_with(asbi_str s, const char *end)
{
    asbi_str e = asbi_str_c(end);

    return s.len >= e.len &&
           asbi_str_eq(asbi_str_of(s.at + s.len - e.len, e.len), e);
}

/* "BATCH_STATE_SUCCEEDED", as the REST API writes it, or "JOB_STATE_...". */
static enum asbi_remote_state state_of(asbi_str s)
{
    if (s.len == 0)
        return ASBI_REMOTE_UNKNOWN;
    if (ends_with(s, "_FAILED"))
        return ASBI_REMOTE_FAILED;
    if (ends_with(s, "_SUCCEEDED") || ends_with(s, "_CANCELLED") ||
        ends_with(s, "_EXPIRED"))
        return ASBI_REMOTE_OVER;
    return ASBI_REMOTE_AT_WORK;
}

static void read_batch(struct asbi_json *json, const struct asbi_json_node *at,
                       struct asbi_batch_ref *ref,
                       struct asbi_remote_news *news)
{
    static const char *const state[] = { "metadata", "state", NULL };
    static const char *const message[] = { "error", "message", NULL };
    static const char *const status[] = { "error", "status", NULL };
    asbi_str name = asbi_remote_text(json, at, "name");

    news->state =
        state_of(asbi_json_text(json, asbi_remote_find(json, at, state)));
    if (!asbi_str_starts(name, ASBI_STR("batches/")) ||
        !asbi_remote_keep_id(name, ref->id))
        news->state = ASBI_REMOTE_UNKNOWN;
    asbi_remote_copy(asbi_json_text(json, asbi_remote_find(json, at, message)),
                     news->message, sizeof(news->message));
    asbi_remote_copy(asbi_json_text(json, asbi_remote_find(json, at, status)),
                     news->code, sizeof(news->code));
}

/* A cancellation is answered with an empty object. */
static void read(enum asbi_batch_step step, struct asbi_json *json,
                 struct asbi_batch_ref *ref, struct asbi_remote_news *news)
{
    static const char *const name[] = { "metadata", "displayName", NULL };
    const struct asbi_json_node *at = asbi_json_root(json);

    *news = (struct asbi_remote_news){ .state = ASBI_REMOTE_UNKNOWN };
    if (step == ASBI_BATCH_FIND) {
        asbi_str next = asbi_remote_text(json, at, "nextPageToken");

        news->more = next.len > 0;
        asbi_batch_keep_page(next, ref);
        at = asbi_remote_named(json,
                               asbi_json_get(json, at, ASBI_STR("operations")),
                               name, ref->name);
    }
    if (step == ASBI_BATCH_CANCEL)
        news->state = ASBI_REMOTE_AT_WORK;
    else if (at)
        read_batch(json, at, ref, news);
}

/* "inlinedResponses" is the list, or an object with the list under the same
 * name, in "response" or in "metadata"/"output". */
static const struct asbi_json_node *results(struct asbi_json *json)
{
    static const char *const response[] = { "response", "inlinedResponses",
                                            NULL };
    static const char *const output[] = { "metadata", "output",
                                          "inlinedResponses", NULL };
    const struct asbi_json_node *root = asbi_json_root(json);
    const struct asbi_json_node *list = asbi_remote_find(json, root, response);

    if (!list)
        list = asbi_remote_find(json, root, output);
    if (list && list->type == ASBI_JSON_OBJECT)
        list = asbi_json_get(json, list, ASBI_STR("inlinedResponses"));
    return list && list->type == ASBI_JSON_ARRAY ? list : NULL;
}

/* Of a google.rpc.Code, as it comes with a direct call. */
static int status_of(uint64_t code)
{
    static const int statuses[] = {
        [0] = 500,  [1] = 499,  [2] = 500,  [3] = 400,  [4] = 504,  [5] = 404,
        [6] = 409,  [7] = 403,  [8] = 429,  [9] = 400,  [10] = 409, [11] = 400,
        [12] = 501, [13] = 500, [14] = 503, [15] = 500, [16] = 401,
    };

    if (code >= 400 && code < 600)
        return (int)code;
    return code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code] : 500;
}

static void result(struct asbi_json *json, const struct asbi_json_node *node,
                   struct asbi_buf *scratch, struct asbi_batch_result *out)
{
    static const char *const key[] = { "metadata", "key", NULL };
    const struct asbi_json_node *response =
        asbi_json_get(json, node, ASBI_STR("response"));
    const struct asbi_json_node *error =
        asbi_json_get(json, node, ASBI_STR("error"));
    uint64_t code = 2;

    *out = (struct asbi_batch_result){
        .id = asbi_json_text(json, asbi_remote_find(json, node, key)),
        .answered = response || error,
        .status = 200,
    };
    if (response) {
        out->body = response->raw;
    } else if (error) {
        (void)asbi_json_u64(asbi_json_get(json, error, ASBI_STR("code")),
                            &code);
        out->status = status_of(code);
        /* 1 and 4: cancelled, or out of its time. */
        out->answered = code != 1 && code != 4;
        asbi_buf_clear(scratch);
        asbi_buf_c(scratch, "{\"error\":");
        asbi_buf_str(scratch, error->raw);
        asbi_buf_char(scratch, '}');
        out->body = asbi_buf_view(scratch);
    }
}

const struct asbi_batch_api asbi_gemini_batches = {
    .requests_most = 10000,
    .bytes_most = (size_t)19 << 20,
    .first = ASBI_BATCH_CREATE,
    .one_document = true,
    .shows_names = true,
    .begin = begin,
    .line = line,
    .end = end,
    .ask = ask,
    .read = read,
    .results = results,
    .result = result,
};
