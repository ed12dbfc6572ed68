/*
 * disk.h -- the journal's store as a disk that outlives processes: what was
 * committed is there, commits may be refused, and the process may die inside
 * one, of which then all or nothing is there.
 *
 * Takes the place of engine/real/journal_sqlite.c by the linker's --wrap.
 */
#ifndef ASBI_TESTS_DISK_H
#define ASBI_TESTS_DISK_H

#include <stdbool.h>

#include "engine/base/rng.h"
#include "engine/journal.h"

enum {
    DISK_ROWS = 512,
    DISK_CALLS = 4096,
    DISK_NAMES = 32,
    DISK_PARTS = 2048,
    DISK_JOBS = 512,
};

struct disk_answer {
    bool is;
    uint64_t key, round, place;
    struct asb_result result; /* texts are the disk's own copies */
};

/* An answer of a call that goes on. */
struct disk_part {
    uint64_t call, seq; /* call 0: none */
    struct disk_answer answer;
};

struct disk_call {
    uint64_t number;
    int64_t worst;
    uint64_t rows[DISK_ROWS];
    size_t count;
    uint64_t job, line, seed;
    bool open;
};

/* What runs at the provider. */
struct disk_job {
    uint64_t number; /* 0: none */
    char id[160], address[400];
};

struct disk {
    /* -- what is on it */
    struct disk_answer answers[DISK_ROWS];
    struct disk_part parts[DISK_PARTS];
    struct disk_call *calls;
    size_t call_count;
    struct disk_job jobs[DISK_JOBS];
    struct asbi_journal_state state;
    bool begun;
    char names[DISK_NAMES][64], values[DISK_NAMES][400];
    size_t name_count;

    /* -- how it behaves */
    struct asbi_rng rng;
    double fails; /* of each commit */
    double dies;  /* the process, in a commit */
    bool dead;    /* and since then nothing reaches it */
    bool locked;  /* by a process */
    size_t commits;
    char odd[100]; /* what should not have been committed; "" for nothing */
};

/* The one disk that opens find; NULL for none.  False when out of memory. */
bool disk_init(struct disk *d, uint64_t seed);
void disk_fini(struct disk *d);

/* The process died: whoever is next finds what was committed. */
void disk_revive(struct disk *d);

/* Whether the row has an answer that no later run may ask for again. */
bool disk_has_answer(const struct disk *d, uint64_t row);

/* Whether it is durable that this call would be sent. */
bool disk_has_intent(const struct disk *d, uint64_t number);

#endif
