#include "engine/sim/latency.h"

#include <math.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define DAY (24 * 3600 * ASBI_SECOND)
enum { MAX_SIGMA = 5 };

/* Splits at the first `mark`: the part before it is returned, *rest is what
 * follows, or empty. */
static asbi_str split(asbi_str *rest, char mark)
{
    asbi_str whole = *rest;
    const char *at = whole.len ? memchr(whole.at, mark, whole.len) : NULL;
    size_t len = at ? (size_t)(at - whole.at) : whole.len;

    *rest = at ? asbi_str_of(at + 1, whole.len - len - 1)
               : asbi_str_of(whole.at + whole.len, 0);
    return asbi_str_trim(asbi_str_of(whole.at, len));
}

static bool duration(asbi_str text, uint64_t *ns)
{
    return asbi_parse_duration(text, ASBI_MS, ns) && *ns <= DAY;
}

static bool set_uniform(struct asbi_sim_latency *law, asbi_str value)
{
    asbi_str to = value;
    asbi_str from = split(&to, '-');

    return duration(from, &law->uniform_from_ns) &&
           duration(asbi_str_trim(to), &law->uniform_to_ns) &&
           law->uniform_from_ns <= law->uniform_to_ns;
}

static bool set_sigma(struct asbi_sim_latency *law, asbi_str value)
{
    return asbi_parse_double(value, &law->sigma) && law->sigma >= 0 &&
           law->sigma <= MAX_SIGMA;
}

/* ASB_ENOENT for an unknown key, ASB_EINVAL for a bad value. */
static int set(struct asbi_sim_latency *law, asbi_str key, asbi_str value)
{
    const struct {
        asbi_str key;
        uint64_t *ns;
    } durations[] = {
        { ASBI_STR("base"), &law->base_ns },
        { ASBI_STR("per_input_token"), &law->per_input_token_ns },
        { ASBI_STR("per_output_token"), &law->per_output_token_ns },
        { ASBI_STR("ttft"), &law->ttft_ns },
    };

    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        if (asbi_str_eq(key, durations[i].key))
            return duration(value, durations[i].ns) ? ASB_OK : ASB_EINVAL;
    }
    if (asbi_str_eq(key, ASBI_STR("uniform")))
        return set_uniform(law, value) ? ASB_OK : ASB_EINVAL;
    if (asbi_str_eq(key, ASBI_STR("sigma")))
        return set_sigma(law, value) ? ASB_OK : ASB_EINVAL;
    return ASB_ENOENT;
}

int asbi_sim_latency_parse(asbi_str text, struct asbi_sim_latency *out,
                           struct asb_message *why)
{
    asbi_str rest = asbi_str_trim(text);

    *out = (struct asbi_sim_latency){ 0 };
    while (rest.len) {
        asbi_str value = split(&rest, ',');
        asbi_str key = split(&value, '=');
        int shown = key.len < 40 ? (int)key.len : 40;
        int rc = set(out, key, asbi_str_trim(value));

        if (rc == ASB_ENOENT)
            return asbi_fail(why, ASB_ECONFIG,
                             "latency: unknown key \"%.*s\"; known are base, "
                             "uniform, per_input_token, per_output_token, "
                             "ttft, sigma",
                             shown, key.at);
        if (rc)
            return asbi_fail(why, ASB_ECONFIG,
                             "latency: bad value for \"%.*s\"; write for "
                             "example base=200ms, uniform=100ms-300ms, "
                             "sigma=0.3",
                             shown, key.at);
    }
    return ASB_OK;
}

static double start_ns(const struct asbi_sim_latency *law, struct asbi_rng *rng)
{
    if (law->uniform_to_ns == 0)
        return (double)law->base_ns;
    return (double)law->uniform_from_ns +
           asbi_rng_unit(rng) *
               (double)(law->uniform_to_ns - law->uniform_from_ns);
}

static uint64_t bounded(double ns)
{
    return ns < (double)DAY ? (uint64_t)llround(ns) : DAY;
}

struct asbi_sim_delay asbi_sim_latency_draw(const struct asbi_sim_latency *law,
                                            struct asbi_rng *rng,
                                            uint64_t input_tokens,
                                            uint64_t output_tokens)
{
    double read = start_ns(law, rng) +
                  (double)law->per_input_token_ns * (double)input_tokens;
    double write = (double)law->per_output_token_ns * (double)output_tokens;
    double factor = law->sigma > 0 ? exp(law->sigma * asbi_rng_normal(rng)) : 1;
    double first = law->ttft_ns ? (double)law->ttft_ns : read;
    struct asbi_sim_delay delay = { bounded(first * factor),
                                    bounded((read + write) * factor) };

    if (delay.first_ns > delay.total_ns)
        delay.first_ns = delay.total_ns;
    return delay;
}
