#include "scheduler/latency.h"

#include <math.h>

static const double forgetting = 0.98;
static const double huber = 2.5; /* deviations a residual may count as */
static const double quantile_step = 0.06;
static const double p_max[3] = { 100, 10, 4000 };
static const double shortest = 0.001, longest = 86400; /* seconds */

void asbi_latency_init(struct asbi_latency *l, double ms_per_token)
{
    double per_output =
        ms_per_token > 0 && ms_per_token < 1e4 ? ms_per_token : 5;

    *l = (struct asbi_latency){
        .theta = { 0.5, 0.02, per_output },
        .w = { 1, 0.1, 20 },
        .sigma = 0.5,
        .q95 = 1.5,
        .usual = { 1, 1, 0.5 },
    };
    for (int i = 0; i < 3; i++)
        l->p[i][i] = p_max[i];
}

/* Samples whose mean is an ordinary call. */
enum { USUAL_SAMPLES = 20 };

static void features(double x[3], uint64_t input_tokens, uint64_t output_tokens)
{
    x[0] = 1;
    x[1] = fmin((double)input_tokens, 1e9) / 1000;
    x[2] = fmin((double)output_tokens, 1e9) / 1000;
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double predict(const struct asbi_latency *l, const double x[3])
{
    return clamp(dot(l->theta, x), shortest, longest);
}

/* Scales rows and columns together, so that the matrix stays what it must be:
 * symmetric and positive. */
static void bound(double p[3][3])
{
    for (int i = 0; i < 3; i++) {
        if (p[i][i] <= p_max[i])
            continue;
        double scale = sqrt(p_max[i] / p[i][i]);
        for (int j = 0; j < 3; j++) {
            p[i][j] *= scale;
            p[j][i] *= scale;
        }
    }
}

/* A negative coefficient is moved to 0, the others along with it as their
 * covariance says: to clip it alone would push the rest off for good. */
static void keep_positive(struct asbi_latency *l)
{
    for (int i = 0; i < 3; i++) {
        if (l->theta[i] >= 0)
            continue;
        double step = l->theta[i] / fmax(l->p[i][i], 1e-12);
        for (int j = 0; j < 3; j++)
            l->theta[j] -= l->p[j][i] * step;
        l->theta[i] = 0;
    }
    for (int i = 0; i < 3; i++)
        l->theta[i] = clamp(l->theta[i], 0, 1e6);
}

static void update(struct asbi_latency *l, const double x[3], double y)
{
    double deviation = dot(l->w, x);
    double px[3], clip = huber * l->sigma * fmax(predict(l, x), 0.05);
    double residual = clamp(y - dot(l->theta, x), -clip, clip);

    for (int i = 0; i < 3; i++)
        px[i] = dot(l->p[i], x);
    double scale = forgetting * deviation * deviation + dot(x, px);
    for (int i = 0; i < 3; i++)
        l->theta[i] += px[i] / scale * residual;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            l->p[i][j] = (l->p[i][j] - px[i] * px[j] / scale) / forgetting;
    }
    bound(l->p);
    keep_positive(l);
}

void asbi_latency_learn(struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens, double seconds)
{
    double x[3];

    if (!(seconds > 0) || !isfinite(seconds))
        return;
    features(x, input_tokens, output_tokens);
    double y = clamp(seconds, shortest, longest);
    double ratio = y / predict(l, x);
    double off = clamp(fabs(ratio - 1), 0, 4);

    if (l->samples < USUAL_SAMPLES) {
        for (int i = 0; i < 3; i++)
            l->usual[i] += (x[i] - l->usual[i]) / (double)(l->samples + 1);
    }
    /* Generous at first, so that a wrong start is left behind at once. */
    double alpha = fmax(0.05, 1 / (double)(l->samples + 2));
    update(l, x, y);
    l->sigma = clamp(l->sigma + alpha * (1.25 * off - l->sigma), 0.05, 4);
    l->q95 *= exp(quantile_step * ((ratio > l->q95) - 0.05));
    l->q95 = clamp(l->q95, 0.5, 20);
    l->samples++;
}

double asbi_latency_expect(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens)
{
    double x[3];

    features(x, input_tokens, output_tokens);
    return predict(l, x);
}

double asbi_latency_relative(const struct asbi_latency *l,
                             uint64_t input_tokens, uint64_t output_tokens)
{
    return asbi_latency_expect(l, input_tokens, output_tokens) /
           predict(l, l->usual);
}

double asbi_latency_p95(const struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens)
{
    return l->q95 * asbi_latency_expect(l, input_tokens, output_tokens);
}

struct asbi_latency_line asbi_latency_p95_line(const struct asbi_latency *l)
{
    return (struct asbi_latency_line){
        .fixed = l->q95 * l->theta[0],
        .per_input = l->q95 * l->theta[1] / 1000,
        .per_output = l->q95 * l->theta[2] / 1000,
    };
}
