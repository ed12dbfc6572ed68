/*
 * job_play.h -- plays a job: rows in, rows out, a journal, and processes that
 * die between any two events or inside a commit and are started again, until
 * one comes to its end.
 *
 * Judged while it runs: no call goes out before it is durable that it will; no
 * row is asked for whose answer is.  At the end: each row stands in the output
 * once, in order, with its own answer; and all lives together were billed no
 * more than the budget.
 */
#ifndef ASBI_TESTS_JOB_PLAY_H
#define ASBI_TESTS_JOB_PLAY_H

#include "tests/sim/play.h"

void play_job(const struct scenario *s, struct outcome *out);

#endif
