/*
 * json_string.h -- the inside of a JSON string, unescaped as it comes in.
 *
 * Takes bytes cut anywhere, also inside an escape, a surrogate pair or a UTF-8
 * sequence.  Copies nothing but what was escaped.  Refuses control characters,
 * bad escapes and bytes that are no UTF-8; half a surrogate pair becomes
 * U+FFFD, since some servers write one where a model was cut.
 */
#ifndef ASBI_ADAPTERS_JSON_STRING_H
#define ASBI_ADAPTERS_JSON_STRING_H

#include <stdint.h>

#include "engine/base/str.h"

struct asbi_json_string {
    uint8_t state;
    uint8_t digits;      /* of \uXXXX still to come */
    uint16_t unit;       /* those so far */
    uint16_t high;       /* a high surrogate that waits for its other half */
    uint8_t more;        /* bytes of a UTF-8 sequence still to come, ... */
    uint8_t least, most; /* ... and the range of the next one */
    char out[8];
};

enum asbi_json_string_event {
    ASBI_JSON_STRING_MORE,  /* all bytes are used up */
    ASBI_JSON_STRING_PIECE, /* some text: call again */
    ASBI_JSON_STRING_END,   /* the closing quote was read */
    ASBI_JSON_STRING_BAD, /* the byte at *at, behind the piece, does not belong
                             there */
};

/* Before the first byte after the opening quote. */
void asbi_json_string_begin(struct asbi_json_string *s);

/* Moves *at towards `end`.  A piece points into the input, or into `s` until
 * the next call; it may be empty and may end inside a UTF-8 sequence. */
enum asbi_json_string_event asbi_json_string_next(struct asbi_json_string *s,
                                                  const char **at,
                                                  const char *end,
                                                  asbi_str *piece);

/* Moves *at past short runs of plain ASCII and escapes of one letter, as far as
 * there are any, and writes what they stand for: at most `room` bytes, how many
 * is returned.  All else is for asbi_json_string_next(), as are long runs,
 * which need no copy. */
size_t asbi_json_string_copy(const struct asbi_json_string *s, const char **at,
                             const char *end, char *out, size_t room);

#endif
