/*
 * journal_sqlite_back.c -- a journal whose file is deleted while it is in use.
 *
 * What is open stays readable until it is closed, so nothing is lost yet: a
 * copy of all of it is written where it was, and the run goes on with that.
 * What somebody else has put there meanwhile is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/real/journal_sqlite_private.h"

static bool file_is_gone(struct asbi_sqlite_store *s)
{
    int moved = 0;

    return s->db &&
           sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED,
                                &moved) == SQLITE_OK &&
           moved;
}

/* Without it the file holds only what was copied into it so far. */
static bool log_is_gone(const struct asbi_sqlite_store *s)
{
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(s->db, "main"));
    struct stat st;

    return path && stat(path, &st) != 0 && errno == ENOENT;
}

bool asbi_sqlite_is_gone(struct asbi_journal_store *store)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);

    return file_is_gone(s) || log_is_gone(s);
}

/* To the disk, before it is relied on. */
static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd >= 0 && fsync(fd) == 0 ? 0 : -1;

    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int fail(const struct asbi_sqlite_store *s, const char *reason,
                struct asb_message *why)
{
    return asbi_fail(why, ASB_EIO,
                     "journal %.400s was deleted while it was in use and "
                     "cannot be put back: %s",
                     s->path, reason);
}

static int copy_to_path(struct asbi_sqlite_store *s, struct asb_message *why)
{
    sqlite3_stmt *st = NULL;
    struct stat there;

    int rc = asbi_sqlite_create(s->path, why);
    if (rc)
        return rc;
    if (stat(s->path, &there) != 0 || there.st_size > 0)
        return fail(s, "another file is in its place", why);
    if (sqlite3_prepare_v2(s->db, "VACUUM INTO ?1", -1, &st, NULL) == SQLITE_OK)
        (void)sqlite3_bind_text(st, 1, s->path, -1, SQLITE_STATIC);
    if (asbi_sqlite_run(st) != SQLITE_DONE)
        rc = fail(s, sqlite3_errmsg(s->db), why);
    else if (sync_file(s->path))
        rc = fail(s, strerror(errno), why);
    (void)sqlite3_finalize(st);
    return rc;
}

/* The file is ours still, and only its log is gone: closing it copies what is
 * in the log, which is still open. */
int asbi_sqlite_put_back(struct asbi_journal_store *store,
                         struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    bool fresh;

    for (size_t i = 0; i < STATEMENTS; i++)
        (void)sqlite3_reset(s->statements[i]);
    int rc = file_is_gone(s) ? copy_to_path(s, why) : ASB_OK;
    if (rc)
        return rc;
    asbi_sqlite_disconnect(s);
    rc = asbi_sqlite_connect(s, &fresh, why);
    return rc || !fresh ? rc : fail(s, "the copy is empty", why);
}
