#include "adapters/redact.h"

#include <stdbool.h>

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
