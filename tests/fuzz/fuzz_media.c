/*
 * fuzz_media.c -- any bytes around media jobs: as a row that asks for one, as
 * what a provider says of one, and as an answer that refers to artefacts.
 * Never a fault; what is sent is JSON, what is fetched has an address.
 *
 * The first byte chooses which, and the provider's shape.
 */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/media.h"
#include "engine/shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is)
{
    if (!is)
        abort();
}

static struct asbi_json *reader(void)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);

    expect(json != NULL);
    return json;
}

static void expect_json(const struct asbi_buf *text)
{
    struct asbi_json *json = reader();

    expect(!asbi_buf_failed(text));
    expect(asbi_json_parse(json, text->data, text->len) == ASB_OK);
    asbi_json_free(json);
}

/* A row, as it is kept, and as it is written to a provider. */
static void ask(const struct asbi_media_shape *shape, asbi_str text)
{
    struct asbi_json *json = reader(), *again = reader();
    struct asbi_media_request request, kept;
    struct asb_message why = { .text = "" };
    struct asbi_buf row, path, body;

    asbi_buf_init(&row, &asbi_mem_system, 1 << 20);
    asbi_buf_init(&path, &asbi_mem_system, 1 << 20);
    asbi_buf_init(&body, &asbi_mem_system, 1 << 20);
    if (asbi_json_parse(json, text.at, text.len) == ASB_OK) {
        if (asbi_media_request_of_row(json, ASBI_STR("a \"pond\""),
                                      ASBI_MEDIA_VIDEO, &request, &why)) {
            asbi_media_request_put(&request, &row);
            expect_json(&row);
            expect(asbi_media_request_read(again, asbi_buf_view(&row), &kept));
            if (!kept.engine.len)
                kept.engine = ASBI_STR("m");
            shape->submit(&kept, &path, &body);
            expect_json(&body);
        } else {
            expect(why.text[0] != '\0');
        }
    }
    asbi_buf_fini(&row);
    asbi_buf_fini(&path);
    asbi_buf_fini(&body);
    asbi_json_free(again);
    asbi_json_free(json);
}

static void listen(const struct asbi_media_shape *shape, asbi_str text)
{
    struct asbi_json *json = reader();
    struct asbi_media_status status;
    struct asbi_buf address;

    asbi_buf_init(&address, &asbi_mem_system, 65536);
    if (asbi_json_parse(json, text.at, text.len) == ASB_OK) {
        asbi_media_read(shape, ASBI_MEDIA_VIDEO, json, asbi_json_root(json),
                        &status);
        expect(status.asset_count <= ASBI_MEDIA_ASSETS);
        for (size_t i = 0; i < status.asset_count; i++)
            expect(asbi_media_is_url(status.assets[i]));
        if (status.id.len && asbi_media_put_address(
                                 shape, &status, ASBI_STR("/videos"), &address))
            expect(address.len > 0 && !memchr(address.data, '\n', address.len));
    }
    asbi_buf_fini(&address);
    asbi_json_free(json);
}

/* Paths may be put in, and taken out again. */
static void take(asbi_str text)
{
    struct asbi_json *json = reader();
    struct asbi_shelf_assets assets;
    struct asbi_buf with, without;

    asbi_buf_init(&with, &asbi_mem_system, 1 << 20);
    asbi_buf_init(&without, &asbi_mem_system, 1 << 20);
    if (asbi_shelf_read(json, &asbi_mem_system, text, &assets)) {
        for (size_t i = 0; i < assets.count; i++)
            expect(strlen(assets.all[i].sha256) ==
                   2 * (size_t)ASBI_DIGEST_BYTES);
        asbi_shelf_write(json, &assets, &with);
        asbi_shelf_write(json, NULL, &without);
        expect_json(&with);
        expect_json(&without);
    }
    asbi_shelf_assets_free(&asbi_mem_system, &assets);
    asbi_buf_fini(&with);
    asbi_buf_fini(&without);
    asbi_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t shapes = 0;

    if (size < 2)
        return 0;
    while (asbi_media_shape_at(shapes))
        shapes++;
    const struct asbi_media_shape *shape =
        asbi_media_shape_at((data[0] >> 2) % shapes);
    asbi_str text = { (const char *)data + 1, size - 1 };
    if ((data[0] & 3) == 0)
        ask(shape, text);
    else if ((data[0] & 3) == 1)
        take(text);
    else
        listen(shape, text);
    return 0;
}
