/*
 * torn_model.h -- what a journal must hold: the same records as were given to
 * it, kept in plain arrays, and compared with what its file tells.
 *
 * An answer is known by its stamp, from which all that is in it follows.
 */
#ifndef ASBI_TESTS_TORN_MODEL_H
#define ASBI_TESTS_TORN_MODEL_H

#include <stdbool.h>

#include "engine/journal.h"

enum {
    MODEL_ROWS = 48,
    MODEL_CALLS = 24,
    MODEL_PARTS = 64,
    MODEL_EARLIER = 256,
    MODEL_LONGEST = 20000, /* bytes of an answer */
};

struct model_call {
    uint64_t number; /* 0: none */
    int64_t worst;
    uint64_t rows[4];
    size_t count;
    uint64_t job; /* the stamp of what it has begun; 0: nothing */
};

struct model_part {
    uint64_t call, seq, stamp; /* call 0: none */
};

struct model {
    bool begun;
    struct asbi_journal_state state;
    uint64_t answers[MODEL_ROWS]; /* stamps; 0: none */
    bool unplaced[MODEL_ROWS];    /* its place was forgotten */
    struct model_call calls[MODEL_CALLS];
    struct model_part parts[MODEL_PARTS];
    uint64_t earlier[MODEL_EARLIER]; /* stamps of what was set aside */
    size_t earlier_count;
};

/* The answer that a stamp stands for; `text` has MODEL_LONGEST bytes for what
 * it points to. */
void model_answer(uint64_t stamp, uint64_t seq, char *text,
                  struct asbi_journal_answer *out);

/* The job that a stamp stands for; `id` has room for its name. */
void model_job(uint64_t stamp, uint64_t call, char id[24],
               struct asbi_journal_job *out);

/* As the store does with each record. */
void model_put(struct model *m, const struct asbi_journal_record *r,
               uint64_t stamp);
void model_set_aside(struct model *m);
void model_unplace(struct model *m, uint64_t mark);

/* Places that are free; NULL, or ASBI_NO_ROW, when there is none. */
struct model_call *model_call_of(struct model *m, uint64_t number);
bool model_has_room(const struct model *m);

/* NULL when the store holds just this; else what is other.  Static text. */
const char *model_differs(const struct model *m,
                          struct asbi_journal_store *store,
                          const struct asbi_journal_state *state);

#endif
