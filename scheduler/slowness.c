#include "scheduler/slowness.h"

#include <math.h>
#include <stdlib.h>

static double by_law(const struct asbi_slowness *s, double input, double output)
{
    return s->law
               ? asbi_latency_by_law(s->law, (uint64_t)input, (uint64_t)output)
               : 1;
}

static double for_its_size(const struct asbi_slowness *s,
                           const struct asbi_took *t)
{
    return t->seconds / by_law(s, t->input_tokens, t->output_tokens);
}

void asbi_slowness_init(struct asbi_slowness *s, const struct asbi_latency *law)
{
    *s = (struct asbi_slowness){ .law = law };
}

void asbi_slowness_note(struct asbi_slowness *s, const struct asbi_took *took)
{
    if (s->count == ASBI_SLOWNESS_SAMPLES || !(took->seconds > 0) ||
        !(took->seconds < 1e9))
        return;
    s->samples[s->count++] = (float)for_its_size(s, took);
    s->input_tokens += took->input_tokens;
    s->output_tokens += took->output_tokens;
}

void asbi_slowness_drop(struct asbi_slowness *s)
{
    s->count = 0;
    s->input_tokens = s->output_tokens = 0;
}

/* ---- windows ------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The median call, at the mean size. */
static struct asbi_took typical(struct asbi_slowness *s)
{
    struct asbi_took t = { .input_tokens = s->input_tokens / s->count,
                           .output_tokens = s->output_tokens / s->count };

    qsort(s->samples, s->count, sizeof(s->samples[0]), ascending);
    t.seconds = (double)s->samples[s->count / 2] *
                by_law(s, t.input_tokens, t.output_tokens);
    return t;
}

bool asbi_slowness_end_window(struct asbi_slowness *s)
{
    bool any = s->count > 0;

    if (any) {
        s->latest = typical(s);
        s->windows[s->next] = s->latest;
        s->next = (s->next + 1) % ASBI_SLOWNESS_WINDOWS;
        s->window_count += s->window_count < ASBI_SLOWNESS_WINDOWS;
        if (s->best.seconds == 0 || asbi_slowness_to(s, &s->best) < 1)
            s->best = s->latest;
    }
    asbi_slowness_drop(s);
    return any;
}

static double least(const struct asbi_slowness *s)
{
    double least = INFINITY;

    for (unsigned i = 0; i < s->window_count; i++)
        least = fmin(least, for_its_size(s, &s->windows[i]));
    return least;
}

double asbi_slowness_to_least(const struct asbi_slowness *s)
{
    return for_its_size(s, &s->latest) / least(s);
}

double asbi_slowness_to(const struct asbi_slowness *s,
                        const struct asbi_took *other)
{
    return for_its_size(s, &s->latest) / for_its_size(s, other);
}

double asbi_slowness_drift(const struct asbi_slowness *s)
{
    return least(s) / for_its_size(s, &s->best);
}

void asbi_slowness_accept(struct asbi_slowness *s)
{
    s->best = s->latest;
}
