/* The time left, as the engine tells it during whole runs in virtual time,
 * against the time that it then took. */
#include <math.h>

#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { MOST_LOOKS = 20000, ITEMS = 4000 };

struct looks {
    uint64_t started_ns, next_ns;
    size_t count;
    struct {
        uint64_t at_ns;
        double eta;
        struct asbi_eta_range range;
    } look[MOST_LOOKS];
};

/* Every virtual second, from the tenth on. */
static bool look(struct sim_run *r, void *arg)
{
    struct looks *l = arg;
    uint64_t now = asbi_now(r->world);
    const struct asb_engine *e = r->engine;
    struct asb_stats s = { .size = sizeof(s) };

    if (l->next_ns == 0)
        l->next_ns = (l->started_ns = now) + 10 * ASBI_SECOND;
    if (now < l->next_ns || l->count == MOST_LOOKS)
        return true;
    l->next_ns = now + ASBI_SECOND;
    asb_engine_stats(e, &s);
    if (s.eta_seconds < 0)
        return true;
    l->look[l->count].at_ns = now;
    l->look[l->count].eta = s.eta_seconds;
    l->look[l->count++].range =
        asbi_eta_range(&e->eta, e->work_accepted - e->work_done, 0,
                       asbi_engine_call_seconds(e), s.eta_seconds, now);
    return true;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double errors[10 * MOST_LOOKS], width;
static size_t error_count, ranges, in_range;

static void compare_range(const struct asbi_eta_range *r, double left)
{
    ranges++;
    in_range +=
        r->low <= left * 1.05 && (r->high < 0 || r->high >= left * 0.95);
    width += r->high < 0 ? 0 : (r->high - r->low) / left;
}

/* What was said against what came, but for the last two seconds.  No range can
 * know of a change that is still to come. */
static void compare(const struct looks *l, uint64_t ended_ns,
                    uint64_t changes_ns)
{
    for (size_t i = 0; i < l->count; i++) {
        double left = (double)(ended_ns - l->look[i].at_ns) / 1e9;

        if (left < 2)
            continue;
        CHECK(l->look[i].range.low <= l->look[i].eta);
        errors[error_count++] = fabs(l->look[i].eta - left) / left;
        if (l->look[i].at_ns > changes_ns)
            compare_range(&l->look[i].range, left);
    }
}

struct shape {
    const char *name;
    uint64_t rpm, capacity;
    double error_rate, sigma;
    const char *workers;
    bool halves;
};

static void play(const struct shape *shape, uint64_t seed)
{
    static struct looks l;
    struct sim_run r;

    memset(&l, 0, sizeof(l));
    sim_run_init(&r, seed);
    r.items = ITEMS;
    r.provider.rpm = shape->rpm;
    r.provider.capacity = shape->capacity;
    r.provider.error_rate = shape->error_rate;
    r.provider.latency.base_ns = 2 * ASBI_SECOND;
    r.provider.latency.sigma = shape->sigma;
    if (shape->halves)
        r.provider.halve_at_ns = 60 * ASBI_SECOND;
    r.options[0][0] = "workers";
    r.options[0][1] = shape->workers;
    r.options[1][0] = "batch_size";
    r.options[1][1] = "5";
    r.on_step = look;
    r.on_step_arg = &l;
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    sim_run_play(&r);
    CHECK(r.finished);
    CHECK(l.count > 5);
    compare(&l, l.started_ns + r.virtual_ns, r.provider.halve_at_ns);
    sim_run_end(&r);
}

static void the_time_left_is_known_to_a_fifth_and_within_its_range(void)
{
    static const struct shape shapes[] = {
        { "steady", 0, 0, 0, 0.3, "8", false },
        { "rate limit", 300, 0, 0, 0.3, "auto", false },
        { "slow server", 0, 12, 0, 0.6, "auto", false },
        { "failures", 0, 0, 0.1, 0.3, "8", false },
        { "half the quota", 400, 0, 0, 0.3, "auto", true },
        { "finds its pace", 0, 40, 0, 0.5, "auto", false },
    };

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        error_count = ranges = in_range = 0;
        width = 0;
        for (uint64_t seed = 1; seed <= check_times(2, 10); seed++)
            play(&shapes[i], seed);
        qsort(errors, error_count, sizeof(errors[0]), ascending);
        double share = (double)in_range / (double)ranges;
        if (getenv("ASB_TEST_VERBOSE"))
            (void)fprintf(stderr,
                          "%-14s median %.1f %%, p90 %.1f %%, in range "
                          "%.0f %% of %zu, which is %.2f of it wide\n",
                          shapes[i].name, 100 * errors[error_count / 2],
                          100 * errors[error_count * 9 / 10], 100 * share,
                          ranges, width / (double)ranges);
        CHECK(errors[error_count / 2] <= 0.20);
        CHECK(share >= 0.80);
        /* A range that says nothing would hold always. */
        CHECK(width / (double)ranges <= 0.9);
    }
}

TEST_MAIN(CASE(the_time_left_is_known_to_a_fifth_and_within_its_range))
