/*
 * placeholders.h -- what must survive a translation as it is: variables, format
 * conversions, tags, escape codes, addresses; and whether it did.
 *
 * A text is read once, from left to right, without allocating.  What counts:
 *
 *   ⟦PH_1⟧                               frozen by a tool before us
 *   {name} {0:N2} {} { $name } {玩家}    and {{var}} ${var} %{var} $NAME$
 * %name% {n, plural, one {..} other {..}}     ICU MessageFormat, also select %s
 * %1$d %-5.2f %lu %@ %% %(name)s    printf, and %1 %2 of Qt <b> </b> <br/>
 * <color=#fff> <#fff>   HTML, Unity, Android; [b] [/color] \n \t \c[1] \N[2] \.
 * \!              escapes as two or more characters &nbsp; &#39; character
 * references https://... name@example.org
 *
 * What people write without meaning a placeholder is left alone: "100%",
 * "5% discount", "<3", "a < b > c", "{ }", "[OK]", "$5".  Where that cannot be
 * told, a mark may vanish or appear without complaint.
 *
 * It does not judge order: languages differ in it.
 */
#ifndef ASBI_ADAPTERS_PLACEHOLDERS_H
#define ASBI_ADAPTERS_PLACEHOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/note.h"
#include "engine/base/mem.h"
#include "engine/base/str.h"

/* One placeholder.  Points into the text it was found in. */
struct asbi_mark {
    asbi_str text; /* as written */
    asbi_str key;  /* what is compared: `text`, or `{n, plural` of ICU */
    /* ICU plural and select: "one {..} other {..}"; else empty. */
    asbi_str branches;
    bool plural;       /* the branches are plural categories */
    bool loose;        /* white space inside `key` does not count */
    bool may_vanish;   /* perhaps prose: no fault when it is gone ... */
    bool may_appear;   /* ... or new */
    unsigned ordinal;  /* N of Qt's %N; 0 otherwise */
    const char *label; /* said instead of `key`, as of a URL; or NULL */
};

/* What `#` means: the number of a plural, inside its branches. */
enum asbi_hash_sign { ASBI_HASH_IS_TEXT, ASBI_HASH_IS_MARK, ASBI_HASH_MAY_GO };

struct asbi_marks {
    const char *at, *end;
    const char *gap; /* where the last mark ended, or the text began */
    bool after_mark; /* a mark ends at `gap` */
    enum asbi_hash_sign hash_sign;
    unsigned icu_left; /* failures to allow, so that hostile braces are cheap */
};

/* Starts on a text, which is borrowed. */
void asbi_marks_begin(struct asbi_marks *marks, asbi_str text,
                      enum asbi_hash_sign hash_sign);

/* The next mark, in order; false at the end. */
bool asbi_marks_next(struct asbi_marks *marks, struct asbi_mark *mark);

/* One branch of ICU: "few {# предмета}" or "=0 {..}". */
struct asbi_branch {
    asbi_str keyword;
    asbi_str text; /* between the braces */
};

/* Takes the next branch off `rest`; false at the end. */
bool asbi_branch_next(asbi_str *rest, struct asbi_branch *branch);

/* ---- text and marks in turn: text_walk.c ------------------------------- */

enum { ASBI_WALK_DEPTH = 8 };

/* A text cut into pieces that may be translated and pieces that may not.
 * Unlike asbi_marks_next() it goes into the branches of ICU. */
struct asbi_walk {
    struct asbi_walk_level {
        struct asbi_marks marks;
        asbi_str rest;   /* branches after this one */
        const char *end; /* of the ICU mark that this is a branch of */
    } levels[ASBI_WALK_DEPTH];
    unsigned depth;
    struct asbi_mark held; /* found behind the text that was given last */
};

void asbi_walk_begin(struct asbi_walk *walk, asbi_str text);

/* The next piece, never empty; all pieces in order are the text.  False at the
 * end. */
bool asbi_walk_next(struct asbi_walk *walk, asbi_str *piece, bool *is_mark);

/* ---- comparing: placeholder_compare.c ---------------------------------- */

struct asbi_comparer;

/* Room for comparing, used again and again.  NULL when out of memory. */
struct asbi_comparer *asbi_comparer_new(const struct asbi_mem *mem);
void asbi_comparer_free(const struct asbi_mem *mem, struct asbi_comparer *c);

/**
 * Whether `target` has the marks of `source`: as often at the top level; in
 * ICU branches each branch against the one of the same keyword (a plural
 * category that only the target has: against `other`), where select needs the
 * same keywords, plural needs `other` and the source's =N.
 *
 * When not, the first differences are added to `why`: "missing ⟦PH_2⟧,
 * unexpected {nmae}".  Time and memory are bounded whatever the texts.
 */
bool asbi_comparer_agree(struct asbi_comparer *c, asbi_str source,
                         asbi_str target, struct asbi_note *why);

#endif
