/*
 * call_hold.h -- calls that wait for the journal: none is put on the wire
 * before it is durable that it will be.
 *
 * All calls that one turn begins share a commit, at its end, with the ends and
 * answers that came since.  So at any time the calls whose end is not durable,
 * sent or not, are no more than may be in flight.  Without a journal all of
 * this does nothing.
 */
#ifndef ASBI_CALL_HOLD_H
#define ASBI_CALL_HOLD_H

#include "engine/call.h"

/* In place of the transport's start: it will follow, with the journal's next
 * commit.  The call is filled in.  ASB_OK or ASB_ENOMEM. */
int asbi_hold_call(struct asbi_call *call);

/* The same for a line of a job, at its place there, which is submitted by
 * others, once all is durable.  ASB_OK, too, without a journal. */
int asbi_hold_line(struct asbi_call *call, uint64_t job, uint64_t line);

/* Whether all is durable, or the run ends because nothing can be: what is at
 * the provider already is then seen to its end all the same. */
bool asbi_hold_is_durable(const struct asb_engine *e);

/* Another item has taken the place of the one that it begins a job for: in the
 * journal it is a new call, of that item's row, from the next commit on.  What
 * is neither sent nor known to have ended stays one call. */
void asbi_hold_heir(struct asbi_call *call);

/* One of its items has an answer while the reply goes on.  Durable within some
 * milliseconds, unless the call ends before. */
void asbi_hold_part(struct asbi_call *call);

/* The call has ended and been billed. */
void asbi_hold_end(struct asbi_call *call, int64_t cost, int64_t spent);

/* When asbi_hold_settle() has something to do: not before now. */
uint64_t asbi_hold_due(const struct asb_engine *e);

/* Commits when it is time, then starts what was held.  When nothing can be
 * committed, held calls are given up: their items fail with "stopped".  True
 * when something was committed or could not be. */
bool asbi_hold_settle(struct asb_engine *e, uint64_t now);

/* Names the row of an accepted item, so that its calls' intents can, and the
 * hash of what it asks; what an earlier run began for it goes on. */
void asbi_hold_row(struct asb_engine *e, uint64_t item, uint64_t row,
                   uint64_t key);

#endif
