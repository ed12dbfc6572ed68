/*
 * journal_sqlite_private.h -- what the files of the door to SQLite share:
 * journal_sqlite.c (records in), journal_sqlite_find.c (answers out),
 * journal_sqlite_file.c (the file: opened, locked, made, told whose it is) and
 * journal_sqlite_back.c (the file is deleted while it is in use).
 */
#ifndef ASBI_REAL_JOURNAL_SQLITE_PRIVATE_H
#define ASBI_REAL_JOURNAL_SQLITE_PRIVATE_H

#include <sqlite3.h>

#include "engine/real/journal_sqlite.h"

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    PUT_CALL,
    END_CALL,
    PUT_JOB,
    END_JOB,
    PUT_PART,
    END_PARTS,
    HAS_PART,
    EACH_PART,
    PUT_ANSWER,
    PUT_STATE,
    FIND,
    FIND_EARLIER,
    OPEN_CALLS,
    OPEN_LINES,
    OPEN_JOBS,
    COUNT_BY_ROW,
    COUNT_BY_PLACE,
    UNPLACE,
    STATEMENTS,
};

#define ANSWER                                                              \
    "seq, key, round, place, ok, retryable, is_json, source, http_status, " \
    "attempts, input_tokens, cached_tokens, output_tokens, nano_usd, "      \
    "output, body, request_id, code, message, saved_nano_usd, route"

struct asbi_sqlite_store {
    struct asbi_journal_store store;
    const struct asbi_mem *mem;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int log_pages; /* in the write-ahead log, not yet in the file */
    char path[];
};

static inline struct asbi_sqlite_store *
asbi_sqlite_of(struct asbi_journal_store *s)
{
    return (struct asbi_sqlite_store *)(void *)s;
}

extern const struct asbi_journal_store_ops asbi_sqlite_store_ops;

/* ASB_EIO, with the file and what SQLite says in `why`. */
int asbi_sqlite_fail(const struct asbi_sqlite_store *s,
                     struct asb_message *why);

/* A statement ready to be bound; NULL when it cannot be prepared. */
sqlite3_stmt *asbi_sqlite_get(struct asbi_sqlite_store *s,
                              enum statement which);

/* Numbers that have no sign here keep their bits there. */
void asbi_sqlite_bind(sqlite3_stmt *st, int at, uint64_t n);

/* Runs a statement that gives no rows, or whose rows do not matter, and resets
 * it.  SQLITE_DONE when all went well; NULL is SQLITE_NOMEM. */
int asbi_sqlite_run(sqlite3_stmt *st);

/* Inside a transaction. */
bool asbi_sqlite_put_state(struct asbi_sqlite_store *s,
                           const struct asbi_journal_state *state);

/* ---- journal_sqlite_file.c ------------------------------------------------
 */

/* Makes the file, for its owner only, unless there is one. */
int asbi_sqlite_create(const char *path, struct asb_message *why);

/* Opens and locks the file at s->path, if it is a journal or empty. */
int asbi_sqlite_connect(struct asbi_sqlite_store *s, bool *fresh,
                        struct asb_message *why);

/* Finalizes the statements and closes the file. */
void asbi_sqlite_disconnect(struct asbi_sqlite_store *s);

/* ---- journal_sqlite_back.c: of the operations of a store ------------------
 */

bool asbi_sqlite_is_gone(struct asbi_journal_store *store);
int asbi_sqlite_put_back(struct asbi_journal_store *store,
                         struct asb_message *why);

/* ---- journal_sqlite_find.c: of the operations of a store -------------------
 */

int asbi_sqlite_find(struct asbi_journal_store *store, uint64_t seq,
                     struct asbi_journal_answer *out, struct asb_message *why);
int asbi_sqlite_find_earlier(struct asbi_journal_store *store, uint64_t key,
                             struct asbi_journal_answer *out,
                             struct asb_message *why);
int asbi_sqlite_each_job(struct asbi_journal_store *store,
                         int (*on_job)(void *arg,
                                       const struct asbi_journal_job *job),
                         void *arg, struct asb_message *why);
int asbi_sqlite_each_line(struct asbi_journal_store *store, uint64_t job,
                          int (*on_call)(void *arg,
                                         const struct asbi_journal_call *call),
                          void *arg, struct asb_message *why);
int asbi_sqlite_each_open(struct asbi_journal_store *store,
                          int (*on_call)(void *arg,
                                         const struct asbi_journal_call *call),
                          void *arg, struct asb_message *why);
int asbi_sqlite_each_part(
    struct asbi_journal_store *store, uint64_t call,
    int (*on_part)(void *arg, const struct asbi_journal_answer *part),
    void *arg, struct asb_message *why);
int asbi_sqlite_count(struct asbi_journal_store *store, bool by_place,
                      uint64_t mark, struct asbi_journal_count *out,
                      struct asb_message *why);

#endif
