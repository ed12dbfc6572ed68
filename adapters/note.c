#include "adapters/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

void asbi_note_init(struct asbi_note *note, char *at, size_t size)
{
    *note = (struct asbi_note){ .at = at, .size = size };
    at[0] = '\0';
}

/* Ends a full note: dots after the last code point that leaves room. */
static void cut(struct asbi_note *note)
{
    size_t len = note->size - 4;

    while (len && is_continuation(note->at[len]))
        len--;
    memcpy(note->at + len, "...", 4);
    note->len = note->size;
}

void asbi_note_str(struct asbi_note *note, asbi_str text)
{
    if (note->len >= note->size || text.len == 0)
        return;
    size_t room = note->size - 1 - note->len;
    size_t len = text.len < room ? text.len : room;

    memcpy(note->at + note->len, text.at, len);
    note->len += len;
    note->at[note->len] = '\0';
    if (len < text.len)
        cut(note);
}

void asbi_note_fmt(struct asbi_note *note, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0)
        asbi_note_str(note, asbi_str_c(text));
}
