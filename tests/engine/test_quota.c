/* How much of a provider's quota is used, and how seldom it must refuse: ten
 * minutes of virtual time, ten seeds. */
#include "engine/base/units.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

enum { RPM = 500, TPM = 200000, PROMPT = 609, MINUTES = 10 };

/* Calls of one size, as many as the tighter limit allows. */
static void limited(struct sim_run *r, uint64_t seed, size_t calls)
{
    sim_run_init(r, seed);
    r->items = 3 * calls;
    r->provider.latency.base_ns = 2 * ASBI_SECOND;
    r->provider.latency.sigma = 0.3;
    sim_run_set(r, "batch_size", "3");
}

static void check_refusals(const struct sim_run *r)
{
    CHECK_INT(r->stats.items_ok, ==, r->items);
    CHECK(r->stats.calls_429 * 1000 <= r->stats.calls);
}

static void use_tokens(uint64_t seed, uint64_t last_seed)
{
    for (; seed <= last_seed; seed++) {
        struct sim_run r;

        limited(&r, seed, (size_t)MINUTES * TPM / PROMPT);
        r.provider.rpm = RPM;
        r.provider.tpm = TPM;
        sim_run_all(&r);
        check_refusals(&r);
        double minutes = (double)r.virtual_ns / 6e10;
        CHECK((double)r.served.billed_input >= 0.97 * TPM * minutes);
        sim_run_end(&r);
    }
}

static void use_calls(uint64_t seed, uint64_t last_seed)
{
    for (; seed <= last_seed; seed++) {
        struct sim_run r;

        limited(&r, seed, (size_t)MINUTES * RPM);
        r.provider.rpm = RPM;
        sim_run_all(&r);
        check_refusals(&r);
        double minutes = (double)r.virtual_ns / 6e10;
        CHECK((double)r.served.calls >= 0.97 * RPM * minutes);
        sim_run_end(&r);
    }
}

/* A request that sets no max_tokens counts by what it is, not by the longest
 * answer that the model could give. */
static void answers_without_a_limit_do_not_use_up_the_quota(void)
{
    struct sim_run r;

    sim_run_init(&r, 1);
    r.items = 3000;
    r.provider.tpm = TPM / 10;
    r.provider.latency.base_ns = 2 * ASBI_SECOND;
    sim_run_set(&r, "task", "raw");
    sim_run_all(&r);
    check_refusals(&r);
    double minutes = (double)r.virtual_ns / 6e10;
    CHECK((double)r.served.billed_input >=
          0.5 * (double)r.provider.tpm * minutes);
    sim_run_end(&r);
}

static void nearly_all_tokens_are_used_seeds_1_to_3(void)
{
    use_tokens(1, 3);
}

static void nearly_all_tokens_are_used_seeds_4_to_6(void)
{
    use_tokens(4, 6);
}

static void nearly_all_tokens_are_used_seeds_7_to_10(void)
{
    use_tokens(7, 10);
}

static void nearly_all_calls_are_used_seeds_1_to_3(void)
{
    use_calls(1, 3);
}

static void nearly_all_calls_are_used_seeds_4_to_6(void)
{
    use_calls(4, 6);
}

static void nearly_all_calls_are_used_seeds_7_to_10(void)
{
    use_calls(7, 10);
}

/* Without a quota nothing but the server's own speed sets the pace: calls that
 * are all alike must not look as if they got slower. */
static void equal_calls_do_not_shrink_the_number_in_flight(void)
{
    struct sim_run r;

    limited(&r, 3, 3000);
    sim_run_all(&r);
    CHECK_INT(r.stats.in_flight_max, >=, 64);
    CHECK_INT(r.stats.concurrency_limit, >=, 64);
    sim_run_end(&r);
}

/* Batches grow from the first guess to what the model may answer; each takes
 * longer for that, and the server is as quick as ever. */
static void growing_calls_do_not_shrink_it_either(void)
{
    struct sim_run r;

    sim_run_init(&r, 5);
    r.items = 200000;
    r.provider.latency.base_ns = ASBI_SECOND / 5;
    r.provider.latency.per_output_token_ns = ASBI_SECOND / 1000;
    r.provider.latency.sigma = 0.3;
    sim_run_all(&r);
    CHECK_INT(r.stats.items_ok, ==, 200000);
    CHECK_INT(r.stats.concurrency_limit, >=, 200);
    sim_run_end(&r);
}

TEST_MAIN(CASE(nearly_all_tokens_are_used_seeds_1_to_3),
          CASE(nearly_all_tokens_are_used_seeds_4_to_6),
          CASE(nearly_all_tokens_are_used_seeds_7_to_10),
          CASE(nearly_all_calls_are_used_seeds_1_to_3),
          CASE(nearly_all_calls_are_used_seeds_4_to_6),
          CASE(nearly_all_calls_are_used_seeds_7_to_10),
          CASE(answers_without_a_limit_do_not_use_up_the_quota),
          CASE(equal_calls_do_not_shrink_the_number_in_flight),
          CASE(growing_calls_do_not_shrink_it_either))
