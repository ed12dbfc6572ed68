/*
 * progress.h -- shows on standard error how a job comes along.
 *
 * A bar on a terminal, a line now and then elsewhere, JSON for programs, or
 * nothing.  Never writes to standard output.
 */
#ifndef ASB_TOOLS_PROGRESS_H
#define ASB_TOOLS_PROGRESS_H

#include <asyncbatch/asyncbatch.h>

struct progress;

/**
 * Starts showing.  `base` and `job` live until progress_free().
 * @param mode  "auto", "bar", "plain", "json" or "none"
 * @param data_on_terminal  answers go to the terminal: no bar among them
 * @return NULL when out of memory
 */
struct progress *progress_new(struct event_base *base,
                              const struct asb_job *job, const char *mode,
                              bool data_on_terminal);

/* Shows the last state and, unless the mode is json or none, the summary.
 * Accepts NULL. */
void progress_finish(struct progress *p);
void progress_free(struct progress *p);

/* A line of the log: above the bar, not through it.  Accepts NULL. */
void progress_log(struct progress *p, const char *line);

/* As progress_log(), where people read along: unless the mode is json or
 * none. */
void progress_tell(struct progress *p, const char *line);

/* A remark shown with the progress from now on; static storage. */
void progress_note(struct progress *p, const char *note);

#endif
