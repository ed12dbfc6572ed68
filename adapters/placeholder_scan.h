/*
 * placeholder_scan.h -- the recognisers behind placeholders.h, one for each
 * byte that can begin or betray a mark.
 *
 * Each looks at marks->at, fills in mark->text (and what else it knows) and
 * says whether it found one; none moves the cursor.  Each looks a bounded
 * number of bytes ahead, so that a text is read in linear time.
 */
#ifndef ASBI_ADAPTERS_PLACEHOLDER_SCAN_H
#define ASBI_ADAPTERS_PLACEHOLDER_SCAN_H

#include "adapters/placeholders.h"

typedef bool asbi_scan_fn(struct asbi_marks *marks, struct asbi_mark *mark);

asbi_scan_fn asbi_scan_brace;     /* {name} {{var}} ICU */
asbi_scan_fn asbi_scan_dollar;    /* ${var} $NAME$ */
asbi_scan_fn asbi_scan_guillemet; /* ⟦PH_1⟧ */
asbi_scan_fn asbi_scan_percent;   /* %d %% %name% %(name)s %{name} %1 */
asbi_scan_fn asbi_scan_backslash; /* \n \c[1] */
asbi_scan_fn asbi_scan_angle;     /* <b> <color=#fff> */
asbi_scan_fn asbi_scan_square;    /* [b] [/url] [[link]] [player_name] */
asbi_scan_fn asbi_scan_ampersand; /* &nbsp; */
asbi_scan_fn asbi_scan_colon;     /* https:// */
asbi_scan_fn asbi_scan_at;        /* name@example.org */

/* The byte `n` after the cursor, or 0 behind the end. */
static inline char asbi_peek(const struct asbi_marks *marks, size_t n)
{
    return n < (size_t)(marks->end - marks->at) ? marks->at[n] : '\0';
}

static inline bool asbi_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ASCII, whatever the locale. */
static inline bool asbi_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool asbi_is_word(char c)
{
    return asbi_is_letter(c) || asbi_is_digit(c) || c == '_';
}

static inline bool asbi_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A mark of `len` bytes from the cursor on. */
static inline bool asbi_found(const struct asbi_marks *marks,
                              struct asbi_mark *mark, size_t len)
{
    mark->text = asbi_str_of(marks->at, len);
    return true;
}

#endif
