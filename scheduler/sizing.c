#include "scheduler/sizing.h"

#include <math.h>

static const double count_start = 25;
static const double count_growth = 1.1, count_cut = 0.5;
static const double bad_share = 0.05, window = 200; /* items */
static const double better = 0.6;    /* share of bad in a trial: it helps */
static const double margin = 2;      /* tolerated over what was measured */
static const double forgiven = 0.98; /* tolerated, with each growth */
static const double sample_enough = 32, sample_most = 2000; /* bad, items */
static const double share_floor = 0.05, share_growth = 1.02;
static const uint64_t max_items_default = 50;
enum { CLEAN_BATCHES = 20 };

void asbi_sizing_init(struct asbi_sizing *s)
{
    *s = (struct asbi_sizing){
        .count_cap = count_start,
        .output_share = 1,
        .tolerated = bad_share,
    };
}

static double most_items(const struct asbi_sizing_limits *limits)
{
    return (double)(limits->max_items ? limits->max_items : max_items_default);
}

static void learn_clean(struct asbi_sizing *s,
                        const struct asbi_sizing_limits *limits, double items)
{
    double cap = fmin(s->count_cap, most_items(limits));

    if (items * 2 < floor(cap) || ++s->clean_batches < CLEAN_BATCHES)
        return;
    s->clean_batches = 0;
    s->tolerated = fmax(bad_share, forgiven * s->tolerated);
    /* A tenth of a few is less than one. */
    s->count_cap =
        fmin(most_items(limits), fmax(cap * count_growth, floor(cap) + 1));
}

/* ---- too many bad items -------------------------------------------------- */

static void enter(struct asbi_sizing *s, enum asbi_sizing_phase phase)
{
    s->phase = phase;
    s->sample_items = s->sample_bad = 0;
    s->window_bad = 0;
    s->clean_batches = 0;
}

static void end_sample(struct asbi_sizing *s, double share, double cap)
{
    if (share <= s->tolerated || floor(cap) <= 1) {
        enter(s, ASBI_SIZING_WATCH);
        return;
    }
    s->sampled_share = share;
    s->sampled_cap = cap;
    s->count_cap = fmax(1, count_cut * cap);
    enter(s, ASBI_SIZING_TRIAL);
}

static void end_trial(struct asbi_sizing *s, double share)
{
    if (share > better * s->sampled_share) {
        s->count_cap = s->sampled_cap;
        s->tolerated = margin * fmax(share, s->sampled_share);
    }
    enter(s, ASBI_SIZING_WATCH);
}

/* Batches closed under a larger cap say nothing about this one. */
static void learn_sample(struct asbi_sizing *s, double cap, double items,
                         double bad)
{
    if (items > fmax(1, floor(cap)))
        return;
    s->sample_items += items;
    s->sample_bad += bad;
    if (s->sample_bad < sample_enough && s->sample_items < sample_most)
        return;
    double share = s->sample_bad / s->sample_items;
    if (s->phase == ASBI_SIZING_SAMPLE)
        end_sample(s, share, cap);
    else
        end_trial(s, share);
}

static void watch(struct asbi_sizing *s,
                  const struct asbi_sizing_limits *limits, double items,
                  double bad)
{
    s->window_bad = exp(-items / window) * s->window_bad + bad;
    if (s->window_bad > s->tolerated * window)
        enter(s, ASBI_SIZING_SAMPLE);
    else if (bad <= s->tolerated * items)
        learn_clean(s, limits, items);
}

void asbi_sizing_learn(struct asbi_sizing *s,
                       const struct asbi_sizing_limits *limits, uint64_t items,
                       uint64_t bad, bool truncated)
{
    double n = fmin((double)items, sample_most);
    double wrong = fmin(fmax((double)bad, truncated), n);

    if (items == 0)
        return;
    if (truncated)
        s->output_share = fmax(share_floor, s->output_share / 2);
    else if (bad == 0)
        s->output_share = fmin(1, s->output_share * share_growth);
    if (s->phase == ASBI_SIZING_WATCH)
        watch(s, limits, n, wrong);
    else
        learn_sample(s, fmin(s->count_cap, most_items(limits)), n, wrong);
}

/* A cap from a number that may be too small to be one. */
static uint64_t cap_of(double tokens)
{
    return tokens >= 1 ? (uint64_t)fmin(tokens, 0x1p53) : 1;
}

/* Input and output share the context; the output is promised its part whole,
 * but never more than half of what the prompt leaves. */
static void token_caps(const struct asbi_sizing *s,
                       const struct asbi_sizing_limits *limits,
                       struct asbi_batch_caps *out)
{
    double headroom = limits->headroom >= 1 ? limits->headroom : 1;
    double room = (double)limits->context_tokens -
                  (double)limits->token_buffer -
                  (double)limits->prompt_tokens * headroom;
    double output = (double)limits->max_output_tokens;

    if (limits->context_tokens && (output <= 0 || output > room / 2))
        output = room / 2;
    if (limits->context_tokens)
        out->input_tokens = cap_of((room - fmax(output, 0)) / headroom);
    if (limits->context_tokens || limits->max_output_tokens)
        out->output_tokens = cap_of(output * s->output_share / headroom);
}

static void time_caps(const struct asbi_sizing_limits *limits,
                      const struct asbi_latency *latency,
                      struct asbi_batch_caps *out)
{
    struct asbi_latency_line line = asbi_latency_p95_line(latency);

    out->fixed_seconds =
        line.fixed + line.per_input * (double)limits->prompt_tokens;
    out->seconds =
        fmax((double)limits->target_ns / 1e9, 2 * out->fixed_seconds);
    out->seconds_per_input = line.per_input;
    out->seconds_per_output = line.per_output;
}

void asbi_sizing_caps(const struct asbi_sizing *s,
                      const struct asbi_sizing_limits *limits,
                      const struct asbi_latency *latency,
                      struct asbi_batch_caps *out)
{
    *out = (struct asbi_batch_caps){ .items = limits->fixed_items,
                                     .bytes = limits->max_bytes,
                                     .cost = limits->max_cost };
    token_caps(s, limits, out);
    if (limits->fixed_items)
        return;
    out->items = cap_of(fmin(s->count_cap, most_items(limits)));
    if (limits->target_ns && latency)
        time_caps(limits, latency, out);
}
