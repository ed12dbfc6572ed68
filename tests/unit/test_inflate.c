#include "engine/real/inflate.h"

#include <zlib.h>

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/splits.h"

enum { FORMAT_ZLIB = 15, FORMAT_GZIP = 15 + 16, MOST = 65536 };

struct got {
    char bytes[MOST];
    size_t len, most;
};

static bool on_bytes(void *arg, asbi_str bytes)
{
    struct got *g = arg;

    CHECK(bytes.len > 0);
    if (g->most && g->len + bytes.len > g->most)
        return false;
    CHECK(g->len + bytes.len <= sizeof(g->bytes));
    memcpy(g->bytes + g->len, bytes.at, bytes.len);
    g->len += bytes.len;
    return true;
}

static asbi_str pack(asbi_str plain, int format, char *to)
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)plain.at,
                   .avail_in = (unsigned)plain.len,
                   .next_out = (unsigned char *)to,
                   .avail_out = MOST };

    CHECK_INT(deflateInit2(&z, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY),
              ==, Z_OK);
    CHECK_INT(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    (void)deflateEnd(&z);
    return asbi_str_of(to, z.total_out);
}

static enum asbi_inflate_result unpack(const struct asbi_mem *mem,
                                       struct splits ways, struct got *g,
                                       bool *may_end)
{
    struct asbi_inflate *z = asbi_inflate_new(mem);
    enum asbi_inflate_result r = ASBI_INFLATE_OK;
    size_t len;
    char *piece;

    g->len = 0;
    if (!z)
        return ASBI_INFLATE_BROKEN;
    while (r == ASBI_INFLATE_OK && (piece = splits_next(&ways, &len))) {
        r = asbi_inflate_feed(z, asbi_str_of(piece, len), on_bytes, g);
        free(piece);
    }
    *may_end = asbi_inflate_may_end(z);
    asbi_inflate_free(z);
    return r;
}

static const char words[] = "so it goes, and so it goes, and so it goes";

static void both_formats_are_unpacked_however_cut(void)
{
    static const int formats[] = { FORMAT_ZLIB, FORMAT_GZIP };
    static struct got g;
    static char packed[MOST];
    struct splits ways;
    bool may_end;

    for (int i = 0; i < 2; i++) {
        asbi_str bytes = pack(asbi_str_c(words), formats[i], packed);

        for (size_t n = 0; splits_way(bytes, n, &ways); n++) {
            CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
                      ASBI_INFLATE_OK);
            CHECK_BYTES(g.bytes, g.len, words);
            CHECK(may_end);
        }
    }
}

static void two_in_a_row_are_one(void)
{
    static struct got g;
    static char packed[MOST], both[MOST];
    asbi_str one = pack(asbi_str_c("ab"), FORMAT_GZIP, packed);
    struct splits ways;
    bool may_end;

    memcpy(both, one.at, one.len);
    memcpy(both + one.len, one.at, one.len);
    for (size_t n = 0; splits_way(asbi_str_of(both, 2 * one.len), n, &ways);
         n++) {
        CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
                  ASBI_INFLATE_OK);
        CHECK_BYTES(g.bytes, g.len, "abab");
        CHECK(may_end);
    }
}

static void a_beginning_is_not_all(void)
{
    static struct got g;
    static char packed[MOST];
    asbi_str bytes = pack(asbi_str_c(words), FORMAT_GZIP, packed);
    struct splits ways;
    bool may_end;

    for (size_t len = 1; len < bytes.len; len++) {
        CHECK(splits_way(asbi_str_of(bytes.at, len), 0, &ways));
        CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
                  ASBI_INFLATE_OK);
        CHECK(!may_end);
    }
}

static void what_is_damaged_is_broken(void)
{
    static struct got g;
    static char packed[MOST];
    asbi_str bytes = pack(asbi_str_c(words), FORMAT_GZIP, packed);
    struct splits ways;
    bool may_end;

    packed[bytes.len - 6] ^= 1; /* its checksum */
    CHECK(splits_way(bytes, 0, &ways));
    CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
              ASBI_INFLATE_BROKEN);
    CHECK(splits_way(asbi_str_c("not packed"), 0, &ways));
    CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
              ASBI_INFLATE_BROKEN);
}

static void much_comes_in_pieces_and_can_be_stopped(void)
{
    static struct got g;
    static char packed[MOST], zeros[60000];
    asbi_str bytes =
        pack(asbi_str_of(zeros, sizeof(zeros)), FORMAT_GZIP, packed);
    struct splits ways;
    bool may_end;

    CHECK(bytes.len < 1000);
    CHECK(splits_way(bytes, 0, &ways));
    g.most = 0;
    CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
              ASBI_INFLATE_OK);
    CHECK_INT(g.len, ==, sizeof(zeros));
    g.most = 20000;
    CHECK_INT(unpack(&asbi_mem_system, ways, &g, &may_end), ==,
              ASBI_INFLATE_STOPPED);
    CHECK(g.len <= 20000);
}

static void every_failed_allocation_is_survived(void)
{
    static struct got g;
    static char packed[MOST];
    asbi_str bytes = pack(asbi_str_c(words), FORMAT_GZIP, packed);
    enum asbi_inflate_result r = ASBI_INFLATE_BROKEN;
    struct splits ways;
    bool may_end;

    for (size_t n = 1; r != ASBI_INFLATE_OK; n++) {
        struct fault_mem fm;

        fault_mem_init(&fm, n);
        CHECK(n < 10 && splits_way(bytes, 1, &ways));
        r = unpack(&fm.mem, ways, &g, &may_end);
        CHECK_INT(fm.live, ==, 0);
    }
}

TEST_MAIN(CASE(both_formats_are_unpacked_however_cut),
          CASE(two_in_a_row_are_one), CASE(a_beginning_is_not_all),
          CASE(what_is_damaged_is_broken),
          CASE(much_comes_in_pieces_and_can_be_stopped),
          CASE(every_failed_allocation_is_survived))
