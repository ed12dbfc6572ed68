/*
 * mem_journal.h -- a journal's store in memory, which remembers what was
 * committed and fails when told to.
 */
#ifndef ASBI_TESTS_MEM_JOURNAL_H
#define ASBI_TESTS_MEM_JOURNAL_H

#include "engine/journal.h"

struct mem_journal {
    struct asbi_journal_store store; /* hand out &m.store */
    size_t commits, refused;
    size_t fail_from, fail_until; /* commits that fail, 1-based; 0: none */
    size_t intents, parts, ends, answers, jobs, jobs_over;
    uint64_t last_row; /* of the last intent, its first */
    size_t last_rows;  /* and how many it names */
    char last_output[64];
    struct asbi_journal_state state;
};

void mem_journal_init(struct mem_journal *m);

#endif
