#include "engine/sim/tokens.h"

#include "engine/base/utf8.h"

enum class { WORD, DIGIT, SPACE, WHITE, CJK, LETTER, SIGN, ASTRAL };

static const unsigned char divisors[] = {
    [WORD] = 6, [DIGIT] = 3,  [SPACE] = 1, [WHITE] = 4,
    [CJK] = 4,  [LETTER] = 5, [SIGN] = 1,  [ASTRAL] = 1,
};

struct kind {
    enum class class;
    unsigned weight;
};

struct range {
    uint32_t first, last;
};

static bool within(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

bool asbi_sim_is_cjk(uint32_t c)
{
    static const struct range ranges[] = {
        { 0x1100, 0x11ff },   { 0x2e80, 0x9fff },   { 0xa960, 0xa97f },
        { 0xac00, 0xd7ff },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe4f },
        { 0xff00, 0xffef },   { 0x1aff0, 0x1b2ff }, { 0x1f200, 0x1f2ff },
        { 0x20000, 0x3ffff },
    };

    return c >= 0x1100 && within(c, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

static struct kind kind_of_ascii(uint32_t c)
{
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        return (struct kind){ WORD, 1 };
    if (c >= '0' && c <= '9')
        return (struct kind){ DIGIT, 1 };
    if (c == ' ')
        return (struct kind){ SPACE, 0 };
    if (c < ' ')
        return (struct kind){ WHITE, 1 };
    return (struct kind){ SIGN, 1 };
}

static struct kind kind_of(uint32_t c)
{
    static const struct range latin[] = { { 0xc0, 0x24f }, { 0x1e00, 0x1eff } };
    static const struct range letters[] = { { 0x250, 0x1dff },
                                            { 0x1f00, 0x1fff },
                                            { 0xa000, 0xabff },
                                            { 0xfb1d, 0xfdff } };

    if (c < 0x80)
        return kind_of_ascii(c);
    if (within(c, latin, sizeof(latin) / sizeof(latin[0])))
        return (struct kind){ WORD, 4 };
    if (asbi_sim_is_cjk(c))
        return (struct kind){ CJK, 3 };
    if (within(c, letters, sizeof(letters) / sizeof(letters[0])))
        return (struct kind){ LETTER, 2 };
    return c > 0xffff ? (struct kind){ ASTRAL, 2 } : (struct kind){ SIGN, 1 };
}

/* Counts until the text or `most` is at its end; returns the bytes counted. */
static size_t scan(asbi_str text, uint64_t most, uint64_t *tokens)
{
    const char *at = text.at, *end = asbi_str_end(text);
    enum class run = SPACE;
    uint64_t before = 0, weight = 0; /* of earlier runs; of this one */

    *tokens = 0;
    while (at < end) {
        const char *here = at;
        struct kind k = kind_of(asbi_utf8_next(&at, end));

        if (k.class != run) {
            before = *tokens;
            weight = 0;
            run = k.class;
        }
        weight += k.weight;
        uint64_t now = before + (weight + divisors[run] - 1) / divisors[run];
        if (now > most)
            return (size_t)(here - text.at);
        *tokens = now;
    }
    return text.len;
}

uint64_t asbi_sim_tokens(asbi_str text)
{
    uint64_t tokens;

    (void)scan(text, UINT64_MAX, &tokens);
    return tokens;
}

size_t asbi_sim_tokens_prefix(asbi_str text, uint64_t most)
{
    uint64_t tokens;

    return scan(text, most, &tokens);
}
