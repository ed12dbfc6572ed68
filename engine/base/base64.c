#include "engine/base/base64.h"

#include <stdint.h>

/* -1 for what is none. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool asbi_base64_decode(asbi_str text, char *out, size_t room, size_t *len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t digits = text.len;

    *len = 0;
    while (digits && text.len - digits < 2 && text.at[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits && *len < room; i++) {
        int v = value_of(text.at[i]);

        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*len)++] = (char)(unsigned char)(bits >> have & 0xff);
        }
    }
    return *len == room || have < 6;
}
