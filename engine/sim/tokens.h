/*
 * tokens.h -- how the simulated provider counts tokens, and so what it bills.
 *
 * A rule of its own, near what real tokenizers give and different from the
 * client's estimate, so that there is something to calibrate.  A run of code
 * points of one class costs the sum of their weights over the class's divisor,
 * rounded up:
 *
 *   class                           weight   divisor
 *   Latin letters: plain / accented  1 / 4      6
 *   digits                           1          3
 *   spaces                           0          1      ends a run
 *   other white space                1          4
 *   ideographs, kana, Hangul         3          4
 *   other letters (Cyrillic, ...)    2          5
 *   ASCII punctuation, other signs   1          1
 *   beyond the basic plane (emoji)   2          1
 */
#ifndef ASBI_SIM_TOKENS_H
#define ASBI_SIM_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/str.h"

uint64_t asbi_sim_tokens(asbi_str text);

/* Bytes of the longest prefix, in whole code points, of at most so many
 * tokens. */
size_t asbi_sim_tokens_prefix(asbi_str text, uint64_t most);

/* Ideographs, kana, Hangul, their punctuation and full-width forms. */
bool asbi_sim_is_cjk(uint32_t c);

#endif
