#include "tests/sim/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/job_identity.h"
#include "engine/real/journal_sqlite.h"

static struct disk *here;

/* ---- what is on it ---------------------------------------------------- */

static char *copy_of(asbi_str s)
{
    return asbi_strndup(&asbi_mem_system, s.at ? s.at : "", s.len);
}

static void drop(struct disk_answer *a)
{
    free((char *)(uintptr_t)a->result.output.at);
    free((char *)(uintptr_t)a->result.body.at);
    free((char *)(uintptr_t)a->result.request_id.at);
    free((char *)(uintptr_t)a->result.error_message.at);
    free((char *)(uintptr_t)a->result.error_code);
    free((char *)(uintptr_t)a->result.route);
    *a = (struct disk_answer){ .is = false };
}

static void put_answer(struct disk_answer *a,
                       const struct asbi_journal_answer *from)
{
    struct asb_result *r = &a->result;

    drop(a);
    *a = (struct disk_answer){ true, from->key, from->round, from->place,
                               from->result };
    r->output.at = copy_of(from->result.output);
    r->body.at = copy_of(from->result.body);
    r->request_id.at = copy_of(from->result.request_id);
    r->error_message.at = copy_of(from->result.error_message);
    if (r->error_code)
        r->error_code = copy_of(asbi_str_c(r->error_code));
    if (r->route)
        r->route = copy_of(asbi_str_c(r->route));
}

static void look_for_row(struct disk *d, uint64_t row,
                         const struct disk_call *of)
{
    for (size_t i = 0; i < d->call_count && i < DISK_CALLS; i++) {
        const struct disk_call *c = &d->calls[i];

        for (size_t k = 0; c != of && c->open && k < c->count; k++) {
            if (c->rows[k] == row)
                (void)snprintf(d->odd, sizeof(d->odd),
                               "row %llu is asked for in two open calls",
                               (unsigned long long)row);
        }
    }
}

/* Who asks for a row while it is asked for may pay twice: once the commit that
 * began these calls is whole, as it may have ended others. */
static void look_at_calls(struct disk *d, size_t from)
{
    for (; from < d->call_count; from++) {
        const struct disk_call *c = &d->calls[from % DISK_CALLS];

        for (size_t k = 0; c->open && k < c->count; k++)
            look_for_row(d, c->rows[k], c);
    }
}

static void put_call(struct disk *d, const struct asbi_journal_call *from)
{
    struct disk_call *c = &d->calls[d->call_count++ % DISK_CALLS];

    *c = (struct disk_call){ .number = from->number,
                             .worst = from->worst,
                             .count = from->count,
                             .job = from->job,
                             .line = from->line,
                             .seed = from->seed,
                             .open = true };
    memcpy(c->rows, from->rows, from->count * sizeof(*from->rows));
}

static void put_part(struct disk *d, uint64_t call,
                     const struct asbi_journal_answer *from)
{
    for (size_t i = 0; i < DISK_PARTS; i++) {
        struct disk_part *p = &d->parts[i];

        if (p->call && (p->call != call || p->seq != from->seq))
            continue;
        p->call = call;
        p->seq = from->seq;
        put_answer(&p->answer, from);
        return;
    }
}

static void end_parts(struct disk *d, uint64_t call)
{
    for (size_t i = 0; i < DISK_PARTS; i++) {
        if (d->parts[i].call == call)
            d->parts[i].call = 0;
    }
}

static bool has_part(const struct disk *d, uint64_t call, uint64_t row)
{
    for (size_t i = 0; i < DISK_PARTS; i++) {
        if (d->parts[i].call == call && d->parts[i].seq == row)
            return true;
    }
    return false;
}

static struct disk_call *call_of(const struct disk *d, uint64_t number)
{
    for (size_t i = d->call_count; i > 0; i--) {
        if (d->calls[i - 1].number == number)
            return &d->calls[i - 1];
    }
    return NULL;
}

/* ---- what runs at the provider ---------------------------------------- */

static struct disk_job *job_of(struct disk *d, uint64_t number)
{
    for (size_t i = 0; i < DISK_JOBS; i++) {
        if (d->jobs[i].number == number)
            return &d->jobs[i];
    }
    return NULL;
}

static void put_job(struct disk *d, const struct asbi_journal_job *from)
{
    struct disk_job *j = job_of(d, from->number);

    if (!j)
        j = job_of(d, 0);
    if (!j || !asbi_str_copy(from->id, j->id, sizeof(j->id)) ||
        !asbi_str_copy(from->address, j->address, sizeof(j->address))) {
        (void)snprintf(d->odd, sizeof(d->odd), "no room for a job");
        return;
    }
    j->number = from->number;
}

static void end_job(struct disk *d, uint64_t number)
{
    struct disk_job *j = job_of(d, number);

    if (j)
        j->number = 0;
}

static uint64_t job_number(const struct disk_call *c)
{
    return c->job ? c->job : c->number;
}

static void put(struct disk *d, const struct asbi_journal_record *r)
{
    struct disk_call *c;

    switch (r->kind) {
    case ASBI_RECORD_INTENT:
        put_call(d, &r->call);
        break;
    case ASBI_RECORD_END:
        c = call_of(d, r->call.number);
        if (c)
            c->open = false;
        end_parts(d, r->call.number);
        break;
    case ASBI_RECORD_PART:
        put_part(d, r->call.number, &r->answer);
        break;
    case ASBI_RECORD_JOB:
        put_job(d, &r->job);
        break;
    case ASBI_RECORD_OVER:
        end_job(d, r->job.number);
        break;
    case ASBI_RECORD_ANSWER:
        put_answer(&d->answers[r->answer.seq % DISK_ROWS], &r->answer);
        break;
    }
}

/* ---- the store -------------------------------------------------------- */

struct face {
    struct asbi_journal_store store; /* first */
    struct disk *disk;
};

static struct disk *of(struct asbi_journal_store *s)
{
    return ((struct face *)(void *)s)->disk;
}

static bool happens(struct disk *d, double chance)
{
    return chance > 0 && asbi_rng_unit(&d->rng) < chance;
}

static int commit(struct asbi_journal_store *s, const struct asbi_list *records,
                  const struct asbi_journal_state *state,
                  struct asb_message *why)
{
    struct disk *d = of(s);

    if (d->dead || happens(d, d->fails))
        return asbi_fail(why, ASB_EIO, "the disk is full");
    bool dies = happens(d, d->dies);
    d->dead = dies;
    if (dies && asbi_rng_below(&d->rng, 2))
        return asbi_fail(why, ASB_EIO, "the process is dead");
    size_t calls = d->call_count;
    d->commits++;
    ASBI_LIST_EACH (link, records)
        put(d, ASBI_OF(link, struct asbi_journal_record, link));
    look_at_calls(d, calls);
    d->state = *state;
    return dies ? asbi_fail(why, ASB_EIO, "the process is dead") : ASB_OK;
}

static int find(struct asbi_journal_store *s, uint64_t seq,
                struct asbi_journal_answer *out, struct asb_message *why)
{
    const struct disk_answer *a = &of(s)->answers[seq % DISK_ROWS];

    (void)why;
    if (!a->is)
        return ASB_ENOENT;
    *out = (struct asbi_journal_answer){ seq, a->key, a->round, a->place,
                                         a->result };
    return ASB_OK;
}

static int find_earlier(struct asbi_journal_store *s, uint64_t key,
                        struct asbi_journal_answer *out,
                        struct asb_message *why)
{
    (void)s;
    (void)key;
    (void)out;
    (void)why;
    return ASB_ENOENT;
}

static int each_part(struct asbi_journal_store *s, uint64_t call,
                     int (*on_part)(void *arg,
                                    const struct asbi_journal_answer *part),
                     void *arg, struct asb_message *why)
{
    const struct disk *d = of(s);
    int rc = ASB_OK;

    (void)why;
    for (size_t i = 0; !rc && i < DISK_PARTS; i++) {
        const struct disk_part *p = &d->parts[i];
        const struct asbi_journal_answer part = {
            .seq = p->seq,
            .key = p->answer.key,
            .result = { .size = sizeof(part.result),
                        .ok = true,
                        .output = p->answer.result.output,
                        .output_is_json = p->answer.result.output_is_json },
        };

        if (p->call == call)
            rc = on_part(arg, &part);
    }
    return rc;
}

static int each_open(struct asbi_journal_store *s,
                     int (*on_call)(void *arg,
                                    const struct asbi_journal_call *call),
                     void *arg, struct asb_message *why)
{
    struct disk *d = of(s);
    int rc = ASB_OK;

    (void)why;
    for (size_t i = 0; !rc && i < d->call_count; i++) {
        const struct disk_call *c = &d->calls[i];
        bool kept[DISK_ROWS] = { false };
        const struct asbi_journal_call call = { .number = c->number,
                                                .worst = c->worst,
                                                .rows = c->rows,
                                                .count = c->count,
                                                .kept = kept };

        if (!c->open || job_of(d, job_number(c)))
            continue;
        for (size_t k = 0; k < c->count; k++)
            kept[k] = has_part(d, c->number, c->rows[k]);
        rc = on_call(arg, &call);
    }
    return rc;
}

static int each_job(struct asbi_journal_store *s,
                    int (*on_job)(void *arg,
                                  const struct asbi_journal_job *job),
                    void *arg, struct asb_message *why)
{
    const struct disk *d = of(s);
    int rc = ASB_OK;

    (void)why;
    for (size_t i = 0; !rc && i < DISK_JOBS; i++) {
        const struct disk_job *j = &d->jobs[i];
        const struct asbi_journal_job job = { j->number, asbi_str_c(j->id),
                                              asbi_str_c(j->address) };

        if (j->number)
            rc = on_job(arg, &job);
    }
    return rc;
}

static int each_line(struct asbi_journal_store *s, uint64_t job,
                     int (*on_call)(void *arg,
                                    const struct asbi_journal_call *call),
                     void *arg, struct asb_message *why)
{
    const struct disk *d = of(s);
    int rc = ASB_OK;

    (void)why;
    for (size_t i = 0; !rc && i < d->call_count; i++) {
        const struct disk_call *c = &d->calls[i];
        const struct asbi_journal_call call = { .number = c->number,
                                                .worst = c->worst,
                                                .rows = c->rows,
                                                .count = c->count,
                                                .job = c->job,
                                                .line = c->line,
                                                .seed = c->seed };

        if (c->open && job_number(c) == job)
            rc = on_call(arg, &call);
    }
    return rc;
}

static int count(struct asbi_journal_store *s, bool by_place, uint64_t mark,
                 struct asbi_journal_count *out, struct asb_message *why)
{
    const struct disk *d = of(s);

    (void)why;
    *out = (struct asbi_journal_count){ .failed = 0 };
    for (uint64_t row = 0; row < DISK_ROWS; row++) {
        const struct disk_answer *a = &d->answers[row];
        const struct asb_result *r = &a->result;

        if (!a->is)
            continue;
        out->end = row + 1;
        if (r->ok)
            continue;
        out->failed++;
        out->failed_delivered += (by_place ? a->place : row) < mark;
        out->retryable += r->retryable;
        out->in_doubt +=
            r->error_code && strcmp(r->error_code, "in_doubt") == 0;
    }
    return ASB_OK;
}

static int unplace(struct asbi_journal_store *s, uint64_t mark,
                   struct asb_message *why)
{
    struct disk *d = of(s);

    (void)why;
    for (uint64_t row = 0; !d->dead && row < DISK_ROWS; row++) {
        if (d->answers[row].is && d->answers[row].place >= mark)
            d->answers[row].place = ASBI_NO_ROW;
    }
    return ASB_OK;
}

static void tidy(struct asbi_journal_store *s)
{
    (void)s;
}

static void free_face(struct asbi_journal_store *s)
{
    of(s)->locked = false;
    free(s);
}

static const struct asbi_journal_store_ops ops = {
    .commit = commit,
    .find = find,
    .each_part = each_part,
    .find_earlier = find_earlier,
    .each_open = each_open,
    .each_job = each_job,
    .each_line = each_line,
    .count = count,
    .unplace = unplace,
    .tidy = tidy,
    .free = free_face,
};

/* ---- in place of the real one ----------------------------------------- */

int __wrap_asbi_journal_sqlite_open(const struct asbi_mem *mem,
                                    const char *path,
                                    struct asbi_journal_file *out,
                                    struct asb_message *why);
int __wrap_asbi_journal_sqlite_begin(struct asbi_journal_store *store,
                                     const struct asbi_identity *identity,
                                     const struct asbi_journal_state *state,
                                     struct asb_message *why);
int __wrap_asbi_journal_sqlite_identity(struct asbi_journal_store *store,
                                        void (*tell)(void *arg,
                                                     const char *name,
                                                     const char *value),
                                        void *arg, struct asb_message *why);

int __wrap_asbi_journal_sqlite_open(const struct asbi_mem *mem,
                                    const char *path,
                                    struct asbi_journal_file *out,
                                    struct asb_message *why)
{
    struct face *f = calloc(1, sizeof(*f));

    (void)mem;
    (void)path;
    *out = (struct asbi_journal_file){ .store = NULL };
    if (!f || !here || here->locked) {
        free(f);
        return asbi_fail(why, ASB_EIO, "in use");
    }
    *f = (struct face){ { .ops = &ops }, here };
    here->locked = true;
    out->store = &f->store;
    out->fresh = !here->begun;
    out->state = here->state;
    return ASB_OK;
}

int __wrap_asbi_journal_sqlite_begin(struct asbi_journal_store *store,
                                     const struct asbi_identity *identity,
                                     const struct asbi_journal_state *state,
                                     struct asb_message *why)
{
    struct disk *d = of(store);

    (void)why;
    d->begun = true;
    d->state = *state;
    d->name_count = identity->count < DISK_NAMES ? identity->count : DISK_NAMES;
    for (size_t i = 0; i < d->name_count; i++) {
        (void)snprintf(d->names[i], sizeof(d->names[i]), "%s",
                       identity->entries[i].name);
        (void)snprintf(d->values[i], sizeof(d->values[i]), "%s",
                       identity->entries[i].value);
    }
    return ASB_OK;
}

int __wrap_asbi_journal_sqlite_identity(struct asbi_journal_store *store,
                                        void (*tell)(void *arg,
                                                     const char *name,
                                                     const char *value),
                                        void *arg, struct asb_message *why)
{
    const struct disk *d = of(store);

    (void)why;
    for (size_t i = 0; i < d->name_count; i++)
        tell(arg, d->names[i], d->values[i]);
    return ASB_OK;
}

/* ---- life ------------------------------------------------------------- */

bool disk_init(struct disk *d, uint64_t seed)
{
    *d = (struct disk){ .begun = false };
    asbi_rng_seed(&d->rng, seed);
    d->calls = calloc(DISK_CALLS, sizeof(*d->calls));
    here = d;
    return d->calls != NULL;
}

void disk_fini(struct disk *d)
{
    for (size_t i = 0; i < DISK_ROWS; i++)
        drop(&d->answers[i]);
    for (size_t i = 0; i < DISK_PARTS; i++)
        drop(&d->parts[i].answer);
    free(d->calls);
    here = NULL;
}

void disk_revive(struct disk *d)
{
    d->dead = false;
}

bool disk_has_answer(const struct disk *d, uint64_t row)
{
    return row < DISK_ROWS && d->answers[row].is && d->answers[row].result.ok;
}

bool disk_has_intent(const struct disk *d, uint64_t number)
{
    return call_of(d, number) != NULL;
}
