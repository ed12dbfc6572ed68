#include "engine/real/inflate.h"

#include <limits.h>

#include <zlib.h>

enum {
    UNPACKED_AT_ONCE = 16384,
    /* The largest window, and zlib's or gzip's head, whichever comes. */
    ANY_HEAD = 15 + 32,
};

struct asbi_inflate {
    const struct asbi_mem *mem;
    z_stream stream;
    bool begun; /* bytes came since the last end */
    unsigned char unpacked[UNPACKED_AT_ONCE];
};

static void *take(void *arg, unsigned count, unsigned size)
{
    return asbi_calloc(arg, count, size);
}

static void give(void *arg, void *block)
{
    asbi_free(arg, block);
}

struct asbi_inflate *asbi_inflate_new(const struct asbi_mem *mem)
{
    struct asbi_inflate *z = asbi_alloc(mem, sizeof(*z));

    if (!z)
        return NULL;
    z->mem = mem;
    z->begun = false;
    z->stream = (z_stream){ .zalloc = take,
                            .zfree = give,
                            .opaque = (void *)(uintptr_t)mem };
    if (inflateInit2(&z->stream, ANY_HEAD) == Z_OK)
        return z;
    asbi_free(mem, z);
    return NULL;
}

void asbi_inflate_free(struct asbi_inflate *z)
{
    if (!z)
        return;
    (void)inflateEnd(&z->stream);
    asbi_free(z->mem, z);
}

bool asbi_inflate_may_end(const struct asbi_inflate *z)
{
    return !z->begun;
}

/* One piece.  Several packed one after the other count as one (RFC 1952). */
static bool step(struct asbi_inflate *z)
{
    int rc;

    z->stream.next_out = z->unpacked;
    z->stream.avail_out = sizeof(z->unpacked);
    z->begun = z->begun || z->stream.avail_in > 0;
    rc = inflate(&z->stream, Z_NO_FLUSH);
    if (rc == Z_STREAM_END) {
        z->begun = false;
        return inflateReset(&z->stream) == Z_OK;
    }
    return rc == Z_OK || rc == Z_BUF_ERROR;
}

enum asbi_inflate_result
asbi_inflate_feed(struct asbi_inflate *z, asbi_str packed,
                  bool (*on_bytes)(void *arg, asbi_str bytes), void *arg)
{
    size_t len;

    if (packed.len > UINT_MAX)
        return ASBI_INFLATE_BROKEN;
    z->stream.next_in = (unsigned char *)(uintptr_t)packed.at;
    z->stream.avail_in = (unsigned)packed.len;
    do {
        if (!step(z))
            return ASBI_INFLATE_BROKEN;
        len = sizeof(z->unpacked) - z->stream.avail_out;
        if (len && !on_bytes(arg, asbi_str_of((char *)z->unpacked, len)))
            return ASBI_INFLATE_STOPPED;
    } while (z->stream.avail_in > 0 || z->stream.avail_out == 0);
    return ASBI_INFLATE_OK;
}
