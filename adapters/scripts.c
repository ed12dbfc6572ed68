#include "adapters/scripts.h"

#include <stddef.h>

struct range {
    uint32_t first, last;
    uint32_t script;
};

/* In order; searched by halves. */
static const struct range ranges[] = {
    { 0x41, 0x5a, ASBI_LATIN },          { 0x61, 0x7a, ASBI_LATIN },
    { 0xc0, 0xd6, ASBI_LATIN },          { 0xd8, 0xf6, ASBI_LATIN },
    { 0xf8, 0x2b8, ASBI_LATIN },         { 0x2ea, 0x2eb, ASBI_BOPOMOFO },
    { 0x370, 0x373, ASBI_GREEK },        { 0x375, 0x37d, ASBI_GREEK },
    { 0x37f, 0x383, ASBI_GREEK },        { 0x386, 0x386, ASBI_GREEK },
    { 0x388, 0x3e1, ASBI_GREEK },        { 0x3f0, 0x3ff, ASBI_GREEK },
    { 0x400, 0x484, ASBI_CYRILLIC },     { 0x487, 0x52f, ASBI_CYRILLIC },
    { 0x531, 0x58f, ASBI_ARMENIAN },     { 0x591, 0x5f4, ASBI_HEBREW },
    { 0x600, 0x604, ASBI_ARABIC },       { 0x606, 0x60b, ASBI_ARABIC },
    { 0x60d, 0x61a, ASBI_ARABIC },       { 0x61c, 0x61e, ASBI_ARABIC },
    { 0x620, 0x63f, ASBI_ARABIC },       { 0x641, 0x64a, ASBI_ARABIC },
    { 0x656, 0x66f, ASBI_ARABIC },       { 0x671, 0x6dc, ASBI_ARABIC },
    { 0x6de, 0x6ff, ASBI_ARABIC },       { 0x750, 0x77f, ASBI_ARABIC },
    { 0x870, 0x8e1, ASBI_ARABIC },       { 0x8e3, 0x8ff, ASBI_ARABIC },
    { 0x900, 0x950, ASBI_DEVANAGARI },   { 0x955, 0x963, ASBI_DEVANAGARI },
    { 0x966, 0x97f, ASBI_DEVANAGARI },   { 0x980, 0x9fe, ASBI_BENGALI },
    { 0xa01, 0xa76, ASBI_GURMUKHI },     { 0xa81, 0xaff, ASBI_GUJARATI },
    { 0xb01, 0xb77, ASBI_ORIYA },        { 0xb82, 0xbfa, ASBI_TAMIL },
    { 0xc00, 0xc7f, ASBI_TELUGU },       { 0xc80, 0xcf2, ASBI_KANNADA },
    { 0xd00, 0xd7f, ASBI_MALAYALAM },    { 0xd81, 0xdf4, ASBI_SINHALA },
    { 0xe01, 0xe3a, ASBI_THAI },         { 0xe40, 0xe5b, ASBI_THAI },
    { 0xe81, 0xedf, ASBI_LAO },          { 0xf00, 0xfd4, ASBI_TIBETAN },
    { 0xfd9, 0xfda, ASBI_TIBETAN },      { 0x1000, 0x109f, ASBI_MYANMAR },
    { 0x10a0, 0x10fa, ASBI_GEORGIAN },   { 0x10fc, 0x10ff, ASBI_GEORGIAN },
    { 0x1100, 0x11ff, ASBI_HANGUL },     { 0x1200, 0x1399, ASBI_ETHIOPIC },
    { 0x1780, 0x17f9, ASBI_KHMER },      { 0x1800, 0x1801, ASBI_MONGOLIAN },
    { 0x1804, 0x1804, ASBI_MONGOLIAN },  { 0x1806, 0x18aa, ASBI_MONGOLIAN },
    { 0x19e0, 0x19ff, ASBI_KHMER },      { 0x1c80, 0x1c88, ASBI_CYRILLIC },
    { 0x1c90, 0x1cbf, ASBI_GEORGIAN },   { 0x1e00, 0x1eff, ASBI_LATIN },
    { 0x1f00, 0x1ffe, ASBI_GREEK },      { 0x2c60, 0x2c7f, ASBI_LATIN },
    { 0x2d00, 0x2d2d, ASBI_GEORGIAN },   { 0x2d80, 0x2dde, ASBI_ETHIOPIC },
    { 0x2de0, 0x2dff, ASBI_CYRILLIC },   { 0x2e80, 0x2fd5, ASBI_HAN },
    { 0x3005, 0x3005, ASBI_HAN },        { 0x3007, 0x3007, ASBI_HAN },
    { 0x3021, 0x3029, ASBI_HAN },        { 0x302e, 0x302f, ASBI_HANGUL },
    { 0x3038, 0x303b, ASBI_HAN },        { 0x3041, 0x3096, ASBI_KANA },
    { 0x309d, 0x309f, ASBI_KANA },       { 0x30a1, 0x30fa, ASBI_KANA },
    { 0x30fd, 0x30ff, ASBI_KANA },       { 0x3105, 0x312f, ASBI_BOPOMOFO },
    { 0x3131, 0x318e, ASBI_HANGUL },     { 0x31a0, 0x31bf, ASBI_BOPOMOFO },
    { 0x31f0, 0x31ff, ASBI_KANA },       { 0x3400, 0x4dbf, ASBI_HAN },
    { 0x4e00, 0x9fff, ASBI_HAN },        { 0xa640, 0xa69f, ASBI_CYRILLIC },
    { 0xa722, 0xa787, ASBI_LATIN },      { 0xa78b, 0xa7ff, ASBI_LATIN },
    { 0xa8e0, 0xa8ff, ASBI_DEVANAGARI }, { 0xa960, 0xa97c, ASBI_HANGUL },
    { 0xa9e0, 0xa9fe, ASBI_MYANMAR },    { 0xaa60, 0xaa7f, ASBI_MYANMAR },
    { 0xab01, 0xab2e, ASBI_ETHIOPIC },   { 0xac00, 0xd7fb, ASBI_HANGUL },
    { 0xf900, 0xfad9, ASBI_HAN },        { 0xfb13, 0xfb17, ASBI_ARMENIAN },
    { 0xfb1d, 0xfb4f, ASBI_HEBREW },     { 0xfb50, 0xfd3d, ASBI_ARABIC },
    { 0xfd40, 0xfdff, ASBI_ARABIC },     { 0xfe70, 0xfefc, ASBI_ARABIC },
    { 0xff21, 0xff3a, ASBI_LATIN },      { 0xff41, 0xff5a, ASBI_LATIN },
    { 0xff66, 0xff6f, ASBI_KANA },       { 0xff71, 0xff9d, ASBI_KANA },
    { 0xffa0, 0xffdc, ASBI_HANGUL },     { 0x1aff0, 0x1b167, ASBI_KANA },
    { 0x20000, 0x323af, ASBI_HAN },
};

static const char *const names[] = {
    "Latin",      "Cyrillic", "Greek",     "Armenian", "Hebrew",   "Arabic",
    "Devanagari", "Bengali",  "Gurmukhi",  "Gujarati", "Oriya",    "Tamil",
    "Telugu",     "Kannada",  "Malayalam", "Sinhala",  "Thai",     "Lao",
    "Tibetan",    "Myanmar",  "Georgian",  "Hangul",   "Ethiopic", "Khmer",
    "Mongolian",  "Kana",     "Bopomofo",  "Han",
};

uint32_t asbi_script_of(uint32_t c)
{
    size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

    if (c - 0x4e00 <= 0x9fff - 0x4e00)
        return ASBI_HAN; /* most of what is asked of a Chinese text */
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return ranges[middle].script;
    }
    return ASBI_SCRIPT_NONE;
}

const char *asbi_script_name(uint32_t script)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (script & (UINT32_C(1) << i))
            return names[i];
    }
    return "";
}
