#include "engine/shelf.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct asbi_json *json;
static struct asbi_shelf_assets assets;

static bool read_answer(const char *text)
{
    asbi_shelf_assets_free(&asbi_mem_system, &assets);
    if (!json)
        json = asbi_json_new(&asbi_mem_system, 65536);
    return asbi_shelf_read(json, &asbi_mem_system, asbi_str_c(text), &assets);
}

static void end(void)
{
    asbi_shelf_assets_free(&asbi_mem_system, &assets);
    asbi_json_free(json);
    json = NULL;
}

static void check_written(const struct asbi_shelf_assets *with,
                          const char *text)
{
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 65536);
    asbi_shelf_write(json, with, &out);
    CHECK_STR(asbi_buf_view(&out), text);
    asbi_buf_fini(&out);
}

static void paths_are_taken_out_and_put_in(void)
{
    CHECK(read_answer(
        "{\"job\":\"j\",\"assets\":[{\"path\":\"a/7.mp4\",\"bytes\":3,"
        "\"sha256\":\"" HASH "\",\"type\":\"video/mp4\"}],"
        "\"expires_at\":null}"));
    CHECK_INT(assets.count, ==, 1);
    CHECK(strcmp(assets.all[0].path, "a/7.mp4") == 0);
    CHECK(strcmp(assets.all[0].sha256, HASH) == 0);
    CHECK(strcmp(assets.all[0].type, "video/mp4") == 0);
    CHECK_INT(assets.all[0].bytes, ==, 3);
    check_written(&assets, "{\"job\":\"j\",\"assets\":[{\"path\":\"a/7.mp4\","
                           "\"bytes\":3,\"sha256\":\"" HASH "\","
                           "\"type\":\"video/mp4\"}],\"expires_at\":null}");
    check_written(NULL, "{\"job\":\"j\",\"assets\":[{\"bytes\":3,"
                        "\"sha256\":\"" HASH "\",\"type\":\"video/mp4\"}],"
                        "\"expires_at\":null}");
    end();
}

/* Also what a stranger put into the cache. */
static void an_answer_without_digests_is_none(void)
{
    static const char *const none[] = {
        "",
        "[]",
        "\"x\"",
        "{}",
        "{\"assets\":{}}",
        "{\"assets\":[]}",
        "{\"assets\":[1]}",
        "{\"assets\":[{\"url\":\"https://h/film.mp4\"}]}",
        "{\"assets\":[{\"bytes\":3,\"sha256\":\"" HASH "0\"}]}",
        "{\"assets\":[{\"bytes\":3,\"sha256\":\"../../../../../../../../../"
        "../../../../../../../../../../etc/passwd\"}]}",
        "{\"assets\":[{\"bytes\":-3,\"type\":\"\",\"sha256\":\"" HASH "\"}]}",
        "{\"assets\":[{\"bytes\":3,\"sha256\":\"" HASH "\"},7]}",
    };

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        CHECK(!read_answer(none[i]));
    end();
}

static void more_artefacts_than_a_job_has_are_refused(void)
{
    struct asbi_buf text;

    for (size_t n = 8; n <= 9; n++) {
        asbi_buf_init(&text, &asbi_mem_system, 65536);
        asbi_buf_c(&text, "{\"assets\":[");
        for (size_t i = 0; i < n; i++)
            asbi_buf_fmt(&text,
                         "%s{\"bytes\":1,\"sha256\":\"%s\","
                         "\"type\":\"\",\"path\":\"p\"}",
                         i ? "," : "", HASH);
        asbi_buf_c(&text, "]}");
        CHECK(read_answer(asbi_buf_cstr(&text)) == (n == 8));
        asbi_buf_fini(&text);
    }
    end();
}

TEST_MAIN(CASE(paths_are_taken_out_and_put_in),
          CASE(an_answer_without_digests_is_none),
          CASE(more_artefacts_than_a_job_has_are_refused))
