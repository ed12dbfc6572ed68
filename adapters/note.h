/*
 * note.h -- a short sentence in a fixed place.
 *
 * What does not fit is cut, between code points, with "..." at the end.
 */
#ifndef ASBI_ADAPTERS_NOTE_H
#define ASBI_ADAPTERS_NOTE_H

#include <stddef.h>

#include "engine/base/str.h"

struct asbi_note {
    char *at;    /* always NUL-terminated */
    size_t size; /* of the memory, with the NUL; at least 8 */
    size_t len;
};

/* An empty note in `size` bytes at `at`, borrowed. */
void asbi_note_init(struct asbi_note *note, char *at, size_t size);

/* Appends; does nothing once something was cut. */
void asbi_note_str(struct asbi_note *note, asbi_str text);
void asbi_note_fmt(struct asbi_note *note, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
