/*
 * msgpack_scan.c -- finds the end of a msgpack message.
 *
 * Needs no stack: of containers within containers only the number of objects
 * still to come matters.
 */
#include "adapters/msgpack_door.h"

/* What a length counts. */
enum { BYTES, EXT_BYTES, ELEMENTS, MEMBERS };

void asbi_msgpack_scan_init(struct asbi_msgpack_scan *s, uint64_t max_bytes,
                            uint64_t max_objects)
{
    *s = (struct asbi_msgpack_scan){ .pending = 1,
                                     .room = max_bytes,
                                     .objects = max_objects };
}

void asbi_msgpack_scan_unlimited(struct asbi_msgpack_scan *s)
{
    s->room = s->objects = UINT64_MAX;
}

bool asbi_msgpack_starts_map(char first)
{
    unsigned char c = (unsigned char)first;

    return (c & 0xf0) == 0x80 || c == 0xde || c == 0xdf;
}

bool asbi_msgpack_is_lone_byte(char first)
{
    unsigned char c = (unsigned char)first;

    return c < 0x80 || c >= 0xe0 || (c >= 0xc0 && c <= 0xc3);
}

bool asbi_msgpack_starts_key(char first)
{
    unsigned char c = (unsigned char)first;

    return (c & 0xe0) == 0xa0 || (c >= 0xd9 && c <= 0xdb) ||
           (c >= 0xc4 && c <= 0xc6);
}

static void expect(struct asbi_msgpack_scan *s, uint64_t objects)
{
    s->pending =
        s->pending > UINT64_MAX - objects ? UINT64_MAX : s->pending + objects;
}

static void take_length(struct asbi_msgpack_scan *s)
{
    switch (s->kind) {
    case BYTES:
        s->skip = s->length;
        break;
    case EXT_BYTES:
        s->skip = s->length + 1; /* and its type */
        break;
    case ELEMENTS:
        expect(s, s->length);
        break;
    default:
        expect(s, s->length * 2);
        break;
    }
}

/* Formats from 0xc0 to 0xdf: how many bytes of length follow and what it
 * counts, or how many bytes of data. */
static bool take_typed(struct asbi_msgpack_scan *s, unsigned c)
{
    static const struct {
        unsigned char length_bytes, kind, skip;
    } formats[32] = {
        [0x04] = { 1, BYTES, 0 },     [0x05] = { 2, BYTES, 0 },
        [0x06] = { 4, BYTES, 0 },     [0x07] = { 1, EXT_BYTES, 0 },
        [0x08] = { 2, EXT_BYTES, 0 }, [0x09] = { 4, EXT_BYTES, 0 },
        [0x0a] = { 0, 0, 4 },         [0x0b] = { 0, 0, 8 },
        [0x0c] = { 0, 0, 1 },         [0x0d] = { 0, 0, 2 },
        [0x0e] = { 0, 0, 4 },         [0x0f] = { 0, 0, 8 },
        [0x10] = { 0, 0, 1 },         [0x11] = { 0, 0, 2 },
        [0x12] = { 0, 0, 4 },         [0x13] = { 0, 0, 8 },
        [0x14] = { 0, 0, 2 },         [0x15] = { 0, 0, 3 },
        [0x16] = { 0, 0, 5 },         [0x17] = { 0, 0, 9 },
        [0x18] = { 0, 0, 17 },        [0x19] = { 1, BYTES, 0 },
        [0x1a] = { 2, BYTES, 0 },     [0x1b] = { 4, BYTES, 0 },
        [0x1c] = { 2, ELEMENTS, 0 },  [0x1d] = { 4, ELEMENTS, 0 },
        [0x1e] = { 2, MEMBERS, 0 },   [0x1f] = { 4, MEMBERS, 0 },
    };

    if (c == 0xc1)
        return false;
    s->length = 0;
    s->length_bytes = formats[c - 0xc0].length_bytes;
    s->kind = formats[c - 0xc0].kind;
    s->skip = formats[c - 0xc0].skip;
    return true;
}

/* The first byte of an object. */
static bool take_first(struct asbi_msgpack_scan *s, unsigned char c)
{
    s->pending--;
    s->objects--;
    if (c < 0x80 || c >= 0xe0)
        return true;
    if (c < 0x90)
        expect(s, 2 * (uint64_t)(c & 0x0f));
    else if (c < 0xa0)
        expect(s, c & 0x0f);
    else if (c < 0xc0)
        s->skip = c & 0x1f;
    else
        return take_typed(s, c);
    return true;
}

static bool has_ended(const struct asbi_msgpack_scan *s)
{
    return !s->pending && !s->skip && !s->length_bytes;
}

/* Takes a byte of a header; false for one that msgpack never uses. */
static bool take_header(struct asbi_msgpack_scan *s, unsigned char c)
{
    s->room--;
    if (!s->length_bytes)
        return take_first(s, c);
    s->length = s->length << 8 | c;
    if (--s->length_bytes == 0)
        take_length(s);
    return true;
}

enum asbi_msgpack_seen asbi_msgpack_scan(struct asbi_msgpack_scan *s,
                                         const char *at, size_t len,
                                         size_t *used)
{
    *used = 0;
    while (!has_ended(s)) {
        if (s->skip > s->room || (!s->skip && (!s->room || !s->objects)))
            return ASBI_MSGPACK_LARGE;
        if (*used == len)
            return ASBI_MSGPACK_MORE;
        if (s->skip) {
            size_t left = len - *used;
            size_t n = s->skip < left ? (size_t)s->skip : left;
            *used += n;
            s->skip -= n;
            s->room -= n;
        } else if (!take_header(s, (unsigned char)at[(*used)++])) {
            return ASBI_MSGPACK_BAD;
        }
    }
    return ASBI_MSGPACK_WHOLE;
}

/* One object's header and data, without what is in it; how many bytes. */
static size_t pass_one(struct asbi_msgpack_scan *s, const char *at, size_t len)
{
    size_t used = 0, n;

    do {
        (void)asbi_msgpack_scan(s, at + used, used < len, &n);
        used += n;
    } while (n && s->length_bytes);
    if (s->skip)
        (void)asbi_msgpack_scan(
            s, at + used, s->skip < len - used ? (size_t)s->skip : len - used,
            &n);
    else
        n = 0;
    return used + n;
}

bool asbi_msgpack_is_deeper(asbi_str message, unsigned limit)
{
    struct asbi_msgpack_scan s;
    uint64_t ends[64]; /* what is pending when each open container ends */
    unsigned depth = 0;

    asbi_msgpack_scan_init(&s, UINT64_MAX, UINT64_MAX);
    for (size_t i = 0; i < message.len;) {
        uint64_t after = s.pending - 1;
        size_t n = pass_one(&s, message.at + i, message.len - i);

        if (n == 0 || (s.pending > after && (depth == limit || depth == 64)))
            return n != 0;
        if (s.pending > after)
            ends[depth++] = after;
        while (depth && s.pending <= ends[depth - 1])
            depth--;
        i += n;
    }
    return false;
}
