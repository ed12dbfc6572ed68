#include "config/secret.h"

#include <ctype.h>

#include "engine/base/error.h"

#define ENV ASBI_STR("env:")
#define FILE_ ASBI_STR("file:")

static asbi_str after(asbi_str s, asbi_str prefix)
{
    return asbi_str_of(s.at + prefix.len, s.len - prefix.len);
}

static bool is_variable_name(asbi_str s)
{
    if (s.len == 0 || s.len > 255 || isdigit((unsigned char)s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!isalnum((unsigned char)s.at[i]) && s.at[i] != '_')
            return false;
    }
    return true;
}

static bool is_path(asbi_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return false;
    }
    return s.len > 0 && s.len < 4096;
}

int asbi_secret_check(asbi_str reference, const char *place,
                      struct asb_message *why)
{
    if (reference.len == 0)
        return ASB_OK;
    if (asbi_str_starts(reference, ENV))
        return is_variable_name(after(reference, ENV))
                   ? ASB_OK
                   : asbi_fail(why, ASB_ECONFIG,
                               "%s: after env: stands the name of a variable, "
                               "such as env:OPENAI_API_KEY, not its value",
                               place);
    if (asbi_str_starts(reference, FILE_))
        return is_path(after(reference, FILE_))
                   ? ASB_OK
                   : asbi_fail(why, ASB_ECONFIG,
                               "%s: after file: stands the path of a file that "
                               "holds the key",
                               place);
    return asbi_fail(why, ASB_ECONFIG,
                     "%s: takes env:NAME or file:PATH, never the key itself: "
                     "it would end up in process lists, shell histories and "
                     "files; if this was a key, consider it leaked",
                     place);
}

void asbi_secret_source(const char *reference, const char *usual,
                        struct asbi_secret_source *out)
{
    asbi_str r = asbi_str_c(reference);

    *out = (struct asbi_secret_source){ .kind = ASBI_SECRET_NONE, .name = "" };
    if (asbi_str_starts(r, ENV)) {
        *out = (struct asbi_secret_source){ ASBI_SECRET_VARIABLE,
                                            reference + ENV.len, true };
    } else if (asbi_str_starts(r, FILE_)) {
        *out = (struct asbi_secret_source){ ASBI_SECRET_FILE,
                                            reference + FILE_.len, true };
    } else if (usual[0]) {
        out->kind = ASBI_SECRET_VARIABLE;
        out->name = usual;
    }
}

int asbi_secret_clean(asbi_str raw, const char *where, asbi_str *key,
                      struct asb_message *why)
{
    asbi_str s = asbi_str_trim(raw);

    if (s.len == 0)
        return asbi_fail(why, ASB_ECONFIG, "%s: holds no key: it is empty",
                         where);
    if (s.len > ASBI_SECRET_MAX)
        return asbi_fail(why, ASB_ECONFIG,
                         "%s: holds %zu bytes; a key has at most %d", where,
                         s.len, ASBI_SECRET_MAX);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c <= 0x20 || c >= 0x7f)
            return asbi_fail(why, ASB_ECONFIG,
                             "%s: holds more than a key: byte %zu is a space, "
                             "a line break or not ASCII",
                             where, i + 1);
    }
    *key = s;
    return ASB_OK;
}
