/*
 * known_jobs.h -- what an earlier run has begun at the provider and did not see
 * the end of, as the journal knows it: when a row is read again, its item goes
 * on with the job it is in, and nobody asks for it a second time.
 *
 * Finds rows; what going on means is for media jobs (media.h) and batches
 * (native_batch.h) to say.
 */
#ifndef ASBI_KNOWN_JOBS_H
#define ASBI_KNOWN_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asb_engine;
struct asb_message;
struct asbi_item;
struct asbi_journal;

/* A row, and what it has a place in: a struct asbi_media_known, or the call
 * that is a line of a batch. */
struct asbi_known_row {
    uint64_t row;
    void *of; /* NULL: it has been taken */
    size_t place;
};

/* Zero it. */
struct asbi_known_jobs {
    struct asbi_known_row *rows;
    size_t count, cap;
    size_t left; /* not taken yet */
    bool sorted;
};

/* Before the first row is read: tells media jobs and batches of all that are
 * there.  ASB_OK, ASB_EIO or ASB_ENOMEM. */
int asbi_known_load(struct asb_engine *e, struct asbi_journal *j,
                    struct asb_message *why);
void asbi_known_fini(struct asb_engine *e);

/* A row of it.  ASB_OK or ASB_ENOMEM. */
int asbi_known_add(struct asb_engine *e, uint64_t row, void *of, size_t place);

/* Rows of what `is` says belong to nothing any more: they are asked anew. */
void asbi_known_forget(struct asb_engine *e,
                       bool (*is)(const void *of, const void *arg),
                       const void *arg);

/* The row of an accepted item is known now. */
void asbi_known_resume(struct asb_engine *e, struct asbi_item *item);

#endif
