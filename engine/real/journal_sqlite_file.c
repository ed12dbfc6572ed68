#include "engine/real/journal_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/job_identity.h"
#include "engine/real/journal_sqlite_private.h"

enum {
    APPLICATION = 0x61736a36, /* "asj6": whose file it is, and which layout */
};

#define COLUMNS                                                          \
    "key INTEGER, round INTEGER, place INTEGER, ok INTEGER, "            \
    "retryable INTEGER, is_json INTEGER, source INTEGER, "               \
    "http_status INTEGER, attempts INTEGER, input_tokens INTEGER, "      \
    "cached_tokens INTEGER, output_tokens INTEGER, nano_usd INTEGER, "   \
    "output BLOB, body BLOB, request_id TEXT, code TEXT, message TEXT, " \
    "saved_nano_usd INTEGER, route TEXT)"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS identity (name TEXT, value TEXT);"
    "CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, "
    "round INTEGER, finished INTEGER, rows INTEGER, bytes INTEGER, "
    "device INTEGER, inode INTEGER, boot INTEGER, next_call INTEGER, "
    "nano_usd INTEGER, spent_nano_usd INTEGER, doubtful_nano_usd INTEGER);"
    "CREATE TABLE IF NOT EXISTS call (number INTEGER PRIMARY KEY, "
    "worst_nano_usd INTEGER, rows BLOB, job INTEGER, line INTEGER, "
    "seed INTEGER);"
    "CREATE TABLE IF NOT EXISTS part (call INTEGER, seq INTEGER, key INTEGER, "
    "is_json INTEGER, source INTEGER, attempts INTEGER, output BLOB, "
    "PRIMARY KEY (call, seq)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS job (number INTEGER PRIMARY KEY, "
    "id BLOB, address BLOB);"
    "CREATE TABLE IF NOT EXISTS answer (seq INTEGER PRIMARY KEY, " COLUMNS ";"
    "CREATE TABLE IF NOT EXISTS earlier (seq INTEGER, " COLUMNS ";"
    "CREATE INDEX IF NOT EXISTS failures ON answer (seq) WHERE NOT ok;"
    "CREATE INDEX IF NOT EXISTS earlier_keys ON earlier (key);";

/* Before anything is sent. */
static int fail_at_start(const struct asbi_sqlite_store *s,
                         struct asb_message *why)
{
    return asbi_fail(why, ASB_EIO,
                     "journal %.400s: %s; see that the disk has room and that "
                     "the file and its folder can be written, then run the "
                     "same command again",
                     s->path, s->db ? sqlite3_errmsg(s->db) : "no memory");
}

static int execute(struct asbi_sqlite_store *s, const char *text,
                   struct asb_message *why)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? ASB_OK
               : fail_at_start(s, why);
}

static void bind_c(sqlite3_stmt *st, int at, const char *text)
{
    (void)sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

/* ---- whose it is ------------------------------------------------------ */

static bool put_identity(struct asbi_sqlite_store *s,
                         const struct asbi_identity *identity)
{
    sqlite3_stmt *st = NULL;
    bool good =
        sqlite3_prepare_v2(s->db, "INSERT INTO identity VALUES (?1, ?2)", -1,
                           &st, NULL) == SQLITE_OK;

    for (size_t i = 0; good && i < identity->count; i++) {
        bind_c(st, 1, identity->entries[i].name);
        bind_c(st, 2, identity->entries[i].value);
        good = asbi_sqlite_run(st) == SQLITE_DONE;
    }
    (void)sqlite3_finalize(st);
    return good;
}

int asbi_journal_sqlite_begin(struct asbi_journal_store *store,
                              const struct asbi_identity *identity,
                              const struct asbi_journal_state *state,
                              struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    char pragma[64];

    (void)snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d",
                   APPLICATION);
    int rc = execute(s, "BEGIN IMMEDIATE", why);
    if (rc)
        return rc;
    rc = execute(s, schema, why);
    if (!rc)
        rc = execute(s, "DELETE FROM identity", why);
    if (!rc)
        rc = execute(s, pragma, why);
    if (!rc && !(put_identity(s, identity) && asbi_sqlite_put_state(s, state)))
        rc = fail_at_start(s, why);
    if (!rc)
        rc = execute(s, "COMMIT", why);
    if (rc && !sqlite3_get_autocommit(s->db))
        (void)execute(s, "ROLLBACK", NULL);
    return rc;
}

int asbi_journal_sqlite_identity(struct asbi_journal_store *store,
                                 void (*tell)(void *arg, const char *name,
                                              const char *value),
                                 void *arg, struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    sqlite3_stmt *st = NULL;
    int step = sqlite3_prepare_v2(
        s->db, "SELECT name, value FROM identity ORDER BY rowid", -1, &st,
        NULL);

    while (st && (step = sqlite3_step(st)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0);
        const char *value = (const char *)sqlite3_column_text(st, 1);

        if (name && value)
            tell(arg, name, value);
    }
    int rc = step == SQLITE_DONE ? ASB_OK : fail_at_start(s, why);
    (void)sqlite3_finalize(st);
    return rc;
}

int asbi_journal_sqlite_set_aside(struct asbi_journal_store *store,
                                  struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    int rc = execute(s,
                     "BEGIN IMMEDIATE; DELETE FROM earlier WHERE key IN "
                     "(SELECT key FROM answer); INSERT INTO earlier (" ANSWER
                     ") SELECT " ANSWER " FROM answer; INSERT INTO earlier "
                     "(seq, key, ok, is_json, source, attempts, output) SELECT "
                     "seq, key, 1, is_json, source, attempts, output FROM "
                     "part; DELETE FROM answer; DELETE FROM part; "
                     "UPDATE call SET rows = x''; DELETE FROM job; COMMIT",
                     why);

    if (rc && !sqlite3_get_autocommit(s->db))
        (void)execute(s, "ROLLBACK", NULL);
    return rc;
}

int asbi_journal_sqlite_clear(struct asbi_journal_store *store,
                              struct asb_message *why)
{
    return execute(asbi_sqlite_of(store), "DELETE FROM answer", why);
}

/* ---- opening ---------------------------------------------------------- */

/* SQLite would let others read it.  An empty file is an empty database. */
int asbi_sqlite_create(const char *path, struct asb_message *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return ASB_OK;
    if (fd < 0)
        return asbi_fail(why, ASB_EIO,
                         "journal %.400s: cannot be created: %s; name another "
                         "place by --journal FILE, or run with --no-journal",
                         path, strerror(errno));
    (void)close(fd);
    return ASB_OK;
}

static int on_log_grown(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct asbi_sqlite_store *s = arg;

    (void)db;
    (void)name;
    s->log_pages = pages;
    return SQLITE_OK;
}

static int refuse(const struct asbi_sqlite_store *s, struct asb_message *why)
{
    int code = sqlite3_errcode(s->db) & 0xff;

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return asbi_fail(why, ASB_EIO,
                         "journal %.400s: another run is at work on it; wait "
                         "for its end, or name another output or --journal",
                         s->path);
    if (code == SQLITE_NOTADB)
        return asbi_fail(why, ASB_EIO,
                         "journal %.400s: this file is no journal; name "
                         "another by --journal FILE",
                         s->path);
    return fail_at_start(s, why);
}

/* One number from a statement; false when there is none. */
static bool number(struct asbi_sqlite_store *s, const char *text, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    bool found = sqlite3_prepare_v2(s->db, text, -1, &st, NULL) == SQLITE_OK &&
                 sqlite3_step(st) == SQLITE_ROW;

    if (found)
        *out = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return found;
}

/* Nobody else's data base is touched. */
static int look(struct asbi_sqlite_store *s, bool *fresh,
                struct asb_message *why)
{
    int64_t application = 0, tables = 0;

    if (!number(s, "PRAGMA application_id", &application) ||
        !number(s, "SELECT count(*) FROM sqlite_master", &tables))
        return refuse(s, why);
    *fresh = tables == 0;
    if (tables && application != APPLICATION)
        return asbi_fail(why, ASB_EIO,
                         "journal %.400s: this data base is no journal of "
                         "this version; name another by --journal FILE",
                         s->path);
    return ASB_OK;
}

bool asbi_journal_sqlite_is_blank(struct asbi_journal_store *store)
{
    int64_t kept = 1;

    return number(asbi_sqlite_of(store),
                  "SELECT EXISTS (SELECT 1 FROM answer WHERE ok) + "
                  "EXISTS (SELECT 1 FROM part) + EXISTS (SELECT 1 FROM call) + "
                  "EXISTS (SELECT 1 FROM job) + EXISTS (SELECT 1 FROM earlier)",
                  &kept) &&
           kept == 0;
}

/* The lock comes with the first statement and stays until the end. */
int asbi_sqlite_connect(struct asbi_sqlite_store *s, bool *fresh,
                        struct asb_message *why)
{
    static const char settings[] =
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
        "PRAGMA temp_store=MEMORY; BEGIN EXCLUSIVE; COMMIT";

    if (sqlite3_open_v2(s->path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return s->db ? refuse(s, why) : ASB_ENOMEM;
    int rc = look(s, fresh, why);
    if (rc)
        return rc;
    if (sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK)
        return refuse(s, why);
    (void)sqlite3_wal_hook(s->db, on_log_grown, s);
    return ASB_OK;
}

/* The last one out copies the log into the file and removes it. */
void asbi_sqlite_disconnect(struct asbi_sqlite_store *s)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    (void)sqlite3_close(s->db);
    s->db = NULL;
}

static int read_state(struct asbi_sqlite_store *s,
                      struct asbi_journal_state *out, struct asb_message *why)
{
    sqlite3_stmt *st = NULL;
    uint64_t v[11] = { 0 };
    int rc = sqlite3_prepare_v2(s->db, "SELECT * FROM state WHERE id = 0", -1,
                                &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    for (int i = 0; rc == SQLITE_ROW && i < 11; i++)
        v[i] = (uint64_t)sqlite3_column_int64(st, i + 1);
    (void)sqlite3_finalize(st);
    *out = (struct asbi_journal_state){
        .round = v[0],
        .finished = v[1] != 0,
        .rows = v[2],
        .bytes = v[3],
        .device = v[4],
        .inode = v[5],
        .boot = v[6],
        .next_call = v[7],
        .cost = (int64_t)v[8],
        .spent = (int64_t)v[9],
        .doubtful = (int64_t)v[10],
    };
    return rc == SQLITE_ROW ? ASB_OK : fail_at_start(s, why);
}

int asbi_journal_sqlite_open(const struct asbi_mem *mem, const char *path,
                             struct asbi_journal_file *out,
                             struct asb_message *why)
{
    size_t len = strlen(path) + 1;
    struct asbi_sqlite_store *s = asbi_calloc(mem, 1, sizeof(*s) + len);

    *out = (struct asbi_journal_file){ .store = NULL };
    if (!s)
        return ASB_ENOMEM;
    s->store.ops = &asbi_sqlite_store_ops;
    s->mem = mem;
    memcpy(s->path, path, len);
    int rc = asbi_sqlite_create(path, why);
    if (!rc)
        rc = asbi_sqlite_connect(s, &out->fresh, why);
    if (!rc && !out->fresh)
        rc = read_state(s, &out->state, why);
    if (rc) {
        s->store.ops->free(&s->store);
        return rc;
    }
    out->store = &s->store;
    return ASB_OK;
}
