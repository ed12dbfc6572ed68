#include "adapters/remote.h"

#include <ctype.h>

enum { MAX_ID = 256 };

bool asbi_remote_is_id(asbi_str given)
{
    if (given.len == 0 || given.len > MAX_ID || given.at[0] == '/')
        return false;
    for (size_t i = 0; i < given.len; i++) {
        unsigned char c = (unsigned char)given.at[i];

        if (!c || (!isalnum(c) && !strchr("-_.:/", c)))
            return false;
        if ((c == '.' || c == '/') && i && given.at[i - 1] == (char)c)
            return false;
    }
    return true;
}

bool asbi_remote_keep_id(asbi_str given, char out[ASBI_REMOTE_ID])
{
    out[0] = '\0';
    if (given.len >= ASBI_REMOTE_ID || !asbi_remote_is_id(given))
        return false;
    asbi_remote_copy(given, out, ASBI_REMOTE_ID);
    return true;
}

void asbi_remote_copy(asbi_str from, char *out, size_t size)
{
    size_t len = from.len < size ? from.len : size - 1;

    while (len < from.len && len &&
           ((unsigned char)from.at[len] & 0xc0) == 0x80)
        len--;
    if (len)
        memcpy(out, from.at, len);
    out[len] = '\0';
}

const struct asbi_json_node *asbi_remote_find(struct asbi_json *json,
                                              const struct asbi_json_node *at,
                                              const char *const names[])
{
    for (size_t i = 0; at && names[i]; i++)
        at = asbi_json_get(json, at, asbi_str_c(names[i]));
    return at;
}

asbi_str asbi_remote_text(struct asbi_json *json,
                          const struct asbi_json_node *at, const char *name)
{
    return asbi_json_text(json, asbi_json_get(json, at, asbi_str_c(name)));
}

const struct asbi_json_node *
asbi_remote_named(struct asbi_json *json, const struct asbi_json_node *list,
                  const char *const names[], const char *text)
{
    const struct asbi_json_node *at = asbi_json_child(json, list);

    while (at &&
           !asbi_str_eq(asbi_json_text(json, asbi_remote_find(json, at, names)),
                        asbi_str_c(text)))
        at = asbi_json_after(json, list, at);
    return at;
}
