#include "scheduler/law.h"

#include <math.h>

enum {
    CALLS,
    ALL_SIZE,
    ALL_TIME,
    ONE,
    SIZE,
    SIZE2,
    TIME, /* and with size, and its square, as of ... */
    TIMESIZE,
    TIME2,
    EACH, /* ... seconds for each call in flight */
    EACHSIZE,
    EACH2,
    BESIDE,
    BESIDE2,
    SIZEBESIDE,
    TIMEBESIDE
};

static const double enough = 20, most = 4000; /* calls */
/* An output token takes about as long as four of input. */
static const double output_weight = 4;
/* More than that is no luck of single calls but a server that changed. */
static const double widest = 0.5;
/* The least relative variance that says something of a slope. */
static const double least_spread = 0.02;
/* A call takes as long as this size before its size counts: a guess, for
 * weights; those of any size would do. */
static const double usual_fixed = 2;
/* Where calls only wait for each other, their time grows with the number of
 * calls in flight by this share of it, at least. */
static const double crowding = 0.5;
/* Deviations under the mean that their number in flight comes down to. */
static const double quiet = 1.5;

/* In thousands of tokens of input. */
static double size_of(uint64_t input_tokens, uint64_t output_tokens)
{
    return ((double)input_tokens + output_weight * (double)output_tokens) /
           1000;
}

void asbi_law_learn(struct asbi_law *law, uint64_t input_tokens,
                    uint64_t output_tokens, double seconds, unsigned beside)
{
    double size = size_of(input_tokens, output_tokens);
    double n = beside ? beside : 1, each = seconds / n;

    if (!(seconds > 0) || seconds > 86400 || size > 1e9)
        return;
    double w = 1 / ((usual_fixed + size) * (usual_fixed + size));
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
        [EACH] = w * each,
        [EACHSIZE] = w * size * each,
        [EACH2] = w * each * each,
        [BESIDE] = w * n,
        [BESIDE2] = w * n * n,
        [SIZEBESIDE] = w * size * n,
        [TIMEBESIDE] = w * seconds * n,
    };

    double keep = law->sum[CALLS] >= most ? 0.5 : 1;
    for (int i = 0; i < ASBI_LAW_SUMS; i++)
        law->sum[i] = keep * law->sum[i] + more[i];
}

/* ---- whether they waited for each other ---------------------------------- */

/* What seconds gain with each call in flight, size being the same: least
 * squares on both. */
static double gain(const double *mean)
{
    double ss = mean[SIZE2] - mean[SIZE] * mean[SIZE];
    double nn = mean[BESIDE2] - mean[BESIDE] * mean[BESIDE];
    double sn = mean[SIZEBESIDE] - mean[SIZE] * mean[BESIDE];
    double st = mean[TIMESIZE] - mean[TIME] * mean[SIZE];
    double nt = mean[TIMEBESIDE] - mean[TIME] * mean[BESIDE];
    double shared = ss > 0 ? sn / ss : 0;
    double apart = nn - shared * sn;

    if (!(apart > least_spread * mean[BESIDE] * mean[BESIDE]))
        return 0;
    return (nt - shared * st) / apart;
}

/* The least number in flight at which they did; below it nothing is known. 0:
 * they did not. */
static uint64_t capacity(const double *mean)
{
    double variance = mean[BESIDE2] - mean[BESIDE] * mean[BESIDE];

    if (gain(mean) * mean[BESIDE] < crowding * mean[TIME])
        return 0;
    double least = mean[BESIDE] - quiet * sqrt(fmax(variance, 0));
    return least > 1 ? (uint64_t)(least + 0.5) : 1;
}

/* ---- the line ------------------------------------------------------------ */

/* seconds = fixed + slope x size */
struct fit {
    double fixed, slope;
};

/* `y`: TIME or EACH. */
static struct fit fit(const double *mean, int y, double given)
{
    double variance = mean[SIZE2] - mean[SIZE] * mean[SIZE];
    double steepest = mean[SIZE] > 0 ? mean[y] / mean[SIZE] : 0;

    if (variance > least_spread * mean[SIZE] * mean[SIZE])
        given = (mean[y + 1] - mean[y] * mean[SIZE]) / variance;
    given = fmin(fmax(given, 0), steepest);
    return (struct fit){ mean[y] - given * mean[SIZE], given };
}

/* Of the logarithm, from the mean square of what the line is off, relative to
 * its own. */
static double sigma(const double *mean, int y, struct fit f)
{
    double a = f.fixed, b = f.slope;
    double value = a * a + 2 * a * b * mean[SIZE] + b * b * mean[SIZE2];
    double square = mean[y + 2] - 2 * (a * mean[y] + b * mean[y + 1]) + value;

    return value > 0 ? fmin(sqrt(log1p(fmax(square / value, 0))), widest) : 0;
}

/* The line was drawn by weights; all calls together are known as they are. */
static double scale(const struct asbi_law *law, struct fit f)
{
    double together = f.fixed * law->sum[CALLS] + f.slope * law->sum[ALL_SIZE];

    return together > 0 ? law->sum[ALL_TIME] / together : 1;
}

bool asbi_law_line(const struct asbi_law *law, double per_output,
                   struct asbi_law_line *out)
{
    double mean[ASBI_LAW_SUMS];

    if (law->sum[CALLS] < enough || !(law->sum[ONE] > 0))
        return false;
    for (int i = 0; i < ASBI_LAW_SUMS; i++)
        mean[i] = law->sum[i] / law->sum[ONE];
    uint64_t at_once = capacity(mean);
    int y = at_once ? EACH : TIME;
    double given = per_output * 1000 / output_weight;
    struct fit f = fit(mean, y, at_once ? given / mean[BESIDE] : given);
    double factor = at_once ? (double)at_once : scale(law, f);
    *out = (struct asbi_law_line){
        .fixed = factor * f.fixed,
        .per_input = factor * f.slope / 1000,
        .per_output = factor * f.slope * output_weight / 1000,
        .sigma = sigma(mean, y, f),
        .capacity = at_once,
    };
    return true;
}
