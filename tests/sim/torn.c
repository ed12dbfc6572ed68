/*
 * torn -- the journal's file on a disk whose power fails: what was committed is
 * there when it is opened again, what was not is there in whole or not at all,
 * nothing else is, and it always opens.
 *
 *   torn [--seed N | [--from N] [--count N]]
 *
 * Each seed is the life of one file: a dozen processes write calls, jobs,
 * parts, answers and marks into it through engine/real/journal_sqlite.c, let
 * writes and syncs fail, and die, most of them with the power.  Commits that
 * failed may turn out to be there after all, as on any disk.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/job_identity.h"
#include "engine/real/journal_sqlite.h"
#include "tests/sim/torn_model.h"
#include "tests/support/torn_vfs.h"

enum { LIVES = 12, STEPS = 120, CANDIDATES = 6 };

static const char path[] = "/tmp/asb-torn.journal";

struct play {
    struct torn_disk disk;
    struct asbi_rng rng;
    struct asbi_journal_file file;
    struct asbi_journal journal;
    struct asb_message why;
    /* What may be found: what is acknowledged, then what failed since. */
    struct model candidates[CANDIDATES];
    size_t candidate_count;
    struct model next; /* with what is pending */
    uint64_t stamp;
    size_t commits, failures;
    const char *broken;
};

static uint64_t below(struct play *p, uint64_t n)
{
    return asbi_rng_below(&p->rng, n);
}

/* ---- what is told to the journal -------------------------------------------
 */

static void acknowledge(struct play *p)
{
    p->candidates[0] = p->next;
    p->candidate_count = 1;
    p->commits++;
}

/* It must not show now, but may have reached the disk. */
static void refuse(struct play *p)
{
    p->failures++;
    if (p->candidate_count < CANDIDATES)
        p->candidates[p->candidate_count++] = p->next;
    if (!p->disk.off && p->candidates[0].begun)
        p->broken = model_differs(&p->candidates[0], p->file.store,
                                  &p->candidates[0].state);
}

static bool tell_intent(struct play *p)
{
    uint64_t rows[4] = { below(p, MODEL_ROWS), below(p, MODEL_ROWS), 1, 2 };
    struct asbi_journal_record r = {
        .kind = ASBI_RECORD_INTENT,
        .call = { .worst = (int64_t)below(p, 1000),
                  .rows = rows,
                  .count = 1 + below(p, 4) },
    };

    if (asbi_journal_intent(&p->journal, r.call.worst, rows, r.call.count,
                            &r.call.number))
        return false;
    model_put(&p->next, &r, 0);
    return true;
}

static void tell_answer(struct play *p, uint64_t call)
{
    static char text[MODEL_LONGEST];
    struct asbi_journal_record r = {
        .kind = call ? ASBI_RECORD_PART : ASBI_RECORD_ANSWER,
        .call.number = call,
    };

    model_answer(++p->stamp, below(p, MODEL_ROWS), text, &r.answer);
    if (call)
        asbi_journal_part(&p->journal, call, &r.answer);
    else if (asbi_journal_answer(&p->journal, &r.answer))
        return;
    model_put(&p->next, &r, p->stamp);
}

static void tell_job(struct play *p, uint64_t call)
{
    struct asbi_journal_record r = { .kind = ASBI_RECORD_JOB };
    char id[24];

    model_job(++p->stamp, call, id, &r.job);
    asbi_journal_job(&p->journal, &r.job);
    model_put(&p->next, &r, p->stamp);
}

static void tell_end(struct play *p, uint64_t call)
{
    const struct asbi_journal_record r = { .kind = ASBI_RECORD_END,
                                           .call.number = call };

    asbi_journal_end(&p->journal, call, 3, 5);
    asbi_journal_over(&p->journal, call); /* if it has begun one */
    model_put(&p->next, &r, 0);
}

static void tell_something(struct play *p)
{
    uint64_t call = p->next.calls[below(p, MODEL_CALLS)].number;
    bool room = model_has_room(&p->next);

    switch (below(p, 6)) {
    case 0:
        if (room)
            (void)tell_intent(p);
        break;
    case 1:
    case 2:
        if (call && room)
            tell_answer(p, call);
        break;
    case 3:
        if (call)
            tell_end(p, call);
        break;
    case 4:
        if (call)
            tell_job(p, call);
        break;
    default:
        tell_answer(p, 0);
    }
}

/* ---- steps ------------------------------------------------------------------
 */

/* What failed to be committed goes again as it is. */
static void commit(struct play *p)
{
    if (asbi_journal_settled(&p->journal)) {
        p->next = p->candidates[0];
        for (uint64_t n = 1 + below(p, 6); n > 0; n--)
            tell_something(p);
        asbi_journal_mark(&p->journal, p->journal.state.rows + below(p, 3),
                          p->stamp);
        p->next.state = p->journal.state;
    }
    if (asbi_journal_commit(&p->journal, 0))
        refuse(p);
    else
        acknowledge(p);
}

static void set_aside(struct play *p)
{
    p->next = p->candidates[0];
    if (p->next.earlier_count > MODEL_EARLIER / 2)
        return;
    model_set_aside(&p->next);
    if (asbi_journal_sqlite_set_aside(p->file.store, &p->why))
        refuse(p);
    else
        acknowledge(p);
}

static void unplace(struct play *p)
{
    uint64_t mark = below(p, MODEL_ROWS);

    p->next = p->candidates[0];
    model_unplace(&p->next, mark);
    if (p->file.store->ops->unplace(p->file.store, mark, &p->why))
        refuse(p);
    else
        acknowledge(p);
}

static void step(struct play *p)
{
    uint64_t what = below(p, 100);
    bool settled = asbi_journal_settled(&p->journal);

    if (what < 10)
        p->file.store->ops->tidy(p->file.store);
    else if (what < 11 && settled)
        set_aside(p);
    else if (what < 14 && settled)
        unplace(p);
    else if (what < 16)
        p->broken = model_differs(&p->candidates[0], p->file.store,
                                  &p->candidates[0].state);
    else
        commit(p);
    if (p->disk.off) /* what it read meanwhile counts for nothing */
        p->broken = NULL;
}

/* ---- lives ------------------------------------------------------------------
 */

static void begin(struct play *p)
{
    const struct asbi_identity who = {
        .count = 1, .entries = { { .name = "model", .value = "m" } }
    };

    p->next = (struct model){ .begun = true, .state = { .round = 1 } };
    if (asbi_journal_sqlite_begin(p->file.store, &who, &p->next.state, &p->why))
        refuse(p);
    else
        acknowledge(p);
}

/* One of the candidates it must be. */
static void recognize(struct play *p)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < p->candidate_count; i++) {
        if (!p->candidates[i].begun)
            continue;
        const char *other =
            model_differs(&p->candidates[i], p->file.store, &p->file.state);
        if (!other) {
            p->next = p->candidates[i];
            acknowledge(p);
            return;
        }
        wrong = wrong ? wrong : other;
    }
    p->broken = wrong ? wrong : "a file that nobody has begun";
}

/* False when there is nothing to go on with. */
static bool open_file(struct play *p)
{
    bool armed = p->disk.until_fail > 0;
    int rc =
        asbi_journal_sqlite_open(&asbi_mem_system, path, &p->file, &p->why);

    if (rc) {
        if (!p->disk.off && !(armed && !p->disk.until_fail))
            p->broken = p->why.text;
        return false;
    }
    if (!p->file.fresh)
        recognize(p);
    else if (p->candidates[0].begun)
        p->broken = "the file is empty again";
    else
        begin(p);
    if (p->disk.off)
        p->broken = NULL;
    return true;
}

static void arm(struct play *p)
{
    p->disk.until_off = below(p, 10) ? 1 + below(p, 600) : 0;
    p->disk.until_fail = below(p, 3) ? 0 : 1 + below(p, 100);
}

static void live(struct play *p)
{
    arm(p);
    if (open_file(p)) {
        asbi_journal_init(&p->journal, &asbi_mem_system, p->file.store,
                          &p->candidates[0].state);
        for (int i = 0;
             i < STEPS && !p->disk.off && !p->broken &&
             p->candidates[0].begun && p->candidate_count < CANDIDATES;
             i++)
            step(p);
        asbi_journal_fini(&p->journal);
        p->disk.off = p->disk.off || below(p, 2); /* the cable is pulled */
        p->file.store->ops->free(p->file.store);
    }
    if (!p->broken)
        torn_disk_restart(&p->disk);
}

static bool play(uint64_t seed, struct torn_disk *sums, size_t *commits)
{
    static struct play p;

    p = (struct play){ .candidate_count = 1 };
    torn_disk_init(&p.disk, seed);
    asbi_rng_seed(&p.rng, ~seed);
    if (!torn_vfs_use(&p.disk))
        return false;
    for (int i = 0; i < LIVES && !p.broken; i++)
        live(&p);
    torn_vfs_leave();
    if (p.broken)
        (void)printf("seed %" PRIu64 " broke in life %zu, after %zu commits: "
                     "%s\n    replay with --seed %" PRIu64 "\n",
                     seed, p.disk.crashes + 1, p.commits, p.broken, seed);
    sums->crashes += p.disk.crashes;
    sums->writes += p.disk.writes;
    sums->syncs += p.disk.syncs;
    sums->kept += p.disk.kept;
    sums->lost += p.disk.lost;
    sums->torn += p.disk.torn;
    *commits += p.commits;
    torn_disk_fini(&p.disk);
    return !p.broken;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, count = 100, played = 0;
    struct torn_disk sums = { .off = false };
    size_t commits = 0;
    bool good = true;

    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t n = strtoull(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--count") == 0)
            count = n;
        else
            from = n;
        if (strcmp(argv[i], "--seed") == 0)
            count = 1;
    }
    for (; good && played < count; played++)
        good = play(from + played, &sums, &commits);
    (void)remove(path); /* the store makes it before SQLite is asked */
    (void)printf("%" PRIu64 " seeds, %d broken: %zu commits, %zu crashes, %zu "
                 "writes, %zu syncs; of unsynced sectors %zu kept, %zu lost, "
                 "%zu torn\n",
                 played, good ? 0 : 1, commits, sums.crashes, sums.writes,
                 sums.syncs, sums.kept, sums.lost, sums.torn);
    return good && commits ? 0 : 1;
}
