/*
 * fuzz_learned.c -- any bytes as a state file: never a fault; what is believed
 * of it is written again as a sound one.
 *
 * The check sum, which nobody guesses, is written by hand: the bytes are its
 * lines.
 */
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/learned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is)
{
    if (!is)
        abort();
}

static void look_into(asbi_str text, struct asbi_json *json)
{
    struct asbi_learned_lane lane = { .in_flight = 0 };
    struct asbi_learned_kind kind = { .bad = { 0 } };
    struct asbi_buf lines, again;

    asbi_buf_init(&lines, &asbi_mem_system, 1 << 20);
    asbi_buf_init(&again, &asbi_mem_system, 1 << 20);
    if (asbi_learned_find_lane(text, ASBI_STR("l"), json, &lane)) {
        expect(lane.in_flight >= 0 && lane.in_flight < 1e9);
        expect(lane.requests >= 0 && lane.tokens >= 0);
        asbi_learned_put_lane(&lines, ASBI_STR("l"), &lane);
    }
    if (asbi_learned_find_kind(text, ASBI_STR("k"), json, &kind))
        asbi_learned_put_kind(&lines, ASBI_STR("k"), &kind);
    asbi_learned_merge(&again, asbi_buf_view(&lines), text);
    expect(!asbi_buf_failed(&again) &&
           asbi_learned_is_sound(asbi_buf_view(&again)));
    asbi_buf_fini(&lines);
    asbi_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 65536);
    asbi_str text = { (const char *)data, size };
    struct asbi_buf whole;

    expect(json != NULL);
    look_into(text, json);
    asbi_buf_init(&whole, &asbi_mem_system, 1 << 20);
    asbi_learned_merge(&whole, text, ASBI_STR(""));
    if (!asbi_buf_failed(&whole))
        look_into(asbi_buf_view(&whole), json);
    asbi_buf_fini(&whole);
    asbi_json_free(json);
    return 0;
}
