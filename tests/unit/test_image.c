/* Tokens of pictures, and of requests with pictures in them. */
#include "scheduler/body_tokens.h"
#include "scheduler/image.h"

#include "engine/base/rng.h"
#include "tests/support/check.h"

#include <math.h>

/* The first two columns of rows are the examples that the providers give. */
static void pictures_cost_what_their_providers_say(void)
{
    static const struct {
        const char *rule;
        uint32_t width, height;
        bool rough;
        double tokens;
    } rows[] = {
        { "tiles_85", 1024, 1024, false, 765 },
        { "tiles_85", 2048, 4096, false, 1105 },
        { "tiles_85", 4096, 8192, true, 85 },
        { "tiles_85", 128, 64, false, 255 },
        { "tiles_85", 0, 0, false, 1445 },
        { "tiles_85", 0, 0, true, 85 },
        { "tiles_75", 1024, 1024, false, 675 },
        { "tiles_70", 512, 512, false, 210 },
        { "tiles_2833", 128, 64, true, 2833 },
        { "tiles_2833", 128, 64, false, 8499 },
        { "patches_1.62", 1024, 1024, false, 1659 },
        { "patches_1.62", 1800, 2400, false, 2353 }, /* 1,452 patches */
        { "patches_1.62", 128, 64, false, 13 },
        { "patches_2.46", 1024, 1024, false, 2520 },
        { "patches_1.72", 512, 512, false, 441 },
        { "patches_1.72", 4096, 4096, true, 441 },
        { "patches_1.62", 0, 0, false, 2489 }, /* all 1,536 */
        { "area", 200, 200, false, 54 },
        { "area", 1000, 1000, false, 1334 },
        { "area", 1092, 1092, false, 1590 },
        { "area", 4000, 3000, false, 1600 },
        { "crops", 384, 384, false, 258 },
        { "crops", 960, 540, false, 6 * 258 },
        { "crops", 4000, 768, false, 16 * 258 },
        { "crops", 1 << 20, 1, false, 4096 * 258 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asbi_image image = { rows[i].width, rows[i].height,
                                    rows[i].rough };
        double tokens =
            asbi_image_tokens(asbi_image_rule_of(rows[i].rule, ""), &image);

        if (fabs(tokens - rows[i].tokens) > 0.5)
            check_fail(__FILE__, __LINE__, "%s %ux%u: %.2f, not %.0f",
                       rows[i].rule, rows[i].width, rows[i].height, tokens,
                       rows[i].tokens);
    }
}

static void a_dialect_has_a_usual_rule(void)
{
    CHECK(asbi_image_rule_of(NULL, "anthropic") == ASBI_IMAGE_AREA);
    CHECK(asbi_image_rule_of("", "gemini") == ASBI_IMAGE_CROPS);
    CHECK(asbi_image_rule_of(NULL, "openai") == ASBI_IMAGE_TILES_85);
    CHECK(asbi_image_rule_of("crops", "openai") == ASBI_IMAGE_CROPS);
}

/* ---- files -------------------------------------------------------------- */

#define PNG_640_480 "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHg"

static const struct {
    const char *base64;
    uint32_t width, height;
} files[] = {
    { PNG_640_480, 640, 480 },
    { "R0lGODlhQAHwAPcA", 320, 240 },
    /* with a comment and a table before the frame */
    { "/9j/4AAGSkZJRv/+AARoaf/bAAMA/8IAEQgEOAeAAwEiAA==", 1920, 1080 },
    { "UklGRhoAAABXRUJQVlA4IA4AAAAwAQCdASogAxgC", 800, 536 },
    { "UklGRhoAAABXRUJQVlA4TA4AAAAvH8OFAA==", 800, 536 },
    { "UklGRhoAAABXRUJQVlA4WAoAAAAQAAAAHwMAFwIA", 800, 536 },
};

static void files_tell_their_size(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct asbi_image image = { 0, 0, false };
        asbi_str file = asbi_str_c(files[i].base64);

        CHECK(asbi_image_size(file, &image));
        CHECK_INT(image.width, ==, files[i].width);
        CHECK_INT(image.height, ==, files[i].height);
    }
}

/* Cut off anywhere, or damaged: no size, or one within reason. */
static void damaged_files_are_survived(void)
{
    static const char digits[] = "ABab/+9=! ";
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 5);
    for (int run = 0; run < 20000; run++) {
        const char *whole = files[asbi_rng_below(&rng, 6)].base64;
        size_t len = asbi_rng_below(&rng, strlen(whole) + 1);
        char *file = malloc(len + 1); /* a read past its end is seen */
        struct asbi_image image = { 7, 8, false };

        CHECK(file != NULL);
        memcpy(file, whole, len);
        for (size_t k = asbi_rng_below(&rng, 3); len && k > 0; k--)
            file[asbi_rng_below(&rng, len)] =
                digits[asbi_rng_below(&rng, sizeof(digits) - 1)];
        bool told = asbi_image_size(asbi_str_of(file, len), &image);
        CHECK(told ? image.width <= 1 << 20 : image.width == 7);
        free(file);
    }
    CHECK(!asbi_image_size(ASBI_STR(""), &(struct asbi_image){ 0 }));
}

/* ---- requests ----------------------------------------------------------- */

static double tokens_of(const char *body)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);
    struct asbi_counter c = { .images = ASBI_IMAGE_TILES_85 };

    CHECK_INT(asbi_json_parse(json, body, strlen(body)), ==, ASB_OK);
    double tokens = asbi_body_tokens(&c, json);
    double media =
        asbi_media_tokens(ASBI_IMAGE_TILES_85, json, asbi_json_root(json));
    double text = asbi_tokens_estimate(ASBI_O200K, asbi_str_c(body));
    CHECK(asbi_body_may_hold_media(asbi_str_c(body)) || media <= 0);
    CHECK(media > 0 ? tokens > media : fabs(tokens - text) < 1e-9);
    asbi_json_free(json);
    return media;
}

#define URL "data:image/png;base64," PNG_640_480
/* 640 x 480 is two tiles. */
enum { TWO_TILES = 85 + 2 * 170, MOST = 1445, ROUGH = 85 };

static void pictures_are_found_in_the_forms_of_all_providers(void)
{
    static const struct {
        const char *body;
        double media;
    } rows[] = {
        { "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}"
          ","
          "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" URL "\"}}]}]",
          TWO_TILES },
        { "[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
          "\"https://example.com/cat.png\"}}]}]",
          MOST },
        { "[{\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
          "\"https://example.com/cat.png\",\"detail\":\"low\"}}]}]",
          ROUGH },
        { "{\"input\":[{\"content\":[{\"type\":\"input_image\",\"detail\":"
          "\"low\",\"image_url\":\"" URL "\"}]}]}",
          ROUGH },
        { "{\"messages\":[{\"content\":[{\"type\":\"image\",\"source\":{"
          "\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":"
          "\"" PNG_640_480 "\"}}]}]}",
          TWO_TILES },
        { "{\"messages\":[{\"content\":[{\"type\":\"image\",\"source\":{"
          "\"type\":\"url\",\"url\":\"https://example.com/a.jpg\"}}]}]}",
          MOST },
        { "{\"contents\":[{\"parts\":[{\"inlineData\":{\"mimeType\":"
          "\"image/png\",\"data\":\"" PNG_640_480 "\"}},{\"inline_data\":{"
          "\"mime_type\":\"image/png\",\"data\":\"" PNG_640_480 "\"}}]}]}",
          2 * TWO_TILES },
        { "[{\"content\":[{\"type\":\"input_audio\",\"input_audio\":{"
          "\"format\":\"wav\",\"data\":\"UklGRgAAAABXQVZF\"}}]}]",
          1 },
        { "[{\"content\":[{\"type\":\"file\",\"file\":{\"file_data\":"
          "\"data:application/pdf;base64,JVBERi0xLjQK\"}}]}]",
          1 },
        { "[{\"content\":\"no image_url, no data: here\"}]", 0 },
        { "{\"data\":\"what is not media\",\"url\":\"https://example.com\"}",
          0 },
        { "[]", 0 },
        { "\"data:image/png;base64,\"", 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double media = tokens_of(rows[i].body);

        if (fabs(media - rows[i].media) > 0.5)
            check_fail(__FILE__, __LINE__, "%.0f, not %.0f: %s", media,
                       rows[i].media, rows[i].body);
    }
}

TEST_MAIN(CASE(pictures_cost_what_their_providers_say),
          CASE(a_dialect_has_a_usual_rule), CASE(files_tell_their_size),
          CASE(damaged_files_are_survived),
          CASE(pictures_are_found_in_the_forms_of_all_providers))
