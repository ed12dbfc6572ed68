#include "scheduler/tokens.h"

#include <math.h>

#include "engine/base/bytes16.h"
#include "engine/base/utf8.h"

/* ---- classes ----------------------------------------------------------- */

enum script {
    LATIN,
    DIGIT,
    SPACE,
    NEWLINE,
    PUNCT,
    ACCENTED, /* Latin with diacritics, and combining marks */
    GREEK,
    CYRILLIC,
    HEBREW,
    ARABIC,
    INDIC,
    THAI,      /* and Lao */
    CAUCASIAN, /* Armenian, Georgian */
    KANA,
    HANGUL,
    HAN,
    EMOJI,
    OTHER,
    CLASSES
};

/* Tokens a code point, by least squares on texts of interfaces in twenty
 * languages against the exact counts of the public vocabularies. */
static const double weights[][CLASSES] = {
    [ASBI_O200K] = { [LATIN] = 0.216,
                     [DIGIT] = 0.99,
                     [SPACE] = 0.02,
                     [NEWLINE] = 0.32,
                     [PUNCT] = 1.00,
                     [ACCENTED] = 1.01,
                     [GREEK] = 0.41,
                     [CYRILLIC] = 0.32,
                     [HEBREW] = 0.46,
                     [ARABIC] = 0.38,
                     [INDIC] = 0.41,
                     [THAI] = 0.47,
                     [CAUCASIAN] = 0.42,
                     [KANA] = 0.62,
                     [HANGUL] = 0.71,
                     [HAN] = 0.78,
                     [EMOJI] = 1.6,
                     [OTHER] = 1.02 },
    [ASBI_CL100K] = { [LATIN] = 0.224,
                      [DIGIT] = 0.87,
                      [SPACE] = 0.18,
                      [NEWLINE] = 0.30,
                      [PUNCT] = 0.98,
                      [ACCENTED] = 1.54,
                      [GREEK] = 1.04,
                      [CYRILLIC] = 0.51,
                      [HEBREW] = 1.15,
                      [ARABIC] = 0.82,
                      [INDIC] = 1.22,
                      [THAI] = 0.95,
                      [CAUCASIAN] = 2.1,
                      [KANA] = 0.90,
                      [HANGUL] = 1.12,
                      [HAN] = 1.09,
                      [EMOJI] = 2.6,
                      [OTHER] = 1.30 },
};

/* ---- ASCII -------------------------------------------------------------- */

/* One by one, the five classes of ASCII are counted side by side, a byte each,
 * in one word: one load and one addition a character. */
#define ONE(c) (UINT64_C(1) << (8 * (c)))
#define L ONE(LATIN)
#define D ONE(DIGIT)
#define S ONE(SPACE)
#define N ONE(NEWLINE)
#define P ONE(PUNCT)

static const uint64_t ascii[128] = {
    P, P, P, P, P, P, P, P, P, S, N, P, P, N, P, P, /* 00: tab, LF, CR */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 10 */
    S, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 20 */
    D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P, /* 30 */
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 40 */
    L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P, /* 50 */
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 60 */
    L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P, /* 70 */
};

#undef L
#undef D
#undef S
#undef N
#undef P

struct counts {
    uint64_t of[CLASSES];
    uint64_t packed; /* of ASCII, not yet added to `of` */
    unsigned room;   /* characters until a packed byte may overflow */
    size_t row;      /* of `ranges`, last seen */
};

static void unpack(struct counts *n)
{
    for (unsigned c = LATIN; c <= PUNCT; c++)
        n->of[c] += n->packed >> (8 * c) & 0xff;
    n->packed = 0;
    n->room = 255;
}

/* Sixteen by sixteen, for as long as they are ASCII and no counter of a byte
 * overflows. */
static const char *count_blocks(struct counts *n, const char *s,
                                const char *end)
{
    asbi_bytes16 latin = { 0 }, digit = { 0 }, space = { 0 }, newline = { 0 };
    const char *from = s;

    for (; end - s >= 16 && s - from < 255 * 16; s += 16) {
        if (!asbi_bytes16_ascii(s))
            break;
        asbi_bytes16 v = asbi_bytes16_load(s);
        latin -= asbi_bytes16_among(v | asbi_bytes16_all(0x20), 'a', 26);
        digit -= asbi_bytes16_among(v, '0', 10);
        space -= asbi_bytes16_is(v, ' ') | asbi_bytes16_is(v, '\t');
        newline -= asbi_bytes16_is(v, '\n') | asbi_bytes16_is(v, '\r');
    }
    uint64_t letters = asbi_bytes16_sum(latin),
             digits = asbi_bytes16_sum(digit);
    uint64_t blanks = asbi_bytes16_sum(space), ends = asbi_bytes16_sum(newline);
    n->of[LATIN] += letters;
    n->of[DIGIT] += digits;
    n->of[SPACE] += blanks;
    n->of[NEWLINE] += ends;
    n->of[PUNCT] += (uint64_t)(s - from) - letters - digits - blanks - ends;
    return s;
}

/* Counts ASCII from `s` on; returns where something else starts. */
static const char *count_ascii(struct counts *n, const char *s, const char *end)
{
    while (end - s >= 16 && asbi_bytes16_ascii(s))
        s = count_blocks(n, s, end);
    while (s < end && (unsigned char)*s < 0x80) {
        n->packed += ascii[(unsigned char)*s++];
        if (--n->room == 0)
            unpack(n);
    }
    return s;
}

/* ---- the rest of Unicode ------------------------------------------------ */

/* By first code point; each row holds until the next.  From U+0800 the rows
 * fall on multiples of 16, so nothing here needs to be finer. */
static const struct {
    uint32_t from;
    enum script script;
} ranges[] = {
    { 0x80, PUNCT },       { 0xc0, ACCENTED },    { 0x370, GREEK },
    { 0x400, CYRILLIC },   { 0x530, CAUCASIAN },  { 0x590, HEBREW },
    { 0x600, ARABIC },     { 0x780, OTHER },      { 0x8a0, ARABIC },
    { 0x900, INDIC },      { 0xe00, THAI },       { 0xf00, OTHER },
    { 0x10a0, CAUCASIAN }, { 0x1100, HANGUL },    { 0x1200, OTHER },
    { 0x1c80, CYRILLIC },  { 0x1c90, CAUCASIAN }, { 0x1cc0, OTHER },
    { 0x1d00, ACCENTED },  { 0x1f00, GREEK },     { 0x2000, PUNCT },
    { 0x2100, OTHER },     { 0x2600, EMOJI },     { 0x27c0, OTHER },
    { 0x2b00, EMOJI },     { 0x2c00, OTHER },     { 0x2de0, CYRILLIC },
    { 0x2e00, PUNCT },     { 0x2e80, HAN },       { 0x3000, PUNCT },
    { 0x3040, KANA },      { 0x3100, OTHER },     { 0x3130, HANGUL },
    { 0x3190, OTHER },     { 0x31f0, KANA },      { 0x3200, OTHER },
    { 0x3400, HAN },       { 0xa000, OTHER },     { 0xa640, CYRILLIC },
    { 0xa6a0, OTHER },     { 0xa8e0, INDIC },     { 0xa900, OTHER },
    { 0xa960, HANGUL },    { 0xa980, OTHER },     { 0xac00, HANGUL },
    { 0xd800, OTHER },     { 0xf900, HAN },       { 0xfb00, OTHER },
    { 0xfb50, ARABIC },    { 0xfe00, EMOJI },     { 0xfe10, PUNCT },
    { 0xfe70, ARABIC },    { 0xff00, PUNCT },     { 0xff10, OTHER },
    { 0xff60, KANA },      { 0xffa0, HANGUL },    { 0xffe0, OTHER },
    { 0x1f000, EMOJI },    { 0x1fb00, OTHER },    { 0x20000, HAN },
    { 0x32000, OTHER },    { 0x110000, OTHER },
};

/* The row of `ranges` that holds `c`. */
static size_t row_of(uint32_t c)
{
    size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]) - 1;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (ranges[middle].from <= c)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Counts until ASCII comes again.  Neighbours are mostly of one script, so the
 * row of the last one is tried first. */
static const char *count_wide(struct counts *n, const char *s, const char *end)
{
    size_t row = n->row;

    while (s < end && (unsigned char)*s >= 0x80) {
        uint32_t c = asbi_utf8_next(&s, end);

        if (c < ranges[row].from || c >= ranges[row + 1].from)
            row = row_of(c);
        n->of[ranges[row].script]++;
    }
    n->row = row;
    return s;
}

/* ---- estimates ---------------------------------------------------------- */

bool asbi_vocabulary_find(const char *name, enum asbi_vocabulary *out)
{
    static const struct {
        const char *name;
        enum asbi_vocabulary vocabulary;
    } names[] = {
        { "o200k", ASBI_O200K },
        { "o200k_base", ASBI_O200K },
        { "cl100k", ASBI_CL100K },
        { "cl100k_base", ASBI_CL100K },
    };

    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *out = names[i].vocabulary;
            return true;
        }
    }
    return false;
}

double asbi_tokens_estimate(enum asbi_vocabulary v, asbi_str text)
{
    const char *s = text.at, *end = asbi_str_end(text);
    struct counts n = { .room = 255 };
    double tokens = 0;

    while (s != end) {
        s = count_ascii(&n, s, end);
        s = count_wide(&n, s, end);
    }
    unpack(&n);
    for (unsigned c = 0; c < CLASSES; c++)
        tokens += weights[v][c] * (double)n.of[c];
    return tokens;
}

/* ---- learning ----------------------------------------------------------- */

static const double factor_min = 0.5, factor_max = 3;

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

void asbi_calibration_init(struct asbi_calibration *c, double factor)
{
    *c = (struct asbi_calibration){
        .factor = isfinite(factor) ? clamp(factor, factor_min, factor_max) : 1
    };
}

double asbi_calibration_headroom(const struct asbi_calibration *c)
{
    if (c->exact)
        return c->calls < 3 ? 1.15 : 1.05;
    return c->calls < 3 ? 1.35 : 1.15;
}

void asbi_calibration_learn(struct asbi_calibration *c, double estimated,
                            double billed)
{
    double ratio = billed / estimated;

    if (!(estimated > 0) || !isfinite(estimated) || !(billed > 0) ||
        !isfinite(ratio))
        return;
    c->calls++;
    double alpha = fmax(0.2, 1 / (double)c->calls);
    c->factor += alpha * (clamp(ratio, factor_min, factor_max) - c->factor);
}

uint64_t asbi_calibrated(const struct asbi_calibration *c, double raw)
{
    double tokens = ceil(raw * c->factor);

    if (!(tokens > 0))
        return 0;
    return tokens < 0x1p53 ? (uint64_t)tokens : UINT64_C(1) << 53;
}

static const double ratio_min = 0.001, ratio_max = 1000;

void asbi_ratio_init(struct asbi_ratio *r, double start)
{
    *r = (struct asbi_ratio){ .value = isfinite(start)
                                           ? clamp(start, ratio_min, ratio_max)
                                           : 1 };
}

void asbi_ratio_learn(struct asbi_ratio *r, double input, double output)
{
    double ratio = output / input;

    if (!(input > 0) || !isfinite(input) || !(output >= 0) || !isfinite(ratio))
        return;
    r->calls++;
    double alpha = fmax(0.1, 1 / (double)(r->calls + 1));
    r->value += alpha * (clamp(ratio, ratio_min, ratio_max) - r->value);
}
