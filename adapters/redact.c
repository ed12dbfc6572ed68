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

enum { BUCKETS = 1024, NOBODY = 0xffff };

/* The runs of a message that were not met yet, by their hash, so that a text of
 * any kind is looked through in one go: a polynomial that is rolled on. */
struct runs {
    size_t run;
    uint64_t leaving; /* BASE to the power of `run` */
    uint64_t hash[ASBI_REDACT_MOST];
    uint16_t next[ASBI_REDACT_MOST], first[BUCKETS];
    size_t left;
};

/* Odd, from the golden ratio. */
#define BASE UINT64_C(0x9e3779b97f4a7c15)

static uint64_t rolled(uint64_t hash, char c)
{
    return hash * BASE + (uint8_t)c + 1;
}

static uint16_t *bucket_of(struct runs *r, uint64_t hash)
{
    return &r->first[(hash ^ hash >> 32) * BASE >> 54];
}

/* The hash of the run that ends at `end`, after that of the one before it; of
 * less than a run at the start. */
static uint64_t roll_on(const struct runs *r, uint64_t hash, const char *at,
                        size_t end)
{
    hash = rolled(hash, at[end]);
    if (end >= r->run)
        hash -= r->leaving * ((uint8_t)at[end - r->run] + UINT64_C(1));
    return hash;
}

static void note_runs(struct runs *r, const char *at, size_t len, size_t run)
{
    uint64_t hash = 0;

    *r = (struct runs){ .run = run, .leaving = 1 };
    memset(r->first, 0xff, sizeof(r->first));
    for (size_t i = 0; i < run; i++)
        r->leaving *= BASE;
    for (size_t i = 0; i < len; i++) {
        hash = roll_on(r, hash, at, i);
        if (i + 1 < run)
            continue;
        size_t start = i + 1 - run;
        uint16_t *first = bucket_of(r, hash);

        r->hash[start] = hash;
        r->next[start] = *first;
        *first = (uint16_t)start;
        r->left++;
    }
}

/* Marks the runs of the message `at` that are the one in `source`. */
static void mark_runs(struct runs *r, uint64_t hash, const char *at,
                      const char *source, bool *quoted)
{
    uint16_t *link = bucket_of(r, hash);

    while (*link != NOBODY) {
        size_t start = *link;

        if (r->hash[start] != hash || memcmp(at + start, source, r->run) != 0) {
            link = &r->next[start];
            continue;
        }
        memset(quoted + start, true, r->run);
        *link = r->next[start];
        r->left--;
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
    struct runs runs;
    uint64_t hash = 0;

    if (len > ASBI_REDACT_MOST)
        len = ASBI_REDACT_MOST;
    if (run < 2 || len < run || source.len < run)
        return;
    note_runs(&runs, at, len, run);
    size_t all = runs.left;
    for (size_t i = 0; i < source.len && runs.left; i++) {
        hash = roll_on(&runs, hash, source.at, i);
        if (i + 1 >= run)
            mark_runs(&runs, hash, at, source.at + i + 1 - run, quoted);
    }
    if (runs.left < all)
        overwrite(at, len, quoted);
}
