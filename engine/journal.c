#include "engine/journal.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

enum {
    GROUP = 64,  /* calls that are worth a commit of their own */
    WAIT_MS = 4, /* between commits of smaller groups */
    RETRY_MS = 200,
    /* A commit is followed by so many times its length for other work, four
     * times as much when no call waits for the next ... */
    SHARE = 2,
    PACE_MAX_MS = 20, /* ... but no longer than this, or four times this */
};

void asbi_journal_init(struct asbi_journal *j, const struct asbi_mem *mem,
                       struct asbi_journal_store *store,
                       const struct asbi_journal_state *state)
{
    *j = (struct asbi_journal){ .mem = mem, .store = store, .state = *state };
    asbi_list_init(&j->pending);
}

static void drop(struct asbi_journal *j)
{
    struct asbi_link *link;

    while ((link = asbi_list_pop(&j->pending)))
        asbi_free(j->mem, ASBI_OF(link, struct asbi_journal_record, link));
    j->waiting = j->looked = 0;
}

void asbi_journal_fini(struct asbi_journal *j)
{
    drop(j);
    *j = (struct asbi_journal){ .mem = NULL };
}

/* A record with `room` bytes behind it.  What cannot be kept must not go
 * unnoticed: from then on no commit succeeds. */
static struct asbi_journal_record *
record_new(struct asbi_journal *j, enum asbi_journal_kind kind, size_t room)
{
    struct asbi_journal_record *r = asbi_alloc(j->mem, sizeof(*r) + room);

    if (!r)
        return NULL;
    *r = (struct asbi_journal_record){ .kind = kind };
    return r;
}

static void add(struct asbi_journal *j, struct asbi_journal_record *r)
{
    asbi_list_append(&j->pending, &r->link);
}

uint64_t asbi_journal_number(struct asbi_journal *j)
{
    return ++j->state.next_call;
}

int asbi_journal_line(struct asbi_journal *j,
                      const struct asbi_journal_call *line, uint64_t *number)
{
    struct asbi_journal_record *r =
        record_new(j, ASBI_RECORD_INTENT, line->count * sizeof(*line->rows));

    if (!r)
        return ASB_ENOMEM;
    uint64_t *copy = (uint64_t *)(void *)(r + 1);
    if (line->count)
        memcpy(copy, line->rows, line->count * sizeof(*copy));
    *number = asbi_journal_number(j);
    r->call = *line;
    r->call.number = *number;
    r->call.rows = copy;
    add(j, r);
    j->waiting++;
    return ASB_OK;
}

int asbi_journal_intent(struct asbi_journal *j, int64_t worst,
                        const uint64_t *rows, size_t count, uint64_t *number)
{
    const struct asbi_journal_call call = { .worst = worst,
                                            .rows = rows,
                                            .count = count };

    return asbi_journal_line(j, &call, number);
}

static int64_t sum(int64_t a, int64_t b)
{
    return b > 0 && a > INT64_MAX - b ? INT64_MAX : a + b;
}

void asbi_journal_end(struct asbi_journal *j, uint64_t number, int64_t cost,
                      int64_t spent)
{
    struct asbi_journal_record *r = record_new(j, ASBI_RECORD_END, 0);

    j->state.cost = sum(j->state.cost, cost);
    j->state.spent = sum(j->state.spent, spent);
    if (!r)
        return;
    r->call.number = number;
    add(j, r);
}

/* Appends a copy with a NUL behind it. */
static asbi_str keep(char **at, asbi_str s)
{
    char *copy = *at;

    if (s.len)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    *at += s.len + 1;
    return asbi_str_of(copy, s.len);
}

void asbi_journal_job(struct asbi_journal *j,
                      const struct asbi_journal_job *job)
{
    struct asbi_journal_record *r =
        record_new(j, ASBI_RECORD_JOB, job->id.len + job->address.len + 2);

    if (!r) {
        j->lost = true;
        return;
    }
    char *at = (char *)(r + 1);
    r->job = *job;
    r->job.id = keep(&at, job->id);
    r->job.address = keep(&at, job->address);
    add(j, r);
}

void asbi_journal_over(struct asbi_journal *j, uint64_t job)
{
    struct asbi_journal_record *r = record_new(j, ASBI_RECORD_OVER, 0);

    if (!r) /* the next run finds that it has no calls */
        return;
    r->job.number = job;
    add(j, r);
}

/* A record with a copy of the answer; NULL without memory. */
static struct asbi_journal_record *
copy_answer(struct asbi_journal *j, enum asbi_journal_kind kind,
            const struct asbi_journal_answer *answer)
{
    const struct asb_result *from = &answer->result;
    asbi_str code = asbi_str_c(from->error_code);
    asbi_str route = asbi_str_c(from->route);
    struct asbi_journal_record *r =
        record_new(j, kind,
                   from->output.len + from->body.len + from->request_id.len +
                       from->error_message.len + code.len + route.len + 6);

    if (!r)
        return NULL;
    char *at = (char *)(r + 1);
    r->answer = *answer;
    struct asb_result *to = &r->answer.result;
    to->id = asbi_str_of(NULL, 0);
    to->output = keep(&at, from->output);
    to->body = keep(&at, from->body);
    to->request_id = keep(&at, from->request_id);
    to->error_message = keep(&at, from->error_message);
    to->error_code = from->error_code ? keep(&at, code).at : NULL;
    to->route = from->route ? keep(&at, route).at : NULL;
    return r;
}

int asbi_journal_answer(struct asbi_journal *j,
                        const struct asbi_journal_answer *answer)
{
    struct asbi_journal_record *r = copy_answer(j, ASBI_RECORD_ANSWER, answer);

    if (!r) {
        j->lost = true;
        return ASB_ENOMEM;
    }
    add(j, r);
    return ASB_OK;
}

void asbi_journal_part(struct asbi_journal *j, uint64_t number,
                       const struct asbi_journal_answer *part)
{
    struct asbi_journal_record *r = copy_answer(j, ASBI_RECORD_PART, part);

    if (!r)
        return;
    r->call.number = number;
    add(j, r);
}

void asbi_journal_mark(struct asbi_journal *j, uint64_t rows, uint64_t bytes)
{
    j->state.rows = rows;
    j->state.bytes = bytes;
}

static uint64_t paced(const struct asbi_journal *j)
{
    return asbi_add_ns(j->last_commit_ns, j->pace_ns);
}

static uint64_t latest(const struct asbi_journal *j)
{
    uint64_t wait = WAIT_MS * ASBI_MS, unhurried = 4 * j->pace_ns;

    if (j->failing)
        return j->retry_ns;
    return asbi_add_ns(j->last_commit_ns, unhurried > wait ? unhurried : wait);
}

bool asbi_journal_is_due(struct asbi_journal *j, uint64_t now)
{
    size_t before = j->looked;

    if (asbi_journal_settled(j))
        return false;
    j->looked = j->pending.count;
    if (now >= latest(j))
        return true;
    if (j->failing || !j->waiting)
        return false;
    /* When nothing came since the last look, waiting gathers no more. */
    return j->waiting >= GROUP || (j->looked == before && now >= paced(j));
}

uint64_t asbi_journal_next_look(const struct asbi_journal *j)
{
    if (asbi_journal_settled(j))
        return ASBI_NEVER;
    return j->waiting && !j->failing ? paced(j) : latest(j);
}

/* The pace follows what commits take here and now. */
static void set_pace(struct asbi_journal *j)
{
    uint64_t took = j->store->took_ns, most = PACE_MAX_MS * ASBI_MS;

    took = took > most ? most : took * SHARE;
    j->pace_ns += took / 4 - j->pace_ns / 4;
    if (j->pace_ns > most)
        j->pace_ns = most;
}

int asbi_journal_commit(struct asbi_journal *j, uint64_t now)
{
    int rc = ASB_ENOMEM;

    if (j->lost)
        (void)asbi_fail(&j->why, rc, "there was no memory for a record");
    else
        rc = j->store->ops->commit(j->store, &j->pending, &j->state, &j->why);
    j->failing = rc != ASB_OK;
    if (rc) {
        j->retry_ns = asbi_add_ns(now, RETRY_MS * ASBI_MS);
        return rc;
    }
    drop(j);
    j->last_commit_ns = now;
    set_pace(j);
    return ASB_OK;
}
