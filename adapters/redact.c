#include "adapters/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/str.h"

/* What keys of the known providers begin with. */
static const struct prefix {
    const char *text;
    size_t len;
} prefixes[] = {
    { "sk-", 3 },  { "gsk_", 4 }, { "xai-", 4 },   { "AIza", 4 },
    { "csk-", 4 }, { "pk-", 3 },  { "nvapi-", 6 }, { "Bearer ", 7 },
};

enum { SHORTEST = 8 }; /* secret; less is no key */

static bool is_key_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '*' ||
           c == '.';
}

/* Length of the prefix that the text begins with, or 0. */
static size_t prefix_of(asbi_str s)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        asbi_str p = { prefixes[i].text, prefixes[i].len };

        if (asbi_str_starts(s, p))
            return p.len;
    }
    return 0;
}

/* Hides the key that begins at `at`; returns the length of what was read. */
static size_t hide(char *at, size_t len, size_t prefix)
{
    size_t n = prefix;

    while (n < len && is_key_char(at[n]))
        n++;
    for (size_t i = prefix; n >= prefix + SHORTEST && i < n; i++)
        at[i] = '*';
    return n;
}

void asbi_redact(char *at, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t prefix = i == 0 || !is_key_char(at[i - 1])
                            ? prefix_of(asbi_str_of(at + i, len - i))
                            : 0;

        if (prefix) {
            i += hide(at + i, len - i, prefix);
            continue;
        }
        if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
            at[i] = ' ';
        i++;
    }
}

/* ---- quotes ------------------------------------------------------------- */

/* Which pairs of bytes a run may begin with. */
struct pairs {
    uint8_t bits[65536 / 8];
};

static unsigned pair_at(const char *at)
{
    return (unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1];
}

static bool is_in(const struct pairs *p, unsigned pair)
{
    return p->bits[pair / 8] >> (pair % 8) & 1;
}

static void note_pairs(struct pairs *p, const char *at, size_t runs)
{
    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < runs; i++) {
        unsigned pair = pair_at(at + i);

        p->bits[pair / 8] |= (uint8_t)(1 << (pair % 8));
    }
}

static bool is_within_char(char c)
{
    return ((uint8_t)c & 0xC0) == 0x80;
}

/* Whole characters: no half of one is left. */
static void overwrite(char *at, size_t len, bool *quoted)
{
    for (size_t i = 1; i < len; i++)
        quoted[i] = quoted[i] || (quoted[i - 1] && is_within_char(at[i]));
    for (size_t i = len - 1; i > 0; i--)
        quoted[i - 1] = quoted[i - 1] || (quoted[i] && is_within_char(at[i]));
    for (size_t i = 0; i < len; i++) {
        if (quoted[i])
            at[i] = '*';
    }
}

void asbi_redact_quotes(char *at, size_t len, asbi_str source, size_t run)
{
    bool quoted[ASBI_REDACT_MOST] = { false };
    struct pairs pairs;
    bool any = false;

    if (len > ASBI_REDACT_MOST)
        len = ASBI_REDACT_MOST;
    if (run < 2 || len < run || source.len < run)
        return;
    size_t runs = len - run + 1;
    note_pairs(&pairs, at, runs);
    for (size_t s = 0; s + run <= source.len; s++) {
        if (!is_in(&pairs, pair_at(source.at + s)))
            continue;
        for (size_t i = 0; i < runs; i++) {
            if (memcmp(at + i, source.at + s, run) != 0)
                continue;
            memset(quoted + i, true, run);
            any = true;
        }
    }
    if (any)
        overwrite(at, len, quoted);
}
