#include "engine/real/journal_sqlite.h"

#include "engine/base/error.h"
#include "engine/real/clock.h"
#include "engine/real/journal_sqlite_private.h"

enum {
    /* Pages in the log that are copied into the file when there is time, and
     * when there is none.  Each costs two syncs whatever their number; a
     * thousand take a few milliseconds to copy. */
    TIDY_PAGES = 250,
    MOST_PAGES = 1000,
};

#define COUNT(what)                                    \
    "SELECT count(*), coalesce(sum(" what              \
    " < ?1), 0), coalesce(sum(retryable), 0), "        \
    "coalesce(sum(code = 'in_doubt'), 0), "            \
    "(SELECT coalesce(max(seq) + 1, 0) FROM answer), " \
    "EXISTS (SELECT 1 FROM earlier) FROM answer WHERE NOT ok"

#define CALL "number, worst_nano_usd, rows, job, line, seed"
/* A call that is a line of none may be a job by itself. */
#define ITS_JOB "CASE job WHEN 0 THEN number ELSE job END"

static const char *const sql[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT_CALL] = "INSERT INTO call VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [END_CALL] = "DELETE FROM call WHERE number = ?1",
    [PUT_JOB] = "INSERT OR REPLACE INTO job VALUES (?1, ?2, ?3)",
    [END_JOB] = "DELETE FROM job WHERE number = ?1",
    [PUT_PART] = ("INSERT OR REPLACE INTO part VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                  "?7)"),
    [END_PARTS] = "DELETE FROM part WHERE call = ?1",
    [HAS_PART] = "SELECT 1 FROM part WHERE call = ?1 AND seq = ?2",
    [EACH_PART] = ("SELECT seq, key, is_json, source, attempts, output FROM "
                   "part WHERE call = ?1"),
    [PUT_ANSWER] = "INSERT OR REPLACE INTO answer (" ANSWER
                   ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                   "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [PUT_STATE] = "INSERT OR REPLACE INTO state VALUES (0, ?1, ?2, ?3, ?4, "
                  "?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [FIND] = "SELECT " ANSWER " FROM answer WHERE seq = ?1",
    [FIND_EARLIER] = "SELECT " ANSWER " FROM earlier WHERE key = ?1 "
                     "ORDER BY ok DESC LIMIT 1",
    [OPEN_CALLS] = ("SELECT " CALL " FROM call WHERE " ITS_JOB
                    " NOT IN (SELECT number FROM job)"),
    [OPEN_LINES] = "SELECT " CALL " FROM call WHERE " ITS_JOB " = ?1",
    [OPEN_JOBS] = "SELECT number, id, address FROM job",
    [COUNT_BY_ROW] = COUNT("seq"),
    [COUNT_BY_PLACE] = COUNT("place"),
    [UNPLACE] = "UPDATE answer SET place = NULL WHERE place >= ?1",
};

/* ---- statements ------------------------------------------------------- */

int asbi_sqlite_fail(const struct asbi_sqlite_store *s, struct asb_message *why)
{
    return asbi_fail(why, ASB_EIO, "journal %.400s: %s", s->path,
                     s->db ? sqlite3_errmsg(s->db) : "no memory");
}

/* A statement ready to be bound; NULL when it cannot be prepared. */
sqlite3_stmt *asbi_sqlite_get(struct asbi_sqlite_store *s, enum statement which)
{
    sqlite3_stmt **st = &s->statements[which];

    if (!*st)
        (void)sqlite3_prepare_v3(s->db, sql[which], -1,
                                 SQLITE_PREPARE_PERSISTENT, st, NULL);
    return *st;
}

/* Numbers that have no sign here keep their bits there. */
void asbi_sqlite_bind(sqlite3_stmt *st, int at, uint64_t n)
{
    (void)sqlite3_bind_int64(st, at, (sqlite3_int64)n);
}

int asbi_sqlite_run(sqlite3_stmt *st)
{
    int rc = st ? sqlite3_step(st) : SQLITE_NOMEM;

    if (st)
        (void)sqlite3_reset(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static bool done(struct asbi_sqlite_store *s, enum statement which)
{
    return asbi_sqlite_run(asbi_sqlite_get(s, which)) == SQLITE_DONE;
}

/* ---- committing ------------------------------------------------------- */

/* Row numbers, eight bytes each, the lowest first. */
static void put_rows(char *to, const struct asbi_journal_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        for (unsigned byte = 0; byte < 8; byte++)
            *to++ = (char)(unsigned char)(call->rows[i] >> 8 * byte);
    }
}

static bool put_call(struct asbi_sqlite_store *s,
                     const struct asbi_journal_call *call)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, PUT_CALL);
    char *rows = sqlite3_malloc64(call->count * 8 + 1);

    if (!st || !rows) {
        sqlite3_free(rows);
        return false;
    }
    put_rows(rows, call);
    asbi_sqlite_bind(st, 1, call->number);
    (void)sqlite3_bind_int64(st, 2, call->worst);
    (void)sqlite3_bind_blob64(st, 3, rows, call->count * 8, sqlite3_free);
    asbi_sqlite_bind(st, 4, call->job);
    asbi_sqlite_bind(st, 5, call->line);
    asbi_sqlite_bind(st, 6, call->seed);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

static void bind_blob(sqlite3_stmt *st, int at, asbi_str s)
{
    (void)sqlite3_bind_blob64(st, at, s.len ? s.at : "", s.len, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *st, int at, asbi_str s)
{
    (void)sqlite3_bind_text64(st, at, s.len ? s.at : "", s.len, SQLITE_STATIC,
                              SQLITE_UTF8);
}

static bool put_answer(struct asbi_sqlite_store *s,
                       const struct asbi_journal_answer *a)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, PUT_ANSWER);
    const struct asb_result *r = &a->result;

    if (!st)
        return false;
    asbi_sqlite_bind(st, 1, a->seq);
    asbi_sqlite_bind(st, 2, a->key);
    asbi_sqlite_bind(st, 3, a->round);
    if (a->place == ASBI_NO_ROW)
        (void)sqlite3_bind_null(st, 4);
    else
        asbi_sqlite_bind(st, 4, a->place);
    asbi_sqlite_bind(st, 5, r->ok);
    asbi_sqlite_bind(st, 6, r->retryable);
    asbi_sqlite_bind(st, 7, r->output_is_json);
    asbi_sqlite_bind(st, 8, r->source);
    asbi_sqlite_bind(st, 9, (uint64_t)r->http_status);
    asbi_sqlite_bind(st, 10, r->attempts);
    asbi_sqlite_bind(st, 11, r->usage.input_tokens);
    asbi_sqlite_bind(st, 12, r->usage.cached_tokens);
    asbi_sqlite_bind(st, 13, r->usage.output_tokens);
    (void)sqlite3_bind_int64(st, 14, r->cost_nano_usd);
    bind_blob(st, 15, r->output);
    bind_blob(st, 16, r->body);
    bind_text(st, 17, r->request_id);
    bind_text(st, 18, asbi_str_c(r->error_code));
    bind_text(st, 19, r->error_message);
    (void)sqlite3_bind_int64(st, 20, r->saved_nano_usd);
    if (r->route)
        bind_text(st, 21, asbi_str_c(r->route));
    else
        (void)sqlite3_bind_null(st, 21);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

static bool put_part(struct asbi_sqlite_store *s, uint64_t call,
                     const struct asbi_journal_answer *a)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, PUT_PART);

    if (!st)
        return false;
    asbi_sqlite_bind(st, 1, call);
    asbi_sqlite_bind(st, 2, a->seq);
    asbi_sqlite_bind(st, 3, a->key);
    asbi_sqlite_bind(st, 4, a->result.output_is_json);
    asbi_sqlite_bind(st, 5, a->result.source);
    asbi_sqlite_bind(st, 6, a->result.attempts);
    bind_blob(st, 7, a->result.output);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

static bool end_with(struct asbi_sqlite_store *s, enum statement which,
                     uint64_t call)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, which);

    if (st)
        asbi_sqlite_bind(st, 1, call);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

bool asbi_sqlite_put_state(struct asbi_sqlite_store *s,
                           const struct asbi_journal_state *state)
{
    const uint64_t values[] = {
        state->round,
        state->finished,
        state->rows,
        state->bytes,
        state->device,
        state->inode,
        state->boot,
        state->next_call,
        (uint64_t)state->cost,
        (uint64_t)state->spent,
        (uint64_t)state->doubtful,
    };
    sqlite3_stmt *st = asbi_sqlite_get(s, PUT_STATE);

    for (int i = 0; st && i < (int)(sizeof(values) / sizeof(values[0])); i++)
        asbi_sqlite_bind(st, i + 1, values[i]);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

static bool put_job(struct asbi_sqlite_store *s,
                    const struct asbi_journal_job *job)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, PUT_JOB);

    if (!st)
        return false;
    asbi_sqlite_bind(st, 1, job->number);
    bind_blob(st, 2, job->id);
    bind_blob(st, 3, job->address);
    return asbi_sqlite_run(st) == SQLITE_DONE;
}

static bool put_record(struct asbi_sqlite_store *s,
                       const struct asbi_journal_record *r)
{
    switch (r->kind) {
    case ASBI_RECORD_INTENT:
        return put_call(s, &r->call);
    case ASBI_RECORD_PART:
        return put_part(s, r->call.number, &r->answer);
    case ASBI_RECORD_END:
        return end_with(s, END_CALL, r->call.number) &&
               end_with(s, END_PARTS, r->call.number);
    case ASBI_RECORD_JOB:
        return put_job(s, &r->job);
    case ASBI_RECORD_OVER:
        return end_with(s, END_JOB, r->job.number);
    case ASBI_RECORD_ANSWER:
        return put_answer(s, &r->answer);
    }
    return false;
}

static bool put_all(struct asbi_sqlite_store *s,
                    const struct asbi_list *records,
                    const struct asbi_journal_state *state)
{
    ASBI_LIST_EACH (link, records) {
        if (!put_record(s, ASBI_OF(link, struct asbi_journal_record, link)))
            return false;
    }
    return asbi_sqlite_put_state(s, state) && done(s, COMMIT);
}

/* Copies the log into the file.  Refused by nobody: the file is ours alone. */
static void checkpoint(struct asbi_sqlite_store *s)
{
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                    NULL, NULL);
    s->log_pages = 0;
}

static int store_commit(struct asbi_journal_store *store,
                        const struct asbi_list *records,
                        const struct asbi_journal_state *state,
                        struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    uint64_t began = asbi_clock_read();
    int rc = ASB_OK;

    /* An answer still being read would keep the log from being emptied. */
    (void)sqlite3_reset(s->statements[FIND]);
    (void)sqlite3_reset(s->statements[FIND_EARLIER]);
    if (!done(s, BEGIN))
        return asbi_sqlite_fail(s, why);
    if (!put_all(s, records, state)) {
        rc = asbi_sqlite_fail(s, why);
        if (!sqlite3_get_autocommit(s->db))
            (void)done(s, ROLLBACK);
    }
    store->took_ns = asbi_clock_read() - began;
    if (s->log_pages >= MOST_PAGES)
        checkpoint(s);
    return rc;
}

static void store_tidy(struct asbi_journal_store *store)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);

    if (s->log_pages >= TIDY_PAGES)
        checkpoint(s);
}

static int store_unplace(struct asbi_journal_store *store, uint64_t mark,
                         struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    sqlite3_stmt *st = asbi_sqlite_get(s, UNPLACE);

    if (st)
        asbi_sqlite_bind(st, 1, mark);
    return asbi_sqlite_run(st) == SQLITE_DONE ? ASB_OK
                                              : asbi_sqlite_fail(s, why);
}

/* ---- the end ----------------------------------------------------------- */

static void store_free(struct asbi_journal_store *store)
{
    if (!store)
        return;
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);

    asbi_sqlite_disconnect(s);
    asbi_free(s->mem, s);
}

const struct asbi_journal_store_ops asbi_sqlite_store_ops = {
    .commit = store_commit,
    .find = asbi_sqlite_find,
    .find_earlier = asbi_sqlite_find_earlier,
    .each_open = asbi_sqlite_each_open,
    .each_job = asbi_sqlite_each_job,
    .each_line = asbi_sqlite_each_line,
    .each_part = asbi_sqlite_each_part,
    .count = asbi_sqlite_count,
    .unplace = store_unplace,
    .tidy = store_tidy,
    .is_gone = asbi_sqlite_is_gone,
    .put_back = asbi_sqlite_put_back,
    .free = store_free,
};
