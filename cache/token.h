/*
 * token.h -- a text in pieces, as far as can be told without knowing its
 * language: words, figures, addresses, marks, what stands between them.
 *
 * In doubt a piece is a mark, which is never touched and never ignored: "{0}",
 * "%s", "PH_1", "v2", "20th", "and/or".  Numbers are whole and plain: of
 * "25" the value is known, "1.5", "-3" and "10:30" are figures.
 */
#ifndef ASBI_CACHE_TOKEN_H
#define ASBI_CACHE_TOKEN_H

#include <stdbool.h>

#include "engine/base/str.h"

enum asbi_token_kind {
    ASBI_TOKEN_SPACE,
    ASBI_TOKEN_PUNCTUATION, /* of prose: full stops, quotes, brackets */
    ASBI_TOKEN_WORD,        /* letters; of East Asian text one each */
    ASBI_TOKEN_NUMBER,      /* digits alone, without a leading 0 */
    ASBI_TOKEN_FIGURE,      /* digits and what stands between them */
    ASBI_TOKEN_ADDRESS,     /* of the web or of mail */
    ASBI_TOKEN_MARK,
};

struct asbi_token {
    enum asbi_token_kind kind;
    asbi_str text;
};

/* Takes the next piece off `rest`; all pieces in order are the text.  False at
 * the end. */
bool asbi_token_next(asbi_str *rest, struct asbi_token *token);

#endif
