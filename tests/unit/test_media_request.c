#include "adapters/media_request.h"
#include "adapters/task.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asbi_json *json;
static struct asb_message why;

static bool read_row(const char *row, struct asbi_media_request *out)
{
    asbi_json_free(json);
    json = asbi_json_new(&asbi_mem_system, 1 << 16);
    CHECK(json != NULL);
    CHECK_INT(asbi_json_parse(json, row, strlen(row)), ==, ASB_OK);
    why.text[0] = '\0';
    asbi_str prompt = asbi_json_text(
        json, asbi_json_get(json, asbi_json_root(json), ASBI_STR("prompt")));
    return asbi_media_request_of_row(json, prompt, ASBI_MEDIA_VIDEO, out, &why);
}

static void done(void)
{
    asbi_json_free(json);
    json = NULL;
}

static void a_content_request_is_read(void)
{
    struct asbi_media_request r;

    CHECK(read_row("{\"id\":\"1\",\"content_type\":\"video\",\"prompt\":\"a "
                   "cat\",\"engine\":\"gen4\",\"resolution\":\"1920x1080\","
                   "\"duration\":30.0,\"style_params\":{\"seed\":3},"
                   "\"priority\":1,\"reference_images\":[\"https://a/b\"],"
                   "\"metadata\":{\"x\":1}}",
                   &r));
    CHECK_INT(r.type, ==, ASBI_MEDIA_VIDEO);
    CHECK_STR(r.prompt, "a cat");
    CHECK_STR(r.engine, "gen4");
    CHECK_INT(r.width, ==, 1920);
    CHECK_INT(r.height, ==, 1080);
    CHECK(r.seconds > 29.9 && r.seconds < 30.1);
    CHECK_INT(r.reference_count, ==, 1);
    CHECK_STR(r.style->raw, "{\"seed\":3}");
    done();
}

static void what_is_left_out_is_left_to_the_provider(void)
{
    struct asbi_media_request r;

    CHECK(read_row("{\"prompt\":\"x\",\"engine\":\"default\",\"resolution\":"
                   "\"\",\"duration\":null,\"style_params\":{}}",
                   &r));
    CHECK_INT(r.engine.len, ==, 0);
    CHECK_INT(r.width, ==, 0);
    CHECK(r.seconds <= 0);
    CHECK(r.style == NULL);
    done();
}

static void sizes_and_lengths_have_several_forms(void)
{
    struct asbi_media_request r;

    CHECK(read_row("{\"prompt\":\"x\",\"resolution\":\"720p\","
                   "\"duration\":\"8s\"}",
                   &r));
    CHECK_INT(r.width, ==, 1280);
    CHECK(r.seconds > 7.9 && r.seconds < 8.1);
    CHECK(read_row("{\"prompt\":\"x\",\"resolution\":\"640X480\","
                   "\"duration\":\"2.5\"}",
                   &r));
    CHECK_INT(r.height, ==, 480);
    CHECK(r.seconds > 2.4 && r.seconds < 2.6);
    done();
}

static void ratio_is(const char *size, const char *want)
{
    char row[80];
    struct asbi_media_request r;
    struct asbi_buf out;

    (void)snprintf(row, sizeof(row), "{\"prompt\":\"x\",\"resolution\":\"%s\"}",
                   size);
    CHECK(read_row(row, &r));
    asbi_buf_init(&out, &asbi_mem_system, 100);
    asbi_buf_char(&out, '{');
    asbi_media_put_ratio(&r, "r", &out);
    CHECK_STR(asbi_buf_view(&out), want);
    asbi_buf_fini(&out);
    done();
}

static void a_size_near_a_usual_ratio_has_it(void)
{
    ratio_is("480p", "{\"r\":\"16:9\"");
    ratio_is("1080p", "{\"r\":\"16:9\"");
    ratio_is("1366x768", "{\"r\":\"16:9\"");
    ratio_is("480x854", "{\"r\":\"9:16\"");
    ratio_is("640x480", "{\"r\":\"4:3\"");
    ratio_is("1024x1024", "{\"r\":\"1:1\"");
    ratio_is("2520x1080", "{\"r\":\"21:9\"");
    ratio_is("1000x800", "{\"r\":\"5:4\"");
    ratio_is("1x2", "{\"r\":\"1:2\"");
}

static void senseless_values_are_explained(void)
{
    static const char *const rows[] = {
        "{\"prompt\":\"x\",\"resolution\":\"wide\"}",
        "{\"prompt\":\"x\",\"resolution\":\"0x720\"}",
        "{\"prompt\":\"x\",\"resolution\":\"99999x720\"}",
        "{\"prompt\":\"x\",\"resolution\":\"x\"}",
        "{\"prompt\":\"x\",\"duration\":-1}",
        "{\"prompt\":\"x\",\"duration\":1e99}",
        "{\"prompt\":\"x\",\"duration\":\"s\"}",
        "{\"prompt\":\"x\",\"content_type\":\"audio\"}",
        "{\"prompt\":\"x\",\"style_params\":[1]}",
        "{\"prompt\":\"x\",\"reference_images\":[1]}",
        "{\"prompt\":\"x\",\"reference_images\":{}}",
        ("{\"prompt\":\"x\",\"reference_images\":[\"a\",\"b\",\"c\",\"d\","
         "\"e\","
         "\"f\",\"g\",\"h\",\"i\"]}"),
        "{\"prompt\":\"\"}",
        "{}",
    };
    struct asbi_media_request r;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(!read_row(rows[i], &r));
        CHECK(strlen(why.text) > 10);
    }
    done();
}

static void canonical(const char *row, struct asbi_buf *out)
{
    struct asbi_media_request r;

    asbi_buf_clear(out);
    CHECK(read_row(row, &r));
    asbi_media_request_put(&r, out);
    CHECK(!asbi_buf_failed(out));
}

static void what_wants_the_same_has_the_same_text(void)
{
    struct asbi_buf a, b;

    asbi_buf_init(&a, &asbi_mem_system, 1 << 16);
    asbi_buf_init(&b, &asbi_mem_system, 1 << 16);
    canonical("{\"id\":\"1\",\"metadata\":{\"k\":1},\"duration\":8,"
              "\"prompt\":\"x\",\"resolution\":\"1280x720\"}",
              &a);
    canonical("{\"prompt\":\"x\",\"id\":\"2\",\"resolution\":\"720p\","
              "\"content_type\":\"video\",\"duration\":8.0,\"priority\":3}",
              &b);
    CHECK_BYTES(a.data, a.len,
                "{\"content_type\":\"video\",\"prompt\":\"x\",\"resolution\":"
                "\"1280x720\",\"duration\":8}");
    CHECK(asbi_str_eq(asbi_buf_view(&a), asbi_buf_view(&b)));
    canonical("{\"prompt\":\"x\",\"duration\":8,\"resolution\":\"720p\","
              "\"style_params\":{\"a\":1}}",
              &b);
    CHECK(!asbi_str_eq(asbi_buf_view(&a), asbi_buf_view(&b)));
    asbi_buf_fini(&a);
    asbi_buf_fini(&b);
    done();
}

static void the_canonical_text_is_read_back(void)
{
    struct asbi_media_request r;
    struct asbi_buf text;

    asbi_buf_init(&text, &asbi_mem_system, 1 << 16);
    canonical("{\"prompt\":\"say \\\"hi\\\"\\n\",\"engine\":\"e\","
              "\"content_type\":\"image\",\"resolution\":\"64x32\","
              "\"reference_images\":[\"u\",\"v\"],\"style_params\":{\"n\":"
              "{\"m\":[1]}}}",
              &text);
    CHECK(asbi_media_request_read(json, asbi_buf_view(&text), &r));
    CHECK_INT(r.type, ==, ASBI_MEDIA_IMAGE);
    CHECK_STR(r.prompt, "say \"hi\"\n");
    CHECK_STR(r.engine, "e");
    CHECK_INT(r.width, ==, 64);
    CHECK_INT(r.reference_count, ==, 2);
    CHECK_STR(r.references[1], "v");
    CHECK_STR(r.style->raw, "{\"n\":{\"m\":[1]}}");
    asbi_buf_fini(&text);
    done();
}

static bool alike(double a, double b, uint64_t width)
{
    struct asbi_media_request one = { .seconds = a, .width = 1280 };
    struct asbi_media_request two = { .seconds = b, .width = width };

    return asbi_media_request_alike(&one, &two);
}

static void a_group_has_one_size_and_near_lengths(void)
{
    CHECK(alike(10, 12, 1280));
    CHECK(alike(12, 10, 1280));
    CHECK(!alike(10, 12.1, 1280));
    CHECK(!alike(10, 10, 720));
}

static void the_task_makes_texts_of_rows(void)
{
    static const struct asbi_task_material none = { .labels = { NULL, 0 } };
    struct asbi_verdict_on_item verdict = { .code = NULL };
    struct asbi_task *task;
    struct asbi_buf out;

    CHECK_INT(asbi_task_new(&asbi_mem_system, "image", &none, &task, &why), ==,
              ASB_OK);
    CHECK(asbi_task_is_media(task));
    CHECK(asbi_task_wants_fields(task));
    asbi_buf_init(&out, &asbi_mem_system, 1 << 16);
    CHECK(asbi_task_render(task, ASBI_STR(""),
                           ASBI_STR("{\"prompt\":\" a pond \"}"), &out,
                           &verdict));
    CHECK_STR(asbi_buf_view(&out),
              "{\"content_type\":\"image\",\"prompt\":\"a pond\"}");
    CHECK(
        !asbi_task_render(task, ASBI_STR(""), ASBI_STR("{}"), &out, &verdict));
    CHECK(strcmp(verdict.code, "invalid_field") == 0 && !verdict.retryable);
    CHECK(
        !asbi_task_render(task, ASBI_STR("x"), ASBI_STR("[]"), &out, &verdict));
    asbi_buf_fini(&out);
    asbi_task_free(task);
}

TEST_MAIN(CASE(a_content_request_is_read),
          CASE(what_is_left_out_is_left_to_the_provider),
          CASE(sizes_and_lengths_have_several_forms),
          CASE(a_size_near_a_usual_ratio_has_it),
          CASE(senseless_values_are_explained),
          CASE(what_wants_the_same_has_the_same_text),
          CASE(the_canonical_text_is_read_back),
          CASE(a_group_has_one_size_and_near_lengths),
          CASE(the_task_makes_texts_of_rows))
