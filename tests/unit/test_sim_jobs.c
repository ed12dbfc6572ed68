#include "engine/sim/provider.h"

#include "engine/sim/multipart.h"
#include "tests/support/fault_mem.h"
#include "tests/support/sim_rig.h"

#define FORM "multipart/form-data; boundary=XX"
#define PART(name) \
    "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(filename)                                                \
    "--XX\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; " \
    "filename=\"" filename "\"; name=\"file\"\r\n\r\n"
#define UPLOAD(data) \
    PART("purpose") "batch\r\n" FILE_PART("in.jsonl") data "\r\n--XX--\r\n"
#define LINE(id, text)                                                   \
    "{\"custom_id\":\"" id "\",\"method\":\"POST\",\"url\":"             \
    "\"/v1/chat/completions\",\"body\":{\"model\":\"m\",\"messages\":[{" \
    "\"role\":\"user\",\"content\":\"" text "\"}]}}\n"

/* An id of the last answer, with text around it, as a static string. */
static const char *with_id(struct rig *r, const char *before, const char *path,
                           const char *after)
{
    static char text[4][256];
    static unsigned turn;
    asbi_str id = text_at(r, path);

    CHECK(id.len > 0);
    turn = (turn + 1) % 4;
    (void)snprintf(text[turn], sizeof(text[turn]), "%s%.*s%s", before,
                   (int)id.len, id.at, after);
    return text[turn];
}

static struct asbi_sim_call *upload(struct rig *r, const char *body)
{
    r->content_type = FORM;
    take(r, "/v1/files", body);
    r->content_type = NULL;
    return r->call;
}

/* Uploads the data and makes a batch of it; the path of the batch. */
static const char *make_batch(struct rig *r, const char *form)
{
    CHECK_INT(upload(r, form)->status, ==, 200);
    take(r, "/v1/batches",
         with_id(r, "{\"input_file_id\":\"", "id",
                 "\",\"endpoint\":\"/v1/chat/completions\","
                 "\"completion_window\":\"24h\",\"metadata\":{\"k\":\"v\"}}"));
    CHECK_INT(r->call->status, ==, 200);
    return with_id(r, "/v1/batches/", "id", "");
}

static void look_at(struct rig *r, const char *path, uint64_t now_ns,
                    const char *status)
{
    r->now_ns = now_ns;
    CHECK_INT(take(r, path, "")->status, ==, 200);
    CHECK_STR(text_at(r, "status"), status);
}

/* How often `text` stands in the body. */
static unsigned count_of(const struct rig *r, const char *text)
{
    asbi_str rest = asbi_buf_view(&r->call->body);
    unsigned n = 0;

    for (; rest.len; rest.at++, rest.len--)
        n += asbi_str_starts(rest, asbi_str_c(text));
    return n;
}

static struct asbi_sim_options ten_seconds(void)
{
    return (struct asbi_sim_options){ .job_ns = 10 * ASBI_SECOND };
}

/* ---- files ------------------------------------------------------------ */

static void a_file_comes_back_as_it_was(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    static const char data[] = "one\r\n--X\r\n\r\n--YY two";

    CHECK_INT(upload(&r, UPLOAD("one\r\n--X\r\n\r\n--YY two"))->status, ==,
              200);
    CHECK_STR(text_at(&r, "filename"), "in.jsonl");
    CHECK_STR(text_at(&r, "purpose"), "batch");
    CHECK_INT(number_at(&r, "bytes"), ==, sizeof(data) - 1);
    const char *path = with_id(&r, "/v1/files/", "id", "");
    const char *content = with_id(&r, "/v1/files/", "id", "/content");
    take(&r, path, "");
    CHECK_STR(text_at(&r, "object"), "file");
    take(&r, content, "");
    CHECK_STR(asbi_buf_view(&r.call->body), data);
    take(&r, "/v1/files", "");
    CHECK_STR(text_at(&r, "object"), "list");
    CHECK_INT(find(r.json, "data")->count, ==, 1);
    drop_call(&r);
    take_at(&r, "DELETE", path, ASBI_STR(""), 0);
    CHECK_INT(r.call->status, ==, 200);
    CHECK_INT(take(&r, path, "")->status, ==, 404);
    rig_free(&r);
}

static void a_malformed_form_is_refused(void)
{
    static const char *const forms[] = {
        "--XX",
        "--XX--",
        "XX",
        PART("purpose") "batch\r\n--XX--",
        FILE_PART("x") "data\r\n--XX--",
        FILE_PART("x") "data without an end",
        "--XX\r\nContent-Disposition: form-data; name=\"file\"",
    };
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        CHECK_INT(upload(&r, forms[i])->status, ==, 400);
    r.content_type = "application/json";
    CHECK_INT(take(&r, "/v1/files", UPLOAD("x"))->status, ==, 400);
    r.content_type = "multipart/form-data; boundary=";
    CHECK_INT(take(&r, "/v1/files", UPLOAD("x"))->status, ==, 400);
    rig_free(&r);
}

static void a_form_cut_anywhere_is_survived(void)
{
    static const char form[] = UPLOAD("some data\r\n--X\r\n");

    for (size_t len = 0; len < sizeof(form); len++) {
        char *copy = malloc(len ? len : 1); /* exact: overreads show */
        struct asbi_sim_multipart m;
        struct asbi_sim_part part;
        unsigned parts = 0;

        CHECK(copy);
        memcpy(copy, form, len);
        if (asbi_sim_multipart_begin(&m, ASBI_STR(FORM),
                                     asbi_str_of(copy, len))) {
            while (asbi_sim_multipart_next(&m, &part))
                parts++;
        }
        CHECK(parts <= 2 && (parts == 2 || len < sizeof(form) - 1));
        free(copy);
    }
}

static void lists_go_by_pages(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    for (int i = 0; i < 5; i++)
        upload(&r, UPLOAD("x"));
    take(&r, "/v1/files?limit=2", "");
    CHECK_INT(count_of(&r, "\"object\":\"file\""), ==, 2);
    CHECK_INT(count_of(&r, "\"has_more\":true"), ==, 1);
    take(&r, with_id(&r, "/v1/files?x=y&after=", "data.1.id", "&limit=3"), "");
    CHECK_INT(count_of(&r, "\"object\":\"file\""), ==, 3);
    CHECK_INT(count_of(&r, "\"has_more\":false"), ==, 1);
    rig_free(&r);
}

static void no_more_is_kept_than_fits(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    unsigned refused = 0;

    for (int i = 0; i < 1001; i++)
        refused += upload(&r, UPLOAD("x"))->status == 429;
    CHECK_INT(refused, ==, 1);
    rig_free(&r);
}

/* ---- batches ---------------------------------------------------------- */

static void a_batch_takes_its_time_and_half_the_price(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);
    const struct asbi_sim_stats *s = asbi_sim_provider_stats(r.p);
    const char *path = make_batch(
        &r, UPLOAD(LINE("a", "Save") "\n" LINE("b", "Open") LINE("c", "Go")));

    CHECK_STR(text_at(&r, "status"), "validating");
    CHECK_STR(text_at(&r, "metadata.k"), "v");
    look_at(&r, path, 1 * ASBI_SECOND, "in_progress");
    look_at(&r, path, 6 * ASBI_SECOND, "in_progress");
    CHECK_INT(number_at(&r, "request_counts.total"), ==, 3);
    CHECK_INT(number_at(&r, "request_counts.completed"), ==, 1);
    look_at(&r, path, 9 * ASBI_SECOND, "finalizing");
    CHECK_INT(s->batch_lines, ==, 0);
    look_at(&r, path, 10 * ASBI_SECOND, "completed");
    CHECK_INT(number_at(&r, "request_counts.completed"), ==, 3);
    CHECK_INT(number_at(&r, "request_counts.failed"), ==, 0);
    CHECK_INT(number_at(&r, "usage.input_tokens"), ==, s->billed_input);
    CHECK_INT(number_at(&r, "usage.output_tokens"), ==, s->billed_output);
    CHECK_INT(s->batch_lines, ==, 3);
    CHECK_INT(s->items, ==, 3);
    CHECK_INT(s->calls, ==, 0); /* not on the clock of requests */
    CHECK_INT(s->billed_nano_usd, ==,
              (int64_t)(s->billed_input * 400 + s->billed_output * 1600) / 2);
    take(&r, with_id(&r, "/v1/files/", "output_file_id", "/content"), "");
    CHECK_INT(count_of(&r, "\"custom_id\":"), ==, 3);
    CHECK_INT(count_of(&r, "\"status_code\":200"), ==, 3);
    CHECK_INT(count_of(&r, "\"content\":\"Šáṽé\""), ==, 1);
    CHECK_INT(count_of(&r, "\n"), ==, 3);
    const char *end = memchr(r.call->body.data, '\n', r.call->body.len);
    CHECK_INT(asbi_json_parse(r.inner, r.call->body.data,
                              (size_t)(end - r.call->body.data)),
              ==, ASB_OK);
    rig_free(&r);
}

static void bad_requests_go_to_the_error_file(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);
    const char *path = make_batch(
        &r, UPLOAD(LINE("a", "Save") "{\"custom_id\":\"b\",\"method\":\"POST\","
                                     "\"url\":\"/v1/chat/completions\","
                                     "\"body\":{\"model\":\"missing-1\"}}"));

    look_at(&r, path, 10 * ASBI_SECOND, "completed");
    CHECK_INT(number_at(&r, "request_counts.failed"), ==, 1);
    take(&r, with_id(&r, "/v1/files/", "error_file_id", "/content"), "");
    CHECK_INT(count_of(&r, "\"custom_id\":\"b\""), ==, 1);
    CHECK_INT(count_of(&r, "model_not_found"), ==, 1);
    CHECK_INT(count_of(&r, "\n"), ==, 1);
    rig_free(&r);
}

static void a_bad_file_fails_with_line_and_code(void)
{
    static const struct {
        const char *form, *code;
        uint64_t line;
    } table[] = {
        { UPLOAD(LINE("a", "x") "{nonsense\n"), "invalid_json_line", 2 },
        { UPLOAD(LINE("a", "x") LINE("b", "x") LINE("a", "x")),
          "duplicate_custom_id", 3 },
        { UPLOAD("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/x\","
                 "\"body\":{}}"),
          "mismatched_endpoint", 1 },
        { UPLOAD("{\"custom_id\":\"a\",\"method\":\"GET\"}"), "invalid_method",
          1 },
        { UPLOAD("{\"method\":\"GET\"}"), "missing_custom_id", 1 },
    };
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        r.now_ns = 0;
        const char *path = make_batch(&r, table[i].form);
        look_at(&r, path, 2 * ASBI_SECOND, "failed");
        CHECK_STR(text_at(&r, "errors.data.0.code"), table[i].code);
        CHECK_INT(number_at(&r, "errors.data.0.line"), ==, table[i].line);
    }
    r.now_ns = 0;
    look_at(&r, make_batch(&r, UPLOAD("\n")), 2 * ASBI_SECOND, "failed");
    CHECK_STR(text_at(&r, "errors.data.0.code"), "empty_file");
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_input, ==, 0);
    rig_free(&r);
}

static void a_cancelled_batch_keeps_what_is_done(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);
    const char *path = make_batch(&r, UPLOAD(LINE("a", "1") LINE("b", "2") LINE(
                                          "c", "3") LINE("d", "4")));
    char cancel[300];

    (void)snprintf(cancel, sizeof(cancel), "%s/cancel", path);
    r.now_ns = 5 * ASBI_SECOND;
    CHECK_INT(take(&r, cancel, "{}")->status, ==, 200);
    CHECK_STR(text_at(&r, "status"), "cancelling");
    look_at(&r, path, 6 * ASBI_SECOND, "cancelled");
    CHECK_INT(number_at(&r, "request_counts.completed"), ==, 2);
    CHECK_INT(asbi_sim_provider_stats(r.p)->batch_lines, ==, 2);
    const char *errors = with_id(&r, "/v1/files/", "error_file_id", "/content");
    take(&r, with_id(&r, "/v1/files/", "output_file_id", "/content"), "");
    CHECK_INT(count_of(&r, "\n"), ==, 2);
    take(&r, errors, "");
    CHECK_INT(count_of(&r, "batch_cancelled"), ==, 2);
    CHECK_INT(take(&r, cancel, "{}")->status, ==, 409);
    rig_free(&r);
}

static void a_batch_is_refused_without_its_file(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    CHECK_INT(take(&r, "/v1/batches",
                   "{\"input_file_id\":\"file-x\",\"endpoint\":"
                   "\"/v1/embeddings\",\"completion_window\":\"24h\"}")
                  ->status,
              ==, 400);
    CHECK_STR(text_at(&r, "error.param"), "input_file_id");
    CHECK_INT(take(&r, "/v1/batches", "{\"endpoint\":\"/v1/x\"}")->status, ==,
              400);
    CHECK_STR(text_at(&r, "error.param"), "endpoint");
    CHECK_INT(take(&r, "/v1/batches/batch_x", "")->status, ==, 404);
    CHECK_INT(take(&r, "/v1/batches/batch_x/cancel", "{}")->status, ==, 404);
    rig_free(&r);
}

/* ---- videos ----------------------------------------------------------- */

static void a_video_is_made_polled_and_fetched(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);

    CHECK_INT(take(&r, "/v1/videos", "{\"prompt\":\"a cat\",\"seconds\":\"8\"}")
                  ->status,
              ==, 200);
    CHECK_STR(text_at(&r, "object"), "video");
    CHECK(header_of(r.call, "openai-poll-after-ms"));
    const char *path = with_id(&r, "/v1/videos/", "id", "");
    const char *content = with_id(&r, "/v1/videos/", "id", "/content");
    look_at(&r, path, 0, "queued");
    look_at(&r, path, 5 * ASBI_SECOND, "in_progress");
    CHECK_INT(number_at(&r, "progress"), ==, 50);
    CHECK_INT(take(&r, content, "")->status, ==, 404);
    look_at(&r, path, 10 * ASBI_SECOND, "completed");
    CHECK_INT(number_at(&r, "progress"), ==, 100);
    CHECK(!header_of(r.call, "openai-poll-after-ms"));
    CHECK_INT(take(&r, content, "")->status, ==, 200);
    CHECK_INT(r.call->body.len, ==, 4096);
    CHECK(memcmp(r.call->body.data + 4, "ftyp", 4) == 0);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_nano_usd, ==,
              8 * ASBI_USD / 10);
    CHECK_INT(asbi_sim_provider_stats(r.p)->calls, ==, 1);
    take(&r, "/v1/videos", "");
    CHECK_INT(count_of(&r, "\"object\":\"video\""), ==, 1);
    drop_call(&r);
    CHECK_INT(take_at(&r, "DELETE", path, ASBI_STR(""), 0)->status, ==, 200);
    CHECK_INT(take(&r, path, "")->status, ==, 404);
    rig_free(&r);
}

static void a_failed_video_costs_nothing(void)
{
    struct asbi_sim_options o = ten_seconds();
    unsigned failed = 0, made = 0;

    o.error_rate = 0.5;
    struct rig r = rig_new(&o);
    for (int i = 0; i < 60; i++) {
        r.now_ns = 0;
        if (take(&r, "/v1/videos", "{\"prompt\":\"x\"}")->status != 200)
            continue;
        const char *path = with_id(&r, "/v1/videos/", "id", "");
        r.now_ns = 10 * ASBI_SECOND;
        take(&r, path, "");
        if (asbi_str_eq(text_at(&r, "status"), ASBI_STR("failed"))) {
            failed++;
            CHECK_STR(text_at(&r, "error.code"), "generation_failed");
        } else {
            made++;
        }
    }
    CHECK(failed > 5 && made > 5);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_nano_usd, ==,
              made * 4 * ASBI_USD / 10);
    CHECK_INT(asbi_sim_provider_stats(r.p)->items, ==, made);
    rig_free(&r);
}

static void a_bad_video_request_is_refused(void)
{
    static const struct {
        const char *body;
        int status;
        const char *param;
    } table[] = {
        { "{", 400, "" },
        { "{}", 400, "prompt" },
        { "{\"prompt\":\"x\",\"seconds\":\"5\"}", 400, "seconds" },
        { "{\"prompt\":\"x\",\"size\":\"1x1\"}", 400, "size" },
        { "{\"prompt\":\"x\",\"model\":\"missing-x\"}", 404, "model" },
    };
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CHECK_INT(take(&r, "/v1/videos", table[i].body)->status, ==,
                  table[i].status);
        CHECK_STR(text_at(&r, "error.param"), table[i].param);
    }
    rig_free(&r);
}

/* ---- memory ----------------------------------------------------------- */

static int request(struct asbi_sim_provider *p, const char *path,
                   const char *body, uint64_t now_ns, char id[40])
{
    struct asbi_sim_request request = {
        .method = asbi_str_c(*body ? "POST" : "GET"),
        .path = asbi_str_c(path),
        .content_type = ASBI_STR(FORM),
        .body = asbi_str_c(body),
    };
    struct asbi_sim_call *call;
    int rc = asbi_sim_provider_take(p, &request, now_ns, &call);

    if (rc)
        return rc;
    const char *at =
        strstr(asbi_buf_cstr(&call->body) ? call->body.data : "", "\"id\":\"");
    if (at)
        (void)snprintf(id, 40, "%.*s", (int)strcspn(at + 6, "\""), at + 6);
    rc = call->status == 200 && at ? ASB_OK : ASB_ENOMEM;
    (void)asbi_sim_provider_finish(p, call, now_ns);
    asbi_sim_call_free(call);
    return rc;
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_sim_options o = ten_seconds();
    struct asbi_sim_provider *p;
    char id[40] = "", text[256];
    int rc = asbi_sim_provider_new(mem, &o, &p);

    (void)arg;
    if (!rc)
        rc = request(p, "/v1/files", UPLOAD(LINE("a", "x") LINE("b", "y")), 0,
                     id);
    (void)snprintf(text, sizeof(text),
                   "{\"input_file_id\":\"%s\",\"completion_window\":\"24h\","
                   "\"endpoint\":\"/v1/chat/completions\",\"metadata\":{}}",
                   id);
    if (!rc)
        rc = request(p, "/v1/batches", text, 0, id);
    (void)snprintf(text, sizeof(text), "/v1/batches/%s", id);
    for (uint64_t i = 0; !rc && i < 3; i++)
        rc = request(p, text, "", i * 5 * ASBI_SECOND, id);
    if (!rc)
        rc = request(p, "/v1/videos", "{\"prompt\":\"x\"}", 0, id);
    asbi_sim_provider_free(p);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

/* ---- what clients of videos rely on ------------------------------------ */

#define FORM "multipart/form-data; boundary=XX"
#define FIELD(name, value)                                                    \
    "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value \
    "\r\n"

static void a_video_may_be_asked_for_by_a_form(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);

    r.content_type = FORM;
    CHECK_INT(take(&r, "/v1/videos",
                   FIELD("prompt", "a cat") FIELD("seconds", "12")
                       FIELD("size", "1280x720") "--XX--\r\n")
                  ->status,
              ==, 200);
    CHECK_STR(text_at(&r, "seconds"), "12");
    CHECK_STR(text_at(&r, "size"), "1280x720");
    CHECK_INT(
        take(&r, "/v1/videos", FIELD("seconds", "12") "--XX--\r\n")->status, ==,
        400);
    CHECK_STR(text_at(&r, "error.param"), "prompt");
    CHECK_INT(take(&r, "/v1/videos", "--XX\r\nno form")->status, ==, 400);
    rig_free(&r);
}

static struct asbi_sim_call *ask(struct rig *r, struct asbi_sim_request request)
{
    drop_call(r);
    request.wall_s = 1700000000;
    CHECK_INT(asbi_sim_provider_take(r->p, &request, r->now_ns, &r->call), ==,
              0);
    return r->call;
}

static void a_request_with_a_known_key_begins_nothing(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);
    struct asbi_sim_request request = {
        .method = ASBI_STR("POST"),
        .path = ASBI_STR("/v1/videos"),
        .body = ASBI_STR("{\"prompt\":\"x\"}"),
        .once = ASBI_STR("k1"),
    };
    char first[40];

    ask(&r, request);
    (void)snprintf(first, sizeof(first), "%.*s", (int)text_at(&r, "id").len,
                   text_at(&r, "id").at);
    ask(&r, request);
    CHECK_STR(text_at(&r, "id"), first);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_nano_usd, ==,
              4 * ASBI_USD / 10);
    request.once = ASBI_STR("k2");
    ask(&r, request);
    CHECK(!asbi_str_eq(text_at(&r, "id"), asbi_str_c(first)));
    rig_free(&r);
}

static void a_prompt_meets_the_same_fate_each_time(void)
{
    struct asbi_sim_options o = ten_seconds();
    unsigned at_once = 0, refused = 0, failed = 0;

    o.job_refusal_rate = 0.2;
    o.job_failure_rate = 0.2;
    struct rig r = rig_new(&o);
    for (int i = 0; i < 200; i++) {
        char body[64];

        (void)snprintf(body, sizeof(body), "{\"prompt\":\"scene %d\"}", i / 2);
        r.now_ns = 0;
        if (take(&r, "/v1/videos", body)->status == 400) {
            CHECK_STR(text_at(&r, "error.code"), "moderation_blocked");
            at_once++;
            continue;
        }
        const char *path = with_id(&r, "/v1/videos/", "id", "");
        r.now_ns = 10 * ASBI_SECOND;
        take(&r, path, "");
        asbi_str code = text_at(&r, "error.code");
        refused += asbi_str_eq(code, ASBI_STR("moderation_blocked"));
        failed += asbi_str_eq(code, ASBI_STR("generation_failed"));
    }
    CHECK(at_once > 4 && refused > 4 && failed > 10);
    CHECK(at_once % 2 == 0 && refused % 2 == 0 && failed % 2 == 0);
    rig_free(&r);
}

static void an_artefact_is_sent_from_where_it_broke(void)
{
    struct asbi_sim_options o = ten_seconds();
    struct rig r = rig_new(&o);
    char whole[4096];

    take(&r, "/v1/videos", "{\"prompt\":\"x\"}");
    const char *content = with_id(&r, "/v1/videos/", "id", "/content");
    struct asbi_sim_request request = { .method = ASBI_STR("GET"),
                                        .path = asbi_str_c(content) };
    r.now_ns = 10 * ASBI_SECOND;
    CHECK_INT(ask(&r, request)->status, ==, 200);
    CHECK(header_of(r.call, "Repr-Digest"));
    CHECK_INT(r.call->body.len, ==, sizeof(whole));
    memcpy(whole, r.call->body.data, sizeof(whole));
    request.range = ASBI_STR("bytes=4000-");
    CHECK_INT(ask(&r, request)->status, ==, 206);
    CHECK_STR(asbi_str_c(header_of(r.call, "Content-Range")),
              "bytes 4000-4095/4096");
    CHECK_INT(r.call->body.len, ==, 96);
    CHECK(memcmp(r.call->body.data, whole + 4000, 96) == 0);
    request.range = ASBI_STR("bytes=4096-");
    CHECK_INT(ask(&r, request)->status, ==, 416);
    CHECK_STR(asbi_str_c(header_of(r.call, "Content-Range")), "bytes */4096");
    request.range = ASBI_STR("bytes=x-");
    CHECK_INT(ask(&r, request)->status, ==, 200);
    rig_free(&r);
}

static struct asbi_buf kept;

static void keep_line(void *arg, asbi_str line)
{
    (void)arg;
    asbi_buf_str(&kept, line);
    asbi_buf_char(&kept, '\n');
}

static void restore(struct rig *r, uint64_t wall_s)
{
    asbi_str rest = asbi_buf_view(&kept);

    while (rest.len) {
        size_t len =
            (size_t)((char *)memchr(rest.at, '\n', rest.len) - rest.at);

        CHECK_INT(asbi_sim_provider_restore(r->p, asbi_str_of(rest.at, len),
                                            r->now_ns, wall_s),
                  ==, ASB_OK);
        rest = asbi_str_of(rest.at + len + 1, rest.len - len - 1);
    }
}

static void videos_are_there_again_after_a_restart(void)
{
    struct asbi_sim_options o = ten_seconds();

    o.keep = keep_line;
    asbi_buf_init(&kept, &asbi_mem_system, 1 << 16);
    struct rig r = rig_new(&o);
    take(&r, "/v1/videos", "{\"prompt\":\"x\",\"seconds\":\"8\"}");
    const char *path = with_id(&r, "/v1/videos/", "id", "");
    take(&r, "/v1/videos", "{\"prompt\":\"y\"}");
    const char *gone = with_id(&r, "/v1/videos/", "id", "");
    drop_call(&r);
    take_at(&r, "DELETE", gone, ASBI_STR(""), 0);
    rig_free(&r);

    asbi_buf_c(&kept, "nonsense\n{\"id\":7}\n{}\n[]\n");
    r = rig_new(&o);
    r.now_ns = 3 * ASBI_SECOND; /* another clock */
    restore(&r, 1700000004);    /* four seconds later */
    CHECK_INT(take(&r, path, "")->status, ==, 200);
    CHECK_STR(text_at(&r, "status"), "in_progress");
    CHECK_INT(number_at(&r, "progress"), ==, 40);
    CHECK_INT(take(&r, gone, "")->status, ==, 404);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_nano_usd, ==,
              12 * ASBI_USD / 10);
    take(&r, "/v1/videos", "{\"prompt\":\"z\"}");
    const char *other = with_id(&r, "/v1/videos/", "id", "");
    CHECK(strcmp(other, path) != 0 && strcmp(other, gone) != 0);
    rig_free(&r);
    asbi_buf_fini(&kept);
}

TEST_MAIN(CASE(a_file_comes_back_as_it_was), CASE(a_malformed_form_is_refused),
          CASE(a_form_cut_anywhere_is_survived), CASE(lists_go_by_pages),
          CASE(no_more_is_kept_than_fits),
          CASE(a_batch_takes_its_time_and_half_the_price),
          CASE(bad_requests_go_to_the_error_file),
          CASE(a_bad_file_fails_with_line_and_code),
          CASE(a_cancelled_batch_keeps_what_is_done),
          CASE(a_batch_is_refused_without_its_file),
          CASE(a_video_is_made_polled_and_fetched),
          CASE(a_failed_video_costs_nothing),
          CASE(a_bad_video_request_is_refused),
          CASE(a_video_may_be_asked_for_by_a_form),
          CASE(a_request_with_a_known_key_begins_nothing),
          CASE(a_prompt_meets_the_same_fate_each_time),
          CASE(an_artefact_is_sent_from_where_it_broke),
          CASE(videos_are_there_again_after_a_restart),
          CASE(every_failed_allocation_is_survived))
