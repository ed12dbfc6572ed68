/*
 * journal_sqlite.h -- the journal's store in a file: the one door to SQLite.
 *
 * Write-ahead log, synced at each commit; copied into the file in small steps,
 * so that the loop is not held up.  The file is locked for as long as it is
 * open and readable by its owner only.  It holds answers, but no key and no
 * text of the input.  SQLite uses the C library's memory, not the engine's.
 */
#ifndef ASBI_REAL_JOURNAL_SQLITE_H
#define ASBI_REAL_JOURNAL_SQLITE_H

#include "engine/journal.h"

struct asbi_identity;

/* What was found when the file was opened. */
struct asbi_journal_file {
    struct asbi_journal_store *store; /* the caller's; freed by its free() */
    struct asbi_journal_state state;
    bool fresh; /* there was none: asbi_journal_sqlite_begin() comes next */
};

/**
 * Opens or creates a journal and locks it.
 * @return ASB_OK, ASB_EIO (cannot be opened, in use by another process, no
 *         journal: `why` says which) or ASB_ENOMEM
 */
int asbi_journal_sqlite_open(const struct asbi_mem *mem, const char *path,
                             struct asbi_journal_file *out,
                             struct asb_message *why);

/* Writes whose journal it is, and forgets whose it was. */
int asbi_journal_sqlite_begin(struct asbi_journal_store *store,
                              const struct asbi_identity *identity,
                              const struct asbi_journal_state *state,
                              struct asb_message *why);

/* Tells each name and value of the identity it was begun with. */
int asbi_journal_sqlite_identity(struct asbi_journal_store *store,
                                 void (*tell)(void *arg, const char *name,
                                              const char *value),
                                 void *arg, struct asb_message *why);

/* Whether nobody would miss it: no good answer, no call whose end is unknown,
 * nothing at the provider.  What was spent is in its state.  False when that
 * cannot be told. */
bool asbi_journal_sqlite_is_blank(struct asbi_journal_store *store);

/* Forgets all answers. */
int asbi_journal_sqlite_clear(struct asbi_journal_store *store,
                              struct asb_message *why);

/* Sets all answers aside for find_earlier(): their rows are numbered anew. */
int asbi_journal_sqlite_set_aside(struct asbi_journal_store *store,
                                  struct asb_message *why);

#endif
