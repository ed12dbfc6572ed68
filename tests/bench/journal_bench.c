/*
 * journal_bench.c -- what the journal's file takes: records a second in bulk,
 * and how long it holds up a loop that works at a steady rate.
 *
 *     journal_bench FOLDER [SECONDS]
 *
 * Steady means what a job of 64 items a call does at 20,000 items a second with
 * 300 bytes each: the same calls in the same order as engine/call_hold.c makes
 * them, checkpoints included.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "engine/job_identity.h"
#include "engine/real/clock.h"
#include "engine/real/journal_sqlite.h"

enum {
    BULK = 500000,
    GROUP = 512, /* records of a commit in bulk */
    OUTPUT = 300,
    PER_CALL = 64,
    CALLS_A_SECOND = 312,
    TURNS_A_SECOND = 1000,
    STALLS = 1 << 20,
};

struct bench {
    struct asbi_journal_file file;
    struct asbi_journal j;
    uint64_t rows;
    uint64_t *stalls;
    size_t stall_count;
    size_t preempted; /* visits that say more of others than of the journal */
};

static void stop(const char *what, const char *why)
{
    (void)fprintf(stderr, "journal_bench: %s: %s\n", what, why);
    exit(2);
}

static void start(struct bench *b, const char *path)
{
    const struct asbi_identity who = { .count = 0 };
    struct asb_message why = { .text = "" };

    if (asbi_journal_sqlite_open(&asbi_mem_system, path, &b->file, &why))
        stop(path, why.text);
    if (!b->file.fresh)
        stop(path, "exists; name an empty folder");
    b->file.state.round = 1;
    if (asbi_journal_sqlite_begin(b->file.store, &who, &b->file.state, &why))
        stop(path, why.text);
    asbi_journal_init(&b->j, &asbi_mem_system, b->file.store, &b->file.state);
    b->rows = 0;
}

static void finish(struct bench *b, const char *path)
{
    asbi_journal_fini(&b->j);
    b->file.store->ops->free(b->file.store);
    (void)unlink(path);
}

static void put_answer(struct bench *b)
{
    static char output[OUTPUT];
    const struct asbi_journal_answer a = {
        .seq = b->rows,
        .key = b->rows * 2654435761U,
        .round = 1,
        .place = ASBI_NO_ROW,
        .result = { .size = sizeof(a.result),
                    .ok = true,
                    .output = asbi_str_of(output, sizeof(output)),
                    .http_status = 200,
                    .attempts = 1,
                    .usage = { 30, 0, 12 },
                    .cost_nano_usd = 11400 },
    };

    memset(output, 'a' + (int)(b->rows % 26), sizeof(output));
    if (asbi_journal_answer(&b->j, &a))
        stop("answer", "out of memory");
    b->rows++;
}

static void commit(struct bench *b)
{
    if (asbi_journal_commit(&b->j, asbi_clock_read()))
        stop("commit", b->j.why.text);
}

/* Of this process alone: other work on the machine does not count. */
static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void bulk(struct bench *b, const char *path)
{
    uint64_t began = asbi_clock_read();
    double cpu = processor_seconds();

    start(b, path);
    while (b->rows < BULK) {
        put_answer(b);
        if (b->rows % GROUP == 0)
            commit(b);
    }
    commit(b);
    double seconds = (double)(asbi_clock_read() - began) / 1e9;
    cpu = processor_seconds() - cpu;
    finish(b, path);
    (void)printf("bulk: %d records of %d bytes in %.2f s, %.0f a second; "
                 "%.2f us of processor time each\n",
                 BULK, OUTPUT, seconds, BULK / seconds, cpu / BULK * 1e6);
}

/* ---- steady ----------------------------------------------------------- */

/* Calls end and others begin. */
static void one_call(struct bench *b)
{
    uint64_t rows[PER_CALL], number;

    for (unsigned i = 0; i < PER_CALL; i++)
        rows[i] = b->rows + PER_CALL * 64 + i;
    if (asbi_journal_intent(&b->j, 1000, rows, PER_CALL, &number))
        stop("intent", "out of memory");
    if (number > 64)
        asbi_journal_end(&b->j, number - 64, 700, 700);
    for (unsigned i = 0; number > 64 && i < PER_CALL; i++)
        put_answer(b);
}

/* How often others took the processor away. */
static long preemptions(void)
{
    struct rusage use;

    (void)getrusage(RUSAGE_SELF, &use);
    return use.ru_nivcsw;
}

static void turn(struct bench *b)
{
    long before = preemptions();
    uint64_t began = asbi_clock_read();

    if (asbi_journal_is_due(&b->j, began))
        commit(b);
    else if (asbi_journal_settled(&b->j))
        b->file.store->ops->tidy(b->file.store);
    else
        return;
    uint64_t took = asbi_clock_read() - began;
    if (preemptions() > before)
        b->preempted++;
    else if (b->stall_count < STALLS)
        b->stalls[b->stall_count++] = took;
}

static void wait_until(uint64_t then)
{
    uint64_t now = asbi_clock_read();

    if (now < then)
        (void)poll(NULL, 0, (int)((then - now) / ASBI_MS));
}

static int by_length(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double percentile(const struct bench *b, double share)
{
    size_t at = (size_t)(share * (double)(b->stall_count - 1));

    return (double)b->stalls[at] / 1e6;
}

static void report(struct bench *b, double seconds)
{
    uint64_t sum = 0;

    qsort(b->stalls, b->stall_count, sizeof(*b->stalls), by_length);
    for (size_t i = 0; i < b->stall_count; i++)
        sum += b->stalls[i];
    (void)printf("steady: %.0f items a second; %zu visits, %.1f %% of the "
                 "time; p50 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f ms; %zu "
                 "more were preempted\n",
                 (double)b->rows / seconds, b->stall_count,
                 (double)sum / seconds / 1e7, percentile(b, 0.5),
                 percentile(b, 0.99), percentile(b, 0.999), percentile(b, 1),
                 b->preempted);
}

static void steady(struct bench *b, const char *path, unsigned seconds)
{
    uint64_t began, turns = (uint64_t)seconds * TURNS_A_SECOND, calls = 0;

    b->stalls = calloc(STALLS, sizeof(*b->stalls));
    if (!b->stalls)
        stop("stalls", "out of memory");
    start(b, path);
    began = asbi_clock_read();
    for (uint64_t i = 0; i < turns; i++) {
        while (calls * TURNS_A_SECOND < i * CALLS_A_SECOND) {
            one_call(b);
            calls++;
        }
        turn(b);
        wait_until(began + (i + 1) * (ASBI_SECOND / TURNS_A_SECOND));
    }
    report(b, (double)(asbi_clock_read() - began) / 1e9);
    finish(b, path);
    free(b->stalls);
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 30;
    struct bench b = { .rows = 0 };
    char path[4096];

    if (argc < 2 || seconds < 1 || seconds > 3600)
        stop("usage", "journal_bench FOLDER [SECONDS]");
    (void)snprintf(path, sizeof(path), "%s/journal", argv[1]);
    bulk(&b, path);
    steady(&b, path, seconds);
    return 0;
}
