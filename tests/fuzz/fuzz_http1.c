/*
 * fuzz_http1.c -- any bytes as an HTTP/1.1 answer: never a fault, and the same
 * answer whether they come at once or in pieces.
 *
 * The first byte is how long the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/mem.h"
#include "engine/real/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    uint64_t head, body; /* sums */
    size_t body_len;
};

static uint64_t sum(uint64_t n, asbi_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        n = n * 31 + (unsigned char)bytes.at[i];
    return n;
}

static bool on_line(void *arg, asbi_str line)
{
    struct told *t = arg;

    t->head = sum(t->head, line);
    return true;
}

static bool on_body(void *arg, asbi_str bytes)
{
    struct told *t = arg;

    t->body = sum(t->body, bytes);
    t->body_len += bytes.len;
    return true;
}

static enum asbi_http1_result run(asbi_str bytes, size_t piece, struct told *t)
{
    static const struct asbi_http1_ops ops = { on_line, on_body };
    enum asbi_http1_result r = ASBI_HTTP1_MORE;
    struct asbi_http1 a;
    size_t at = 0, used;

    asbi_http1_begin(&a, &asbi_mem_system, &ops, t, 1024, false);
    while (r == ASBI_HTTP1_MORE && at < bytes.len) {
        size_t len = bytes.len - at < piece ? bytes.len - at : piece;

        r = asbi_http1_feed(&a, asbi_str_of(bytes.at + at, len), &used);
        if (used > len)
            abort();
        at += len;
    }
    asbi_http1_fini(&a);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told whole = { 0 }, pieces = { 0 };

    if (size < 2 || size > 1024)
        return 0;
    asbi_str bytes = asbi_str_of((const char *)data + 1, size - 1);
    enum asbi_http1_result r = run(bytes, bytes.len, &whole);
    if (run(bytes, 1 + data[0] % 16, &pieces) != r ||
        pieces.head != whole.head || pieces.body != whole.body ||
        pieces.body_len != whole.body_len)
        abort();
    return 0;
}
