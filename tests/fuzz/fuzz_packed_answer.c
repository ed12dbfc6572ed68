/*
 * fuzz_packed_answer.c -- any text as a model's answer: never a fault, the same
 * items whatever the pieces, and never an id or output that is no UTF-8.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/packed_answer.h"
#include "engine/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A digest of the items. */
struct told {
    uint64_t state;
};

static void mix(struct told *t, asbi_str s)
{
    for (size_t i = 0; i < s.len; i++)
        t->state = (t->state ^ (uint8_t)s.at[i]) * UINT64_C(0x100000001b3);
    t->state += s.len;
}

static void on_item(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    struct told *t = arg;

    mix(t, id);
    mix(t, output);
    if (!asbi_utf8_valid(id.at, id.len) ||
        !asbi_utf8_valid(output.at, output.len))
        abort();
    mix(t, is_json ? ASBI_STR("~") : ASBI_STR("="));
}

static uint64_t read_answer(const uint8_t *data, size_t size, size_t piece)
{
    struct asbi_packed_paths paths;
    struct asbi_packed_answer a;
    struct told t = { UINT64_C(0xcbf29ce484222325) };

    asbi_packed_paths_init(&paths);
    asbi_packed_init(&a, &asbi_mem_system, &paths, 4096, on_item, &t);
    asbi_packed_begin(&a);
    for (size_t at = 0; at < size; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        char *copy = malloc(len);

        if (!copy)
            abort();
        memcpy(copy, data + at, len);
        asbi_packed_feed(&a, asbi_str_of(copy, len));
        free(copy);
    }
    t.state += asbi_packed_found(&a);
    asbi_packed_fini(&a);
    return t.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint64_t whole = read_answer(data + 1, size - 1, size);
    uint64_t pieces = read_answer(data + 1, size - 1, 1 + data[0] % 13);
    if (whole != pieces)
        abort();
    return 0;
}
