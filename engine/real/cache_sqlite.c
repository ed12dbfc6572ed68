#include "engine/real/cache_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"

enum {
    APPLICATION = 0x61736263, /* "asbc", in the file's head */
    VERSION = 1,
    PAGE_BYTES = 4096,
    /* Waiting for others' locks, in milliseconds. */
    PATIENCE_AT_WORK = 5,
    PATIENCE_AT_THE_ENDS = 3000,
    PATIENCE_AT_THE_SWITCH = 20,
    SWITCHES = 100,
};

static const char make[] =
    "CREATE TABLE answer (key BLOB PRIMARY KEY NOT NULL, "
    "expires INTEGER NOT NULL, record BLOB NOT NULL);"
    "CREATE INDEX answer_by_time ON answer (expires);"
    "PRAGMA application_id = 0x61736263;"
    "PRAGMA user_version = 1;";

enum statement {
    BEGIN_READ,
    BEGIN_WRITE,
    COMMIT,
    ROLLBACK,
    GET,
    PUT,
    DROP,
    MAKE_ROOM,
    EXPIRE,
    COUNT_ALL,
    COUNT_EXPIRED,
    EACH,
    STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
    [BEGIN_READ] = "BEGIN",
    [BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET] = "SELECT expires, record FROM answer WHERE key = ?1",
    [PUT] = "INSERT OR REPLACE INTO answer VALUES (?1, ?2, ?3)",
    [DROP] = "DELETE FROM answer WHERE key = ?1",
    [MAKE_ROOM] = ("DELETE FROM answer WHERE rowid IN (SELECT rowid FROM "
                   "answer ORDER BY expires LIMIT 4096)"),
    [EXPIRE] = ("DELETE FROM answer WHERE rowid IN (SELECT rowid FROM answer "
                "WHERE expires <= ?1 LIMIT 4096)"),
    [COUNT_ALL] = "SELECT count(*) FROM answer",
    [COUNT_EXPIRED] = "SELECT count(*) FROM answer WHERE expires <= ?1",
    [EACH] = "SELECT key, expires, record FROM answer ORDER BY key",
};

struct asbi_cache_file {
    struct asbi_store store; /* first: what the engine sees */
    const struct asbi_mem *mem;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
};

static struct asbi_cache_file *file_of(struct asbi_store *s)
{
    return (struct asbi_cache_file *)(void *)s;
}

struct asbi_store *asbi_cache_file_store(struct asbi_cache_file *f)
{
    return &f->store;
}

/* ---- statements ------------------------------------------------------- */

/* Ready to be bound; NULL when it cannot be prepared. */
static sqlite3_stmt *get_statement(struct asbi_cache_file *f,
                                   enum statement which)
{
    if (!f->statements[which])
        (void)sqlite3_prepare_v3(f->db, sql[which], -1,
                                 SQLITE_PREPARE_PERSISTENT,
                                 &f->statements[which], NULL);
    return f->statements[which];
}

/* Runs a statement that gives no rows.  An SQLite code. */
static int finish(struct asbi_cache_file *f, sqlite3_stmt *st)
{
    if (!st)
        return sqlite3_errcode(f->db);
    int rc = sqlite3_step(st);
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int run(struct asbi_cache_file *f, enum statement which)
{
    return finish(f, get_statement(f, which));
}

static void bind_bytes(sqlite3_stmt *st, int at, asbi_str bytes)
{
    (void)sqlite3_bind_blob64(st, at, bytes.at, bytes.len, SQLITE_STATIC);
}

static asbi_str column_bytes(sqlite3_stmt *st, int at)
{
    const char *bytes = sqlite3_column_blob(st, at);

    return asbi_str_of(bytes ? bytes : "",
                       (size_t)sqlite3_column_bytes(st, at));
}

/* Times after the year 292 million are one. */
static sqlite3_int64 signed_ms(uint64_t ms)
{
    return ms > INT64_MAX ? INT64_MAX : (sqlite3_int64)ms;
}

/* Another has the lock, or this one's memory is short: later, perhaps. */
static bool is_passing(int rc)
{
    rc &= 0xff;
    return rc == SQLITE_BUSY || rc == SQLITE_LOCKED || rc == SQLITE_NOMEM;
}

/* ---- as a store ------------------------------------------------------- */

static void store_begin(struct asbi_store *s)
{
    (void)run(file_of(s), BEGIN_READ);
}

static void store_end(struct asbi_store *s)
{
    struct asbi_cache_file *f = file_of(s);

    if (!sqlite3_get_autocommit(f->db) && run(f, COMMIT) != SQLITE_OK)
        (void)run(f, ROLLBACK);
}

static int store_get(struct asbi_store *s, const struct asbi_cache_key *key,
                     uint64_t now_ms, struct asbi_buf *record,
                     uint64_t *expires_ms)
{
    struct asbi_cache_file *f = file_of(s);
    sqlite3_stmt *st = get_statement(f, GET);
    int result = ASB_ENOENT;

    if (!st)
        return is_passing(sqlite3_errcode(f->db)) ? ASB_ENOENT : ASB_EIO;
    bind_bytes(st, 1, asbi_cache_key_str(key));
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && sqlite3_column_int64(st, 0) > signed_ms(now_ms)) {
        *expires_ms = (uint64_t)sqlite3_column_int64(st, 0);
        asbi_buf_str(record, column_bytes(st, 1));
        result = ASB_OK;
    } else if (rc != SQLITE_ROW && rc != SQLITE_DONE && !is_passing(rc)) {
        result = ASB_EIO;
    }
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return result;
}

static int put_one(struct asbi_cache_file *f,
                   const struct asbi_store_entry *entry)
{
    sqlite3_stmt *st = get_statement(f, PUT);

    if (!st)
        return sqlite3_errcode(f->db);
    bind_bytes(st, 1, asbi_cache_key_str(&entry->key));
    (void)sqlite3_bind_int64(st, 2, signed_ms(entry->expires_ms));
    bind_bytes(st, 3, entry->record);
    return finish(f, st);
}

/* In one transaction; the database is as before unless SQLITE_OK. */
static int put_all(struct asbi_cache_file *f,
                   const struct asbi_store_entry *entries, size_t count)
{
    int rc = run(f, BEGIN_WRITE);

    for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
        rc = put_one(f, &entries[i]);
    if (rc == SQLITE_OK)
        rc = run(f, COMMIT);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(f->db))
        (void)run(f, ROLLBACK);
    return rc;
}

static int store_put(struct asbi_store *s,
                     const struct asbi_store_entry *entries, size_t count)
{
    struct asbi_cache_file *f = file_of(s);
    int rc = put_all(f, entries, count);

    if (rc == SQLITE_FULL && run(f, MAKE_ROOM) == SQLITE_OK)
        rc = put_all(f, entries, count);
    if (rc == SQLITE_OK)
        return ASB_OK;
    return is_passing(rc) ? ASB_EBUSY : ASB_EIO;
}

static void store_last(struct asbi_store *s)
{
    (void)sqlite3_busy_timeout(file_of(s)->db, PATIENCE_AT_THE_ENDS);
}

static void store_free(struct asbi_store *s)
{
    struct asbi_cache_file *f = file_of(s);

    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(f->statements[i]);
    (void)sqlite3_close_v2(f->db);
    asbi_free(f->mem, f);
}

static void store_drop(struct asbi_store *s, const struct asbi_cache_key *key)
{
    struct asbi_cache_file *f = file_of(s);
    sqlite3_stmt *st = get_statement(f, DROP);

    if (!st)
        return;
    bind_bytes(st, 1, asbi_cache_key_str(key));
    (void)finish(f, st);
}

static const struct asbi_store_ops store_ops = {
    .begin = store_begin,
    .end = store_end,
    .get = store_get,
    .put = store_put,
    .drop = store_drop,
    .last = store_last,
    .free = store_free,
};

uint64_t asbi_cache_file_now(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- opening ---------------------------------------------------------- */

/* Makes the file, for its owner only; what SQLite puts beside it is alike.  One
 * that exists is not opened here: closing it would drop locks. */
static int create(const struct asbi_cache_file_options *o,
                  struct asb_message *why)
{
    struct stat st;
    int fd = -1;

    if (stat(o->path, &st) == 0) {
        if (S_ISREG(st.st_mode))
            return ASB_OK;
        return asbi_fail(why, ASB_ECONFIG, "cache %.400s: is no ordinary file",
                         o->path);
    }
    if (!o->must_exist)
        fd = open(o->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return asbi_fail(why, ASB_EIO, "cache %.400s: %s", o->path,
                         strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ASB_OK;
}

static int pragma(struct asbi_cache_file *f, const char *text,
                  sqlite3_int64 *value)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(f->db, text, -1, &st, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW && value)
            *value = sqlite3_column_int64(st, 0);
    }
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fail(struct asbi_cache_file *f, const char *path, int rc,
                struct asb_message *why)
{
    bool foreign = (rc & 0xff) == SQLITE_NOTADB;

    return asbi_fail(why, foreign ? ASB_ECONFIG : ASB_EIO,
                     "cache %.400s: %s; name another file, or delete it", path,
                     f->db ? sqlite3_errmsg(f->db) : "out of memory");
}

/* Within a transaction, so that of two that find it empty one makes it. */
static int make_or_check(struct asbi_cache_file *f, bool *foreign)
{
    sqlite3_int64 tables = 0, application = 0, version = 0;
    int rc = pragma(f, "SELECT count(*) FROM sqlite_master", &tables);

    if (rc == SQLITE_OK)
        rc = pragma(f, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = pragma(f, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK)
        return rc;
    if (tables == 0 && application == 0)
        return sqlite3_exec(f->db, make, NULL, NULL, NULL);
    *foreign = application != APPLICATION || version != VERSION;
    return SQLITE_OK;
}

/* To a write-ahead log, which needs the file for itself alone.  Of two that
 * switch a new file SQLite sends one away at once, whatever its patience, since
 * each would wait for the other: so it comes again. */
static int switch_to_log(struct asbi_cache_file *f)
{
    int rc = SQLITE_BUSY;

    (void)sqlite3_busy_timeout(f->db, PATIENCE_AT_THE_SWITCH);
    for (int i = 0; i < SWITCHES && (rc & 0xff) == SQLITE_BUSY; i++) {
        if (i > 0)
            (void)sqlite3_sleep(PATIENCE_AT_THE_SWITCH / 2);
        rc = pragma(f, "PRAGMA journal_mode = WAL", NULL);
    }
    (void)sqlite3_busy_timeout(f->db, PATIENCE_AT_THE_ENDS);
    return rc;
}

static int set_up(struct asbi_cache_file *f, const char *path,
                  struct asb_message *why)
{
    bool foreign = false;
    int rc = switch_to_log(f);

    if (rc == SQLITE_OK)
        rc = pragma(f, "PRAGMA synchronous = NORMAL", NULL);
    if (rc == SQLITE_OK)
        rc = run(f, BEGIN_WRITE);
    if (rc == SQLITE_OK)
        rc = make_or_check(f, &foreign);
    if (rc == SQLITE_OK)
        rc = run(f, COMMIT);
    if (rc != SQLITE_OK)
        return fail(f, path, rc, why);
    if (foreign)
        return asbi_fail(why, ASB_ECONFIG,
                         "cache %.400s: is no cache of this version; name "
                         "another file",
                         path);
    return ASB_OK;
}

/* Before anything is written to a file that is not ours. */
static int check_owner(struct asbi_cache_file *f, const char *path,
                       struct asb_message *why)
{
    sqlite3_int64 pages = 0, application = 0;
    int rc = pragma(f, "PRAGMA page_count", &pages);

    if (rc == SQLITE_OK)
        rc = pragma(f, "PRAGMA application_id", &application);
    if (rc != SQLITE_OK)
        return fail(f, path, rc, why);
    if (pages > 0 && application != 0 && application != APPLICATION)
        return asbi_fail(why, ASB_ECONFIG,
                         "cache %.400s: is another program's database; name "
                         "another file",
                         path);
    return ASB_OK;
}

static void set_limit(struct asbi_cache_file *f, uint64_t max_bytes)
{
    char text[64];

    (void)sqlite3_snprintf(sizeof(text), text, "PRAGMA max_page_count = %llu",
                           (unsigned long long)(max_bytes / PAGE_BYTES));
    if (max_bytes)
        (void)pragma(f, text, NULL);
}

static void expire_some(struct asbi_cache_file *f, uint64_t now_ms)
{
    sqlite3_stmt *st = get_statement(f, EXPIRE);

    if (!st)
        return;
    (void)sqlite3_bind_int64(st, 1, signed_ms(now_ms));
    (void)finish(f, st); /* else the next run does it */
}

int asbi_cache_file_open(const struct asbi_mem *mem,
                         const struct asbi_cache_file_options *o,
                         struct asbi_cache_file **out, struct asb_message *why)
{
    *out = NULL;
    int rc = create(o, why);
    if (rc)
        return rc;
    struct asbi_cache_file *f = asbi_calloc(mem, 1, sizeof(*f));
    if (!f)
        return ASB_ENOMEM;
    f->mem = mem;
    f->store.ops = &store_ops;
    int code = sqlite3_open_v2(
        o->path, &f->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        rc = fail(f, o->path, code, why);
    if (!rc) {
        (void)sqlite3_busy_timeout(f->db, PATIENCE_AT_THE_ENDS);
        rc = check_owner(f, o->path, why);
    }
    if (!rc)
        rc = set_up(f, o->path, why);
    if (rc) {
        store_free(&f->store);
        return rc;
    }
    set_limit(f, o->max_bytes);
    expire_some(f, o->now_ms ? o->now_ms : asbi_cache_file_now());
    (void)sqlite3_busy_timeout(f->db, PATIENCE_AT_WORK);
    *out = f;
    return ASB_OK;
}

/* ---- for people ------------------------------------------------------- */

static int count(struct asbi_cache_file *f, enum statement which, uint64_t *n)
{
    sqlite3_stmt *st = get_statement(f, which);

    if (!st)
        return ASB_EIO;
    if (which == COUNT_EXPIRED)
        (void)sqlite3_bind_int64(st, 1, signed_ms(asbi_cache_file_now()));
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *n = (uint64_t)sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    return rc == SQLITE_ROW ? ASB_OK : ASB_EIO;
}

int asbi_cache_file_stats(struct asbi_cache_file *f,
                          struct asbi_cache_file_stats *out)
{
    sqlite3_int64 pages = 0, page_bytes = 0;

    *out = (struct asbi_cache_file_stats){ 0 };
    if (pragma(f, "PRAGMA page_count", &pages) != SQLITE_OK ||
        pragma(f, "PRAGMA page_size", &page_bytes) != SQLITE_OK)
        return ASB_EIO;
    out->file_bytes = (uint64_t)(pages * page_bytes);
    int rc = count(f, COUNT_ALL, &out->answers);
    return rc ? rc : count(f, COUNT_EXPIRED, &out->expired);
}

int asbi_cache_file_each(struct asbi_cache_file *f,
                         int (*each)(void *arg,
                                     const struct asbi_store_entry *entry),
                         void *arg)
{
    sqlite3_stmt *st = get_statement(f, EACH);
    int rc = st ? SQLITE_ROW : SQLITE_ERROR;
    bool more = true;

    while (more && rc == SQLITE_ROW && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct asbi_store_entry entry = {
            .expires_ms = (uint64_t)sqlite3_column_int64(st, 1),
            .record = column_bytes(st, 2),
        };
        asbi_str key = column_bytes(st, 0);

        if (key.len != sizeof(entry.key.bytes))
            continue;
        memcpy(entry.key.bytes, key.at, key.len);
        more = each(arg, &entry) == 0;
    }
    (void)sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ASB_OK : ASB_EIO;
}

int asbi_cache_file_purge(struct asbi_cache_file *f, bool all,
                          uint64_t *deleted)
{
    uint64_t now_ms = all ? UINT64_MAX : asbi_cache_file_now();
    int changed = 1;

    *deleted = 0;
    (void)sqlite3_busy_timeout(f->db, PATIENCE_AT_THE_ENDS);
    while (changed > 0) {
        sqlite3_stmt *st = get_statement(f, EXPIRE);

        if (!st)
            return ASB_EIO;
        (void)sqlite3_bind_int64(st, 1, signed_ms(now_ms));
        if (finish(f, st) != SQLITE_OK)
            return ASB_EIO;
        changed = sqlite3_changes(f->db);
        *deleted += (uint64_t)changed;
    }
    return sqlite3_exec(f->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK
               ? ASB_OK
               : ASB_EIO;
}
