/*
 * say.h -- lines for people, on standard error.
 *
 * Standard output carries data only, so nothing here writes to it.  Each line
 * leaves in one write, so that a log and a progress line never mix.
 */
#ifndef ASB_TOOLS_SAY_H
#define ASB_TOOLS_SAY_H

#include <asyncbatch/asyncbatch.h>

/* "asyncbatch: ...", with a newline. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Why something was refused, or what the code means where nobody said.  Gives
 * the exit status that goes with it. */
int say_refused(int rc, const struct asb_message *why);

/* Bytes as they are.  A standard error that takes nothing for a second loses
 * the rest: progress must never hold up the work. */
void say_bytes(const char *at, size_t len);

/* Flushes standard output.  Nonzero, after saying so, when it failed. */
int say_if_output_failed(void);

#endif
