#include "adapters/placeholders.h"

#include "adapters/placeholder_scan.h"

enum {
    GUILLEMET_MAX = 96, /* bytes between ⟦ and ⟧ */
    ICU_FAILURES = 64,
};

bool asbi_scan_guillemet(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t left = (size_t)(marks->end - marks->at);

    if (left < 6 || memcmp(marks->at, "⟦", 3) != 0)
        return false;
    for (size_t i = 3; i + 3 <= left && i < GUILLEMET_MAX; i++) {
        if (memcmp(marks->at + i, "⟧", 3) == 0)
            return asbi_found(marks, mark, i + 3);
        if (marks->at[i] == '\n' || memcmp(marks->at + i, "⟦", 3) == 0)
            return false;
    }
    return false;
}

static bool scan_hash(struct asbi_marks *marks, struct asbi_mark *mark)
{
    if (marks->hash_sign == ASBI_HASH_IS_TEXT)
        return false;
    mark->may_vanish = mark->may_appear = marks->hash_sign == ASBI_HASH_MAY_GO;
    return asbi_found(marks, mark, 1);
}

static asbi_scan_fn *const scanners[256] = {
    ['{'] = asbi_scan_brace,      ['$'] = asbi_scan_dollar,
    ['%'] = asbi_scan_percent,    ['\\'] = asbi_scan_backslash,
    ['<'] = asbi_scan_angle,      ['['] = asbi_scan_square,
    ['&'] = asbi_scan_ampersand,  [':'] = asbi_scan_colon,
    ['@'] = asbi_scan_at,         ['#'] = scan_hash,
    [0xe2] = asbi_scan_guillemet, /* first byte of ⟦ */
};

void asbi_marks_begin(struct asbi_marks *marks, asbi_str text,
                      enum asbi_hash_sign hash_sign)
{
    const char *at = text.at ? text.at : "";

    *marks = (struct asbi_marks){ .at = at,
                                  .end = at + text.len,
                                  .gap = at,
                                  .hash_sign = hash_sign,
                                  .icu_left = ICU_FAILURES };
}

/* Moves to the next byte that a mark may begin with; NULL: none is left. */
static asbi_scan_fn *next_scanner(struct asbi_marks *marks)
{
    const char *at = marks->at, *end = marks->end;
    asbi_scan_fn *scan = NULL;

    while (at < end && !(scan = scanners[(unsigned char)*at]))
        at++;
    marks->at = at;
    return scan;
}

bool asbi_marks_next(struct asbi_marks *marks, struct asbi_mark *mark)
{
    for (; marks->at < marks->end; marks->at++) {
        asbi_scan_fn *scan = next_scanner(marks);

        if (!scan)
            return false;
        *mark = (struct asbi_mark){ .label = NULL };
        if (!scan(marks, mark))
            continue;
        if (!mark->key.len)
            mark->key = mark->text;
        marks->at = marks->gap = mark->text.at + mark->text.len;
        marks->after_mark = true;
        return true;
    }
    return false;
}
