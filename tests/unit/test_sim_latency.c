#include "engine/sim/latency.h"

#include <math.h>

#include "engine/base/units.h"
#include "tests/support/check.h"

enum { DRAWS = 20001 };

static struct asbi_sim_latency parse(const char *text)
{
    struct asbi_sim_latency law;
    struct asb_message why = { "" };

    CHECK_INT(asbi_sim_latency_parse(asbi_str_c(text), &law, &why), ==, ASB_OK);
    return law;
}

static struct asbi_sim_delay draw(const struct asbi_sim_latency *law,
                                  struct asbi_rng *rng, uint64_t out)
{
    return asbi_sim_latency_draw(law, rng, 0, out);
}

static void an_empty_law_takes_no_time(void)
{
    struct asbi_sim_latency law = parse("");
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 1);
    CHECK_INT(draw(&law, &rng, 1000).total_ns, ==, 0);
}

static void a_fixed_law_is_the_sum_of_its_parts(void)
{
    struct asbi_sim_latency law = parse(
        "base=200ms, per_output_token=1ms, per_input_token=2us, ttft=50ms");
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 1);
    struct asbi_sim_delay d = asbi_sim_latency_draw(&law, &rng, 1000, 30);
    CHECK_INT(d.total_ns, ==, 232 * ASBI_MS);
    CHECK_INT(d.first_ns, ==, 50 * ASBI_MS);
}

static void the_first_token_comes_after_base_and_input(void)
{
    struct asbi_sim_latency law = parse("base=200,per_output_token=1");
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 1);
    CHECK_INT(draw(&law, &rng, 30).first_ns, ==, 200 * ASBI_MS);
    CHECK_INT(draw(&law, &rng, 30).total_ns, ==, 230 * ASBI_MS);
}

/* ln of the factor has mean 0 and deviation sigma; with 20,001 draws the mean
 * is within 4 standard errors, 0.3 * 4 / 141. */
static void a_lognormal_law_has_median_one(void)
{
    struct asbi_sim_latency law = parse("base=1s,sigma=0.3");
    struct asbi_rng rng;
    double sum = 0, squares = 0;

    asbi_rng_seed(&rng, 42);
    for (int i = 0; i < DRAWS; i++) {
        double x = log((double)draw(&law, &rng, 0).total_ns / 1e9);
        sum += x;
        squares += x * x;
    }
    double mean = sum / DRAWS;
    double deviation = sqrt(squares / DRAWS - mean * mean);
    CHECK(fabs(mean) < 0.0085);
    CHECK(fabs(deviation - 0.3) < 0.006);
}

static void a_uniform_law_fills_its_interval_evenly(void)
{
    struct asbi_sim_latency law = parse("uniform=100ms-300ms");
    unsigned bins[4] = { 0 };
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 7);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t ns = draw(&law, &rng, 500).total_ns;
        CHECK(ns >= 100 * ASBI_MS && ns <= 300 * ASBI_MS);
        bins[(ns - 100 * ASBI_MS) * 4 / (200 * ASBI_MS + 1)]++;
    }
    for (int i = 0; i < 4; i++)
        CHECK(bins[i] > DRAWS / 4 - 300 && bins[i] < DRAWS / 4 + 300);
}

static void the_same_seed_draws_the_same(void)
{
    struct asbi_sim_latency law = parse("uniform=0-1s,sigma=1");
    struct asbi_rng a, b;

    asbi_rng_seed(&a, 3);
    asbi_rng_seed(&b, 3);
    for (int i = 0; i < 100; i++)
        CHECK_INT(draw(&law, &a, 0).total_ns, ==, draw(&law, &b, 0).total_ns);
}

static void no_draw_exceeds_a_day(void)
{
    struct asbi_sim_latency law = parse("base=1d,per_output_token=1d,sigma=5");
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 1);
    for (int i = 0; i < 100; i++)
        CHECK(draw(&law, &rng, UINT32_MAX).total_ns <= 86400 * ASBI_SECOND);
}

static void a_fault_names_its_key(void)
{
    static const struct {
        const char *text, *named;
    } bad[] = {
        { "bas=1s", "\"bas\"" },
        { "base", "\"base\"" },
        { "base=1s,sigma=x", "\"sigma\"" },
        { "sigma=-1", "\"sigma\"" },
        { "uniform=300ms-100ms", "\"uniform\"" },
        { "uniform=300ms", "\"uniform\"" },
        { "base=1s,,sigma=1", "\"\"" },
        { "base=9d", "\"base\"" },
        { "=", "\"\"" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct asbi_sim_latency law;
        struct asb_message why = { "" };

        CHECK_INT(asbi_sim_latency_parse(asbi_str_c(bad[i].text), &law, &why),
                  ==, ASB_ECONFIG);
        CHECK(strstr(why.text, bad[i].named));
    }
}

TEST_MAIN(CASE(an_empty_law_takes_no_time),
          CASE(a_fixed_law_is_the_sum_of_its_parts),
          CASE(the_first_token_comes_after_base_and_input),
          CASE(a_lognormal_law_has_median_one),
          CASE(a_uniform_law_fills_its_interval_evenly),
          CASE(the_same_seed_draws_the_same), CASE(no_draw_exceeds_a_day),
          CASE(a_fault_names_its_key))
