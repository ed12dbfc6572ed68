/*
 * scripts.h -- which writing system a code point belongs to.
 *
 * Knows the scripts that languages of today are written in; digits,
 * punctuation, symbols, emoji and historic scripts belong to none.  From the
 * Script property of the Unicode Character Database.
 */
#ifndef ASBI_ADAPTERS_SCRIPTS_H
#define ASBI_ADAPTERS_SCRIPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

/* Each is one bit of a set. */
enum asbi_script {
    ASBI_SCRIPT_NONE = 0,
    ASBI_LATIN = 1 << 0,
    ASBI_CYRILLIC = 1 << 1,
    ASBI_GREEK = 1 << 2,
    ASBI_ARMENIAN = 1 << 3,
    ASBI_HEBREW = 1 << 4,
    ASBI_ARABIC = 1 << 5,
    ASBI_DEVANAGARI = 1 << 6,
    ASBI_BENGALI = 1 << 7,
    ASBI_GURMUKHI = 1 << 8,
    ASBI_GUJARATI = 1 << 9,
    ASBI_ORIYA = 1 << 10,
    ASBI_TAMIL = 1 << 11,
    ASBI_TELUGU = 1 << 12,
    ASBI_KANNADA = 1 << 13,
    ASBI_MALAYALAM = 1 << 14,
    ASBI_SINHALA = 1 << 15,
    ASBI_THAI = 1 << 16,
    ASBI_LAO = 1 << 17,
    ASBI_TIBETAN = 1 << 18,
    ASBI_MYANMAR = 1 << 19,
    ASBI_GEORGIAN = 1 << 20,
    ASBI_HANGUL = 1 << 21,
    ASBI_ETHIOPIC = 1 << 22,
    ASBI_KHMER = 1 << 23,
    ASBI_MONGOLIAN = 1 << 24,
    ASBI_KANA = 1 << 25,
    ASBI_BOPOMOFO = 1 << 26,
    ASBI_HAN = 1 << 27,
};

/* Scripts of East Asia, which texts of one language mix. */
#define ASBI_EAST_ASIAN \
    ((uint32_t)(ASBI_HAN | ASBI_KANA | ASBI_HANGUL | ASBI_BOPOMOFO))

/* Exactly one bit, or ASBI_SCRIPT_NONE. */
uint32_t asbi_script_of(uint32_t code_point);

/* "Han", "Cyrillic"; of several bits the name of the lowest; "" for none. */
const char *asbi_script_name(uint32_t script);

#endif
