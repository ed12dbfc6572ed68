/*
 * job_identity.h -- whose journal is it: what the input was and everything that
 * makes answers what they are, as names and short values that can be compared
 * and explained.
 */
#ifndef ASBI_JOB_IDENTITY_H
#define ASBI_JOB_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include <asyncbatch/asyncbatch.h>

enum { ASBI_IDENTITY_MAX = 24, ASBI_IDENTITY_VALUE = 80 };

struct asbi_identity {
    struct asbi_identity_entry {
        const char *name; /* static */
        /* Another value makes other answers; else only another output. */
        bool makes_answers;
        bool hashed; /* the value says nothing to people */
        char value[ASBI_IDENTITY_VALUE];
    } entries[ASBI_IDENTITY_MAX];
    size_t count;
};

struct asb_job;

/* The value of an input that cannot be read twice: equal to any. */
#define ASBI_IDENTITY_STREAM "stream"

/* Reads the input once from where it is, when it is a file, and the prompt
 * material.  ASB_OK or ASB_EIO. */
int asbi_identity_make(const struct asb_job *job, struct asbi_identity *out,
                       struct asb_message *why);

/* What differs between an identity and what a journal tells of its own. */
struct asbi_identity_diff {
    const struct asbi_identity *now;
    bool told[ASBI_IDENTITY_MAX];
    bool any, other_answers;
    char text[512]; /* "the input, model (was a, is b)" */
    size_t len;
};

void asbi_identity_diff_init(struct asbi_identity_diff *diff,
                             const struct asbi_identity *now);

/* One of the journal's; `diff` is void * to be a callback. */
void asbi_identity_compare(void *diff, const char *name, const char *value);

/* After the last of them. */
void asbi_identity_diff_end(struct asbi_identity_diff *diff);

#endif
