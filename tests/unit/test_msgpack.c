/* msgpack in and out. */
#include "adapters/format.h"
#include "engine/base/json.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/row_log.h"

static struct row_log seen;

static void check_msgpack(asbi_str input, const char *rows)
{
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);

    row_log_check_rows(&seen, &o, input, rows);
}

#define ID \
    "\xa2" \
    "id"
#define TEXT \
    "\xa4"   \
    "text"
#define OP \
    "\xa2" \
    "op"

static void maps_follow_one_another(void)
{
    check_msgpack(ASBI_STR("\x82" ID "\xa1"
                           "a" TEXT "\xa1"
                           "x"
                           "\x82" ID "\x07" TEXT "\xc4\x02"
                           "yz"
                           "\x81" TEXT "\xd9\x01"
                           "w"
                           "\xde\x00\x02" ID "\xd1\xff\x00" TEXT "\xa1"
                           "v"),
                  "1 a text=[x]\n2 7# text=[yz]\n3 3 text=[w]\n"
                  "4 -256# text=[v]\n");
}

static void the_options_of_json_lines_are_understood(void)
{
    check_msgpack(
        ASBI_STR("\x85" TEXT "\xa1"
                 "x"
                 "\xaa"
                 "max_length"
                 "\x05"
                 "\xa8"
                 "priority"
                 "\x01"
                 "\xa8"
                 "deadline"
                 "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"
                 "\xa6"
                 "tenant"
                 "\xc0"
                 "\x81"
                 "\xa8"
                 "messages"
                 "\x91\x82"
                 "\xa4"
                 "role"
                 "\xa4"
                 "user"
                 "\xa7"
                 "content"
                 "\xa3"
                 "a\"b"
                 "\x83"
                 "\xa9"
                 "custom_id"
                 "\xa1"
                 "r"
                 "\xa3"
                 "url"
                 "\xa2"
                 "/v"
                 "\xa4"
                 "body"
                 "\x82"
                 "\xa1"
                 "t"
                 "\xca\x3f\x00\x00\x00"
                 "\xa1"
                 "n"
                 "\x93\xc2\xc3\xff"),
        "1 1 text=[x] urgent max=5 deadline=1500\n"
        "2 2 messages body=[[{\"role\":\"user\",\"content\":\"a\\\"b\"}]]\n"
        "3 r batch body body=[{\"t\":0.5,\"n\":[false,true,-1]}] url=[/v]\n");
}

static void control_maps_are_no_items(void)
{
    check_msgpack(ASBI_STR("\x81" OP "\xa5"
                           "flush"
                           "\x82" OP "\xa6"
                           "cancel" ID "\x09"
                           "\x81" OP "\xa5"
                           "stats"
                           "\x81" TEXT "\xa1"
                           "x"
                           "\x81" OP "\xa6"
                           "cancel"
                           "\x81" OP "\xa5"
                           "explo"
                           "\x82" OP "\xa5"
                           "flush" TEXT "\xa1"
                           "y"),
                  "1 flush \n2 cancel 9#\n3 stats \n4 1 text=[x]\n"
                  "5 2 BAD invalid_field (message 5: cancel needs the \"id\" "
                  "of an item)\n"
                  "6 3 BAD invalid_field (message 6: \"op\" is unknown; write "
                  "flush, cancel, stats or set)\n"
                  "7 4 text=[y]\n");
}

#define NO_MAP                                                    \
    "not a map; send maps such as {\"id\": ..., \"text\": ...}, " \
    "one after the other"

static void what_is_no_map_is_bad(void)
{
    check_msgpack(ASBI_STR("\x92\x01\x02"
                           "\xa3"
                           "abc"
                           "\x81" TEXT "\xa1"
                           "x"),
                  "1 1 BAD malformed (message 1: " NO_MAP ")\n"
                  "2 2 BAD malformed (message 2: " NO_MAP ")\n"
                  "3 3 text=[x]\n");
}

static void garbage_is_one_bad_row_up_to_the_next_map(void)
{
    check_msgpack(ASBI_STR("hello, world\n\xc1\x00\xc3"
                           "\x80\x81\x01\x01"
                           "\x81" TEXT "\xa1"
                           "x"
                           "\x81" TEXT "\xa1"
                           "y"),
                  "1 1 BAD malformed (message 1: " NO_MAP ")\n"
                  "2 2 text=[x]\n3 3 text=[y]\n");
    /* What looks like a map and is none is no second bad row. */
    check_msgpack(ASBI_STR("\xc1\x82\xa1"
                           "a\xc1"
                           "\xdf\xff\xff\xff\xff\xa1"
                           "b\xc1"
                           "\x81\xa1"
                           "a\xd4\x01\x01"
                           "\x81" TEXT "\xa1"
                           "x"),
                  "1 1 BAD malformed (message 1: " NO_MAP ")\n"
                  "2 2 text=[x]\n");
}

static void a_broken_map_is_bad_and_the_next_one_comes(void)
{
    check_msgpack(ASBI_STR("\x82" ID "\xa1"
                           "a" TEXT "\xc1"
                           "\x81" TEXT "\xa1"
                           "x"),
                  "1 1 BAD malformed (message 1: not msgpack; what follows is "
                  "skipped up to the next map)\n"
                  "2 2 text=[x]\n");
}

static void values_that_json_cannot_hold_are_bad(void)
{
    check_msgpack(ASBI_STR("\x81\x01\x02"
                           "\x81" TEXT "\xa2\xff\xfe"
                           "\x82" TEXT "\xa1"
                           "x"
                           "\xa1"
                           "e\xc7\x02\x01\x81\x82"
                           "\x82" TEXT "\xa1"
                           "x"
                           "\xa1"
                           "f"
                           "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
                  "1 1 BAD malformed (message 1: a key is no text)\n"
                  "2 2 BAD malformed (message 2: a text is not valid UTF-8)\n"
                  "3 3 BAD malformed (message 3: extension types are not "
                  "understood)\n"
                  "4 4 text=[x]\n");
}

static void nesting_has_a_limit(void)
{
    char input[100] = "\x82" TEXT "\xa1"
                      "x"
                      "\xa1"
                      "a";
    size_t len = strlen(input);

    memset(input + len, '\x91', 60);
    input[len + 60] = '\x01';
    check_msgpack(asbi_str_of(input, len + 61),
                  "1 1 BAD malformed (message 1: nested too deeply)\n");
}

static void a_message_over_the_limit_is_skipped_by_its_structure(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);

    o.max_item_bytes = 21;
    row_log_check_rows(
        &seen, &o,
        ASBI_STR("\x82" ID "\xa1"
                 "a" TEXT "\xa9"
                 "123456789"
                 "\x82" ID "\xa1"
                 "b" TEXT "\xad"
                 "1234567\x81" TEXT "\x82" ID "\xa1"
                 "c" TEXT "\xa1"
                 "x"
                 "\x81" TEXT "\xda\x00\x40"
                 "0123456789abcdef0123456789abcdef"
                 "0123456789abcdef0123456789abcdef"
                 "\x81" TEXT "\xa1"
                 "y"),
        "1 a text=[123456789]\n"
        "2 2 BAD too_large (message 2: larger than 21 bytes, or of too "
        "many values; shorten it or raise max_item_bytes)\n"
        "3 c text=[x]\n"
        "4 4 BAD too_large (message 4: larger than 21 bytes, or of too "
        "many values; shorten it or raise max_item_bytes)\n"
        "5 5 text=[y]\n");
}

/* Each of its values would cost fifty times its byte. */
static void a_message_of_too_many_values_is_skipped(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);
    struct asbi_buf in;

    o.max_item_bytes = 100000;
    asbi_buf_init(&in, &asbi_mem_system, 100000);
    asbi_buf_add(&in,
                 "\x82" TEXT "\xa1"
                 "x"
                 "\xa1"
                 "a\xdc\x40\x00",
                 13);
    for (int i = 0; i < 0x4000; i++)
        asbi_buf_char(&in, '\xc0');
    asbi_buf_c(&in, "\x81" TEXT "\xa1"
                    "y");
    for (size_t piece = 0; piece < 3; piece++) {
        CHECK_INT(row_log_read(&seen, &asbi_mem_system, &o, asbi_buf_view(&in),
                               piece),
                  ==, ASB_OK);
        CHECK_STR(asbi_buf_view(&seen.text),
                  "1 1 BAD too_large (message 1: larger than 100000 bytes, or "
                  "of too many values; shorten it or raise max_item_bytes)\n"
                  "2 2 text=[y]\n");
    }
    asbi_buf_fini(&in);
}

static void huge_lengths_need_no_memory(void)
{
    static const char *const bombs[] = {
        "\xdf\xff\xff\xff\xff\xa1"
        "a\x01",
        "\x81\xa1"
        "a\xdd\xff\xff\xff\xff\x01",
        "\x81\xa1"
        "a\xdb\xff\xff\xff\xff"
        "x",
        "\x81\xa1"
        "a\xc6\xff\xff\xff\xff"
        "x",
        "\x81\xa1"
        "a\xc9\xff\xff\xff\xff"
        "x",
        "\xdb\xff\xff\xff\xff"
        "x",
        "\xdd\xff\xff\xff\xff\x01",
    };
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);

    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        row_log_check_pieces(&seen, &o, asbi_str_c(bombs[i]));
        CHECK_INT(seen.rows, ==, 1);
        CHECK_INT(seen.bad, ==, 1);
    }
}

static void an_input_that_ends_inside_a_message_says_so(void)
{
    check_msgpack(ASBI_STR("\x81" TEXT "\xa1"
                           "x"
                           "\x82" ID "\xa1"
                           "a"),
                  "1 1 text=[x]\n"
                  "2 2 BAD malformed (message 2: the input ends inside of it; "
                  "send it whole)\n");
    check_msgpack(ASBI_STR(""), "");
}

/* Random bytes with maps between: pieces never matter, nothing crashes. */
static void random_bytes_are_survived_in_any_pieces(void)
{
    static const char map[] = "\x82" ID "\xa1"
                              "a" TEXT "\xa1"
                              "x";
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);
    struct row_log other = { 0 };
    struct asbi_rng rng;

    o.max_item_bytes = 40;
    asbi_rng_seed(&rng, 11);
    for (int round = 0; round < 3000; round++) {
        char input[120];

        for (size_t i = 0; i < sizeof(input); i++)
            input[i] = (char)asbi_rng_u64(&rng);
        for (int i = 0; i < 4; i++)
            memcpy(input + asbi_rng_below(&rng, 100), map, strlen(map));
        asbi_str s = { input, sizeof(input) };
        CHECK_INT(row_log_read(&seen, &asbi_mem_system, &o, s, 0), ==, ASB_OK);
        CHECK(seen.rows > 0);
        for (size_t piece = 1; piece < 6; piece += 2) {
            CHECK_INT(row_log_read(&other, &asbi_mem_system, &o, s, piece), ==,
                      ASB_OK);
            CHECK(strcmp(row_log_text(&seen), row_log_text(&other)) == 0);
        }
    }
    row_log_fini(&other);
}

/* ---- the writer ------------------------------------------------------- */

/* What is written as JSON lines and as msgpack is the same: the msgpack is
 * compared after it was read as fields. */
static void check_written(const struct asbi_row_memo *memo,
                          const struct asb_result *result, const char *fields)
{
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);
    struct asbi_writer *w;
    struct asbi_buf out, want;

    asbi_buf_init(&out, &asbi_mem_system, 10000);
    asbi_buf_init(&want, &asbi_mem_system, 10000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_MSGPACK, ASBI_MSGPACK, &w),
              ==, ASB_OK);
    asbi_writer_row(w, memo, result, &out);
    CHECK(!asbi_buf_failed(&out));
    o.wants_fields = true;
    CHECK_INT(row_log_read(&seen, &asbi_mem_system, &o, asbi_buf_view(&out), 0),
              ==, ASB_OK);
    asbi_buf_fmt(&want, " fields=[%s]\n", fields);
    if (!strstr(row_log_text(&seen), asbi_buf_cstr(&want)))
        check_fail(__FILE__, __LINE__, "%s\nnot\n%s", row_log_text(&seen),
                   fields);
    asbi_writer_free(w);
    asbi_buf_fini(&out);
    asbi_buf_fini(&want);
}

static struct asb_result result_ok(const char *output)
{
    return (struct asb_result){ .size = sizeof(struct asb_result),
                                .id = ASBI_STR("7"),
                                .ok = true,
                                .output = asbi_str_c(output),
                                .attempts = 1,
                                .usage = { 31, 4, 12 },
                                .cost_nano_usd = 11400 };
}

static void answers_have_the_members_of_json_lines(void)
{
    struct asbi_row_memo memo = { .seq = 300, .id_is_number = true };
    struct asb_result ok = result_ok("a\n\"b\"");
    struct asb_result bad = { .size = sizeof(bad),
                              .id = ASBI_STR("x"),
                              .error_code = "timeout",
                              .error_message = ASBI_STR("too slow"),
                              .retryable = true };

    check_written(&memo, &ok,
                  "{\"id\":7,\"seq\":300,\"status\":\"ok\",\"output\":"
                  "\"a\\n\\\"b\\\"\",\"source\":\"api\",\"attempts\":1,"
                  "\"usage\":{\"input_tokens\":31,\"cached_tokens\":4,"
                  "\"output_tokens\":12},\"cost_usd\":1.14e-05}");
    check_written(&memo, &bad,
                  "{\"id\":\"x\",\"seq\":300,\"status\":\"failed\",\"error\":{"
                  "\"code\":\"timeout\",\"message\":\"too slow\","
                  "\"retryable\":true},\"source\":\"api\",\"attempts\":0,"
                  "\"usage\":{\"input_tokens\":0,\"output_tokens\":0},"
                  "\"cost_usd\":0}");
}

/* What each format makes of an object that is no answer. */
static void check_note(enum asbi_format format, const char *want)
{
    struct asbi_writer *w;
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 1 << 10);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_MSGPACK, format, &w), ==,
              ASB_OK);
    asbi_writer_note(w, ASBI_STR("{\"op\":\"stats\",\"n\":2}"), &out);
    CHECK(!asbi_buf_failed(&out));
    CHECK_STR(asbi_buf_view(&out), want);
    asbi_writer_free(w);
    asbi_buf_fini(&out);
}

static void a_note_stands_between_answers_where_there_is_a_place(void)
{
    check_note(ASBI_MSGPACK, "\x82" OP "\xa5"
                             "stats"
                             "\xa1"
                             "n"
                             "\x02");
    check_note(ASBI_JSONL, "{\"op\":\"stats\",\"n\":2}\n");
    check_note(ASBI_CSV, "");
}

static void json_becomes_msgpack(void)
{
    struct asbi_row_memo memo = { .seq = 1 };
    struct asb_result ok = result_ok(
        "{\"a\":[1,-5,1.5,18446744073709551615,-9223372036854775808,1e3],"
        "\"\\u0062\":{\"n\":null,\"t\":true,\"f\":false,\"s\":\"\\ud83d\\ude00"
        "\"}}");

    ok.output_is_json = true;
    ok.usage.cached_tokens = 0;
    check_written(&memo, &ok,
                  "{\"id\":\"7\",\"seq\":1,\"status\":\"ok\",\"output\":{\"a\":"
                  "[1,-5,1.5,18446744073709551615,-9223372036854775808,1000],"
                  "\"b\":{\"n\":null,\"t\":true,\"f\":false,\"s\":"
                  "\"\xf0\x9f\x98\x80\"}},\"source\":\"api\",\"attempts\":1,"
                  "\"usage\":{\"input_tokens\":31,\"output_tokens\":12},"
                  "\"cost_usd\":1.14e-05}");
}

static void cost_is_a_float_even_when_it_is_nothing(void)
{
    struct asbi_row_memo memo = { .seq = 1 };
    struct asb_result ok = result_ok("a");
    struct asbi_writer *w;
    struct asbi_buf out;

    ok.cost_nano_usd = 0;
    asbi_buf_init(&out, &asbi_mem_system, 1000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_MSGPACK, ASBI_MSGPACK, &w),
              ==, ASB_OK);
    asbi_writer_row(w, &memo, &ok, &out);
    CHECK(out.len > 9);
    CHECK(memcmp(out.data + out.len - 9, "\xcb\0\0\0\0\0\0\0\0", 9) == 0);
    asbi_writer_free(w);
    asbi_buf_fini(&out);
}

static void batch_lines_keep_their_shape(void)
{
    struct asbi_row_memo memo = { .seq = 26, .batch_line = true };
    struct asb_result ok = result_ok("x");
    struct asb_result bad = { .size = sizeof(bad),
                              .id = ASBI_STR("8"),
                              .error_code = "timeout",
                              .error_message = ASBI_STR("too slow") };

    ok.body = ASBI_STR("{\"choices\": []}");
    ok.http_status = 200;
    ok.request_id = ASBI_STR("req");
    check_written(&memo, &ok,
                  "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"7\","
                  "\"response\":{\"status_code\":200,\"request_id\":\"req\","
                  "\"body\":{\"choices\":[]}},\"error\":null}");
    ok.body.len = 0;
    check_written(
        &memo, &ok,
        "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"7\","
        "\"response\":{\"status_code\":200,\"request_id\":\"req\",\"body\":"
        "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":\"x\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":31,"
        "\"completion_tokens\":12,\"total_tokens\":43}}},\"error\":null}");
    check_written(&memo, &bad,
                  "{\"id\":\"batch_req_000000000000001a\",\"custom_id\":\"8\","
                  "\"response\":null,\"error\":{\"code\":\"timeout\","
                  "\"message\":\"too slow\"}}");
}

static void text_that_is_no_utf_8_is_repaired(void)
{
    struct asbi_row_memo memo = { .seq = 1 };
    struct asb_result ok = result_ok("a\xff");

    ok.usage.cached_tokens = 0;
    check_written(&memo, &ok,
                  "{\"id\":\"7\",\"seq\":1,\"status\":\"ok\",\"output\":"
                  "\"a\xef\xbf\xbd\",\"source\":\"api\",\"attempts\":1,"
                  "\"usage\":{\"input_tokens\":31,\"output_tokens\":12},"
                  "\"cost_usd\":1.14e-05}");
}

/* ---- memory ----------------------------------------------------------- */

static void put_row(struct asbi_buf *in, int i)
{
    asbi_buf_c(in, "\x82" ID "\xa3"
                   "abc" TEXT "\xa5"
                   "hello");
    (void)i;
}

static void memory_does_not_grow_with_the_rows(void)
{
    row_log_check_memory(ASBI_MSGPACK, "", put_row);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_reader_options o = row_log_options(ASBI_MSGPACK);

    (void)arg;
    return row_log_read(&seen, mem, &o,
                        ASBI_STR("\x82" ID "\xa1"
                                 "a" TEXT "\xa2"
                                 "\nx"
                                 "\xc1"
                                 "\x81" TEXT "\xa1"
                                 "y"),
                        3);
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 4);
}

TEST_MAIN(CASE(maps_follow_one_another),
          CASE(the_options_of_json_lines_are_understood),
          CASE(control_maps_are_no_items), CASE(what_is_no_map_is_bad),
          CASE(garbage_is_one_bad_row_up_to_the_next_map),
          CASE(a_broken_map_is_bad_and_the_next_one_comes),
          CASE(values_that_json_cannot_hold_are_bad), CASE(nesting_has_a_limit),
          CASE(a_message_over_the_limit_is_skipped_by_its_structure),
          CASE(a_message_of_too_many_values_is_skipped),
          CASE(huge_lengths_need_no_memory),
          CASE(an_input_that_ends_inside_a_message_says_so),
          CASE(random_bytes_are_survived_in_any_pieces),
          CASE(answers_have_the_members_of_json_lines),
          CASE(a_note_stands_between_answers_where_there_is_a_place),
          CASE(json_becomes_msgpack),
          CASE(cost_is_a_float_even_when_it_is_nothing),
          CASE(batch_lines_keep_their_shape),
          CASE(text_that_is_no_utf_8_is_repaired),
          CASE(memory_does_not_grow_with_the_rows),
          CASE(every_failed_allocation_is_survived))
