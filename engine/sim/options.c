#include "engine/sim/options.h"

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/sim/quota.h"

static int check_rate(const char *name, double rate, struct asb_message *why)
{
    if (rate >= 0 && rate <= 1)
        return ASB_OK;
    return asbi_fail(why, ASB_ECONFIG, "%s: a probability lies between 0 and 1",
                     name);
}

static int check_quota(const char *name, uint64_t per_minute,
                       struct asb_message *why)
{
    if (per_minute <= ASBI_SIM_MAX_PER_MINUTE)
        return ASB_OK;
    return asbi_fail(why, ASB_ECONFIG, "%s: at most %ju; 0 is no limit", name,
                     (uintmax_t)ASBI_SIM_MAX_PER_MINUTE);
}

static int check(const struct asbi_sim_options *o, struct asb_message *why)
{
    const struct {
        const char *name;
        double rate;
    } rates[] = {
        { "sim_error_rate", o->error_rate },
        { "sim_drop_item_rate", o->drop_item_rate },
        { "sim_truncate_rate", o->truncate_rate },
        { "sim_garbage_rate", o->garbage_rate },
        { "sim_disconnect_rate", o->disconnect_rate },
        { "sim_batch_expire_rate", o->batch_expire_rate },
        { "sim_job_failure_rate", o->job_failure_rate },
        { "sim_job_refusal_rate", o->job_refusal_rate },
    };

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int rc = check_rate(rates[i].name, rates[i].rate, why);
        if (rc)
            return rc;
    }
    int rc = check_quota("sim_rpm", o->rpm, why);
    return rc ? rc : check_quota("sim_tpm", o->tpm, why);
}

/* "2s", "20s..3m" */
static bool read_job_time(asbi_str text, struct asbi_sim_options *out)
{
    size_t at = 0;

    while (at + 1 < text.len && memcmp(text.at + at, "..", 2) != 0)
        at++;
    if (at + 1 >= text.len)
        return asbi_parse_duration(text, ASBI_SECOND, &out->job_ns);
    asbi_str rest = asbi_str_of(text.at + at + 2, text.len - at - 2);
    return asbi_parse_duration(asbi_str_of(text.at, at), ASBI_SECOND,
                               &out->job_ns) &&
           asbi_parse_duration(rest, ASBI_SECOND, &out->job_most_ns) &&
           out->job_ns <= out->job_most_ns;
}

int asbi_sim_options_from_config(const struct asbi_config *config,
                                 struct asbi_sim_options *out,
                                 struct asb_message *why)
{
    *out = (struct asbi_sim_options){
        .rpm = config->sim_rpm,
        .tpm = config->sim_tpm,
        .capacity = config->sim_capacity,
        .error_rate = config->sim_error_rate,
        .drop_item_rate = config->sim_drop_item_rate,
        .truncate_rate = config->sim_truncate_rate,
        .garbage_rate = config->sim_garbage_rate,
        .disconnect_rate = config->sim_disconnect_rate,
        .seed = config->sim_seed,
        .window_ns = config->sim_batch_window_ns,
        .batch_expire_rate = config->sim_batch_expire_rate,
        .batch_stuck = config->sim_batch_stuck,
        .batch_tokens = config->sim_batch_tokens,
        .job_failure_rate = config->sim_job_failure_rate,
        .job_refusal_rate = config->sim_job_refusal_rate,
        .artefact_bytes = config->sim_artefact_bytes,
    };
    if (!read_job_time(asbi_str_c(config->sim_job_time), out))
        return asbi_fail(why, ASB_ECONFIG,
                         "sim_job_time: \"%.60s\" is no time such as 2s, nor "
                         "two such as 20s..3m",
                         config->sim_job_time);
    int rc = asbi_sim_latency_parse(asbi_str_c(config->sim_latency),
                                    &out->latency, why);
    return rc ? rc : check(out, why);
}

void asbi_sim_model_of_catalogue(void *options, const char *name,
                                 struct asbi_sim_model *out)
{
    struct asbi_model model;

    asbi_catalogue_model(options, name, &model);
    out->context_tokens = model.context_tokens;
    out->max_output_tokens = model.max_output_tokens;
    if (!model.priced)
        return;
    out->input_price = model.input_price;
    out->cached_price = model.cached_price;
    out->output_price = model.output_price;
}

void asbi_sim_model_facts(const struct asbi_sim_options *options,
                          const char *name, struct asbi_sim_model *out)
{
    *out = (struct asbi_sim_model){
        .input_price = ASBI_USD * 40 / 100,
        .cached_price = ASBI_USD * 10 / 100,
        .output_price = ASBI_USD * 160 / 100,
    };
    if (options->model)
        options->model(options->model_arg, name, out);
}
