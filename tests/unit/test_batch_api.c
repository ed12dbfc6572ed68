/* Requests about batches, to the byte, and what their answers mean. */
#include "adapters/batch_api.h"

#include "adapters/dialect.h"
#include "tests/support/check.h"

static struct asbi_buf path, body;
static struct asbi_json *json;
static struct asbi_batch_ref ref;

static void fresh(const char *endpoint)
{
    asbi_buf_init(&path, &asbi_mem_system, 4096);
    asbi_buf_init(&body, &asbi_mem_system, 65536);
    json = asbi_json_new(&asbi_mem_system, 1 << 20);
    CHECK(json != NULL);
    ref = (struct asbi_batch_ref){ .name = "asyncbatch-1",
                                   .endpoint = endpoint,
                                   .model = "m-1" };
}

static void done(void)
{
    asbi_buf_fini(&path);
    asbi_buf_fini(&body);
    asbi_json_free(json);
}

static const char *ask(const struct asbi_batch_api *api,
                       enum asbi_batch_step step)
{
    struct asbi_remote_request request = { NULL, &path, &body };

    asbi_buf_clear(&path);
    asbi_buf_clear(&body);
    return api->ask(step, &ref, &request) ? request.method : NULL;
}

static enum asbi_remote_state read(const struct asbi_batch_api *api,
                                   enum asbi_batch_step step, const char *text,
                                   struct asbi_remote_news *news)
{
    CHECK_INT(asbi_json_parse(json, text, strlen(text)), ==, ASB_OK);
    api->read(step, json, &ref, news);
    return news->state;
}

static struct asbi_batch_result result(const struct asbi_batch_api *api,
                                       const char *text)
{
    struct asbi_batch_result r;

    CHECK_INT(asbi_json_parse(json, text, strlen(text)), ==, ASB_OK);
    api->result(json, asbi_json_root(json), &body, &r);
    return r;
}

static void the_dialects_have_their_batches(void)
{
    CHECK(asbi_dialect_find("openai")->batches == &asbi_openai_batches);
    CHECK(asbi_dialect_find("openai_responses")->batches ==
          &asbi_openai_batches);
    CHECK(asbi_dialect_find("anthropic")->batches == &asbi_anthropic_batches);
    CHECK(asbi_dialect_find("gemini")->batches == &asbi_gemini_batches);
    CHECK(asbi_dialect_find("azure")->batches == NULL);
    CHECK(asbi_dialect_find("json")->batches == NULL);
}

static void openai_lines_are_a_file_in_a_form(void)
{
    const struct asbi_batch_api *api = &asbi_openai_batches;

    fresh("/v1/chat/completions");
    api->begin(&ref, &body);
    api->line(&ref, ASBI_STR("line-0"), ASBI_STR("{\"a\":\n1}"), &body);
    api->line(&ref, ASBI_STR("line-1"), ASBI_STR("{}"), &body);
    api->end(&ref, &body);
    CHECK_STR(asbi_buf_view(&body),
              "--asyncbatch-1\r\nContent-Disposition: form-data; "
              "name=\"purpose\"\r\n\r\nbatch\r\n--asyncbatch-1\r\n"
              "Content-Disposition: form-data; name=\"file\"; "
              "filename=\"asyncbatch-1.jsonl\"\r\nContent-Type: "
              "application/jsonl\r\n\r\n"
              "{\"custom_id\":\"line-0\",\"method\":\"POST\",\"url\":"
              "\"/v1/chat/completions\",\"body\":{\"a\": 1}}\n"
              "{\"custom_id\":\"line-1\",\"method\":\"POST\",\"url\":"
              "\"/v1/chat/completions\",\"body\":{}}\n"
              "\r\n--asyncbatch-1--\r\n");
    asbi_buf_clear(&body);
    api->content_type(&ref, &body);
    CHECK_STR(asbi_buf_view(&body),
              "Content-Type: multipart/form-data; boundary=asyncbatch-1");
    done();
}

static void openai_is_asked_step_by_step(void)
{
    const struct asbi_batch_api *api = &asbi_openai_batches;

    fresh("/v1/embeddings");
    asbi_remote_copy(ASBI_STR("file-1"), ref.input, sizeof(ref.input));
    asbi_remote_copy(ASBI_STR("batch_1"), ref.id, sizeof(ref.id));
    asbi_remote_copy(ASBI_STR("file-2"), ref.output, sizeof(ref.output));
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_UPLOAD)), "POST");
    CHECK_STR(asbi_buf_view(&path), "/files");
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_CREATE)), "POST");
    CHECK_STR(asbi_buf_view(&path), "/batches");
    CHECK_STR(asbi_buf_view(&body),
              "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/embeddings\","
              "\"completion_window\":\"24h\",\"metadata\":{\"asyncbatch\":"
              "\"asyncbatch-1\"}}");
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_POLL)), "GET");
    CHECK_STR(asbi_buf_view(&path), "/batches/batch_1");
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_CANCEL)), "POST");
    CHECK_STR(asbi_buf_view(&path), "/batches/batch_1/cancel");
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_OUTPUT)), "GET");
    CHECK_STR(asbi_buf_view(&path), "/files/file-2/content");
    CHECK(ask(api, ASBI_BATCH_ERRORS) == NULL); /* there is no such file */
    done();
}

static void openai_tells_how_a_batch_stands(void)
{
    const struct asbi_batch_api *api = &asbi_openai_batches;
    struct asbi_remote_news news;

    fresh("/v1/chat/completions");
    CHECK_INT(read(api, ASBI_BATCH_UPLOAD, "{\"id\":\"file-9\"}", &news), ==,
              ASBI_REMOTE_AT_WORK);
    CHECK_STR(asbi_str_c(ref.input), "file-9");
    CHECK_INT(read(api, ASBI_BATCH_CREATE,
                   "{\"id\":\"batch_1\",\"status\":\"validating\"}", &news),
              ==, ASBI_REMOTE_AT_WORK);
    CHECK_STR(asbi_str_c(ref.id), "batch_1");
    CHECK_INT(read(api, ASBI_BATCH_POLL,
                   "{\"id\":\"batch_1\",\"status\":\"expired\","
                   "\"output_file_id\":\"file-2\",\"error_file_id\":"
                   "\"file-3\"}",
                   &news),
              ==, ASBI_REMOTE_OVER);
    CHECK_STR(asbi_str_c(ref.errors), "file-3");
    CHECK_INT(read(api, ASBI_BATCH_POLL,
                   "{\"id\":\"batch_1\",\"status\":\"failed\",\"errors\":"
                   "{\"data\":[{\"code\":\"token_limit_exceeded\","
                   "\"message\":\"too much\"}]}}",
                   &news),
              ==, ASBI_REMOTE_FAILED);
    CHECK_STR(asbi_str_c(news.code), "token_limit_exceeded");
    CHECK_STR(asbi_str_c(news.message), "too much");
    CHECK_INT(read(api, ASBI_BATCH_POLL, "{\"object\":\"list\"}", &news), ==,
              ASBI_REMOTE_UNKNOWN);
    done();
}

static void a_batch_is_found_again_by_its_name(void)
{
    struct asbi_remote_news news;

    fresh("/v1/chat/completions");
    CHECK_INT(read(&asbi_openai_batches, ASBI_BATCH_FIND,
                   "{\"data\":[{\"id\":\"b1\",\"status\":\"completed\","
                   "\"metadata\":null},{\"id\":\"b2\",\"status\":"
                   "\"in_progress\",\"metadata\":{\"asyncbatch\":"
                   "\"asyncbatch-1\"}}]}",
                   &news),
              ==, ASBI_REMOTE_AT_WORK);
    CHECK_STR(asbi_str_c(ref.id), "b2");
    CHECK_INT(
        read(&asbi_openai_batches, ASBI_BATCH_FIND, "{\"data\":[]}", &news), ==,
        ASBI_REMOTE_UNKNOWN);
    CHECK_INT(read(&asbi_gemini_batches, ASBI_BATCH_FIND,
                   "{\"operations\":[{\"name\":\"batches/7\",\"metadata\":{"
                   "\"displayName\":\"asyncbatch-1\",\"state\":"
                   "\"BATCH_STATE_RUNNING\"}}]}",
                   &news),
              ==, ASBI_REMOTE_AT_WORK);
    CHECK_STR(asbi_str_c(ref.id), "batches/7");
    done();
}

/* Who is not among the latest may be among the others. */
static void a_list_that_goes_on_is_read_on(void)
{
    struct asbi_remote_news news;

    fresh("/v1/chat/completions");
    (void)read(
        &asbi_openai_batches, ASBI_BATCH_FIND,
        "{\"data\":[{\"id\":\"b1\"},{\"id\":\"b 2\"}],\"has_more\":true}",
        &news);
    CHECK(news.more);
    CHECK_STR(asbi_str_c(ask(&asbi_openai_batches, ASBI_BATCH_FIND)), "GET");
    CHECK_STR(asbi_buf_view(&path), "/batches?limit=100&after=b%202");
    (void)read(&asbi_openai_batches, ASBI_BATCH_FIND,
               "{\"data\":[{\"id\":\"b3\"}],\"has_more\":false}", &news);
    CHECK(!news.more);
    CHECK_STR(asbi_str_c(ref.page), "");
    (void)read(&asbi_gemini_batches, ASBI_BATCH_FIND,
               "{\"operations\":[],\"nextPageToken\":\"x/y==\"}", &news);
    CHECK(news.more);
    CHECK_STR(asbi_str_c(ask(&asbi_gemini_batches, ASBI_BATCH_FIND)), "GET");
    CHECK_STR(asbi_buf_view(&path),
              "/batches?pageSize=100&pageToken=x%2Fy%3D%3D");
    (void)read(&asbi_gemini_batches, ASBI_BATCH_FIND, "{}", &news);
    CHECK(!news.more);
    CHECK_STR(asbi_str_c(ref.page), "");
    done();
}

static void a_page_that_cannot_be_named_is_none(void)
{
    struct asbi_remote_news news;
    char text[400];

    fresh("/v1/chat/completions");
    (void)snprintf(text, sizeof(text), "{\"nextPageToken\":\"%0200d\"}", 7);
    (void)read(&asbi_gemini_batches, ASBI_BATCH_FIND, text, &news);
    CHECK(news.more);
    CHECK_STR(asbi_str_c(ref.page), "");
    (void)read(&asbi_openai_batches, ASBI_BATCH_FIND,
               "{\"data\":[],\"has_more\":true}", &news);
    CHECK(news.more);
    CHECK_STR(asbi_str_c(ref.page), "");
    done();
}

static void openai_results_are_answers_or_were_never_begun(void)
{
    const struct asbi_batch_api *api = &asbi_openai_batches;

    fresh("/v1/chat/completions");
    struct asbi_batch_result r =
        result(api, "{\"id\":\"x\",\"custom_id\":\"line-3\",\"response\":{"
                    "\"status_code\":200,\"body\":{\"a\":[1]}},\"error\":"
                    "null}");
    CHECK_STR(r.id, "line-3");
    CHECK(r.answered);
    CHECK_INT(r.status, ==, 200);
    CHECK_STR(r.body, "{\"a\":[1]}");
    r = result(api, "{\"custom_id\":\"line-4\",\"response\":null,\"error\":{"
                    "\"code\":\"batch_expired\",\"message\":\"x\"}}");
    CHECK_STR(r.id, "line-4");
    CHECK(!r.answered);
    done();
}

static void anthropic_batches_are_one_request(void)
{
    const struct asbi_batch_api *api = &asbi_anthropic_batches;
    struct asbi_remote_news news;

    fresh("/v1/messages");
    api->begin(&ref, &body);
    api->line(&ref, ASBI_STR("line-0"), ASBI_STR("{\"a\":{}}"), &body);
    api->line(&ref, ASBI_STR("line-1"), ASBI_STR("{}"), &body);
    api->end(&ref, &body);
    CHECK_STR(asbi_buf_view(&body),
              "{\"requests\":[{\"custom_id\":\"line-0\",\"params\":{\"a\":{}}}"
              ",{\"custom_id\":\"line-1\",\"params\":{}}]}");
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_CREATE)), "POST");
    CHECK_STR(asbi_buf_view(&path), "/messages/batches");
    CHECK_INT(read(api, ASBI_BATCH_CREATE,
                   "{\"id\":\"msgbatch_1\",\"processing_status\":"
                   "\"in_progress\",\"results_url\":null}",
                   &news),
              ==, ASBI_REMOTE_AT_WORK);
    CHECK(ask(api, ASBI_BATCH_FIND) == NULL);
    CHECK_STR(asbi_str_c(ask(api, ASBI_BATCH_OUTPUT)), "GET");
    CHECK_STR(asbi_buf_view(&path), "/messages/batches/msgbatch_1/results");
    CHECK_INT(read(api, ASBI_BATCH_POLL,
                   "{\"id\":\"msgbatch_1\",\"processing_status\":\"ended\"}",
                   &news),
              ==, ASBI_REMOTE_OVER);
    done();
}

static void anthropic_results_are_of_four_kinds(void)
{
    const struct asbi_batch_api *api = &asbi_anthropic_batches;

    fresh("/v1/messages");
    struct asbi_batch_result r =
        result(api, "{\"custom_id\":\"line-1\",\"result\":{\"type\":"
                    "\"succeeded\",\"message\":{\"id\":\"m\"}}}");
    CHECK(r.answered && r.status == 200);
    CHECK_STR(r.body, "{\"id\":\"m\"}");
    r = result(api, "{\"custom_id\":\"line-2\",\"result\":{\"type\":"
                    "\"errored\",\"error\":{\"type\":\"error\",\"error\":{"
                    "\"type\":\"overloaded_error\",\"message\":\"x\"}}}}");
    CHECK(r.answered);
    CHECK_INT(r.status, ==, 529);
    r = result(api, "{\"custom_id\":\"line-3\",\"result\":{\"type\":"
                    "\"expired\"}}");
    CHECK_STR(r.id, "line-3");
    CHECK(!r.answered);
    done();
}

static void gemini_answers_stand_in_the_batch(void)
{
    static const char *const texts[] = {
        "{\"name\":\"batches/1\",\"metadata\":{\"state\":"
        "\"BATCH_STATE_SUCCEEDED\"},\"response\":{\"inlinedResponses\":{"
        "\"inlinedResponses\":[{\"metadata\":{\"key\":\"line-0\"},"
        "\"response\":{\"a\":1}},{\"metadata\":{\"key\":\"line-1\"},\"error\":"
        "{\"code\":8,\"message\":\"x\"}}]}}}",
        "{\"name\":\"batches/1\",\"metadata\":{\"state\":"
        "\"BATCH_STATE_SUCCEEDED\",\"output\":{\"inlinedResponses\":"
        "[{\"metadata\":{\"key\":\"line-0\"},\"response\":{\"a\":1}},"
        "{\"metadata\":{\"key\":\"line-1\"},\"error\":{\"code\":8}}]}}}",
    };
    const struct asbi_batch_api *api = &asbi_gemini_batches;

    for (size_t i = 0; i < 2; i++) {
        struct asbi_remote_news news;
        struct asbi_batch_result r;

        fresh("");
        CHECK_INT(read(api, ASBI_BATCH_POLL, texts[i], &news), ==,
                  ASBI_REMOTE_OVER);
        const struct asbi_json_node *list = api->results(json);
        const struct asbi_json_node *node = asbi_json_child(json, list);
        api->result(json, node, &body, &r);
        CHECK_STR(r.id, "line-0");
        CHECK_STR(r.body, "{\"a\":1}");
        node = asbi_json_after(json, list, node);
        api->result(json, node, &body, &r);
        CHECK_STR(r.id, "line-1");
        CHECK_INT(r.status, ==, 429);
        CHECK(asbi_str_starts(r.body, ASBI_STR("{\"error\":{\"code\":8")));
        done();
    }
}

static void ids_never_lead_elsewhere(void)
{
    static const char *const bad[] = { "",        "/etc", "a/../b",
                                       "a?key=1", "a b",  "a\r\nX: y",
                                       "a#b",     "a%2e", "http://x",
                                       "\xc3\xa4" };
    char id[ASBI_REMOTE_ID], longest[ASBI_REMOTE_ID + 1];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!asbi_remote_keep_id(asbi_str_c(bad[i]), id));
        CHECK_INT(id[0], ==, 0);
    }
    memset(longest, 'a', sizeof(longest));
    CHECK(!asbi_remote_keep_id(asbi_str_of(longest, ASBI_REMOTE_ID), id));
    CHECK(asbi_remote_keep_id(asbi_str_of(longest, ASBI_REMOTE_ID - 1), id));
    CHECK(asbi_remote_keep_id(ASBI_STR("batches/a-B_9.x"), id));
}

static void any_document_is_read_without_harm(void)
{
    static const char *const texts[] = {
        "null",
        "[]",
        "{}",
        "7",
        "{\"id\":7,\"status\":[]}",
        "{\"result\":{\"type\":\"errored\"}}",
        "{\"response\":[]}",
        "{\"response\":{\"inlinedResponses\":7}}",
        "{\"data\":{}}",
        "{\"metadata\":[],\"operations\":7,\"errors\":{\"data\":7}}",
    };
    static const struct asbi_batch_api *const apis[] = {
        &asbi_openai_batches, &asbi_anthropic_batches, &asbi_gemini_batches
    };

    for (size_t a = 0; a < 3; a++) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            struct asbi_remote_news news;

            fresh("");
            for (int step = ASBI_BATCH_UPLOAD; step <= ASBI_BATCH_CANCEL;
                 step++)
                CHECK_INT(
                    read(apis[a], (enum asbi_batch_step)step, texts[i], &news),
                    <=, ASBI_REMOTE_FAILED);
            CHECK(!result(apis[a], texts[i]).answered ||
                  apis[a] == &asbi_gemini_batches);
            done();
        }
    }
}

TEST_MAIN(CASE(the_dialects_have_their_batches),
          CASE(openai_lines_are_a_file_in_a_form),
          CASE(openai_is_asked_step_by_step),
          CASE(openai_tells_how_a_batch_stands),
          CASE(a_batch_is_found_again_by_its_name),
          CASE(a_list_that_goes_on_is_read_on),
          CASE(a_page_that_cannot_be_named_is_none),
          CASE(openai_results_are_answers_or_were_never_begun),
          CASE(anthropic_batches_are_one_request),
          CASE(anthropic_results_are_of_four_kinds),
          CASE(gemini_answers_stand_in_the_batch),
          CASE(ids_never_lead_elsewhere),
          CASE(any_document_is_read_without_harm))
