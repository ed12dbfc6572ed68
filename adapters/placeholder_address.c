/*
 * placeholder_address.c -- URLs and e-mail addresses.
 *
 * Found by the ':' or '@' inside, looking back no further than the last mark.
 * They are named by kind when they differ, never quoted: they can be private.
 */
#include "adapters/placeholder_scan.h"

enum { LOCAL_MAX = 64, ADDRESS_MAX = 512 };

/* Bytes of `these` characters, and letters and digits, from `from` on. */
static size_t run_of(const struct asbi_marks *marks, size_t from,
                     const char *these)
{
    size_t len = 0;
    char c;

    while (len < ADDRESS_MAX && (c = asbi_peek(marks, from + len)) &&
           (asbi_is_word(c) || strchr(these, c)))
        len++;
    return len;
}

static bool found_from(const struct asbi_marks *marks, size_t before,
                       size_t behind, const char *label, struct asbi_mark *mark)
{
    mark->text = asbi_str_of(marks->at - before, before + behind);
    mark->label = label;
    return true;
}

static size_t scheme_before(const struct asbi_marks *marks)
{
    static const char *const schemes[] = { "https", "http", "ftp", "file" };
    size_t room = (size_t)(marks->at - marks->gap);

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);

        if (room >= len && strncasecmp(marks->at - len, schemes[i], len) == 0 &&
            (room == len || !asbi_is_word(marks->at[-1 - (ptrdiff_t)len])))
            return len;
    }
    return 0;
}

/* Full stops and closing brackets at the end belong to the sentence. */
bool asbi_scan_colon(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t scheme = asbi_peek(marks, 1) == '/' && asbi_peek(marks, 2) == '/'
                        ? scheme_before(marks)
                        : 0;

    if (!scheme)
        return false;
    size_t len = run_of(marks, 3, "-._~:/?#[]@!$&'()*+,;=%");
    while (len && strchr(".,;:!?)]'*", marks->at[2 + len]))
        len--;
    return len && found_from(marks, scheme, 3 + len, "a URL", mark);
}

bool asbi_scan_at(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t room = (size_t)(marks->at - marks->gap), local = 0;
    char c;

    while (local < room && local < LOCAL_MAX &&
           (c = marks->at[-1 - (ptrdiff_t)local]) &&
           (asbi_is_word(c) || strchr("._+-", c)))
        local++;
    size_t domain = local ? run_of(marks, 1, "-.") : 0;
    while (domain && strchr(".-_", marks->at[domain]))
        domain--;
    size_t top = 0;
    while (top < domain && asbi_is_letter(marks->at[domain - top]))
        top++;
    if (top < 2 || top + 1 >= domain || marks->at[domain - top] != '.')
        return false;
    return found_from(marks, local, domain + 1, "an e-mail address", mark);
}
