/* Input and output with limits of their own, as Anthropic has them. */
#include "engine/lane.h"

#include "config/options.h"
#include "engine/base/units.h"
#include "tests/support/check.h"

static struct asbi_lane *lane_of(struct asb_options *options,
                                 const char *provider)
{
    static const struct asbi_log silent;
    static struct asbi_purse purse;
    struct asbi_lane *lane;
    struct asb_message why;

    CHECK_INT(
        asb_options_set(options, "provider", provider, ASB_FROM_HOST, &why), ==,
        ASB_OK);
    CHECK_INT(
        asb_options_set(options, "model", "some-model", ASB_FROM_HOST, &why),
        ==, ASB_OK);
    asbi_purse_init(&purse, &options->values);
    CHECK_INT(asbi_lane_new(&asbi_mem_system, options, ASBI_STR("key"),
                            ASBI_STR("Rules"), &purse, &silent, 100, &lane,
                            &why),
              ==, ASB_OK);
    asbi_lane_set_way(lane, ASBI_PACKED);
    return lane;
}

static struct asbi_rate_hint hint(uint64_t input, uint64_t output)
{
    struct asbi_rate_hint h;

    memset(&h, 0xff, sizeof(h));
    h.limit_input = h.remaining_input = input;
    h.limit_output = h.remaining_output = output;
    h.limit_tokens = h.remaining_tokens = input + output;
    return h;
}

/* Calls that may go at once before the rate gate closes. */
static unsigned burst(struct asbi_lane *lane, double input, uint64_t output)
{
    struct asbi_demand demand;
    uint64_t ready;
    unsigned n = 0;

    for (; n < 1000; n++) {
        asbi_lane_weigh(lane, input, output, 0, &lane->prices, &demand);
        enum asbi_gate gate =
            asbi_lane_gate(lane, &demand, ASBI_SECOND, &ready);

        if (gate == ASBI_GATE_CONCURRENCY) {
            lane->limiter.in_flight = 0;
            continue;
        }
        if (gate != ASBI_GATE_OPEN)
            break;
        asbi_lane_take(lane, &demand, ASBI_SECOND);
    }
    return n;
}

static void each_side_closes_the_gate_by_itself(void)
{
    struct asb_options *options = asb_options_new();
    struct asbi_lane *lane = lane_of(options, "anthropic");
    struct asbi_rate_hint wide_input = hint(10000000, 12000);
    struct asbi_rate_hint wide_output = hint(12000, 10000000);

    asbi_lane_hint(lane, &wide_input, ASBI_SECOND);
    unsigned by_output = burst(lane, 100, 100);
    CHECK(by_output > 5 && by_output < 100);
    asbi_lane_free(lane, NULL);

    lane = lane_of(options, "anthropic");
    asbi_lane_hint(lane, &wide_output, ASBI_SECOND);
    unsigned by_input = burst(lane, 100, 100);
    CHECK(by_input > 5 && by_input < 100);
    asbi_lane_free(lane, NULL);
    asb_options_free(options);
}

static void elsewhere_one_limit_holds_for_both(void)
{
    struct asb_options *options = asb_options_new();
    struct asbi_lane *lane = lane_of(options, "gemini");
    struct asbi_rate_hint h = hint(UINT64_MAX, UINT64_MAX);

    h.limit_tokens = h.remaining_tokens = 12000;
    asbi_lane_hint(lane, &h, ASBI_SECOND);
    unsigned both = burst(lane, 100, 100);
    CHECK(both > 2 && both < 100);
    CHECK_INT(lane->outstanding_output, ==, 0);
    asbi_lane_free(lane, NULL);
    asb_options_free(options);
}

/* Groq's headers count the requests of a day and the tokens of a minute. */
static void what_a_day_allows_is_no_pace(void)
{
    static const char *const providers[] = { "gemini", "groq" };
    unsigned calls[2];

    for (size_t i = 0; i < 2; i++) {
        struct asb_options *options = asb_options_new();
        struct asbi_lane *lane = lane_of(options, providers[i]);
        struct asbi_rate_hint h = hint(UINT64_MAX, UINT64_MAX);

        h.limit_requests = h.remaining_requests = 120;
        h.limit_tokens = h.remaining_tokens = 120000;
        asbi_lane_hint(lane, &h, ASBI_SECOND);
        calls[i] = burst(lane, 100, 100);
        asbi_lane_free(lane, NULL);
        asb_options_free(options);
    }
    CHECK(calls[0] > 5 && calls[0] < 15);
    CHECK(calls[1] > 30 && calls[1] < 60); /* held by its tokens */
}

static void what_was_reserved_is_given_back(void)
{
    struct asb_options *options = asb_options_new();
    struct asbi_lane *lane = lane_of(options, "anthropic");
    struct asbi_rate_hint h = hint(1000000, 12000);
    struct asbi_settlement s = { .breaker_ok = true };
    struct asbi_demand demand;
    uint64_t ready;

    asbi_lane_hint(lane, &h, ASBI_SECOND);
    asbi_lane_weigh(lane, 100, 3000, 0, &lane->prices, &demand);
    CHECK_INT(asbi_lane_gate(lane, &demand, ASBI_SECOND, &ready), ==,
              ASBI_GATE_OPEN);
    asbi_lane_take(lane, &demand, ASBI_SECOND);
    CHECK_INT(lane->outstanding_output, ==, 3000);
    CHECK_INT(asbi_lane_gate(lane, &demand, ASBI_SECOND, &ready), ==,
              ASBI_GATE_RATE);
    asbi_lane_settle(lane, &demand, &s, ASBI_SECOND); /* none was used */
    CHECK_INT(lane->outstanding_output, ==, 0);
    CHECK_INT(asbi_lane_gate(lane, &demand, ASBI_SECOND, &ready), ==,
              ASBI_GATE_OPEN);
    asbi_lane_free(lane, NULL);
    asb_options_free(options);
}

static void a_query_of_the_base_url_goes_behind_each_path(void)
{
    struct asb_options *options = asb_options_new();
    struct asb_message why;

    CHECK_INT(asb_options_set(options, "base_url",
                              "https://r.test/?api-version=v9", ASB_FROM_HOST,
                              &why),
              ==, ASB_OK);
    struct asbi_lane *lane = lane_of(options, "azure_deployments");
    struct asbi_endpoint *e = asbi_lane_call_endpoint(lane, ASBI_PACKED);
    CHECK(e != NULL);
    CHECK_BYTES(e->url, strlen(e->url),
                "https://r.test/openai/deployments/some-model/chat/"
                "completions?api-version=v9");
    CHECK(asbi_lane_call_endpoint(lane, ASBI_PACKED) == e);
    e = asbi_lane_endpoint(lane, ASBI_STR("/a/b"));
    CHECK_BYTES(e->url, strlen(e->url), "https://r.test/a/b?api-version=v9");
    CHECK(asbi_lane_endpoint(lane, ASBI_STR("/a?b=c")) == NULL);
    CHECK(asbi_lane_endpoint(lane, ASBI_STR("/a\0b")) == NULL);
    asbi_lane_free(lane, NULL);
    asb_options_free(options);
}

TEST_MAIN(CASE(each_side_closes_the_gate_by_itself),
          CASE(elsewhere_one_limit_holds_for_both),
          CASE(what_a_day_allows_is_no_pace),
          CASE(what_was_reserved_is_given_back),
          CASE(a_query_of_the_base_url_goes_behind_each_path))
