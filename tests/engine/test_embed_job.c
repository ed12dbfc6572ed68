/* Jobs of a host: when memory runs out, and what an engine does after one. */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/str.h"
#include "tests/support/check.h"
#include "tests/support/host.h"

enum { ROWS = 5 };

static char input[64], output[64];

struct ended {
    unsigned times;
    enum asb_exit status;
};

static void on_job_done(struct asb_job *job, enum asb_exit status,
                        const char *reason, void *arg)
{
    struct ended *e = arg;

    CHECK(job && reason && reason[0]);
    e->times++;
    e->status = status;
}

static void write_rows(int fd)
{
    CHECK(dprintf(fd, "id,text\n") > 0);
    for (int i = 0; i < ROWS; i++)
        CHECK(dprintf(fd, "%d,text %d\n", i, i) > 0);
}

static void init(struct host *h)
{
    (void)snprintf(input, sizeof(input), "asb-job-%d.csv", (int)getpid());
    (void)snprintf(output, sizeof(output), "asb-job-%d.out", (int)getpid());
    int fd = open(input, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    write_rows(fd);
    CHECK_INT(close(fd), ==, 0);
    host_init(h);
    h->options[0][0] = "input", h->options[0][1] = input;
    h->options[1][0] = "output", h->options[1][1] = output;
    h->options[2][0] = "output_format", h->options[2][1] = "csv";
    h->options[3][0] = "no_journal", h->options[3][1] = "true";
}

static void start(struct host *h)
{
    init(h);
    host_start(h);
}

static void finish(struct host *h)
{
    host_end(h);
    CHECK_INT(unlink(input), ==, 0);
    (void)unlink(output);
}

static unsigned lines_written(void)
{
    FILE *f = fopen(output, "r");
    unsigned lines = 0;

    CHECK(f);
    for (int c; (c = getc(f)) != EOF;)
        lines += c == '\n';
    CHECK_INT(fclose(f), ==, 0);
    return lines;
}

/* The `n`-th allocation after the job was made fails.  True when there was
 * none. */
static bool runs_short(size_t n)
{
    struct ended ended = { .times = 0 };
    struct asb_job *job;
    struct host h;

    start(&h);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, NULL), ==,
              ASB_OK);
    h.fm.fail_at = h.fm.seen + n;
    while (!ended.times)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    bool last = h.fm.seen < h.fm.fail_at;
    h.fm.fail_at = 0;
    asb_job_free(job);
    if (ended.status == ASB_EXIT_OK || ended.status == ASB_EXIT_SOME_FAILED)
        CHECK_INT(lines_written(), ==, ROWS + 1);
    CHECK(!last || ended.status == ASB_EXIT_OK);
    finish(&h);
    return last;
}

static void a_job_that_says_all_is_well_has_written_all(void)
{
    for (size_t n = 1; !runs_short(n); n++)
        ;
}

/* The end of the input has drained the engine. */
static void an_engine_takes_no_job_after_one_that_ended(void)
{
    struct ended ended = { .times = 0 };
    struct asb_job *job;
    struct asb_message why;
    struct host h;

    start(&h);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, &why), ==,
              ASB_OK);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, &why), ==,
              ASB_EINVAL);
    while (!ended.times)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    asb_job_free(job);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, &why), ==,
              ASB_ECLOSED);
    CHECK(strlen(why.text) > 0);
    CHECK_INT(lines_written(), ==, ROWS + 1);
    finish(&h);
}

static unsigned calls_begun(const struct host *h)
{
    struct asb_stats stats = { .size = sizeof(stats) };

    asb_engine_stats(h->engine, &stats);
    return (unsigned)stats.calls;
}

static uint64_t stands_still(void *arg)
{
    (void)arg;
    return 5000000000U;
}

static void wait_for_items(struct host *h, uint64_t count)
{
    struct asb_stats stats = { .size = sizeof(stats) };

    while (asb_engine_stats(h->engine, &stats), stats.items_total < count)
        CHECK_INT(event_base_loop(h->base, EVLOOP_ONCE), ==, 0);
}

/* The job reads from a pipe that stays open: its end would drain the engine. */
static void start_with_journal(struct host *h, const char *from,
                               const char *journal)
{
    init(h);
    h->options[0][1] = from;
    h->options[3][0] = "journal", h->options[3][1] = journal;
    h->options[4][0] = "batch_wait", h->options[4][1] = "1h";
    h->options[5][0] = "input_format", h->options[5][1] = "csv";
    h->hooks.now_ns = stands_still;
    host_start(h);
}

/* After a first commit no time passes that would bring the next: a call with
 * all rows and an item of the host's waits for it when the job goes. */
static void the_hosts_items_go_on_without_the_job(void)
{
    static const char journal[] = "asb-beside.journal";
    struct asb_request alone = { .size = sizeof(alone),
                                 .id = ASBI_STR("alone"),
                                 .payload = ASB_PROMPT,
                                 .text = ASBI_STR("Hello") };
    struct ended ended = { .times = 0 };
    struct asb_job *job;
    struct host h;
    char from[32];
    int ends[2];

    CHECK_INT(pipe(ends), ==, 0);
    (void)snprintf(from, sizeof(from), "/dev/fd/%d", ends[0]);
    write_rows(ends[1]);
    start_with_journal(&h, from, journal);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, NULL), ==,
              ASB_OK);
    wait_for_items(&h, ROWS);
    CHECK_INT(host_ask(&h, &alone, NULL), ==, ASB_OK);
    host_wait(&h, 1);
    (void)host_submit(&h, "own", "sent with the rows");
    asb_flush(h.engine);
    while (calls_begun(&h) < 2)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    asb_job_free(job);
    asb_drain(h.engine);
    CHECK_INT(asb_run(h.engine), ==, ASB_OK);
    CHECK_BYTES(h.told, strlen(h.told), "alone own ");
    CHECK_INT(calls_begun(&h), ==, 2);
    CHECK_INT(ended.times, ==, 0);
    finish(&h);
    CHECK_INT(close(ends[0]) + close(ends[1]) + unlink(journal), ==, 0);
}

static void what_a_freed_job_has_not_sent_is_not_paid_for(void)
{
    struct ended ended = { .times = 0 };
    struct asb_job *job;
    struct host h;

    init(&h);
    h.options[4][0] = "batch_wait", h.options[4][1] = "1h";
    host_start(&h);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, NULL), ==,
              ASB_OK);
    wait_for_items(&h, ROWS);
    CHECK_INT(calls_begun(&h), ==, 0); /* they wait for company */
    asb_job_free(job);
    asb_drain(h.engine);
    CHECK_INT(asb_run(h.engine), ==, ASB_OK);
    CHECK_INT(calls_begun(&h), ==, 0);
    CHECK_INT(asb_job_new(h.engine, on_job_done, &ended, &job, NULL), ==,
              ASB_ECLOSED);
    finish(&h);
}

TEST_MAIN(CASE(a_job_that_says_all_is_well_has_written_all),
          CASE(an_engine_takes_no_job_after_one_that_ended),
          CASE(the_hosts_items_go_on_without_the_job),
          CASE(what_a_freed_job_has_not_sent_is_not_paid_for))
