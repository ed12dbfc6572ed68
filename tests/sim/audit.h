/*
 * audit.h -- looks into the engine between two events: is everything it owes
 * in exactly one place, and do its sums agree with its lists?
 */
#ifndef ASBI_TESTS_AUDIT_H
#define ASBI_TESTS_AUDIT_H

#include "engine/engine.h"
#include "tests/sim/witness.h"

/* What is wrong goes to the witness. */
void audit_engine(struct witness *w, const struct asb_engine *e);

/* Once the engine has nothing to do: that it keeps nothing. */
void audit_idle(struct witness *w, const struct asb_engine *e);

#endif
