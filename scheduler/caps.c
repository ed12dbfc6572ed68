#include "scheduler/caps.h"

/* The smaller its items, the likelier is one that still fits. */
static const double full_enough = 0.95, full_of_small = 0.98, tiny_item = 0.02;
static const double small_item = 0.05;

static double seconds_of(const struct asbi_batch_caps *caps,
                         const struct asbi_load *load)
{
    return caps->fixed_seconds +
           caps->seconds_per_input * (double)load->input_tokens +
           caps->seconds_per_output * (double)load->output_tokens;
}

static bool within(uint64_t sum, uint64_t cap)
{
    return cap == 0 || sum <= cap;
}

bool asbi_caps_hold(const struct asbi_batch_caps *caps,
                    const struct asbi_load *load)
{
    return load->items <= caps->items &&
           within(load->input_tokens, caps->input_tokens) &&
           within(load->output_tokens, caps->output_tokens) &&
           within(load->bytes, caps->bytes) &&
           within(load->media_ms, caps->media_ms) &&
           (caps->cost <= 0 || load->cost <= caps->cost) &&
           (!(caps->seconds > 0) || seconds_of(caps, load) <= caps->seconds);
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double share(double used, double cap)
{
    return cap > 0 ? used / cap : 0;
}

static void shares_of(const struct asbi_batch_caps *caps,
                      const struct asbi_load *load, double out[ASBI_SCALES])
{
    out[ASBI_SCALE_NONE] = 0;
    out[ASBI_SCALE_ITEMS] = share((double)load->items, (double)caps->items);
    out[ASBI_SCALE_INPUT] =
        share((double)load->input_tokens, (double)caps->input_tokens);
    out[ASBI_SCALE_OUTPUT] =
        share((double)load->output_tokens, (double)caps->output_tokens);
    out[ASBI_SCALE_BYTES] = share((double)load->bytes, (double)caps->bytes);
    out[ASBI_SCALE_COST] = share((double)load->cost, (double)caps->cost);
    out[ASBI_SCALE_TIME] = share(seconds_of(caps, load), caps->seconds);
    out[ASBI_SCALE_MEDIA] =
        share((double)load->media_ms, (double)caps->media_ms);
}

enum asbi_scale asbi_caps_fullest(const struct asbi_batch_caps *caps,
                                  const struct asbi_load *load)
{
    double shares[ASBI_SCALES];
    int fullest = ASBI_SCALE_ITEMS;

    shares_of(caps, load, shares);
    for (int i = ASBI_SCALE_ITEMS; i < ASBI_SCALES; i++) {
        if (shares[i] > shares[fullest])
            fullest = i;
    }
    return (enum asbi_scale)fullest;
}

/* But for the number of items. */
static double most_used(const struct asbi_batch_caps *caps,
                        const struct asbi_load *load)
{
    double shares[ASBI_SCALES], most = 0;

    shares_of(caps, load, shares);
    for (int i = ASBI_SCALE_INPUT; i < ASBI_SCALES; i++)
        most = larger(most, shares[i]);
    return most;
}

double asbi_caps_fill(const struct asbi_batch_caps *caps,
                      const struct asbi_load *load)
{
    return larger(most_used(caps, load),
                  (double)load->items / (double)caps->items);
}

bool asbi_caps_are_full(const struct asbi_batch_caps *caps,
                        const struct asbi_load *load)
{
    double used = most_used(caps, load);
    bool tiny = used < tiny_item * (double)load->items;

    return load->items >= caps->items ||
           used >= (tiny ? full_of_small : full_enough);
}

bool asbi_caps_find_small(const struct asbi_batch_caps *caps,
                          const struct asbi_load *item)
{
    double shares[ASBI_SCALES];

    shares_of(caps, item, shares);
    shares[ASBI_SCALE_ITEMS] = shares[ASBI_SCALE_TIME] = 0;
    for (int i = 0; i < ASBI_SCALES; i++) {
        if (shares[i] > small_item)
            return false;
    }
    return true;
}
