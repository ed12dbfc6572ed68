/* Jobs of a host: when memory runs out, and what an engine does after one. */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void start(struct host *h)
{
    FILE *f;

    (void)snprintf(input, sizeof(input), "asb-job-%d.csv", (int)getpid());
    (void)snprintf(output, sizeof(output), "asb-job-%d.out", (int)getpid());
    f = fopen(input, "w");
    CHECK(f && fputs("id,text\n", f) >= 0);
    for (int i = 0; i < ROWS; i++)
        CHECK(fprintf(f, "%d,text %d\n", i, i) > 0);
    CHECK_INT(fclose(f), ==, 0);
    host_init(h);
    h->options[0][0] = "input", h->options[0][1] = input;
    h->options[1][0] = "output", h->options[1][1] = output;
    h->options[2][0] = "output_format", h->options[2][1] = "csv";
    h->options[3][0] = "no_journal", h->options[3][1] = "true";
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

TEST_MAIN(CASE(a_job_that_says_all_is_well_has_written_all),
          CASE(an_engine_takes_no_job_after_one_that_ended))
