/* What content requests say of themselves, and how alike two of them are. */
#include "scheduler/content.h"

#include "engine/base/mem.h"
#include "tests/support/check.h"

#include <math.h>

static struct asbi_content content(const char *json)
{
    struct asbi_json *j = asbi_json_new(&asbi_mem_system, 1 << 16);
    struct asbi_content c;

    CHECK(j != NULL);
    CHECK(asbi_json_parse(j, json, strlen(json)) == ASB_OK);
    CHECK(asbi_content_read(j, asbi_json_root(j), &c));
    asbi_json_free(j);
    return c;
}

static double score(const char *a, const char *b)
{
    struct asbi_content x = content(a), y = content(b);

    return asbi_likeness_score(&asbi_content_grouping, &x.likeness,
                               &y.likeness);
}

static bool alike(const char *a, const char *b)
{
    struct asbi_content x = content(a), y = content(b);

    return asbi_likeness_alike(&asbi_content_grouping, &x.likeness,
                               &y.likeness);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

#define VIDEO                                                           \
    "{\"content_type\":\"video\",\"engine\":\"veo\",\"duration\":30.0," \
    "\"style_params\":{\"mood\":\"calm\",\"palette\":\"warm\"}}"

static void each_of_the_five_parts_has_its_weight(void)
{
    static const struct {
        const char *other;
        double score;
    } rows[] = {
        { VIDEO, 1.0 },
        { "{\"content_type\":\"video\",\"engine\":\"luma\",\"duration\":30.0,"
          "\"style_params\":{\"mood\":\"calm\",\"palette\":\"warm\"}}",
          0.7 },
        { "{\"content_type\":\"video\",\"engine\":\"veo\",\"duration\":30.0,"
          "\"resolution\":\"3840x2160\","
          "\"style_params\":{\"mood\":\"calm\",\"palette\":\"warm\"}}",
          0.75 },
        { "{\"content_type\":\"audio\",\"engine\":\"veo\",\"duration\":30.0,"
          "\"style_params\":{\"palette\":\"warm\",\"mood\":\"calm\"}}",
          0.75 },
        { "{\"content_type\":\"video\",\"engine\":\"veo\",\"duration\":60,"
          "\"style_params\":{\"mood\":\"calm\",\"palette\":\"warm\"}}",
          0.9 + 0.1 * 12 / 30 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK(near(score(VIDEO, rows[i].other), rows[i].score));
    double styles = score(VIDEO, "{\"content_type\":\"video\",\"engine\":\"veo"
                                 "\",\"style_params\":{\"mood\":\"grim\"}}");
    CHECK(styles >= 0.9 - 1e-9 && styles < 0.99);
}

static void durations_within_a_fifth_are_alike(void)
{
#define LONG(seconds) "{\"content_type\":\"video\",\"duration\":" #seconds "}"
    CHECK(alike(LONG(30), LONG(36)));
    CHECK(alike(LONG(30), LONG(24)));
    CHECK(!alike(LONG(30), LONG(38)));
    CHECK(!alike(LONG(30), LONG(23)));
}

static void engine_resolution_or_type_keep_requests_apart(void)
{
    static const char *const others[] = {
        "{\"content_type\":\"image\"}",
        "{\"content_type\":\"video\",\"engine\":\"luma\"}",
        "{\"content_type\":\"video\",\"resolution\":\"1024x1024\"}",
    };
    struct asbi_content a = content("{\"content_type\":\"video\"}");

    for (size_t i = 0; i < 3; i++) {
        struct asbi_content b = content(others[i]);

        CHECK(a.key != b.key);
        CHECK(!asbi_likeness_compatible(&a.likeness, &b.likeness));
        CHECK(!alike("{\"content_type\":\"video\"}", others[i]));
    }
}

static void what_is_not_said_has_the_usual_value(void)
{
    struct asbi_content said = content(
        "{\"content_type\":\"video\",\"engine\":\"default\",\"resolution\":"
        "\"1920x1080\",\"duration\":30.0,\"style_params\":{}}");
    struct asbi_content unsaid = content("{\"content_type\":\"video\"}");

    CHECK_INT(said.key, ==, unsaid.key);
    CHECK(near(said.seconds, 30) && near(unsaid.seconds, 30));
    CHECK(near(score("{\"content_type\":\"image\"}",
                     "{\"content_type\":\"image\",\"duration\":0}"),
               1));
}

/* What a user writes into these members must not trip us. */
static void odd_members_count_as_absent(void)
{
    struct asbi_content c =
        content("{\"content_type\":\"video\",\"engine\":7,\"resolution\":null,"
                "\"duration\":-5,\"style_params\":[1,2]}");

    CHECK_INT(c.key, ==, content("{\"content_type\":\"video\"}").key);
    CHECK(near(c.seconds, 0));
    CHECK(near(content("{\"content_type\":\"x\",\"duration\":1e300}").seconds,
               86400));
    CHECK(near(content("{\"content_type\":\"x\",\"duration\":\"9\"}").seconds,
               30));
}

static void an_object_without_a_type_is_no_content_request(void)
{
    static const char *const none[] = { "{}",
                                        "{\"content_type\":null}",
                                        "{\"content_type\":\"\"}",
                                        "{\"engine\":\"veo\"}",
                                        "[]",
                                        "7" };
    struct asbi_json *j = asbi_json_new(&asbi_mem_system, 1 << 10);
    struct asbi_content c;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK(asbi_json_parse(j, none[i], strlen(none[i])) == ASB_OK);
        CHECK(!asbi_content_read(j, asbi_json_root(j), &c));
    }
    asbi_json_free(j);
}

static void texts_are_alike_by_length_and_wording(void)
{
    struct asbi_grouping g = { .on = true, .threshold = 0.8, .slack = 10 };
    struct asbi_likeness a, b, c, d;

    asbi_likeness_of_text(&a, ASBI_STR("Save the file before you leave."));
    asbi_likeness_of_text(&b, ASBI_STR("Save the file before you go on."));
    asbi_likeness_of_text(&c, ASBI_STR("Nobody knows, but all may guess"));
    asbi_likeness_of_text(&d, ASBI_STR("\xc4\x85\xc4\x99"));
    CHECK(asbi_likeness_score(&g, &a, &a) > 0.999);
    CHECK(asbi_likeness_score(&g, &a, &b) > asbi_likeness_score(&g, &a, &c));
    CHECK(asbi_likeness_alike(&g, &a, &c));
    CHECK(!asbi_likeness_alike(&g, &a, &d)); /* two characters */
    CHECK(near((double)d.extent, 2));
    g.threshold = 0.99;
    CHECK(!asbi_likeness_alike(&g, &a, &c));
    asbi_likeness_of_text(&d, (asbi_str){ NULL, 0 });
    CHECK(near((double)d.extent, 0));
}

TEST_MAIN(CASE(each_of_the_five_parts_has_its_weight),
          CASE(durations_within_a_fifth_are_alike),
          CASE(engine_resolution_or_type_keep_requests_apart),
          CASE(what_is_not_said_has_the_usual_value),
          CASE(odd_members_count_as_absent),
          CASE(an_object_without_a_type_is_no_content_request),
          CASE(texts_are_alike_by_length_and_wording))
