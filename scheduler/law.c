#include "scheduler/law.h"

#include <math.h>

enum { CALLS, ALL_SIZE, ALL_TIME, ONE, SIZE, SIZE2, TIME, TIMESIZE, TIME2 };

static const double enough = 20, most = 4000; /* calls */
/* An output token takes about as long as four of input. */
static const double output_weight = 4;
/* More than that is no luck of single calls but a server that changed. */
static const double widest = 0.5;
/* The least relative variance of sizes that says something of the slope. */
static const double least_spread = 0.02;

/* In thousands of tokens of input. */
static double size_of(uint64_t input_tokens, uint64_t output_tokens)
{
    return ((double)input_tokens + output_weight * (double)output_tokens) /
           1000;
}

void asbi_law_learn(struct asbi_law *law, uint64_t input_tokens,
                    uint64_t output_tokens, double seconds, double expected)
{
    double size = size_of(input_tokens, output_tokens);

    if (!(seconds > 0) || seconds > 86400 || !(expected > 0) || size > 1e9)
        return;
    double w = 1 / (expected * expected);
    const double more[ASBI_LAW_SUMS] = {
        [CALLS] = 1,
        [ALL_SIZE] = size,
        [ALL_TIME] = seconds,
        [ONE] = w,
        [SIZE] = w * size,
        [SIZE2] = w * size * size,
        [TIME] = w * seconds,
        [TIMESIZE] = w * size * seconds,
        [TIME2] = w * seconds * seconds,
    };

    double keep = law->sum[CALLS] >= most ? 0.5 : 1;
    for (int i = 0; i < ASBI_LAW_SUMS; i++)
        law->sum[i] = keep * law->sum[i] + more[i];
}

static double slope(const double *mean, double given, bool as_given)
{
    double variance = mean[SIZE2] - mean[SIZE] * mean[SIZE];
    double steepest = mean[SIZE] > 0 ? mean[TIME] / mean[SIZE] : 0;

    if (!as_given && variance > least_spread * mean[SIZE] * mean[SIZE])
        given = (mean[TIMESIZE] - mean[TIME] * mean[SIZE]) / variance;
    return fmin(fmax(given, 0), steepest);
}

/* Of the logarithm, from the mean square of what the line is off, relative to
 * its value at the mean. */
static double sigma(const double *mean, double a, double b)
{
    double square = mean[TIME2] - 2 * (a * mean[TIME] + b * mean[TIMESIZE]) +
                    a * a + 2 * a * b * mean[SIZE] + b * b * mean[SIZE2];
    double value = a * a + 2 * a * b * mean[SIZE] + b * b * mean[SIZE2];

    return value > 0 ? fmin(sqrt(log1p(fmax(square / value, 0))), widest) : 0;
}

bool asbi_law_line(const struct asbi_law *law, bool crowded, double per_output,
                   struct asbi_law_line *out)
{
    double mean[ASBI_LAW_SUMS];

    if (law->sum[CALLS] < enough || !(law->sum[ONE] > 0))
        return false;
    for (int i = 0; i < ASBI_LAW_SUMS; i++)
        mean[i] = law->sum[i] / law->sum[ONE];
    double b = crowded ? INFINITY : per_output * 1000 / output_weight;
    b = slope(mean, b, crowded);
    double a = fmax(mean[TIME] - b * mean[SIZE], 0);
    double together = a * law->sum[CALLS] + b * law->sum[ALL_SIZE];
    double scale = together > 0 ? law->sum[ALL_TIME] / together : 1;
    *out = (struct asbi_law_line){
        .fixed = a,
        .per_input = b / 1000,
        .per_output = b * output_weight / 1000,
        .scale = scale,
        .sigma = sigma(mean, a, b),
    };
    return true;
}
