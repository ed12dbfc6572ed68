/*
 * pseudo.h -- pseudo-localisation: a translation that can be checked against
 * its source without a model.
 *
 * ASCII letters get an accent, one for one ("Save" gives "Šávé"); what a
 * translator must not touch stays byte for byte; ideographs, kana and Hangul
 * become accented Latin syllables, letters of Cyrillic, Arabic and the other
 * scripts accented Latin letters, so that no source script is left over.  The
 * same text always gives the same answer.
 */
#ifndef ASBI_SIM_PSEUDO_H
#define ASBI_SIM_PSEUDO_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

/**
 * Bytes of the run at the start of `rest` that must be kept as it is, or 0:
 * balanced braces with all inside them ({name}, {{x}}, ICU messages), brackets
 * of U+27E6 and U+27E7, printf directives (%1$s, %d, %%, %(name)s, Qt's %1),
 * %name% and $NAME$, tags (<b>, [b]), entities (&nbsp;), URLs, and a backslash
 * with what it escapes.
 */
size_t asbi_sim_kept_run(asbi_str rest);

/* Where the next branch of an ICU plural or select message stands: the bytes
 * between its braces, inside `message`, after byte *from, which moves behind
 * them.  False when there is none, or the run is no such message. */
bool asbi_sim_next_branch(asbi_str message, size_t *from, asbi_str *branch);

/* Appends the pseudo-localised text.  `max_length` (code points, 0: none)
 * drops letters, never part of a kept run; kept runs go last.  Of an ICU
 * message the branches are localised, too. */
void asbi_sim_pseudo(asbi_str text, uint64_t max_length, struct asbi_buf *out);

#endif
