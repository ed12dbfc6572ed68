/*
 * msgpack_door.h -- msgpack-c behind one door, for reader and writer.
 *
 * Reading has two steps: a scanner finds, byte by byte and without memory,
 * where a message ends, so that only whole messages of checked size are
 * unpacked; these become JSON text, so that one set of rules serves both
 * formats.
 */
#ifndef ASBI_ADAPTERS_MSGPACK_DOOR_H
#define ASBI_ADAPTERS_MSGPACK_DOOR_H

#include "engine/base/buf.h"
#include "engine/base/json.h"

/* ---- where a message ends --------------------------------------------- */

enum asbi_msgpack_seen {
    ASBI_MSGPACK_MORE, /* the message goes on */
    ASBI_MSGPACK_WHOLE,
    ASBI_MSGPACK_BAD,   /* a byte that msgpack never uses */
    ASBI_MSGPACK_LARGE, /* it needs more bytes or objects than it may have */
};

struct asbi_msgpack_scan {
    uint64_t pending; /* objects still to come */
    uint64_t skip;    /* bytes of a text, binary or number still to come */
    uint64_t room;    /* bytes that the message may still take */
    uint64_t objects; /* that it may still have: each costs memory, unpacked */
    uint64_t length;  /* big-endian number that is being read */
    unsigned length_bytes; /* of it still to come */
    unsigned kind;         /* what the number counts */
};

void asbi_msgpack_scan_init(struct asbi_msgpack_scan *s, uint64_t max_bytes,
                            uint64_t max_objects);

/* For a message that was too large: its end is all that matters now. */
void asbi_msgpack_scan_unlimited(struct asbi_msgpack_scan *s);

/* Goes through bytes; *used says how far.  Stops behind a whole message and
 * behind a bad byte, and where it is clear that the message is too large: at
 * the same byte, in whatever pieces it comes. */
enum asbi_msgpack_seen asbi_msgpack_scan(struct asbi_msgpack_scan *s,
                                         const char *at, size_t len,
                                         size_t *used);

/* Whether containers of a whole message are nested more than `limit` (at most
 * 64) deep. */
bool asbi_msgpack_is_deeper(asbi_str message, unsigned limit);

/* Whether a message can start so. */
bool asbi_msgpack_starts_map(char first);

/* Whether a first byte is a message by itself: a small number, nil, a boolean;
 * or no message at all. */
bool asbi_msgpack_is_lone_byte(char first);

/* Whether a key can start so: a text or binary. */
bool asbi_msgpack_starts_key(char first);

/* ---- reading ---------------------------------------------------------- */

struct asbi_msgpack;

/* NULL when out of memory. */
struct asbi_msgpack *asbi_msgpack_new(const struct asbi_mem *mem);
void asbi_msgpack_free(struct asbi_msgpack *m);

/**
 * Appends a whole message, as the scanner found it, as JSON text.  Binaries are
 * texts; numbers that JSON has no form for are null.
 * @param why  on ASB_EPARSE what is wrong: static text
 * @return ASB_OK, ASB_EPARSE or ASB_ENOMEM
 */
int asbi_msgpack_to_json(struct asbi_msgpack *m, asbi_str message,
                         struct asbi_buf *out, const char **why);

/* ---- writing ---------------------------------------------------------- */

void asbi_msgpack_put_map(struct asbi_buf *out, size_t members);
void asbi_msgpack_put_array(struct asbi_buf *out, size_t elements);
void asbi_msgpack_put_text(struct asbi_buf *out, asbi_str text);
void asbi_msgpack_put_u64(struct asbi_buf *out, uint64_t n);
void asbi_msgpack_put_double(struct asbi_buf *out, double x);
void asbi_msgpack_put_bool(struct asbi_buf *out, bool yes);
void asbi_msgpack_put_nil(struct asbi_buf *out);

/* A number as JSON writes it: an integer if it is one and fits, else a
 * double. */
void asbi_msgpack_put_number(struct asbi_buf *out, asbi_str number);

/* The last document that `json` read. */
void asbi_msgpack_put_json(struct asbi_buf *out, struct asbi_json *json);

#endif
