/*
 * lane_learn.c -- what answered calls teach a lane, and how large its calls may
 * be by that.
 */
#include "engine/lane.h"

enum {
    /* Of an embedding as JSON, and around it. */
    USUAL_DIMENSIONS = 1536,
    BYTES_PER_NUMBER = 24,
    BYTES_PER_ANSWER = 64,
};

static void sizing_limits(const struct asbi_lane *lane,
                          struct asbi_sizing_limits *out)
{
    const struct asbi_config *c = lane->config;
    uint64_t fixed = c->batch_size;

    if (!fixed && !c->dynamic_sizing)
        fixed = c->batch_items_max;
    *out = (struct asbi_sizing_limits){
        .context_tokens = lane->model.context_tokens,
        .max_output_tokens = lane->model.max_output_tokens,
        .token_buffer = c->token_buffer,
        .prompt_tokens = lane->system_tokens,
        .fixed_items = fixed,
        .max_items = c->batch_items_max,
        .max_bytes = c->max_memory_bytes / 4,
        .max_cost = c->batch_cost_max,
        .target_ns = c->batch_target_ns,
        .headroom = asbi_calibration_headroom(&lane->input_calibration),
    };
}

static uint64_t either(uint64_t a, uint64_t b)
{
    return a ? a : b;
}

static double bytes_of_answer(const struct asbi_lane *lane)
{
    return lane->answer_bytes + BYTES_PER_ANSWER;
}

/* One is answered while another is written. */
static uint64_t most_of_list(const struct asbi_config *c)
{
    uint64_t half = c->max_memory_bytes / 2;

    return c->max_answer_bytes < half ? c->max_answer_bytes : half;
}

/* As many as the API takes at once: a list does not confuse a model. */
static uint64_t most_in_list(const struct asbi_lane *lane)
{
    const struct asbi_config *c = lane->config;
    uint64_t items = either(lane->provider.array_items,
                            lane->dialect->array_items[lane->style.array]);

    if (lane->provider.one_text)
        items = 1;
    items = either(items, c->batch_items_max);
    return c->batch_size && c->batch_size < items ? c->batch_size : items;
}

uint64_t asbi_lane_list_bytes(const struct asbi_lane *lane)
{
    return (uint64_t)((double)most_in_list(lane) * bytes_of_answer(lane));
}

static void array_caps(const struct asbi_lane *lane,
                       struct asbi_batch_caps *out)
{
    const struct asbi_config *c = lane->config;
    double headroom = asbi_calibration_headroom(&lane->input_calibration);
    uint64_t items = most_in_list(lane);
    uint64_t tokens =
        either(lane->provider.array_tokens, lane->dialect->array_tokens);

    uint64_t fit = (uint64_t)((double)most_of_list(c) / bytes_of_answer(lane));
    if (fit < items)
        items = fit ? fit : 1;
    *out = (struct asbi_batch_caps){
        .items = items,
        .input_tokens = (uint64_t)((double)tokens / headroom),
        .bytes = c->max_memory_bytes / 4,
        .cost = c->batch_cost_max,
    };
}

void asbi_lane_refresh(struct asbi_lane *lane)
{
    struct asbi_sizing_limits limits;

    if (lane->way == ASBI_ARRAY) {
        array_caps(lane, &lane->caps);
        return;
    }
    sizing_limits(lane, &limits);
    asbi_sizing_caps(&lane->sizing, &limits, &lane->latency, &lane->caps);
}

void asbi_lane_set_way(struct asbi_lane *lane, enum asbi_call_way way)
{
    lane->way = way;
    lane->item_frame = way == ASBI_ARRAY ? 0 : ASBI_ITEM_FRAME;
    if (way == ASBI_ARRAY)
        lane->system_tokens = 0;
    asbi_lane_refresh(lane);
}

void asbi_lane_expect_vectors(struct asbi_lane *lane)
{
    uint64_t numbers = either(lane->style.dimensions, lane->model.dimensions);

    lane->answer_bytes =
        BYTES_PER_NUMBER * (double)either(numbers, USUAL_DIMENSIONS);
    asbi_lane_refresh(lane);
}

void asbi_lane_shrink_arrays(struct asbi_lane *lane, size_t count)
{
    lane->answer_bytes =
        4 * (double)lane->config->max_answer_bytes / (double)count;
    asbi_lane_refresh(lane);
}

static void learn_array(struct asbi_lane *lane,
                        const struct asbi_lesson *lesson)
{
    if (lesson->usage)
        asbi_calibration_learn(&lane->input_calibration, lesson->raw_input,
                               (double)lesson->usage->input_tokens);
    if (lesson->longest_answer)
        lane->answer_bytes = (double)lesson->longest_answer;
    asbi_lane_refresh(lane);
}

double asbi_lane_part_of_call(const struct asbi_lane *lane, bool shares)
{
    return shares && lane->way != ASBI_JOB && lane->caps.items
               ? 1 / (double)lane->caps.items
               : 1;
}

void asbi_lane_learn(struct asbi_lane *lane, const struct asbi_lesson *lesson)
{
    struct asbi_sizing_limits limits;
    bool alone = lesson->way == ASBI_SINGLE || lesson->way == ASBI_JOB;

    asbi_retry_budget_earn(&lane->purse->retries,
                           (double)(lesson->items - lesson->bad) *
                               asbi_lane_part_of_call(lane, !alone));
    if (lesson->usage && lesson->seconds > 0) {
        asbi_law_learn(&lane->law, lesson->usage->input_tokens,
                       lesson->usage->output_tokens, lesson->seconds,
                       lesson->beside);
        asbi_latency_learn_stream(&lane->latency, lesson->usage->input_tokens,
                                  lesson->usage->output_tokens,
                                  lesson->first_seconds, lesson->seconds);
    }
    if (alone)
        return;
    if (lesson->way == ASBI_ARRAY) {
        learn_array(lane, lesson);
        return;
    }
    if (lesson->usage) {
        asbi_calibration_learn(&lane->input_calibration, lesson->raw_input,
                               (double)lesson->usage->input_tokens);
        double fixed = (double)(lesson->answered * ASBI_ITEM_SLACK);
        double output = (double)lesson->usage->output_tokens - fixed;

        if (!lesson->truncated)
            asbi_ratio_learn(&lane->output_ratio, lesson->raw_items,
                             output > 0 ? output : 0);
    }
    asbi_tally_add(&lane->bad, (double)lesson->items, (double)lesson->bad);
    sizing_limits(lane, &limits);
    asbi_sizing_learn(&lane->sizing, &limits, lesson->items, lesson->bad,
                      lesson->truncated);
    asbi_lane_refresh(lane);
}
