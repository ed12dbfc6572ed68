#include "scheduler/latency.h"

#include <math.h>
#include <stdbool.h>

static const double lasting = 0.999; /* the law: some thousand calls */
static const double passing = 0.02;  /* the mood: some fifty */
static const double huber = 2.5;     /* deviations a residual may count as */
static const double quantile_step = 0.06;
/* Deviation of a sample: so much, and more per 1000 input, output tokens. */
static const double deviations[3] = { 1, 0.1, 20 };
/* What begins later than this share of its time comes in one piece: somebody on
 * the way has gathered it. */
static const double still_a_stream = 0.9;
/* How firmly the law stays where samples say nothing: 1 / variance. */
static const double anchor[3] = { 1. / 100, 1. / 10, 1. / 4000 };
static const double shortest = 0.001, longest = 86400; /* seconds */

void asbi_latency_init(struct asbi_latency *l, double ms_per_token)
{
    double per_output =
        ms_per_token > 0 && ms_per_token < 1e4 ? ms_per_token : 5;

    *l = (struct asbi_latency){
        .theta = { 0.5, 0.02, per_output },
        .sigma = 0.5,
        .q95 = 1.5,
        .usual = { 1, 1, 0.5 },
        .usual_seconds = 0.52 + 0.5 * per_output,
    };
}

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

/* By the law alone, without the mood of the server. */
static double by_law(const struct asbi_latency *l, const double x[3])
{
    return clamp(dot(l->theta, x), shortest, longest);
}

/* What the latest calls took beside what the law says of such. */
static double mood(const struct asbi_latency *l)
{
    return clamp(l->usual_seconds / by_law(l, l->usual), 1e-3, 1e3);
}

static double predict(const struct asbi_latency *l, const double x[3])
{
    return clamp(mood(l) * by_law(l, x), shortest, longest);
}

/* ---- least squares without negative terms -------------------------------- */

/* Solves m t = c for the terms of `used`, the others being 0, by elimination.
 * Symmetric and positive definite: no pivot is looked for. */
static void solve(double t[3], double m[3][3], const double c[3],
                  const bool used[3])
{
    double a[3][4];

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            a[i][j] = used[i] && used[j] ? m[i][j] : i == j;
        a[i][3] = used[i] ? c[i] : 0;
    }
    for (int k = 0; k < 3; k++) {
        for (int i = k + 1; i < 3; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < 4; j++)
                a[i][j] -= factor * a[k][j];
        }
    }
    for (int k = 2; k >= 0; k--) {
        t[k] = a[k][3];
        for (int j = k + 1; j < 3; j++)
            t[k] -= a[k][j] * t[j];
        t[k] /= a[k][k];
    }
}

/* The most negative term is left out until there is none.  Lawson and Hanson
 * would let one come back in; for three terms that gains next to nothing. */
static void solve_positive(double t[3], double m[3][3], const double c[3])
{
    bool used[3] = { true, true, true };

    for (int round = 0; round < 3; round++) {
        int worst = 0;

        solve(t, m, c, used);
        for (int i = 1; i < 3; i++)
            worst = t[i] < t[worst] ? i : worst;
        if (!(t[worst] < 0))
            return;
        used[worst] = false;
    }
    for (int i = 0; i < 3; i++)
        t[i] = fmax(t[i], 0);
}

void asbi_latency_believe(struct asbi_latency *l, int i, double evidence)
{
    l->xx[i][i] = evidence;
    l->xy[i] = evidence * l->theta[i];
}

/* What the samples say, less of it the older they are, and for the rest the
 * law as it was. */
static void fit(struct asbi_latency *l)
{
    double m[3][3], c[3], theta[3];

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            m[i][j] = l->xx[i][j];
        m[i][i] += anchor[i];
        c[i] = l->xy[i] + anchor[i] * l->theta[i];
    }
    solve_positive(theta, m, c);
    for (int i = 0; i < 3; i++)
        l->theta[i] = isfinite(theta[i]) ? clamp(theta[i], 0, 1e6) : 0;
}

static void forget(struct asbi_latency *l)
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            l->xx[i][j] *= lasting;
        l->xy[i] *= lasting;
    }
}

/* What has these features took so long. */
static void add(struct asbi_latency *l, const double x[3], double seconds)
{
    double deviation = fmax(dot(deviations, x), deviations[0]);
    double weight = 1 / (deviation * deviation);

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            l->xx[i][j] += weight * x[i] * x[j];
        l->xy[i] += weight * x[i] * seconds;
    }
}

/* The whole call in one equation, or both parts of a streamed one; `first` is
 * the share of the time that went before its first byte. */
static void update(struct asbi_latency *l, const double x[3], double first,
                   double y)
{
    const double start[3] = { x[0], x[1], 0 }, rest[3] = { 0, 0, x[2] };

    forget(l);
    if (first > 0 && first < still_a_stream && x[2] > 0) {
        add(l, start, first * y);
        add(l, rest, (1 - first) * y);
    } else {
        add(l, x, y);
    }
    fit(l);
}

static void follow(struct asbi_latency *l, const double x[3], double seconds)
{
    double share = fmax(passing, 1 / (double)(l->samples + 1));

    l->usual_seconds += share * (seconds - l->usual_seconds);
    for (int i = 0; i < 3; i++)
        l->usual[i] += share * (x[i] - l->usual[i]);
}

void asbi_latency_learn_stream(struct asbi_latency *l, uint64_t input_tokens,
                               uint64_t output_tokens, double first,
                               double seconds)
{
    double x[3];

    if (!(seconds > 0) || !isfinite(seconds))
        return;
    features(x, input_tokens, output_tokens);
    double y = clamp(seconds, shortest, longest), expected = predict(l, x);
    double ratio = y / expected;
    double off = clamp(fabs(ratio - 1), 0, 4);
    double clip = huber * l->sigma * fmax(expected, 0.05);
    double seen = expected + clamp(y - expected, -clip, clip);

    /* Generous at first, so that a wrong start is left behind at once. */
    double alpha = fmax(0.05, 1 / (double)(l->samples + 2));
    update(l, x, first / y, seen);
    follow(l, x, seen);
    l->sigma = clamp(l->sigma + alpha * (1.25 * off - l->sigma), 0.05, 4);
    l->q95 *= exp(quantile_step * ((ratio > l->q95) - 0.05));
    l->q95 = clamp(l->q95, 0.5, 20);
    l->samples++;
}

void asbi_latency_learn(struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens, double seconds)
{
    asbi_latency_learn_stream(l, input_tokens, output_tokens, 0, seconds);
}

double asbi_latency_expect(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens)
{
    double x[3];

    features(x, input_tokens, output_tokens);
    return predict(l, x);
}

double asbi_latency_by_law(const struct asbi_latency *l, uint64_t input_tokens,
                           uint64_t output_tokens)
{
    double x[3];

    features(x, input_tokens, output_tokens);
    return by_law(l, x);
}

double asbi_latency_p95(const struct asbi_latency *l, uint64_t input_tokens,
                        uint64_t output_tokens)
{
    return l->q95 * asbi_latency_expect(l, input_tokens, output_tokens);
}

struct asbi_latency_line asbi_latency_p95_line(const struct asbi_latency *l)
{
    double factor = l->q95 * mood(l);

    return (struct asbi_latency_line){
        .fixed = factor * l->theta[0],
        .per_input = factor * l->theta[1] / 1000,
        .per_output = factor * l->theta[2] / 1000,
    };
}
