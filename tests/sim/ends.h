/*
 * ends.h -- both ends of a job in the simulated world: input in slices and
 * output in pieces of any size, whenever the player says so; and the output's
 * device may be full.
 *
 * Takes the place of engine/real/fd_*.c by the linker's --wrap; what the sink
 * lets go is written to the job's real descriptor.
 */
#ifndef ASBI_TESTS_ENDS_H
#define ASBI_TESTS_ENDS_H

#include <stdbool.h>

#include "engine/base/rng.h"

/* For the job that is made next. */
void ends_begin(uint64_t seed);

/* Lets one end go on by a little, if either can.  False when neither can. */
bool ends_step(void);

/* From now on each write to the output fails with this errno; 0: none does. */
void ends_fail(int error);

/* The process died: nothing more reaches the output. */
void ends_die(void);

#endif
