/*
 * fuzz_reply.c -- any bytes as a reply of any dialect, whole and cut: never a
 * fault, and the same events whatever the pieces.
 *
 * The first two bytes choose dialect, status, kind of call, content type and
 * the size of the pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/dialect.h"
#include "adapters/json_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A digest of all that was told, in the order it was told. */
struct digest {
    uint64_t state;
};

static void mix(struct digest *g, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        g->state = (g->state ^ (uint8_t)at[i]) * UINT64_C(0x100000001b3);
}

static void on_answer(void *arg, asbi_str id, asbi_str output, bool is_json)
{
    mix(arg, id.at, id.len);
    mix(arg, is_json ? "~" : "=", 1);
    mix(arg, output.at, output.len);
    mix(arg, ";", 1);
}

static void on_text(void *arg, asbi_str piece)
{
    mix(arg, piece.at, piece.len);
}

static uint64_t read_reply(const struct asbi_dialect *dialect,
                           struct asbi_decoder *d, const uint8_t *choice,
                           asbi_str body, size_t piece)
{
    static const int statuses[] = { 200, 200, 200, 400, 429, 500, 301, 0 };
    enum asbi_call_way way = choice[0] & 1     ? ASBI_PACKED
                             : choice[1] & 128 ? ASBI_ARRAY
                                               : ASBI_SINGLE;
    struct digest g = { UINT64_C(0xcbf29ce484222325) };
    struct asbi_reply_sink sink = { on_answer, on_text, &g };
    struct asbi_reply reply;

    dialect->begin(d, way, &sink);
    dialect->on_status(d, statuses[choice[0] >> 1 & 7]);
    if (choice[0] & 16)
        dialect->on_header(d, ASBI_STR("content-type"),
                           ASBI_STR("text/event-stream"), 0);
    for (size_t at = 0; at < body.len; at += piece) {
        size_t len = body.len - at < piece ? body.len - at : piece;
        char *copy = malloc(len);

        if (!copy)
            abort();
        memcpy(copy, body.at + at, len);
        int rc = dialect->on_body(d, copy, len);
        free(copy);
        if (rc)
            break;
    }
    dialect->end(d, !(choice[0] & 32), &reply);
    mix(&g, reply.message.at, reply.message.len);
    mix(&g, (const char *)&reply.verdict, sizeof(reply.verdict));
    mix(&g, (const char *)&reply.usage, sizeof(reply.usage));
    if (reply.code)
        mix(&g, reply.code, strlen(reply.code));
    return g.state;
}

/* An API that a configuration describes. */
static struct asbi_json_api *some_api(void)
{
    static const struct asbi_json_api_spec spec = {
        .path = "/t",
        .encoding = "json",
        .body = "{\"q\":[]}",
        .texts = "/q",
        .answers = "/data/*/t",
        .error = "/error",
        .message = "/error/message",
        .usage = "/billed/*/n",
    };
    struct asb_message why;
    struct asbi_json_api *api;

    if (asbi_json_api_new(&asbi_mem_system, &spec, &api, &why))
        abort();
    return api;
}

static const char *dialect_of(const uint8_t *choice)
{
    static const char *const names[] = { "openai", "anthropic", "gemini" };

    if (choice[0] >> 6 < 3)
        return names[choice[0] >> 6];
    return choice[1] & 64 ? "json" : "openai_responses";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_call_style style = { .model = "m" };

    if (size < 2)
        return 0;
    const struct asbi_dialect *dialect = asbi_dialect_find(dialect_of(data));
    struct asbi_json_api *api = some_api();
    style.api = api;
    struct asbi_decoder *d = dialect->decoder_new(&asbi_mem_system, &style);
    if (!d)
        abort();
    asbi_str body = { (const char *)data + 2, size - 2 };
    uint64_t whole = read_reply(dialect, d, data, body, size);
    uint64_t pieces = read_reply(dialect, d, data, body, 1 + data[1] % 17);
    dialect->decoder_free(d);
    asbi_json_api_free(api);
    if (whole != pieces)
        abort();
    return 0;
}
