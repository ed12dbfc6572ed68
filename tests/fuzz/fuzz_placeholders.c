/*
 * Splits the input at its first NUL into a source and a target.  Whatever they
 * are: pieces of a walk make up the text, and a text agrees with itself.
 */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/placeholders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_all(asbi_str text)
{
    struct asbi_walk walk;
    asbi_str piece;
    bool is_mark;
    size_t total = 0;

    asbi_walk_begin(&walk, text);
    while (asbi_walk_next(&walk, &piece, &is_mark)) {
        if (piece.at != text.at + total || piece.len == 0)
            abort();
        total += piece.len;
    }
    if (total != text.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct asbi_comparer *comparer;
    const char *at = (const char *)data;
    const char *nul = size ? memchr(at, '\0', size) : NULL;
    asbi_str source = { at, nul ? (size_t)(nul - at) : size };
    asbi_str target =
        nul ? asbi_str_of(nul + 1, size - source.len - 1) : source;
    struct asbi_note why;
    char text[192];

    if (!comparer && !(comparer = asbi_comparer_new(&asbi_mem_system)))
        return 0;
    walk_all(source);
    walk_all(target);
    asbi_note_init(&why, text, sizeof(text));
    (void)asbi_comparer_agree(comparer, source, target, &why);
    asbi_note_init(&why, text, sizeof(text));
    if (!asbi_comparer_agree(comparer, source, source, &why))
        abort();
    return 0;
}
