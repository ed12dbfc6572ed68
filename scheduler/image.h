/*
 * image.h -- how many tokens a picture is, by the formulas that providers
 * publish; and how large it is, by the first bytes of its file.
 *
 *   tiles_B    as OpenAI counts: fitted into 2048 x 2048 and its shorter side
 *              into 768, then B and 2B for each 512 x 512 of it; few details: B
 *   patches_F  the same house, smaller models: F for each 32 x 32, 1,536 of
 *              them at most, as it is scaled down to that
 *   area       Anthropic: width x height / 750, the longer side 1,568 at most
 *   crops      Gemini: 258 for each square of two thirds of the shorter side,
 *              which is 256 to 768; a small one is one
 *
 * A picture of unknown size counts as one as large as they come.
 */
#ifndef ASBI_SCHEDULER_IMAGE_H
#define ASBI_SCHEDULER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

enum asbi_image_rule {
    ASBI_IMAGE_TILES_85,
    ASBI_IMAGE_TILES_75,
    ASBI_IMAGE_TILES_70,
    ASBI_IMAGE_TILES_2833,
    ASBI_IMAGE_PATCHES_1_62,
    ASBI_IMAGE_PATCHES_1_72,
    ASBI_IMAGE_PATCHES_2_46,
    ASBI_IMAGE_AREA,
    ASBI_IMAGE_CROPS,
};

/* By its name in a catalogue, else as is usual in the dialect. */
enum asbi_image_rule asbi_image_rule_of(const char *name, const char *dialect);

struct asbi_image {
    uint32_t width, height; /* 0: unknown */
    bool rough;             /* few details are asked for */
};

double asbi_image_tokens(enum asbi_image_rule rule,
                         const struct asbi_image *image);

/* Width and height of a PNG, JPEG, GIF or WebP file in base64; false, and *out
 * untouched, for anything else. */
bool asbi_image_size(asbi_str base64, struct asbi_image *out);

#endif
