/*
 * plan_provider.c -- the provider of a plan: what the options say of the
 * simulated one; of any other what an earlier run learned (its speed, what
 * goes wrong there and how often), else what a lane expects to begin with.
 *
 * Limits are not its affair: pacing keeps them, so that it need not refuse.
 */
#include "engine/plan.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"

/* Of a batch: half of what providers promise at most. */
#define BATCH_TIME (12 * 3600 * ASBI_SECOND)
/* How long videos take that nobody knows of. */
#define JOB_LEAST (30 * ASBI_SECOND)
#define JOB_MOST (180 * ASBI_SECOND)

/* How much calls of one size differ, before any was seen. */
static const double usual_sigma = 0.3;

static uint64_t count_tokens(void *arg, asbi_str text)
{
    const struct asb_plan *p = arg;

    return (uint64_t)(asbi_count_tokens(&p->counter, text) * p->token_factor +
                      0.5);
}

/* As a lane expects to begin with. */
static struct asbi_law_line usual_law(const struct asbi_model *model)
{
    struct asbi_latency start;

    asbi_latency_init(&start, model->latency_ms_per_token);
    return (struct asbi_law_line){ .fixed = start.theta[0],
                                   .per_input = start.theta[1] / 1000,
                                   .per_output = start.theta[2] / 1000,
                                   .sigma = usual_sigma };
}

/* As the calls of earlier runs took, if there were any. */
static void model_latency(struct asb_plan *p, const struct asbi_model *model)
{
    struct asbi_law_line line = usual_law(model);

    if (p->recalled.has_lane)
        (void)asbi_law_line(&p->recalled.lane.law, line.per_output, &line);
    p->sim.capacity = line.capacity;
    /* The line is a mean; the simulator's law has its middle there. */
    double middle = exp(-line.sigma * line.sigma / 2);
    p->sim.latency = (struct asbi_sim_latency){
        .base_ns = (uint64_t)(line.fixed * middle * 1e9),
        .per_input_token_ns = (uint64_t)(line.per_input * middle * 1e9),
        .per_output_token_ns = (uint64_t)(line.per_output * middle * 1e9),
        .sigma = line.sigma,
    };
}

static void model_mishaps(struct asb_plan *p)
{
    const struct asbi_learned_lane *lane = &p->recalled.lane;

    if (p->recalled.has_lane) {
        p->sim.error_rate = asbi_tally_likely(&lane->failed);
        p->sim.disconnect_rate = asbi_tally_likely(&lane->cut);
    }
    if (p->recalled.has_kind)
        p->sim.drop_item_rate = asbi_tally_share(&p->recalled.kind.bad);
}

static void model_answers(struct asb_plan *p)
{
    const struct asbi_config *c = &p->options->values;

    p->sim.counting =
        (struct asbi_sim_counting){ .tokens = count_tokens,
                                    .arg = p,
                                    .images = p->counter.images,
                                    .item_frame =
                                        ASBI_ITEM_FRAME * p->token_factor };
    if (strcmp(c->task, "classify") == 0)
        return;
    double ratio = p->recalled.has_kind ? p->recalled.kind.output.value
                                        : ASBI_OUTPUT_RATIO_START;
    /* It was learned over estimates, and is applied to what is counted. */
    p->sim.counting.answer_ratio = ratio / p->token_factor;
    p->sim.counting.answer_frame = ASBI_ITEM_SLACK;
}

static bool makes_media(const struct asbi_config *c)
{
    return strcmp(c->task, "video") == 0 || strcmp(c->task, "image") == 0;
}

/* ASB_ECONFIG only where the engine would have said so before. */
static enum asbi_image_rule images_of(const struct asb_plan *p,
                                      const struct asbi_model *model)
{
    const struct asb_options *o = p->first.options;
    struct asbi_provider provider = { .dialect = "" };

    (void)asbi_catalogue_provider(o, o->values.provider, &provider, NULL);
    return asbi_image_rule_of(model->images, provider.dialect);
}

static void model_provider(struct asb_plan *p)
{
    struct asbi_model model;

    asbi_catalogue_model(p->first.options, p->first.options->values.model,
                         &model);
    if (!asbi_vocabulary_find(model.tokenizer, &p->counter.vocabulary))
        p->counter.vocabulary = ASBI_O200K;
    p->token_factor = model.token_factor > 0 ? model.token_factor : 1;
    if (p->first.options->values.tokenizer[0])
        p->token_factor = 1;
    if (p->recalled.has_kind)
        p->token_factor = p->recalled.kind.input.factor;
    p->sim = (struct asbi_sim_options){ .seed = 1, .job_ns = BATCH_TIME };
    if (makes_media(&p->options->values)) {
        p->sim.job_ns = JOB_LEAST;
        p->sim.job_most_ns = JOB_MOST;
        p->sim.any_video = true;
    }
    p->counter.images = images_of(p, &model);
    model_latency(p, &model);
    model_mishaps(p);
    model_answers(p);
}

int asbi_plan_provider(struct asb_plan *p, struct asb_message *why)
{
    int rc = ASB_OK;

    if (strcmp(p->first.options->values.provider, "sim") == 0)
        rc = asbi_sim_options_from_config(&p->options->values, &p->sim, why);
    else
        model_provider(p);
    p->sim.model = asbi_sim_model_of_catalogue;
    p->sim.model_arg = p->options;
    return rc;
}
