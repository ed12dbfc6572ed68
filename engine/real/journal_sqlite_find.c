/*
 * journal_sqlite_find.c -- what the journal's file holds, read back.
 */
#include "engine/real/journal_sqlite_private.h"

/* Rows of one call that are believed. */
enum { MOST_ROWS = 1 << 20 };

static uint64_t column(sqlite3_stmt *st, int at)
{
    return (uint64_t)sqlite3_column_int64(st, at);
}

static asbi_str text_of(sqlite3_stmt *st, int at)
{
    const char *bytes = sqlite3_column_blob(st, at);

    return asbi_str_of(bytes, (size_t)sqlite3_column_bytes(st, at));
}

static void read_answer(sqlite3_stmt *st, struct asbi_journal_answer *out)
{
    bool placed = sqlite3_column_type(st, 3) == SQLITE_INTEGER;
    struct asb_result *r = &out->result;

    *out = (struct asbi_journal_answer){
        .seq = column(st, 0),
        .key = column(st, 1),
        .round = column(st, 2),
        .place = placed ? column(st, 3) : ASBI_NO_ROW,
    };
    r->size = sizeof(*r);
    r->ok = column(st, 4) != 0;
    r->retryable = column(st, 5) != 0;
    r->output_is_json = column(st, 6) != 0;
    r->source = (enum asb_source)(column(st, 7) & 3);
    r->http_status = sqlite3_column_int(st, 8);
    r->attempts = (unsigned)sqlite3_column_int(st, 9);
    r->usage =
        (struct asb_usage){ column(st, 10), column(st, 11), column(st, 12) };
    r->cost_nano_usd = sqlite3_column_int64(st, 13);
    r->output = text_of(st, 14);
    r->body = text_of(st, 15);
    r->request_id = text_of(st, 16);
    if (!r->ok)
        r->error_code = (const char *)sqlite3_column_text(st, 17);
    r->error_message = text_of(st, 18);
    r->saved_nano_usd = sqlite3_column_int64(st, 19);
    r->route = (const char *)sqlite3_column_text(st, 20);
}

static int find(struct asbi_sqlite_store *s, enum statement which,
                uint64_t number, struct asbi_journal_answer *out,
                struct asb_message *why)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, which);

    if (!st)
        return asbi_sqlite_fail(s, why);
    (void)sqlite3_reset(st);
    asbi_sqlite_bind(st, 1, number);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        read_answer(st, out);
        return ASB_OK; /* not reset: what it points to must live */
    }
    (void)sqlite3_reset(st);
    return rc == SQLITE_DONE ? ASB_ENOENT : asbi_sqlite_fail(s, why);
}

int asbi_sqlite_find(struct asbi_journal_store *store, uint64_t seq,
                     struct asbi_journal_answer *out, struct asb_message *why)
{
    return find(asbi_sqlite_of(store), FIND, seq, out, why);
}

int asbi_sqlite_find_earlier(struct asbi_journal_store *store, uint64_t key,
                             struct asbi_journal_answer *out,
                             struct asb_message *why)
{
    return find(asbi_sqlite_of(store), FIND_EARLIER, key, out, why);
}

/* A call as it is told; `kept` lies behind `rows`. */
struct open_call {
    struct asbi_journal_call call;
    uint64_t *rows;
    bool *kept;
};

static int read_rows(struct asbi_sqlite_store *s, sqlite3_stmt *st,
                     struct open_call *out)
{
    const unsigned char *bytes = sqlite3_column_blob(st, 2);
    size_t count = (size_t)sqlite3_column_bytes(st, 2) / 8;

    if (count > MOST_ROWS)
        count = MOST_ROWS;
    out->rows = asbi_calloc(s->mem, count + 1, sizeof(*out->rows));
    out->kept = asbi_calloc(s->mem, count + 1, sizeof(*out->kept));
    if (!out->rows || !out->kept)
        return ASB_ENOMEM;
    for (size_t i = 0; i < count * 8; i++)
        out->rows[i / 8] |= (uint64_t)bytes[i] << 8 * (i % 8);
    out->call = (struct asbi_journal_call){
        .number = column(st, 0),
        .worst = sqlite3_column_int64(st, 1),
        .rows = out->rows,
        .count = count,
        .kept = out->kept,
        .job = column(st, 3),
        .line = column(st, 4),
        .seed = column(st, 5),
    };
    return ASB_OK;
}

static int read_kept(struct asbi_sqlite_store *s, struct open_call *c,
                     struct asb_message *why)
{
    sqlite3_stmt *st = asbi_sqlite_get(s, HAS_PART);

    for (size_t i = 0; st && i < c->call.count; i++) {
        asbi_sqlite_bind(st, 1, c->call.number);
        asbi_sqlite_bind(st, 2, c->rows[i]);
        int step = sqlite3_step(st);

        c->kept[i] = step == SQLITE_ROW;
        (void)sqlite3_reset(st);
        if (step != SQLITE_ROW && step != SQLITE_DONE)
            return asbi_sqlite_fail(s, why);
    }
    return st ? ASB_OK : asbi_sqlite_fail(s, why);
}

struct telling {
    int (*on_call)(void *arg, const struct asbi_journal_call *call);
    void *arg;
    bool kept; /* that is wanted, too */
};

static int tell_call(struct asbi_sqlite_store *s, sqlite3_stmt *st,
                     const struct telling *t, struct asb_message *why)
{
    struct open_call c = { .rows = NULL };
    int rc = read_rows(s, st, &c);

    if (!rc && t->kept)
        rc = read_kept(s, &c, why);
    if (!rc)
        rc = t->on_call(t->arg, &c.call);
    asbi_free(s->mem, c.rows);
    asbi_free(s->mem, c.kept);
    return rc;
}

static int tell_calls(struct asbi_sqlite_store *s, sqlite3_stmt *st,
                      const struct telling *t, struct asb_message *why)
{
    int step = SQLITE_NOMEM, rc = ASB_OK;

    while (st && !rc && (step = sqlite3_step(st)) == SQLITE_ROW)
        rc = tell_call(s, st, t, why);
    if (!rc && step != SQLITE_DONE)
        rc = asbi_sqlite_fail(s, why);
    if (st)
        (void)sqlite3_reset(st);
    return rc;
}

int asbi_sqlite_each_open(struct asbi_journal_store *store,
                          int (*on_call)(void *arg,
                                         const struct asbi_journal_call *call),
                          void *arg, struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    const struct telling t = { on_call, arg, true };

    return tell_calls(s, asbi_sqlite_get(s, OPEN_CALLS), &t, why);
}

int asbi_sqlite_each_line(struct asbi_journal_store *store, uint64_t job,
                          int (*on_call)(void *arg,
                                         const struct asbi_journal_call *call),
                          void *arg, struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    const struct telling t = { on_call, arg, false };
    sqlite3_stmt *st = asbi_sqlite_get(s, OPEN_LINES);

    if (st)
        asbi_sqlite_bind(st, 1, job);
    return tell_calls(s, st, &t, why);
}

int asbi_sqlite_each_job(struct asbi_journal_store *store,
                         int (*on_job)(void *arg,
                                       const struct asbi_journal_job *job),
                         void *arg, struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    sqlite3_stmt *st = asbi_sqlite_get(s, OPEN_JOBS);
    int step = SQLITE_NOMEM, rc = ASB_OK;

    while (st && !rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
        const struct asbi_journal_job job = {
            .number = column(st, 0),
            .id = text_of(st, 1),
            .address = text_of(st, 2),
        };

        rc = on_job(arg, &job);
    }
    if (!rc && step != SQLITE_DONE)
        rc = asbi_sqlite_fail(s, why);
    if (st)
        (void)sqlite3_reset(st);
    return rc;
}

static int tell_part(sqlite3_stmt *st,
                     int (*on_part)(void *arg,
                                    const struct asbi_journal_answer *part),
                     void *arg)
{
    const struct asbi_journal_answer part = {
        .seq = column(st, 0),
        .key = column(st, 1),
        .place = ASBI_NO_ROW,
        .result = { .size = sizeof(part.result),
                    .ok = true,
                    .output_is_json = column(st, 2) != 0,
                    .source = (enum asb_source)(column(st, 3) & 3),
                    .attempts = (unsigned)sqlite3_column_int(st, 4),
                    .output = text_of(st, 5) },
    };

    return on_part(arg, &part);
}

int asbi_sqlite_each_part(
    struct asbi_journal_store *store, uint64_t call,
    int (*on_part)(void *arg, const struct asbi_journal_answer *part),
    void *arg, struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    sqlite3_stmt *st = asbi_sqlite_get(s, EACH_PART);
    int step = SQLITE_NOMEM, rc = ASB_OK;

    if (st)
        asbi_sqlite_bind(st, 1, call);
    while (st && !rc && (step = sqlite3_step(st)) == SQLITE_ROW)
        rc = tell_part(st, on_part, arg);
    if (!rc && step != SQLITE_DONE)
        rc = asbi_sqlite_fail(s, why);
    if (st)
        (void)sqlite3_reset(st);
    return rc;
}

int asbi_sqlite_count(struct asbi_journal_store *store, bool by_place,
                      uint64_t mark, struct asbi_journal_count *out,
                      struct asb_message *why)
{
    struct asbi_sqlite_store *s = asbi_sqlite_of(store);
    sqlite3_stmt *st =
        asbi_sqlite_get(s, by_place ? COUNT_BY_PLACE : COUNT_BY_ROW);

    if (!st)
        return asbi_sqlite_fail(s, why);
    asbi_sqlite_bind(st, 1, mark);
    bool found = sqlite3_step(st) == SQLITE_ROW;
    if (found)
        *out = (struct asbi_journal_count){
            .failed = column(st, 0),
            .failed_delivered = column(st, 1),
            .retryable = column(st, 2),
            .in_doubt = column(st, 3),
            .end = column(st, 4),
            .earlier = column(st, 5) != 0,
        };
    int rc = found ? ASB_OK : asbi_sqlite_fail(s, why);
    (void)sqlite3_reset(st);
    return rc;
}
