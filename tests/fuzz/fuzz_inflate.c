/*
 * fuzz_inflate.c -- any bytes as a packed body: never a fault, the same bytes
 * whatever the pieces, and no more than are asked for.
 *
 * The first byte is how long the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/real/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 100000, PIECE_MOST = 1 << 20 };

struct told {
    size_t len;
    uint64_t sum;
};

static bool on_bytes(void *arg, asbi_str bytes)
{
    struct told *t = arg;

    if (bytes.len > PIECE_MOST)
        abort();
    for (size_t i = 0; i < bytes.len && t->len < MOST; i++, t->len++)
        t->sum = t->sum * 31 + (unsigned char)bytes.at[i];
    return t->len < MOST;
}

static enum asbi_inflate_result run(asbi_str packed, size_t piece,
                                    struct told *t)
{
    struct asbi_inflate *z = asbi_inflate_new(&asbi_mem_system);
    enum asbi_inflate_result r = ASBI_INFLATE_OK;

    if (!z)
        abort();
    for (size_t at = 0; r == ASBI_INFLATE_OK && at < packed.len; at += piece) {
        size_t len = packed.len - at < piece ? packed.len - at : piece;

        r = asbi_inflate_feed(z, asbi_str_of(packed.at + at, len), on_bytes, t);
    }
    (void)asbi_inflate_may_end(z);
    asbi_inflate_free(z);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told whole = { 0 }, pieces = { 0 };

    if (size < 2)
        return 0;
    asbi_str packed = asbi_str_of((const char *)data + 1, size - 1);
    enum asbi_inflate_result r = run(packed, packed.len, &whole);
    enum asbi_inflate_result again = run(packed, 1 + data[0] % 16, &pieces);
    /* In pieces more may come before what is broken is seen. */
    if (r != ASBI_INFLATE_BROKEN && again != ASBI_INFLATE_BROKEN &&
        (r != again || whole.len != pieces.len || whole.sum != pieces.sum))
        abort();
    return 0;
}
