#include "scheduler/image.h"

#include <math.h>

#include "engine/base/base64.h"

/* ---- rules -------------------------------------------------------------- */

static const struct {
    const char *name;
    double each; /* of a tile the half, of a patch, of a crop */
} rules[] = {
    [ASBI_IMAGE_TILES_85] = { "tiles_85", 85 },
    [ASBI_IMAGE_TILES_75] = { "tiles_75", 75 },
    [ASBI_IMAGE_TILES_70] = { "tiles_70", 70 },
    [ASBI_IMAGE_TILES_2833] = { "tiles_2833", 2833 },
    [ASBI_IMAGE_PATCHES_1_62] = { "patches_1.62", 1.62 },
    [ASBI_IMAGE_PATCHES_1_72] = { "patches_1.72", 1.72 },
    [ASBI_IMAGE_PATCHES_2_46] = { "patches_2.46", 2.46 },
    [ASBI_IMAGE_AREA] = { "area", 1. / 750 },
    [ASBI_IMAGE_CROPS] = { "crops", 258 },
};

enum asbi_image_rule asbi_image_rule_of(const char *name, const char *dialect)
{
    for (size_t i = 0; name && i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(rules[i].name, name) == 0)
            return (enum asbi_image_rule)i;
    }
    return strcmp(dialect, "anthropic") == 0 ? ASBI_IMAGE_AREA
           : strcmp(dialect, "gemini") == 0  ? ASBI_IMAGE_CROPS
                                             : ASBI_IMAGE_TILES_85;
}

struct size {
    double longer, shorter;
};

/* Scaled down, if need be, so that its longer side is at most that. */
static struct size fit_longer(struct size s, double most)
{
    double factor = fmin(1, most / s.longer);

    return (struct size){ factor * s.longer, factor * s.shorter };
}

static double tiles(double base, struct size s, bool rough)
{
    if (rough)
        return base;
    s = fit_longer(s, 2048);
    double factor = fmin(1, 768 / s.shorter);
    return base + 2 * base * ceil(factor * s.longer / 512) *
                      ceil(factor * s.shorter / 512);
}

/* Scaled to the most patches, then once more, so that they come out whole. */
static double patches(double each, struct size s, bool rough)
{
    static const double side = 32;
    double most = rough ? 256 : 1536;

    if (ceil(s.longer / side) * ceil(s.shorter / side) > most) {
        double factor = sqrt(most * side * side / (s.longer * s.shorter));
        double wide = factor * s.longer / side,
               high = factor * s.shorter / side;

        factor *= fmin(floor(wide) / wide, fmax(1, floor(high)) / high);
        s = (struct size){ factor * s.longer, factor * s.shorter };
    }
    /* What scaling left a trifle too large is not a patch more. */
    return ceil(each * fmin(most, ceil(s.longer / side - 1e-9) *
                                      ceil(s.shorter / side - 1e-9)));
}

static double area(double each, struct size s)
{
    s = fit_longer(s, 1568);
    return fmin(1600, ceil(each * s.longer * s.shorter));
}

static double crops(double each, struct size s)
{
    double side = fmin(768, fmax(256, floor(s.shorter / 1.5)));

    if (s.longer <= 384)
        return each;
    return each * ceil(s.longer / side) * ceil(s.shorter / side);
}

double asbi_image_tokens(enum asbi_image_rule rule,
                         const struct asbi_image *image)
{
    double w = image->width, h = image->height, each = rules[rule].each;
    struct size s = { fmax(w, h), fmin(w, h) };

    if (s.shorter < 1) /* the most that is not scaled down by most of them */
        s = (struct size){ 2048, rule == ASBI_IMAGE_CROPS ? 2048 : 768 };
    if (rule <= ASBI_IMAGE_TILES_2833)
        return tiles(each, s, image->rough);
    if (rule <= ASBI_IMAGE_PATCHES_2_46)
        return patches(each, s, image->rough);
    return rule == ASBI_IMAGE_AREA ? area(each, s) : crops(each, s);
}

/* ---- files -------------------------------------------------------------- */

/* Byte `i` of what base64 stands for; -1 past its end. */
static int byte_at(asbi_str base64, size_t i)
{
    size_t group = i / 3 * 4, len = 0;
    char out[3];

    if (group >= base64.len)
        return -1;
    size_t rest = base64.len - group;
    if (!asbi_base64_decode(asbi_str_of(base64.at + group, rest < 4 ? rest : 4),
                            out, sizeof(out), &len) ||
        i % 3 >= len)
        return -1;
    return (unsigned char)out[i % 3];
}

/* `n` bytes as a number, the first counting most; -1 past the end. */
static int64_t big(asbi_str base64, size_t at, size_t n)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        int byte = byte_at(base64, at + i);

        if (byte < 0)
            return -1;
        sum = sum << 8 | byte;
    }
    return sum;
}

/* The first counting least. */
static int64_t little(asbi_str base64, size_t at, size_t n)
{
    int64_t sum = 0;

    for (size_t i = n; i-- > 0;) {
        int byte = byte_at(base64, at + i);

        if (byte < 0)
            return -1;
        sum = sum << 8 | byte;
    }
    return sum;
}

static bool give(struct asbi_image *out, int64_t width, int64_t height)
{
    if (width < 1 || height < 1 || width > 1 << 20 || height > 1 << 20)
        return false;
    out->width = (uint32_t)width;
    out->height = (uint32_t)height;
    return true;
}

/* Walks over what comes before the frame, such as a smaller picture. */
static bool jpeg_size(asbi_str file, struct asbi_image *out)
{
    enum { MOST_SEGMENTS = 100 };
    size_t at = 2;

    for (int i = 0; i < MOST_SEGMENTS; i++) {
        int64_t mark = big(file, at, 2), len = big(file, at + 2, 2);
        bool frame = mark >= 0xffc0 && mark <= 0xffcf && mark != 0xffc4 &&
                     mark != 0xffc8 && mark != 0xffcc;

        if (mark < 0xff00 || len < 2)
            return false;
        if (frame)
            return give(out, big(file, at + 7, 2), big(file, at + 5, 2));
        at += 2 + (size_t)len;
    }
    return false;
}

static bool webp_size(asbi_str file, struct asbi_image *out)
{
    switch (big(file, 12, 4)) {
    case 0x56503820: /* "VP8 " */
        return give(out, little(file, 26, 2) & 0x3fff,
                    little(file, 28, 2) & 0x3fff);
    case 0x5650384c: /* "VP8L" */
        return give(out, (little(file, 21, 4) & 0x3fff) + 1,
                    (little(file, 21, 4) >> 14 & 0x3fff) + 1);
    case 0x56503858: /* "VP8X" */
        return give(out, little(file, 24, 3) + 1, little(file, 27, 3) + 1);
    default:
        return false;
    }
}

bool asbi_image_size(asbi_str base64, struct asbi_image *out)
{
    int64_t head = big(base64, 0, 4);

    if (head == 0x89504e47) /* PNG */
        return give(out, big(base64, 16, 4), big(base64, 20, 4));
    if (head == 0x47494638) /* GIF */
        return give(out, little(base64, 6, 2), little(base64, 8, 2));
    if (head >> 16 == 0xffd8)
        return jpeg_size(base64, out);
    return head == 0x52494646 && big(base64, 8, 4) == 0x57454250 &&
           webp_size(base64, out);
}
