/* JSON lines in and out, and the dispatch by name and suffix. */
#include "adapters/format.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/row_log.h"

static struct row_log seen;

static void check_jsonl(const char *input, const char *rows)
{
    struct asbi_reader_options o = row_log_options(ASBI_JSONL);

    row_log_check_rows(&seen, &o, asbi_str_c(input), rows);
}

static void every_payload_is_understood(void)
{
    check_jsonl("{\"id\":\"a\",\"text\":\"x\\ny\"}\n"
                "{\"id\":\"b\",\"prompt\":\"p\"}\n"
                "{\"id\":\"c\",\"messages\":[ {\"role\":\"user\"} ]}\n"
                "{\"id\":\"d\",\"body\":{ \"model\" : \"m\" },\"url\":\"/v1\"}",
                "1 a text=[x\\ny]\n"
                "2 b prompt text=[p]\n"
                "3 c messages body=[[ {\"role\":\"user\"} ]]\n"
                "4 d body body=[{ \"model\" : \"m\" }] url=[/v1]\n");
    CHECK_INT(strlen(seen.header), ==, 0);
}

static void ids_are_texts_or_whole_numbers(void)
{
    check_jsonl("{\"id\":7,\"text\":\"x\"}\n{\"text\":\"x\"}\n"
                "{\"id\":null,\"text\":\"x\"}\n{\"id\":\"\",\"text\":\"x\"}\n"
                "{\"id\":-12345678901234567890123,\"text\":\"x\"}\n"
                "{\"id\":1.5,\"text\":\"x\"}\n{\"id\":[1],\"text\":\"x\"}\n"
                "{\"id\":\"\\u4f60\",\"text\":\"x\"}\n",
                "1 7# text=[x]\n2 2 text=[x]\n3 3 text=[x]\n4 4 text=[x]\n"
                "5 -12345678901234567890123# text=[x]\n"
                "6 6 BAD invalid_field (line 6: \"id\" must be a string or a "
                "whole number)\n"
                "7 7 BAD invalid_field (line 7: \"id\" must be a string or a "
                "number)\n"
                "8 \xe4\xbd\xa0 text=[x]\n");
}

static void marks_blank_lines_and_carriage_returns_are_tolerated(void)
{
    check_jsonl("\xef\xbb\xbf{\"text\":\"x\"}\r\n\r\n  \n{\"text\":\"y\"}\r",
                "1 1 text=[x]\n4 2 text=[y]\n");
    check_jsonl("", "");
    check_jsonl("\xef\xbb\xbf\n\n", "");
}

static void options_of_an_item_are_understood(void)
{
    check_jsonl(
        "{\"text\":\"x\",\"max_length\":5,\"priority\":1,\"deadline\":1.5,"
        "\"tenant\":\"t\"}\n"
        "{\"text\":\"x\",\"max_length_target\":\"6\",\"priority\":"
        "\"Background\",\"deadline\":\"2m\",\"tenant\":3}\n"
        "{\"text\":\"x\",\"max_len_target\":7.0,\"priority\":2,\"deadline\":"
        "1e3,\"other\":{}}\n"
        "{\"text\":\"x\",\"max_length\":null,\"priority\":null,\"deadline\":"
        "null,\"tenant\":null}\n",
        "1 1 text=[x] tenant=[t] urgent max=5 deadline=1500\n"
        "2 2 text=[x] tenant=[3] background max=6 deadline=120000\n"
        "3 3 text=[x] normal max=7 deadline=1000000\n"
        "4 4 text=[x]\n");
}

static void a_batch_line_is_passed_through(void)
{
    check_jsonl(
        "{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":"
        "\"/v1/chat/completions\",\"body\":{\"model\":\"m\", \"x\":1e2}}\n"
        "{\"custom_id\":\"r-2\",\"body\":{}}\n"
        "{\"custom_id\":\"r-3\",\"method\":\"GET\",\"body\":{}}\n"
        "{\"custom_id\":\"r-4\",\"method\":\"POST\"}\n"
        "{\"custom_id\":\"r-5\",\"body\":\"{}\"}\n",
        "1 r-1 batch body body=[{\"model\":\"m\", \"x\":1e2}] "
        "url=[/v1/chat/completions]\n"
        "2 r-2 batch body body=[{}]\n"
        "3 r-3 batch BAD invalid_field (line 3: \"method\" must be POST)\n"
        "4 r-4 batch BAD no_text (line 4: a batch line needs \"body\", the "
        "provider's request)\n"
        "5 r-5 batch BAD malformed (line 5: \"body\" must be an object: the "
        "provider's request)\n");
}

static void a_content_request_keeps_all_its_fields(void)
{
    static const char line[] =
        "{\"id\":\"v1\",\"content_type\":\"video\",\"prompt\":\"a cat\","
        "\"engine\":\"default\",\"resolution\":\"1920x1080\",\"duration\":30.0,"
        "\"style_params\":{\"mood\":\"calm\"},\"priority\":1,\"deadline\":"
        "\"1h\"}";
    char rows[1000];

    (void)snprintf(rows, sizeof(rows),
                   "1 v1 prompt text=[a cat] fields=[%s] urgent "
                   "deadline=3600000\n",
                   line);
    check_jsonl(line, rows);
}

static void a_template_takes_any_keys_as_fields(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_JSONL);

    o.wants_fields = true;
    row_log_check_rows(
        &seen, &o,
        ASBI_STR("{\"id\":1,\"name\":\"n\"}\n"
                 "{\"id\":2,\"text\":\"t\",\"body\":\"b\",\"prompt\":\"p\"}\n"),
        "1 1# fields=[{\"id\":1,\"name\":\"n\"}]\n"
        "2 2# text=[t] fields=[{\"id\":2,\"text\":\"t\",\"body\":\"b\","
        "\"prompt\":\"p\"}]\n");
}

static void bad_lines_say_why_and_the_others_come(void)
{
    check_jsonl(
        "{\"id\":\"a\",\"text\":\"secret\"\n[1]\nsecret\n"
        "{\"id\":\"b\",\"text\":\"x\",\"messages\":[]}\n"
        "{\"id\":\"c\"}\n{\"id\":\"d\",\"text\":\" \\n\"}\n"
        "{\"id\":\"e\",\"text\":5}\n{\"id\":\"f\",\"messages\":{}}\n"
        "{\"id\":\"g\",\"messages\":[]}\n{\"id\":\"h\",\"text\":\"\xff\"}\n"
        "{\"id\":\"i\",\"text\":\"x\",\"deadline\":-1}\n"
        "{\"id\":\"j\",\"text\":\"x\",\"max_length\":4294967296}\n"
        "{\"id\":\"k\",\"op\":\"flush\"}\n"
        "{\"id\":\"l\",\"text\":\"ok\"}\n",
        "1 1 BAD malformed (line 1: malformed JSON at byte 26: ',' or '}' was "
        "expected; write one object on each line)\n"
        "2 2 BAD malformed (line 2: not an object; write {\"id\": ..., "
        "\"text\": ...})\n"
        "3 3 BAD malformed (line 3: malformed JSON at byte 1: not a JSON "
        "value; write one object on each line)\n"
        "4 b BAD ambiguous (line 4: both \"text\" and \"messages\" are given; "
        "keep one)\n"
        "5 c BAD no_text (line 5: there is no text; fill it in, or remove the "
        "row)\n"
        "6 d BAD no_text (line 6: there is no text; fill it in, or remove the "
        "row)\n"
        "7 e BAD invalid_field (line 7: \"text\" must be a string)\n"
        "8 f BAD malformed (line 8: \"messages\" must be an array of chat "
        "messages)\n"
        "9 g BAD no_text (line 9: \"messages\" is empty; give at least one)\n"
        "10 10 BAD invalid_utf8 (line 10: not valid UTF-8; save the file as "
        "UTF-8)\n"
        "11 i BAD invalid_field (line 11: deadline is neither a duration from "
        "now nor a time; write seconds, 2h30m, or 2027-01-31T18:00:00Z)\n"
        "12 j BAD invalid_field (line 12: the maximum length is no whole "
        "number; write how many characters the answer may have, or leave it "
        "empty)\n"
        "13 k BAD no_text (line 13: there is no text; fill it in, or remove "
        "the row)\n"
        "14 l text=[ok]\n");
    CHECK(!strstr(row_log_text(&seen), "secret"));
}

static void a_line_over_the_limit_is_skipped(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_JSONL);

    o.max_item_bytes = 20;
    row_log_check_rows(
        &seen, &o,
        ASBI_STR("{\"text\":\"123456789\"}\n{\"text\":\"123456789a\"}\n"
                 "{\"text\":\"123456789\"}\r\n{\"text\":\"123456789a\"}\r\n"
                 "{\"text\":\"0123456789012345678901234567890123456789\"}"),
        "1 1 text=[123456789]\n"
        "2 2 BAD too_large (line 2: the line is longer than 20 bytes; "
        "shorten it or raise max_item_bytes)\n"
        "3 3 text=[123456789]\n"
        "4 4 BAD too_large (line 4: the line is longer than 20 bytes; "
        "shorten it or raise max_item_bytes)\n"
        "5 5 BAD too_large (line 5: the line is longer than 20 bytes; "
        "shorten it or raise max_item_bytes)\n");
}

static void nesting_has_a_limit(void)
{
    char line[300] = "{\"text\":\"x\",\"f\":";

    memset(line + strlen(line), '[', 100);
    row_log_check_pieces(&seen,
                         &(struct asbi_reader_options){ .format = ASBI_JSONL,
                                                        .max_item_bytes = 300 },
                         asbi_str_c(line));
    CHECK(strstr(row_log_text(&seen), "1 1 BAD malformed (line 1: nested more "
                                      "than 64 deep"));
}

/* ---- the writer ------------------------------------------------------- */

static struct asb_result result_ok(const char *output)
{
    return (struct asb_result){ .size = sizeof(struct asb_result),
                                .id = ASBI_STR("7"),
                                .ok = true,
                                .output = asbi_str_c(output),
                                .attempts = 1,
                                .usage = { 31, 0, 12 },
                                .cost_nano_usd = 11400 };
}

static struct asb_result result_failed(int http_status, const char *body)
{
    return (struct asb_result){ .size = sizeof(struct asb_result),
                                .id = ASBI_STR("8"),
                                .error_code = "placeholder_mismatch",
                                .error_message = ASBI_STR("one is missing"),
                                .http_status = http_status,
                                .request_id = ASBI_STR("req_1"),
                                .body = asbi_str_c(body),
                                .attempts = 4,
                                .usage = { 5, 3, 2 },
                                .cost_nano_usd = 30000 };
}

static const struct asbi_row_memo plain = { .seq = 6 };
static const struct asbi_row_memo batch = { .seq = 26, .batch_line = true };

static void check_written(const struct asbi_row_memo *memo,
                          const struct asb_result *result, const char *line)
{
    struct asbi_writer *w;
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 10000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_JSONL, ASBI_JSONL, &w), ==,
              ASB_OK);
    asbi_writer_header(w, ASBI_STR("a,b\n"), &out);
    asbi_writer_row(w, memo, result, &out);
    CHECK(!asbi_buf_failed(&out));
    CHECK_STR(asbi_buf_view(&out), line);
    asbi_writer_free(w);
    asbi_buf_fini(&out);
}

static void an_answer_is_one_line(void)
{
    struct asb_result ok = result_ok("a\n\"b\"");
    struct asb_result bad = result_failed(0, "");

    check_written(&plain, &ok,
                  "{\"id\":\"7\",\"seq\":6,\"status\":\"ok\",\"output\":"
                  "\"a\\n\\\"b\\\"\",\"source\":\"api\",\"attempts\":1,"
                  "\"usage\":{\"input_tokens\":31,\"output_tokens\":12},"
                  "\"cost_usd\":0.0000114}\n");
    bad.source = ASB_DUPLICATE;
    check_written(&plain, &bad,
                  "{\"id\":\"8\",\"seq\":6,\"status\":\"failed\",\"error\":{"
                  "\"code\":\"placeholder_mismatch\",\"message\":\"one is "
                  "missing\",\"retryable\":false},\"source\":\"duplicate\","
                  "\"attempts\":4,\"usage\":{\"input_tokens\":5,"
                  "\"cached_tokens\":3,\"output_tokens\":2},\"cost_usd\":"
                  "0.00003}\n");
}

static void json_answers_are_values_on_one_line(void)
{
    struct asbi_row_memo memo = { .seq = 0, .id_is_number = true };
    struct asb_result ok = result_ok("[1.0,\r\n {\"a\":\"\\n\"}]\n");

    ok.output_is_json = true;
    ok.cost_nano_usd = 0;
    ok.source = ASB_CACHE;
    check_written(&memo, &ok,
                  "{\"id\":7,\"seq\":0,\"status\":\"ok\",\"output\":[1.0,   "
                  "{\"a\":\"\\n\"}],\"source\":\"cache\",\"attempts\":1,"
                  "\"usage\":{\"input_tokens\":31,\"output_tokens\":12},"
                  "\"cost_usd\":0}\n");
    ok.output = ASBI_STR("{broken");
    ok.id = ASBI_STR("007");
    ok.source = ASB_NEAR;
    check_written(&memo, &ok,
                  "{\"id\":\"007\",\"seq\":0,\"status\":\"ok\",\"output\":"
                  "\"{broken\",\"source\":\"near\",\"attempts\":1,\"usage\":"
                  "{\"input_tokens\":31,\"output_tokens\":12},\"cost_usd\":0}"
                  "\n");
}

static void a_batch_line_is_answered_in_its_own_shape(void)
{
    struct asb_result ok = result_ok("text");

    ok.body = ASBI_STR("{\"id\": \"c\",\n \"choices\": []}\n");
    ok.http_status = 200;
    ok.request_id = ASBI_STR("req_9");
    check_written(&batch, &ok,
                  "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"7\","
                  "\"response\":{\"status_code\":200,\"request_id\":\"req_9\","
                  "\"body\":{\"id\": \"c\",  \"choices\": []}},\"error\":"
                  "null}\n");
    ok.body.len = 0;
    ok.http_status = 0;
    check_written(
        &batch, &ok,
        "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"7\","
        "\"response\":{\"status_code\":200,\"request_id\":\"req_9\",\"body\":"
        "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":\"text\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":31,"
        "\"completion_tokens\":12,\"total_tokens\":43}}},\"error\":null}\n");
}

#define BATCH_8 "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"8\","
#define ERROR_8                                     \
    "\"error\":{\"code\":\"placeholder_mismatch\"," \
    "\"message\":\"one is missing\"}}\n"

static void a_failed_batch_line_says_what_was_received(void)
{
    struct asb_result refused = result_failed(400, "{\"error\":1}");
    struct asb_result page = result_failed(502, "<html>\n");
    struct asb_result unusable = result_failed(200, "{}");
    struct asb_result unanswered = result_failed(0, "");
    struct asb_result empty = result_failed(503, "");

    check_written(&batch, &refused,
                  BATCH_8 "\"response\":{\"status_code\":400,\"request_id\":"
                          "\"req_1\",\"body\":{\"error\":1}},\"error\":null}"
                          "\n");
    check_written(&batch, &page,
                  BATCH_8 "\"response\":{\"status_code\":502,\"request_id\":"
                          "\"req_1\",\"body\":\"<html>\\n\"},\"error\":null}"
                          "\n");
    check_written(&batch, &unusable,
                  BATCH_8 "\"response\":{\"status_code\":200,\"request_id\":"
                          "\"req_1\",\"body\":{}}," ERROR_8);
    check_written(&batch, &unanswered, BATCH_8 "\"response\":null," ERROR_8);
    check_written(&batch, &empty, BATCH_8 "\"response\":null," ERROR_8);
}

/* ---- formats ---------------------------------------------------------- */

static void formats_are_found_by_name_and_suffix(void)
{
    enum asbi_format f = ASBI_CSV;

    CHECK(asbi_format_find("msgpack", &f) && f == ASBI_MSGPACK);
    CHECK(asbi_format_find("jsonl", &f) && f == ASBI_JSONL);
    CHECK(!asbi_format_find("xml", &f) && !asbi_format_find("", &f));
    CHECK(!asbi_format_find(NULL, &f) && f == ASBI_JSONL);
    CHECK_INT(asbi_format_of_path("a/b.csv", ASBI_JSONL), ==, ASBI_CSV);
    CHECK_INT(asbi_format_of_path("B.CSV", ASBI_JSONL), ==, ASBI_CSV);
    CHECK_INT(asbi_format_of_path("x.ndjson", ASBI_CSV), ==, ASBI_JSONL);
    CHECK_INT(asbi_format_of_path("x.tar.msgpack", ASBI_CSV), ==, ASBI_MSGPACK);
    CHECK_INT(asbi_format_of_path("-", ASBI_JSONL), ==, ASBI_JSONL);
    CHECK_INT(asbi_format_of_path("dir.csv/x", ASBI_JSONL), ==, ASBI_JSONL);
    CHECK_INT(asbi_format_of_path("csv", ASBI_JSONL), ==, ASBI_JSONL);
    CHECK_INT(asbi_format_of_path("x.txt", ASBI_JSONL), ==, ASBI_JSONL);
    CHECK_INT(asbi_format_of_path(NULL, ASBI_JSONL), ==, ASBI_JSONL);
}

static int ignore(void *arg, const struct asbi_row *row)
{
    (void)arg;
    (void)row;
    return 0;
}

static void senseless_options_are_refused(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_JSONL);
    struct asbi_reader *r;
    struct asbi_writer *w;

    o.max_item_bytes = 0;
    CHECK_INT(asbi_reader_new(&asbi_mem_system, &o, ignore, NULL, &r), ==,
              ASB_EINVAL);
    o.max_item_bytes = SIZE_MAX;
    CHECK_INT(asbi_reader_new(&asbi_mem_system, &o, ignore, NULL, &r), ==,
              ASB_EINVAL);
    o.max_item_bytes = 10;
    CHECK_INT(asbi_reader_new(&asbi_mem_system, &o, NULL, NULL, &r), ==,
              ASB_EINVAL);
    o.format = (enum asbi_format)7;
    CHECK_INT(asbi_reader_new(&asbi_mem_system, &o, ignore, NULL, &r), ==,
              ASB_EINVAL);
    CHECK(!r);
    CHECK_INT(
        asbi_writer_new(&asbi_mem_system, ASBI_CSV, (enum asbi_format)7, &w),
        ==, ASB_EINVAL);
    asbi_reader_free(NULL);
    asbi_writer_free(NULL);
}

/* ---- memory ----------------------------------------------------------- */

static void put_row(struct asbi_buf *in, int i)
{
    asbi_buf_fmt(in, "{\"id\":%d,\"text\":\"text\\n%d\"}\n", i, i);
}

static void memory_does_not_grow_with_the_rows(void)
{
    row_log_check_memory(ASBI_JSONL, "", put_row);
}

static int life_of_a_reader(const struct asbi_mem *mem, void *arg)
{
    struct asbi_reader_options o = row_log_options(ASBI_JSONL);

    (void)arg;
    return row_log_read(&seen, mem, &o,
                        ASBI_STR("{\"id\":\"\\u0041\",\"text\":\"x\"}\n"
                                 "{\"te\\u0078t\":\"y\"}\n[]"),
                        7);
}

static void every_failed_allocation_in_reading_is_survived(void)
{
    CHECK_INT(fault_sweep(life_of_a_reader, NULL), >, 4);
    CHECK_STR(asbi_buf_view(&seen.text),
              "1 A text=[x]\n2 2 text=[y]\n3 3 BAD malformed (line 3: "
              "not an object; write {\"id\": ..., \"text\": ...})\n");
}

static int life_of_a_writer(const struct asbi_mem *mem, void *arg)
{
    const enum asbi_format *format = arg;
    struct asb_result ok = result_ok("{\"a\":\"\\u0041\"}");
    struct asbi_writer *w;
    struct asbi_buf out;

    ok.output_is_json = true;
    int rc = asbi_writer_new(mem, ASBI_JSONL, *format, &w);
    if (rc)
        return rc;
    asbi_buf_init(&out, mem, 10000);
    asbi_writer_row(w, &plain, &ok, &out);
    if (asbi_buf_failed(&out))
        rc = ASB_ENOMEM;
    asbi_writer_free(w);
    asbi_buf_fini(&out);
    return rc;
}

static void every_failed_allocation_in_writing_is_survived(void)
{
    for (enum asbi_format format = ASBI_CSV; format <= ASBI_MSGPACK; format++)
        CHECK_INT(fault_sweep(life_of_a_writer, &format), >, 0);
}

TEST_MAIN(CASE(every_payload_is_understood),
          CASE(ids_are_texts_or_whole_numbers),
          CASE(marks_blank_lines_and_carriage_returns_are_tolerated),
          CASE(options_of_an_item_are_understood),
          CASE(a_batch_line_is_passed_through),
          CASE(a_content_request_keeps_all_its_fields),
          CASE(a_template_takes_any_keys_as_fields),
          CASE(bad_lines_say_why_and_the_others_come),
          CASE(a_line_over_the_limit_is_skipped), CASE(nesting_has_a_limit),
          CASE(an_answer_is_one_line),
          CASE(json_answers_are_values_on_one_line),
          CASE(a_batch_line_is_answered_in_its_own_shape),
          CASE(a_failed_batch_line_says_what_was_received),
          CASE(formats_are_found_by_name_and_suffix),
          CASE(senseless_options_are_refused),
          CASE(memory_does_not_grow_with_the_rows),
          CASE(every_failed_allocation_in_reading_is_survived),
          CASE(every_failed_allocation_in_writing_is_survived))
