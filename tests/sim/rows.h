/*
 * rows.h -- a job's input as a scenario has it, and its output held against it.
 */
#ifndef ASBI_TESTS_ROWS_H
#define ASBI_TESTS_ROWS_H

#include "tests/sim/away.h"

/* Appends the input, JSON lines: some of them bad, some with an id that stands
 * there already. */
void rows_write(const struct scenario *s, struct asbi_buf *out);

/* What is wrong with the output goes to the witness.  `whole`: each row must
 * be there; else the first ones.  Returns the rows that are answered. */
size_t rows_check(struct away *away, const struct scenario *s, asbi_str output,
                  bool whole);

#endif
