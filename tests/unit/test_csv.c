/* CSV in and out. */
#include "adapters/format.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/row_log.h"

static struct row_log seen;

static void check_csv(const char *input, const char *rows)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    row_log_check_rows(&seen, &o, asbi_str_c(input), rows);
}

static void columns_are_found_in_any_order(void)
{
    check_csv("note,tokenized_zh,string_id\nx,\xe4\xbd\xa0,a1\n",
              "2 a1 text=[\xe4\xbd\xa0] original=[x,\xe4\xbd\xa0,a1,<T>,<S>,"
              "<E>]\n");
    CHECK(strcmp(seen.header, "note,tokenized_zh,string_id,target_text,"
                              "asb_status,asb_error\n") == 0);
}

static void the_preferred_names_win(void)
{
    check_csv("text,source_text,source_zh,tokenized_zh,id,string_id\n"
              "1,2,3,4,5,6\n",
              "2 6 text=[4] original=[1,2,3,4,5,6,<T>,<S>,<E>]\n");
    check_csv("text,source_text,source_zh\n1,2,3\n",
              "2 1 text=[3] original=[1,2,3,<T>,<S>,<E>]\n");
}

static void named_columns_win_over_the_usual_ones(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.id_column = "key";
    o.text_column = "value";
    row_log_check_rows(&seen, &o, ASBI_STR("id,text,key,value\n1,2,3,4\n"),
                       "2 3 text=[4] original=[1,2,3,4,<T>,<S>,<E>]\n");
    CHECK_INT(
        row_log_read(&seen, &asbi_mem_system, &o, ASBI_STR("id,text,key\n"), 0),
        ==, ASB_EPARSE);
    CHECK(strstr(seen.why.text, "\"value\""));
    CHECK(strstr(seen.why.text, "id, text, key"));
}

static void a_mark_and_carriage_returns_are_no_text(void)
{
    check_csv("\xef\xbb\xbfid,text\r\n1,a\r\n\r\n2,b",
              "2 1 text=[a] original=[1,a,<T>,<S>,<E>]\n"
              "4 2 text=[b] original=[2,b,<T>,<S>,<E>]\n");
    CHECK(strcmp(seen.header, "id,text,target_text,asb_status,asb_error\n") ==
          0);
}

static void quoted_text_may_hold_anything(void)
{
    check_csv("id,text\n1,\"a,b\"\n2,\"a\"\"b\"\n3,\"a\n\nb\r\nc\"\n4,d\n",
              "2 1 text=[a,b] original=[1,\"a,b\",<T>,<S>,<E>]\n"
              "3 2 text=[a\"b] original=[2,\"a\"\"b\",<T>,<S>,<E>]\n"
              "4 3 text=[a\\n\\nb\\r\\nc] original=[3,\"a\\n\\nb\\r\\nc\",<T>,"
              "<S>,<E>]\n"
              "8 4 text=[d] original=[4,d,<T>,<S>,<E>]\n");
}

static void spaces_and_empty_columns_stay(void)
{
    check_csv("id,text,a,b\n1,  x  ,,\n\" 2 \",\ty,,\n",
              "2 1 text=[  x  ] original=[1,  x  ,,,<T>,<S>,<E>]\n"
              "3  2  text=[\ty] original=[\" 2 \",\ty,,,<T>,<S>,<E>]\n");
}

static void a_lone_carriage_return_is_text(void)
{
    check_csv("id,text\n1,a\rb\n",
              "2 1 text=[a\\rb] original=[1,\"a\\rb\",<T>,<S>,<E>]\n");
}

static void a_missing_id_is_the_number_of_the_row(void)
{
    check_csv("text\na\n\nb\n", "2 1 text=[a] original=[a,<T>,<S>,<E>]\n"
                                "4 2 text=[b] original=[b,<T>,<S>,<E>]\n");
    check_csv("id,text\nx,a\n,b\n \t,c\n",
              "2 x text=[a] original=[x,a,<T>,<S>,<E>]\n"
              "3 2 text=[b] original=[,b,<T>,<S>,<E>]\n"
              "4 3 text=[c] original=[ \t,c,<T>,<S>,<E>]\n");
}

static void limits_and_classes_are_understood(void)
{
    check_csv("text,max_length_target,is_long_text,priority,deadline\n"
              "a,30,1,urgent,90s\nb,30.0,,3.0,2h\nc,,0,Normal,1.5\nd,0,,,\n",
              "2 1 text=[a] urgent max=30 deadline=90000 "
              "original=[a,30,1,urgent,90s,<T>,<S>,<E>]\n"
              "3 2 text=[b] background max=30 deadline=7200000 "
              "original=[b,30.0,,3.0,2h,<T>,<S>,<E>]\n"
              "4 3 text=[c] normal deadline=1500 "
              "original=[c,,0,Normal,1.5,<T>,<S>,<E>]\n"
              "5 4 text=[d] original=[d,0,,,,<T>,<S>,<E>]\n");
    check_csv("text,max_len_target\na,7\n",
              "2 1 text=[a] max=7 original=[a,7,<T>,<S>,<E>]\n");
}

static void a_priority_has_several_names(void)
{
    check_csv("text,priority\na,High\nb,medium\nc,LOW\n",
              "2 1 text=[a] urgent original=[a,High,<T>,<S>,<E>]\n"
              "3 2 text=[b] normal original=[b,medium,<T>,<S>,<E>]\n"
              "4 3 text=[c] background original=[c,LOW,<T>,<S>,<E>]\n");
}

static void a_deadline_may_be_a_time(void)
{
    check_csv("text,deadline\na,2027-01-31T18:00:00+02:00\n"
              "b,2027-01-31 16:00:00.25\nc,2027-01-31\n",
              "2 1 text=[a] due=1801411200000 "
              "original=[a,2027-01-31T18:00:00+02:00,<T>,<S>,<E>]\n"
              "3 2 text=[b] due=1801411200250 "
              "original=[b,2027-01-31 16:00:00.25,<T>,<S>,<E>]\n"
              "4 3 BAD invalid_field (line 4: deadline is neither a duration "
              "from now nor a time; write seconds, 2h30m, or "
              "2027-01-31T18:00:00Z) original=[c,2027-01-31,<T>,<S>,<E>]\n");
}

static void bad_values_make_bad_rows(void)
{
    check_csv(
        "id,text,max_length_target,priority,deadline\nw,a,many,,\n"
        "x,a,-1,,\ny,a,,1.5,\nz,a,,,tomorrow\nok,a,,,\n",
        "2 w BAD invalid_field (line 2: the maximum length is no whole number; "
        "write how many characters the answer may have, or leave it empty) "
        "original=[w,a,many,,,<T>,<S>,<E>]\n"
        "3 x BAD invalid_field (line 3: the maximum length is no whole number; "
        "write how many characters the answer may have, or leave it empty) "
        "original=[x,a,-1,,,<T>,<S>,<E>]\n"
        "4 y BAD invalid_field (line 4: priority is unknown; write urgent, "
        "normal or background, high, medium or low, or 1, 2 or 3; or give it "
        "another name) original=[y,a,,1.5,,<T>,<S>,<E>]\n"
        "5 z BAD invalid_field (line 5: deadline is neither a duration from "
        "now nor a time; write seconds, 2h30m, or 2027-01-31T18:00:00Z) "
        "original=[z,a,,,tomorrow,<T>,<S>,<E>]\n"
        "6 ok text=[a] original=[ok,a,,,,<T>,<S>,<E>]\n");
}

static void rows_without_text_are_bad(void)
{
    check_csv("id,text\n1,\n2,\" \"\n3,c\n",
              "2 1 BAD no_text (line 2: there is no text; fill it in, or "
              "remove the row) original=[1,,<T>,<S>,<E>]\n"
              "3 2 BAD no_text (line 3: there is no text; fill it in, or "
              "remove the row) original=[2,\" \",<T>,<S>,<E>]\n"
              "4 3 text=[c] original=[3,c,<T>,<S>,<E>]\n");
}

static void rows_of_another_width_are_bad(void)
{
    check_csv("id,text,x\n1,a\n2,a,b,secret\n3,a,b\nk4,\n",
              "2 1 BAD malformed (line 2: 2 columns instead of the header's "
              "3; quote text that contains commas) original=[1,a,,<T>,<S>,"
              "<E>]\n"
              "3 2 BAD malformed (line 3: 4 columns instead of the header's "
              "3; quote text that contains commas) original=[2,a,b,<T>,<S>,"
              "<E>]\n"
              "4 3 text=[a] original=[3,a,b,<T>,<S>,<E>]\n"
              "5 k4 BAD malformed (line 5: 2 columns instead of the header's "
              "3; quote text that contains commas) original=[k4,,,<T>,<S>,"
              "<E>]\n");
}

static void bytes_that_are_no_utf_8_are_bad(void)
{
    check_csv("id,text\n1,a\xff\xc3z\n2,b\n",
              "2 1 BAD invalid_utf8 (line 2: not valid UTF-8; save the file as "
              "UTF-8) original=[1,a\xef\xbf\xbd\xef\xbf\xbdz,<T>,<S>,<E>]\n"
              "3 2 text=[b] original=[2,b,<T>,<S>,<E>]\n");
}

#define BAD_QUOTES                                                        \
    "malformed quoting; close every quote, and double those inside of a " \
    "quoted column"

static void a_stray_quote_costs_one_row(void)
{
    check_csv(
        "id,text\n1,a\"b\n2,\"c\"d\n3,e\"f\"\n4,ok\n",
        "2 1 BAD malformed (line 2: " BAD_QUOTES ") original=[1,,<T>,<S>,<E>]\n"
        "3 2 BAD malformed (line 3: " BAD_QUOTES ") original=[2,,<T>,<S>,<E>]\n"
        "4 3 BAD malformed (line 4: " BAD_QUOTES ") original=[3,,<T>,<S>,<E>]\n"
        "5 4 text=[ok] original=[4,ok,<T>,<S>,<E>]\n");
}

static void an_unclosed_quote_costs_one_row(void)
{
    static const char rest[] = "3 2 text=[b] original=[2,b,<T>,<S>,<E>]\n"
                               "4 3 text=[c] original=[3,\"c\",<T>,<S>,<E>]\n";

    /* Up to the end. */
    check_csv("id,text\n1,\"a\n2,b\n3,\"c\"\n",
              "2 1 BAD malformed (line 2: " BAD_QUOTES
              ") original=[1,,<T>,<S>,<E>]\n"
              "3 2 text=[b] original=[2,b,<T>,<S>,<E>]\n"
              "4 3 text=[c] original=[3,\"c\",<T>,<S>,<E>]\n");
    CHECK(strstr(row_log_text(&seen), rest));
    /* Up to a quote that would close it, were it not followed by text. */
    check_csv("id,text\n1,\"a\n2,b\n3,\"c\nd\"\n4,\"e\n",
              "2 1 BAD malformed (line 2: " BAD_QUOTES
              ") original=[1,,<T>,<S>,<E>]\n"
              "3 2 text=[b] original=[2,b,<T>,<S>,<E>]\n"
              "4 3 text=[c\\nd] original=[3,\"c\\nd\",<T>,<S>,<E>]\n"
              "6 4 BAD malformed (line 6: " BAD_QUOTES
              ") original=[4,,<T>,<S>,<E>]\n");
}

/* Rows enough to pass the limit before any other quote. */
static void an_unclosed_quote_swallows_no_more_than_an_item(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.max_item_bytes = 20;
    row_log_check_rows(
        &seen, &o,
        ASBI_STR("id,text\n1,\"a\n2,b\n3,c\n4,d\n5,e\n6,f\n7,\"g\"\n8,h\n"),
        "2 1 BAD too_large (line 2: a quote opened here is not closed "
        "within max_item_bytes; close it or raise the limit) "
        "original=[1,,<T>,<S>,<E>]\n"
        "3 2 text=[b] original=[2,b,<T>,<S>,<E>]\n"
        "4 3 text=[c] original=[3,c,<T>,<S>,<E>]\n"
        "5 4 text=[d] original=[4,d,<T>,<S>,<E>]\n"
        "6 5 text=[e] original=[5,e,<T>,<S>,<E>]\n"
        "7 6 text=[f] original=[6,f,<T>,<S>,<E>]\n"
        "8 7 text=[g] original=[7,\"g\",<T>,<S>,<E>]\n"
        "9 8 text=[h] original=[8,h,<T>,<S>,<E>]\n");
}

static void every_line_with_an_open_quote_costs_one_row(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.max_item_bytes = 40;
    row_log_check_pieces(
        &seen, &o,
        ASBI_STR("id,text\n1,\"a\n2,\"b\n3,\"c\n4,\"d\n5,\"e\n6,f\n"));
    CHECK_INT(seen.rows, ==, 6);
    CHECK_INT(seen.bad, ==, 5);
}

static void rows_over_the_limit_are_bad_and_the_next_ones_come(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.max_item_bytes = 12;
    row_log_check_rows(
        &seen, &o,
        ASBI_STR("id,text\n1,0123456789\n2,0123456789a\n3,ok\r\n"
                 "4,0123456789\r\n5,0123456789a\r\n"),
        "2 1 text=[0123456789] original=[1,0123456789,<T>,<S>,<E>]\n"
        "3 2 BAD too_large (line 3: the row is longer than "
        "max_item_bytes; shorten it or raise the limit) "
        "original=[2,,<T>,<S>,<E>]\n"
        "4 3 text=[ok] original=[3,ok,<T>,<S>,<E>]\n"
        "5 4 text=[0123456789] original=[4,0123456789,<T>,<S>,<E>]\n"
        "6 5 BAD too_large (line 6: the row is longer than "
        "max_item_bytes; shorten it or raise the limit) "
        "original=[5,,<T>,<S>,<E>]\n");
}

static void a_target_that_is_there_is_kept_and_not_sent(void)
{
    check_csv("id,target_text,text\n1,done,a\n2,,b\n3,  ,c\n4,\"x,y\",\n",
              "2 1 text=[a] original=[1,done,a,<S>,<E>] answer=[done]\n"
              "3 2 text=[b] original=[2,<T>,b,<S>,<E>]\n"
              "4 3 text=[c] original=[3,<T>,c,<S>,<E>]\n"
              "5 4 text=[] original=[4,\"x,y\",,<S>,<E>] answer=[x,y]\n");
    CHECK(strcmp(seen.header, "id,target_text,text,asb_status,asb_error\n") ==
          0);
}

static void an_earlier_output_can_be_read_again(void)
{
    check_csv("asb_error,id,text,target_text,asb_status\n,1,a,A,ok\n"
              "bad: x,2,b,,failed\n",
              "2 1 text=[a] original=[<E>,1,a,A,<S>] answer=[A]\n"
              "3 2 text=[b] original=[<E>,2,b,<T>,<S>]\n");
    CHECK(strcmp(seen.header, "asb_error,id,text,target_text,asb_status\n") ==
          0);
}

static void fields_are_the_columns_by_name(void)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.wants_fields = true;
    row_log_check_rows(
        &seen, &o, ASBI_STR("id,\"na\"\"me\",note\n1,x,\n2,,\"a\"\"b\"\n"),
        "2 1 fields=[{\"id\":\"1\",\"na\\\"me\":\"x\",\"note\":\"\"}] "
        "original=[1,x,,<T>,<S>,<E>]\n"
        "3 2 fields=[{\"id\":\"2\",\"na\\\"me\":\"\",\"note\":"
        "\"a\\\"b\"}] original=[2,,\"a\"\"b\",<T>,<S>,<E>]\n");
}

static void a_header_that_will_not_do_is_refused(void)
{
    static const struct {
        const char *input, *why;
    } cases[] = {
        { "id,name\n1,a\n", "no text column" },
        { "id,name\n1,a\n", "the columns are: id, name" },
        { "id;text\n1;a\n", "separated by commas" },
        { "id,text\r1,words\r2,more\r",
          "are: id, text (lines end with a line feed here)" },
        { "id,\"na\x1b[1mme\"\n1,a\n", "are: id, na" },
        { "id,\"text\n1,a\n", "malformed quoting" },
        { "id,te\xffxt\n1,a\n", "not valid UTF-8" },
        { "\xff\xfei\0d", "not valid UTF-8" },
    };
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_INT(row_log_read(&seen, &asbi_mem_system, &o,
                               asbi_str_c(cases[i].input), 0),
                  ==, ASB_EPARSE);
        if (!strstr(seen.why.text, cases[i].why))
            check_fail(__FILE__, __LINE__, "%s: %s", cases[i].input,
                       seen.why.text);
        for (const char *c = seen.why.text; *c; c++)
            CHECK((unsigned char)*c >= 0x20);
        CHECK_INT(seen.rows, ==, 0);
    }
}

static void an_empty_input_has_no_rows(void)
{
    check_csv("", "");
    check_csv("\n\r\n  \n", "");
    check_csv("\xef\xbb\xbf", "");
    CHECK(strcmp(seen.header, "") == 0);
    check_csv("id,text", "");
    CHECK(strcmp(seen.header, "id,text,target_text,asb_status,asb_error\n") ==
          0);
}

/* Any damage gives rows, not crashes; and pieces never matter. */
static void every_damaged_byte_is_survived(void)
{
    static const char good[] = "id,text,x\n1,\"a\nb\",\n2,\"c\"\"\",d\r\n3,e,f";
    static const char bytes[] = "\",\n\r\xff\0a";
    struct asbi_reader_options o = row_log_options(ASBI_CSV);
    struct row_log other = { 0 };
    char copy[sizeof(good)];

    o.max_item_bytes = 16;
    for (size_t at = 9; at < sizeof(good) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            memcpy(copy, good, sizeof(good));
            copy[at] = bytes[i];
            asbi_str s = { copy, sizeof(good) - 1 };
            int rc = row_log_read(&seen, &asbi_mem_system, &o, s, 0);
            CHECK_INT(row_log_read(&other, &asbi_mem_system, &o, s, 1), ==, rc);
            CHECK(strcmp(row_log_text(&seen), row_log_text(&other)) == 0);
            CHECK(rc || seen.rows >= 1);
        }
    }
    row_log_fini(&other);
}

/* ---- the writer ------------------------------------------------------- */

static struct asb_result result_ok(const char *output)
{
    return (struct asb_result){ .size = sizeof(struct asb_result),
                                .id = ASBI_STR("9"),
                                .ok = true,
                                .output = asbi_str_c(output) };
}

static struct asb_result result_failed(const char *message)
{
    return (struct asb_result){ .size = sizeof(struct asb_result),
                                .id = ASBI_STR("9"),
                                .error_code = "timeout",
                                .error_message = asbi_str_c(message) };
}

static void check_written(enum asbi_format input, const char *original,
                          const struct asb_result *result, const char *row)
{
    struct asbi_row_memo memo = { .original = asbi_str_c(original) };
    struct asbi_writer *w;
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 10000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, input, ASBI_CSV, &w), ==,
              ASB_OK);
    asbi_writer_row(w, &memo, result, &out);
    CHECK(!asbi_buf_failed(&out));
    CHECK_STR(asbi_buf_view(&out), row);
    asbi_writer_free(w);
    asbi_buf_fini(&out);
}

static void answers_take_their_places(void)
{
    struct asb_result ok = result_ok("A"), bad = result_failed("too slow");

    check_written(ASBI_CSV, "1,a,\xff,\xfe,\xfd", &ok, "1,a,A,ok,\n");
    check_written(ASBI_CSV, "1,a,\xff,\xfe,\xfd", &bad,
                  "1,a,,failed,timeout: too slow\n");
    check_written(ASBI_CSV, "\xfd,1,done,\xfe,a", &ok, ",1,done,ok,a\n");
}

static void only_what_must_be_quoted_is(void)
{
    static const struct {
        const char *text, *csv;
    } cases[] = {
        { "plain text; 'x'", "plain text; 'x'" },
        { "a,b", "\"a,b\"" },
        { "a\"b", "\"a\"\"b\"" },
        { "\"", "\"\"\"\"" },
        { "a\nb", "\"a\nb\"" },
        { "a\rb", "\"a\rb\"" },
        { " a", "\" a\"" },
        { "a\t", "\"a\t\"" },
        { "", "" },
        { "x\xff\"y", "\"x\xef\xbf\xbd\"\"y\"" },
        { "x\xffy", "x\xef\xbf\xbdy" },
    };
    char row[100];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asb_result ok = result_ok(cases[i].text);

        (void)snprintf(row, sizeof(row), "%s,ok,\n", cases[i].csv);
        check_written(ASBI_CSV, "\xff,\xfe,\xfd", &ok, row);
    }
    struct asb_result bad = result_failed("a, \"b\"");
    check_written(ASBI_CSV, "\xff,\xfe,\xfd", &bad,
                  ",failed,\"timeout: a, \"\"b\"\"\"\n");
}

static void other_inputs_get_a_table_of_their_own(void)
{
    struct asb_result ok = result_ok("A,B"), bad = result_failed("");
    struct asbi_writer *w;
    struct asbi_buf out;

    check_written(ASBI_JSONL, "", &ok, "9,\"A,B\",ok,\n");
    check_written(ASBI_JSONL, "", &bad, "9,,failed,timeout\n");
    asbi_buf_init(&out, &asbi_mem_system, 10000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_JSONL, ASBI_CSV, &w), ==,
              ASB_OK);
    asbi_writer_header(w, (asbi_str){ NULL, 0 }, &out);
    CHECK_STR(asbi_buf_view(&out),
              "string_id,target_text,asb_status,asb_error\n");
    asbi_writer_free(w);
    asbi_buf_fini(&out);
}

/* Writes each row as it is read, answered by its own text. */
struct echo {
    struct asbi_writer *w;
    struct asbi_buf out;
};

static int echo_row(void *arg, const struct asbi_row *row)
{
    struct echo *e = arg;
    struct asbi_row_memo memo = { .original = row->original };
    struct asb_result result = result_ok("");

    result.id = row->request.id;
    result.ok = !row->error_code;
    result.output = row->answered ? row->answer : row->request.text;
    result.error_code = row->error_code;
    asbi_writer_row(e->w, &memo, &result, &e->out);
    return 0;
}

static void echo(const char *input, struct asbi_buf *out)
{
    struct asbi_reader_options o = row_log_options(ASBI_CSV);
    struct echo e;
    struct asbi_reader *r;
    struct asbi_buf all;
    size_t used;

    asbi_buf_init(&e.out, &asbi_mem_system, 10000);
    asbi_buf_init(&all, &asbi_mem_system, 10000);
    CHECK_INT(asbi_writer_new(&asbi_mem_system, ASBI_CSV, ASBI_CSV, &e.w), ==,
              ASB_OK);
    CHECK_INT(asbi_reader_new(&asbi_mem_system, &o, echo_row, &e, &r), ==,
              ASB_OK);
    CHECK_INT(asbi_reader_feed(r, input, strlen(input), &used, NULL), ==,
              ASB_OK);
    CHECK_INT(asbi_reader_end(r, NULL), ==, ASB_OK);
    asbi_writer_header(e.w, asbi_reader_header(r), &all);
    asbi_buf_str(&all, asbi_buf_view(&e.out));
    asbi_buf_clear(out);
    asbi_buf_str(out, asbi_buf_view(&all));
    asbi_reader_free(r);
    asbi_writer_free(e.w);
    asbi_buf_fini(&e.out);
    asbi_buf_fini(&all);
}

static void an_output_is_its_own_input(void)
{
    struct asbi_buf once, twice;

    asbi_buf_init(&once, &asbi_mem_system, 10000);
    asbi_buf_init(&twice, &asbi_mem_system, 10000);
    echo("id,\"a,b\",text\n1,\"x\"\"\",\"p\nq\"\n2,,\n3,\" y \",\"r,s\"\n4,z\n",
         &once);
    CHECK_STR(asbi_buf_view(&once),
              "id,\"a,b\",text,target_text,asb_status,asb_error\n"
              "1,\"x\"\"\",\"p\nq\",\"p\nq\",ok,\n"
              "2,,,,failed,no_text\n"
              "3,\" y \",\"r,s\",\"r,s\",ok,\n"
              "4,z,,,failed,malformed\n");
    /* What failed fails again, of what is answered nothing changes. */
    echo(asbi_buf_cstr(&once), &twice);
    CHECK_STR(asbi_buf_view(&twice),
              "id,\"a,b\",text,target_text,asb_status,asb_error\n"
              "1,\"x\"\"\",\"p\nq\",\"p\nq\",ok,\n"
              "2,,,,failed,no_text\n"
              "3,\" y \",\"r,s\",\"r,s\",ok,\n"
              "4,z,,,failed,no_text\n");
    asbi_buf_fini(&once);
    asbi_buf_fini(&twice);
}

/* ---- memory ----------------------------------------------------------- */

static void put_row(struct asbi_buf *in, int i)
{
    asbi_buf_fmt(in, "%d,\"text,\n%d\"\n", i, i);
}

static void memory_does_not_grow_with_the_rows(void)
{
    row_log_check_memory(ASBI_CSV, "id,text\n", put_row);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    static const char input[] =
        "id,target_text,text\n1,,\"a\nb\"\n2,c\n3,\"d\n4,,e\n";
    struct asbi_reader_options o = row_log_options(ASBI_CSV);

    o.id_column = "id";
    o.text_column = "text";
    o.wants_fields = true;
    (void)arg;
    return row_log_read(&seen, mem, &o, asbi_str_c(input), 7);
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 9);
}

TEST_MAIN(
    CASE(columns_are_found_in_any_order), CASE(the_preferred_names_win),
    CASE(named_columns_win_over_the_usual_ones),
    CASE(a_mark_and_carriage_returns_are_no_text),
    CASE(quoted_text_may_hold_anything), CASE(spaces_and_empty_columns_stay),
    CASE(a_lone_carriage_return_is_text),
    CASE(a_missing_id_is_the_number_of_the_row),
    CASE(limits_and_classes_are_understood), CASE(a_priority_has_several_names),
    CASE(a_deadline_may_be_a_time), CASE(bad_values_make_bad_rows),
    CASE(rows_without_text_are_bad), CASE(rows_of_another_width_are_bad),
    CASE(bytes_that_are_no_utf_8_are_bad), CASE(a_stray_quote_costs_one_row),
    CASE(an_unclosed_quote_costs_one_row),
    CASE(an_unclosed_quote_swallows_no_more_than_an_item),
    CASE(every_line_with_an_open_quote_costs_one_row),
    CASE(rows_over_the_limit_are_bad_and_the_next_ones_come),
    CASE(a_target_that_is_there_is_kept_and_not_sent),
    CASE(an_earlier_output_can_be_read_again),
    CASE(fields_are_the_columns_by_name),
    CASE(a_header_that_will_not_do_is_refused),
    CASE(an_empty_input_has_no_rows), CASE(every_damaged_byte_is_survived),
    CASE(answers_take_their_places), CASE(only_what_must_be_quoted_is),
    CASE(other_inputs_get_a_table_of_their_own),
    CASE(an_output_is_its_own_input), CASE(memory_does_not_grow_with_the_rows),
    CASE(every_failed_allocation_is_survived))
