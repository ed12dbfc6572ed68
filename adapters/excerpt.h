/*
 * excerpt.h -- the first words of a reply that should have been JSON, for an
 * error message.
 *
 * Drops tags, scripts, styles and control characters and joins white space; no
 * more of HTML is understood.
 */
#ifndef ASBI_ADAPTERS_EXCERPT_H
#define ASBI_ADAPTERS_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

/* Private but for its size. */
struct asbi_excerpt {
    uint8_t state;
    bool space;      /* one is due before the next word */
    uint8_t tag_len; /* of the tag being read */
    char tag[8];
    size_t len;
    char text[240];
};

void asbi_excerpt_begin(struct asbi_excerpt *e);
void asbi_excerpt_feed(struct asbi_excerpt *e, asbi_str piece);

/* Lives in `e`.  Cut between two UTF-8 sequences. */
asbi_str asbi_excerpt_text(const struct asbi_excerpt *e);

#endif
