#include "tests/support/check.h"

#include "engine/base/rng.h"
#include "engine/base/units.h"
#include "scheduler/eta.h"

#include <math.h>

static uint64_t at(double seconds)
{
    return 1000 * ASBI_SECOND + (uint64_t)(seconds * 1e9);
}

static void nothing_is_known_before_any_work_is_done(void)
{
    struct asbi_eta e;

    asbi_eta_init(&e, at(0));
    CHECK(asbi_eta_rate(&e, at(0)) == 0);
    CHECK(asbi_eta_left(&e, 100, 5, at(0)) < 0);
    asbi_eta_note(&e, 0, at(3));
    CHECK(asbi_eta_left(&e, 100, 5, at(4)) < 0);
    CHECK(asbi_eta_left(&e, 0, 5, at(4)) == 0);
}

static void a_steady_rate_is_known_within_a_hundredth(void)
{
    struct asbi_eta e;

    asbi_eta_init(&e, at(0));
    for (int i = 1; i <= 50000; i++) {
        double now = i * 0.1;

        asbi_eta_note(&e, 70 * now, at(now));
        double rate = asbi_eta_rate(&e, at(now));
        CHECK(fabs(rate / 70 - 1) < 0.01);
        CHECK(fabs(asbi_eta_left(&e, 700, 0, at(now)) - 10) < 0.1);
    }
}

static void the_window_is_a_quarter_of_the_run_between_15_and_300_s(void)
{
    static const struct {
        double elapsed, window;
    } rows[] = { { 30, 15 }, { 200, 50 }, { 4000, 300 } };

    for (size_t i = 0; i < 3; i++) {
        struct asbi_eta e;
        double turn = rows[i].elapsed - rows[i].window;

        asbi_eta_init(&e, at(0));
        for (double t = 0.25; t <= rows[i].elapsed; t += 0.25)
            asbi_eta_note(&e, t <= turn ? 1000 * t : 1000 * turn + t - turn,
                          at(t));
        double rate = asbi_eta_rate(&e, at(rows[i].elapsed));
        CHECK(fabs(rate - 1) < 0.01); /* nothing of the fast past */
        asbi_eta_init(&e, at(0));
        for (double t = 0.25; t <= rows[i].elapsed; t += 0.25)
            asbi_eta_note(&e, t <= turn + 2 ? 1000 * t : 1000 * (turn + 2),
                          at(t));
        rate = asbi_eta_rate(&e, at(rows[i].elapsed));
        CHECK(fabs(rate * rows[i].window / 2000 - 1) < 0.01);
    }
}

static void silence_lowers_the_rate(void)
{
    struct asbi_eta e;

    asbi_eta_init(&e, at(0));
    for (double t = 1; t <= 40; t += 1)
        asbi_eta_note(&e, t, at(t));
    CHECK(fabs(asbi_eta_rate(&e, at(40)) - 1) < 0.01);
    CHECK(fabs(asbi_eta_rate(&e, at(47.5)) - 0.5) < 0.01);
    CHECK(asbi_eta_rate(&e, at(100)) == 0);
    /* The time left is then by the rate of the whole run. */
    CHECK(fabs(asbi_eta_left(&e, 10, 3, at(100)) - 25) < 0.01);
}

static void a_rate_limit_is_a_floor(void)
{
    struct asbi_eta e;

    asbi_eta_init(&e, at(0));
    asbi_eta_note(&e, 100, at(10));
    CHECK(fabs(asbi_eta_left(&e, 50, 2, at(10)) - 5) < 0.01);
    CHECK(fabs(asbi_eta_left(&e, 50, 60, at(10)) - 60) < 0.01);
}

static void odd_notes_do_no_harm(void)
{
    struct asbi_eta e;

    asbi_eta_init(&e, at(0));
    asbi_eta_note(&e, NAN, at(1));
    asbi_eta_note(&e, INFINITY, at(1));
    asbi_eta_note(&e, 10, at(10));
    asbi_eta_note(&e, 99, at(5)); /* the clock never goes back */
    asbi_eta_note(&e, 3, at(10)); /* nor does work */
    CHECK(fabs(asbi_eta_rate(&e, at(10)) - 1) < 1e-9);
    CHECK(asbi_eta_rate(&e, 0) == 0);
    CHECK(asbi_eta_left(&e, NAN, 0, at(10)) < 0);
}

/* ---- replay: batches that come in bursts -------------------------------- */

enum { WORKERS = 12, ERRORS_MAX = 4000 };

struct replay {
    struct asbi_rng rng;
    double ends[WORKERS], sizes[WORKERS];
    double done, total, now;
    double stall_from; /* for 30 s */
    double slow_at;    /* share of the work after which the rate halves */
    double took[ERRORS_MAX], left[ERRORS_MAX],
        simple[ERRORS_MAX]; /* asked each second */
    size_t asked;
};

static double latency(struct replay *r, double size)
{
    double slow = r->done >= r->slow_at * r->total ? 2 : 1;

    return slow * (1 + size / 300) * exp(0.4 * asbi_rng_normal(&r->rng));
}

/* When worker i ends what it starts now; nothing runs during the stall. */
static void start(struct replay *r, int i)
{
    r->sizes[i] = exp(6.5 + 0.5 * asbi_rng_normal(&r->rng));
    r->ends[i] = r->now + latency(r, r->sizes[i]);
    if (r->now < r->stall_from + 30 && r->ends[i] > r->stall_from)
        r->ends[i] += 30;
}

static int next_end(const struct replay *r)
{
    int first = 0;

    for (int i = 1; i < WORKERS; i++)
        first = r->ends[i] < r->ends[first] ? i : first;
    return first;
}

static void ask_until(struct replay *r, struct asbi_eta *e, double until)
{
    for (; r->now + 1 <= until && r->asked < ERRORS_MAX; r->asked++) {
        r->now += 1;
        asbi_eta_note(e, r->done, at(r->now));
        r->took[r->asked] = r->now;
        r->simple[r->asked] = (r->total - r->done) / (r->done / r->now);
        r->left[r->asked] = asbi_eta_left(e, r->total - r->done, 0, at(r->now));
    }
}

static void replay(struct replay *r, uint64_t seed)
{
    static struct asbi_eta e;

    *r = (struct replay){ .total = 2000000, .slow_at = seed % 2 ? 2 : 0.6 };
    asbi_rng_seed(&r->rng, seed);
    r->stall_from = 60 + 60 * asbi_rng_unit(&r->rng);
    asbi_eta_init(&e, at(0));
    for (int i = 0; i < WORKERS; i++) { /* ramps up over a minute */
        r->now = i * 5;
        start(r, i);
    }
    r->now = 0;
    double asked = 0;
    while (r->done < r->total) {
        int i = next_end(r);
        r->now = asked;
        ask_until(r, &e, r->ends[i]);
        asked = r->now;
        r->now = r->ends[i];
        r->done += r->sizes[i];
        asbi_eta_note(&e, r->done, at(r->now));
        start(r, i);
        r->now = r->ends[i];
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof(*values), ascending);
    return values[(size_t)(p * (double)(n - 1))];
}

/* Errors of the estimates against how long it took, and the steps between
 * one estimate and the next. */
struct errors {
    double off[8 * ERRORS_MAX], simple[8 * ERRORS_MAX], steps[8 * ERRORS_MAX];
    size_t n;
};

static void judge(struct errors *e, const struct replay *r)
{
    double end = r->took[r->asked - 1] + 1;

    for (size_t i = 20; i < r->asked && end - r->took[i] > 10; i++) {
        double truth = end - r->took[i];

        CHECK(r->left[i] > 0 && r->left[i - 1] > 0);
        e->off[e->n] = fabs(r->left[i] / truth - 1);
        e->simple[e->n] = fabs(r->simple[i] / truth - 1);
        e->steps[e->n++] = fabs(r->left[i] / r->left[i - 1] - 1);
    }
}

/* Every run ramps up and stalls once; each second one halves its rate. */
static void bursts_stalls_and_a_halved_rate_keep_the_error_bounded(void)
{
    static struct errors e;
    static struct replay r;

    for (uint64_t seed = 1; seed <= 8; seed++) {
        replay(&r, seed);
        judge(&e, &r);
    }
    CHECK_INT(e.n, >, 4000);
    double middle = percentile(e.off, e.n, 0.5);
    double high = percentile(e.off, e.n, 0.9);
    double step = percentile(e.steps, e.n, 0.9);
    double simple = percentile(e.simple, e.n, 0.5);
    if (getenv("ASB_TEST_VERBOSE"))
        (void)fprintf(stderr, "median %.3f (mean rate %.3f) p90 %.3f %.3f\n",
                      middle, simple, high, step);
    CHECK(middle <= 0.22);
    CHECK(high <= 0.50);
    CHECK(step <= 0.08);
    CHECK(middle < simple); /* the mean rate of the whole run so far */
}

TEST_MAIN(CASE(nothing_is_known_before_any_work_is_done),
          CASE(a_steady_rate_is_known_within_a_hundredth),
          CASE(the_window_is_a_quarter_of_the_run_between_15_and_300_s),
          CASE(silence_lowers_the_rate), CASE(a_rate_limit_is_a_floor),
          CASE(odd_notes_do_no_harm),
          CASE(bursts_stalls_and_a_halved_rate_keep_the_error_bounded))
