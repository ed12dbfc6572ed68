/*
 * mem_artefacts.h -- a place for artefacts in memory, which remembers what was
 * finished and fails when told to.
 */
#ifndef ASBI_TESTS_MEM_ARTEFACTS_H
#define ASBI_TESTS_MEM_ARTEFACTS_H

#include "engine/artefacts.h"
#include "engine/base/mem.h"

enum { MEM_ARTEFACTS = 16 };

struct mem_artefacts {
    struct asbi_artefacts place; /* hand out &m.place */
    size_t opened, restarted, finished, closed, dropped, live;
    size_t bytes;      /* written, with what was dropped again */
    size_t write_most; /* bytes after which writing fails; 0: never */
    char last_name[64];
    bool freed;
    bool keeps; /* what is finished can be loaded */
    struct {
        char path[64];
        char *bytes;
        size_t len;
    } kept[MEM_ARTEFACTS];
};

void mem_artefacts_init(struct mem_artefacts *m);

/* What is kept goes. */
void mem_artefacts_fini(struct mem_artefacts *m);

#endif
