/*
 * bucket.h -- a rate limit as one number: the generic cell rate algorithm
 * (ITU-T I.371) with reservation and reconciliation.
 *
 * Time comes in as nanoseconds and goes out as nanoseconds.  What is reserved
 * is exact to a nanosecond however many reservations there were.  Refuses to
 * loosen on a server's word: a hint about what is left only tightens.
 */
#ifndef ASBI_SCHEDULER_BUCKET_H
#define ASBI_SCHEDULER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct asbi_bucket {
    double rate;      /* units per nanosecond; 0: no limit */
    double published; /* units per minute as configured or told; 0: none */
    double learned;   /* factor in [0.25, 1], lowered by unexplained 429s */
    uint64_t burst_ns;
    uint64_t tat_ns;  /* theoretical arrival time: when nothing is owed */
    double carry;     /* part of a nanosecond that tat_ns cannot hold */
    uint64_t seen_ns; /* the latest time it was told */
    uint64_t learned_at_ns, surprised_at_ns;
};

/* `per_minute` 0 for no limit.  Paces at 0.98 of it with a burst of 5 s. */
void asbi_bucket_init(struct asbi_bucket *b, uint64_t per_minute);

/* A new published limit; what is owed stays owed. */
void asbi_bucket_limit(struct asbi_bucket *b, uint64_t per_minute);

/* The earliest time at which `units` may be taken; `now_ns` or earlier when
 * they may be now.  More units than the burst holds may be taken when nothing
 * is owed: the rest is debt. */
uint64_t asbi_bucket_ready_at(const struct asbi_bucket *b, double units,
                              uint64_t now_ns);

/* Takes them whether ready or not. */
void asbi_bucket_take(struct asbi_bucket *b, double units, uint64_t now_ns);

/* `reserved` were taken and `actual` used. */
void asbi_bucket_settle(struct asbi_bucket *b, double reserved, double actual);

/* The server says `remaining` units are left, `outstanding` of which we took
 * after it counted.  Only ever tightens, and never by more than a minute. */
void asbi_bucket_remaining(struct asbi_bucket *b, double remaining,
                           double outstanding, uint64_t now_ns);

/* A 429 while this bucket thought it was free: pace 5 % slower (floor 25 %),
 * recovering 1 % a minute.  Further ones within a burst's time say nothing
 * new and change nothing. */
void asbi_bucket_surprised(struct asbi_bucket *b, uint64_t now_ns);

#endif
