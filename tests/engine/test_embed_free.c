/* An engine goes when its host wants it to: from outside, from inside a
 * callback, with work under way, with a job on it. */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/host.h"

static void free_engine(struct host *h, const struct asb_result *result)
{
    (void)result;
    CHECK_INT(asb_engine_free(h->engine), ==, ASB_OK);
    CHECK_INT(asb_engine_free(h->engine), ==, ASB_OK); /* again: no harm */
}

static void submit_some(struct host *h, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "i%u", i);
        (void)host_submit(h, id, id);
    }
}

static void an_engine_is_freed_with_work_in_every_state(void)
{
    for (unsigned turns = 0; turns < 40; turns += 3) {
        struct host h;

        host_init(&h);
        h.options[0][0] = "batch_size", h.options[0][1] = "2";
        host_start(&h);
        submit_some(&h, 9);
        for (unsigned i = 0; i < turns; i++)
            (void)event_base_loop(h.base, EVLOOP_NONBLOCK);
        host_end(&h);
    }
}

/* All nine are in one batch, so that eight more callbacks are owed when the
 * first frees the engine. */
static void a_callback_may_free_its_engine(void)
{
    struct host h;

    host_init(&h);
    h.on_result = free_engine;
    host_start(&h);
    submit_some(&h, 9);
    host_wait(&h, 1);
    CHECK_INT(h.fm.live, ==, 0); /* gone when the callback had returned */
    host_idle(&h);
    CHECK_INT(h.done, ==, 1);
    h.engine = NULL;
    host_end(&h);
}

static void free_and_break(struct host *h, const struct asb_result *result)
{
    free_engine(h, result);
    CHECK_INT(event_base_loopbreak(h->base), ==, 0);
}

static void a_callback_may_free_its_engine_and_leave_the_loop(void)
{
    struct host h;

    host_init(&h);
    h.on_result = free_and_break;
    host_start(&h);
    submit_some(&h, 1);
    CHECK_INT(event_base_dispatch(h.base), ==, 0);
    CHECK_INT(h.done, ==, 1);
    CHECK_INT(h.fm.live, ==, 0);
    h.engine = NULL;
    host_end(&h);
}

static void asb_run_returns_when_a_callback_has_freed_its_engine(void)
{
    for (int own = 0; own < 2; own++) {
        struct host h;

        host_init(&h);
        h.own_base = own;
        h.on_result = free_engine;
        host_start(&h);
        submit_some(&h, 3);
        if (own) /* nobody will answer */
            asb_stop(h.engine);
        CHECK_INT(asb_run(h.engine), ==, ASB_OK);
        CHECK_INT(h.done, ==, 1);
        CHECK_INT(h.fm.live, ==, 0);
        h.engine = NULL;
        host_end(&h);
    }
}

static void try_to_free(struct host *h, const struct asb_result *result)
{
    (void)result;
    CHECK_INT(asb_engine_free(h->engine), ==, ASB_EBUSY);
}

/* Its base is looped by the host, and would be pulled away under that. */
static void an_engine_cannot_free_its_own_base_from_inside(void)
{
    struct host h;

    host_init(&h);
    h.own_base = true;
    h.on_result = try_to_free;
    host_start(&h);
    submit_some(&h, 3);
    asb_stop(h.engine);
    while (h.done < 3)
        CHECK_INT(event_base_loop(asb_engine_base(h.engine), EVLOOP_ONCE), ==,
                  0);
    host_end(&h);
}

static void on_host_timer(evutil_socket_t fd, short what, void *arg)
{
    struct host *h = arg;

    (void)fd;
    (void)what;
    CHECK_INT(asb_engine_free(h->engine), ==, ASB_OK);
}

/* A callback of the host, not of ours, but with asb_run() below it. */
static void a_timer_of_the_host_may_free_an_engine_that_runs(void)
{
    static const struct timeval soon = { 0, 1000 };
    struct host h;

    host_init(&h);
    h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
    host_start(&h);
    submit_some(&h, 3);
    CHECK_INT(event_base_once(h.base, -1, EV_TIMEOUT, on_host_timer, &h, &soon),
              ==, 0);
    CHECK_INT(asb_run(h.engine), ==, ASB_OK);
    CHECK_INT(h.done, ==, 0);
    h.engine = NULL;
    host_end(&h);
}

static void on_busy_timer(evutil_socket_t fd, short what, void *arg)
{
    struct host *h = arg;

    (void)fd;
    (void)what;
    CHECK_INT(asb_run(h->engine), ==, ASB_EBUSY);
    if (h->own_base)
        CHECK_INT(asb_engine_free(h->engine), ==, ASB_EBUSY);
    asb_stop(h->engine);
}

/* Nor is a base looped twice, or pulled away, from a callback of the host's. */
static void a_timer_of_the_host_cannot_run_what_is_looped(void)
{
    static const struct timeval soon = { 0, 1000 };

    for (int own = 0; own < 2; own++) {
        struct host h;

        host_init(&h);
        h.own_base = own;
        h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
        host_start(&h);
        submit_some(&h, 3);
        struct event_base *base = asb_engine_base(h.engine);
        CHECK_INT(
            event_base_once(base, -1, EV_TIMEOUT, on_busy_timer, &h, &soon), ==,
            0);
        while (h.done < 3)
            CHECK_INT(event_base_loop(base, EVLOOP_ONCE), ==, 0);
        host_end(&h);
    }
}

static void run_the_other(struct host *h, const struct asb_result *result)
{
    struct host *other = h->data;

    (void)result;
    CHECK_INT(asb_run(other->engine), ==, ASB_EBUSY);
}

static void a_callback_cannot_run_another_engine_on_its_base(void)
{
    struct host one, other;

    host_init(&one);
    host_init(&other);
    one.on_result = run_the_other;
    one.data = &other;
    other.beside = &one;
    host_start(&one);
    host_start(&other);
    submit_some(&one, 1);
    host_wait(&one, 1);
    other.open_before = 0; /* the first has some, too */
    host_end(&other);
    host_end(&one);
}

/* ---- with a job ------------------------------------------------------- */

struct ended {
    struct host *host;
    unsigned times;
    enum asb_exit status;
};

static void on_job_done(struct asb_job *job, enum asb_exit status,
                        const char *reason, void *arg)
{
    struct ended *e = arg;

    CHECK(reason && reason[0]);
    CHECK_INT(asb_run(e->host->engine), ==, ASB_EBUSY);
    e->times++;
    e->status = status;
    asb_job_free(job);
    CHECK_INT(asb_engine_free(e->host->engine), ==, ASB_OK);
}

/* A job from one file to another, whose end frees all. */
static void job_is_freed_by_its_end(const char *output, bool interrupt,
                                    enum asb_exit want)
{
    char input[] = "asb-embed-XXXXXX";
    int fd = mkstemp(input);
    struct asb_job *job;
    struct asb_message why;
    struct host h;
    struct ended ended = { &h, 0, ASB_EXIT_OK };

    CHECK(fd >= 0);
    CHECK(dprintf(fd, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n") > 0);
    CHECK_INT(close(fd), ==, 0);
    host_init(&h);
    h.options[0][0] = "input", h.options[0][1] = input;
    h.options[1][0] = "output", h.options[1][1] = output;
    h.options[2][0] = "input_format", h.options[2][1] = "jsonl";
    host_start(&h);
    int rc = asb_job_new(h.engine, on_job_done, &ended, &job, &why);
    if (rc)
        check_fail(__FILE__, __LINE__, "%s", why.text);
    if (interrupt)
        asb_job_interrupt(job);
    while (!ended.times)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    CHECK_INT(h.fm.live, ==, 0);
    host_idle(&h);
    CHECK_INT(ended.times, ==, 1);
    CHECK_INT(ended.status, ==, want);
    h.engine = NULL;
    host_end(&h);
    CHECK_INT(unlink(input), ==, 0);
}

static void the_end_of_a_job_may_free_job_and_engine(void)
{
    char output[64];

    (void)snprintf(output, sizeof(output), "asb-embed-%d.out", (int)getpid());
    job_is_freed_by_its_end(output, false, ASB_EXIT_OK);
    CHECK_INT(unlink(output), ==, 0);
}

static void an_interrupted_job_may_be_freed_by_its_end(void)
{
    char output[64];

    (void)snprintf(output, sizeof(output), "asb-embed-%d.int", (int)getpid());
    job_is_freed_by_its_end(output, true, ASB_EXIT_INTERRUPTED);
    CHECK_INT(unlink(output), ==, 0);
}

static void a_job_that_cannot_write_may_be_freed_by_its_end(void)
{
    job_is_freed_by_its_end("/dev/full", false, ASB_EXIT_INTERRUPTED);
}

TEST_MAIN(CASE(an_engine_is_freed_with_work_in_every_state),
          CASE(a_callback_may_free_its_engine),
          CASE(a_callback_may_free_its_engine_and_leave_the_loop),
          CASE(asb_run_returns_when_a_callback_has_freed_its_engine),
          CASE(an_engine_cannot_free_its_own_base_from_inside),
          CASE(a_timer_of_the_host_may_free_an_engine_that_runs),
          CASE(a_timer_of_the_host_cannot_run_what_is_looped),
          CASE(a_callback_cannot_run_another_engine_on_its_base),
          CASE(the_end_of_a_job_may_free_job_and_engine),
          CASE(an_interrupted_job_may_be_freed_by_its_end),
          CASE(a_job_that_cannot_write_may_be_freed_by_its_end))
