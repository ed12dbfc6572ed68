/*
 * skeleton.h -- texts that differ in nothing but plain numbers and addresses:
 * the translation of one serves for the other when these are put in its place.
 *
 * That is done only where it can be checked: each value stands in the known
 * translation as often as in its text, and after the exchange the new values
 * stand there as often as in theirs.  Figures, dates, percentages, marks and
 * words are part of the skeleton: where they differ, nothing is reused.
 *
 * Numbers decide on the form of words around them ("1 file", "2 files", and
 * in other languages more forms), so only numbers of the same plural category
 * in every language of the CLDR stand for each other: both below 100 or none,
 * the last two digits equal, or both from 20 on and equal modulo 20 (those in
 * the seventies and nineties among themselves); and none that is below 20, from
 * a million on, or a multiple of a thousand.  They decide on an article by the
 * sound they begin with, too ("a 60 minute film", "an 80 minute film"): both
 * begin with a vowel in English, Italian or Hungarian, or none.
 */
#ifndef ASBI_CACHE_SKELETON_H
#define ASBI_CACHE_SKELETON_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

/* Appends the text with its slots left open.  False when it has none, or has
 * them in a way that cannot be told apart: then `out` is as it was, or
 * failed. */
bool asbi_skeleton_put(struct asbi_buf *out, asbi_str text);

/**
 * The translation of `text`, made from that of a text with the same skeleton.
 * @param known       the other text
 * @param translated  its translation
 * @param out         the result is appended
 * @return false when it cannot be made and checked
 */
bool asbi_skeleton_fill(struct asbi_buf *out, asbi_str text, asbi_str known,
                        asbi_str translated);

#endif
