/*
 * placeholder_brace.c -- variables in braces, and ICU MessageFormat.
 *
 * ICU is recognised by its shape, `{name, plural, keyword {..} ..}`, well
 * formed to its end; anything less is text.  Apostrophe quoting is understood
 * for single braces only ('{' and '}'): formats differ on the rest.
 */
#include "adapters/placeholder_scan.h"
#include "engine/base/utf8.h"

enum {
    NAME_MAX_BYTES = 128, /* between { and } */
    ICU_MAX_BYTES = 8192, /* a whole plural or select */
    ICU_MAX_DEPTH = 16,   /* of braces inside */
    ICU_MAX_BRANCHES = 32,
};

static asbi_str text_left(const struct asbi_marks *marks, size_t most)
{
    size_t left = (size_t)(marks->end - marks->at);

    return asbi_str_of(marks->at, left < most ? left : most);
}

/* ---- ICU ---------------------------------------------------------------- */

static void skip(asbi_str *s, size_t len)
{
    s->at += len;
    s->len -= len;
}

static void skip_space(asbi_str *s)
{
    while (s->len && asbi_is_space(s->at[0]))
        skip(s, 1);
}

/* Takes a run of name bytes; non-ASCII letters are in names, too. */
static asbi_str take_word(asbi_str *s)
{
    asbi_str word = { s->at, 0 };

    while (word.len < s->len &&
           (asbi_is_word(s->at[word.len]) || strchr("-.$=:", s->at[word.len]) ||
            (unsigned char)s->at[word.len] >= 0x80) &&
           s->at[word.len])
        word.len++;
    skip(s, word.len);
    return word;
}

static bool take_comma(asbi_str *s)
{
    skip_space(s);
    if (!s->len || s->at[0] != ',')
        return false;
    skip(s, 1);
    skip_space(s);
    return true;
}

/* Where the brace at s.at[0] is closed, or 0. */
static size_t closing_brace(asbi_str s)
{
    unsigned depth = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\'' && i + 2 < s.len && s.at[i + 2] == '\'' &&
            (s.at[i + 1] == '{' || s.at[i + 1] == '}')) {
            i += 2;
            continue;
        }
        depth += s.at[i] == '{';
        if (depth > ICU_MAX_DEPTH)
            return 0;
        if (s.at[i] == '}' && --depth == 0)
            return i;
    }
    return 0;
}

bool asbi_branch_next(asbi_str *rest, struct asbi_branch *branch)
{
    asbi_str s = *rest;

    if (s.len == 0) /* most marks have none */
        return false;
    do {
        skip_space(&s);
        branch->keyword = take_word(&s);
    } while (asbi_str_starts(branch->keyword, ASBI_STR("offset:")));
    skip_space(&s);
    if (!branch->keyword.len || !s.len || s.at[0] != '{')
        return false;
    size_t close = closing_brace(s);
    if (!close)
        return false;
    branch->text = asbi_str_of(s.at + 1, close - 1);
    skip(&s, close + 1);
    *rest = s;
    return true;
}

/* Whether a branch is one too many or repeats a keyword; else remembers it. */
static bool is_surplus(asbi_str *keywords, size_t count, asbi_str keyword)
{
    if (count == ICU_MAX_BRANCHES)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (asbi_str_eq(keywords[i], keyword))
            return true;
    }
    keywords[count] = keyword;
    return false;
}

/* The branches up to the brace that ends the argument; at least one. */
static bool take_branches(asbi_str *s, asbi_str *branches)
{
    asbi_str keywords[ICU_MAX_BRANCHES], rest = *s;
    struct asbi_branch branch;
    size_t count = 0;

    while (asbi_branch_next(&rest, &branch)) {
        if (is_surplus(keywords, count++, branch.keyword))
            return false;
    }
    *branches = asbi_str_of(s->at, (size_t)(rest.at - s->at));
    skip_space(&rest);
    if (count == 0 || !rest.len || rest.at[0] != '}')
        return false;
    skip(&rest, 1);
    *s = rest;
    return true;
}

static bool scan_complex(struct asbi_marks *marks, struct asbi_mark *mark)
{
    asbi_str s = text_left(marks, ICU_MAX_BYTES);

    skip(&s, 1);
    skip_space(&s);
    asbi_str name = take_word(&s);
    if (!name.len || !take_comma(&s))
        return false;
    asbi_str type = take_word(&s);
    mark->plural = asbi_str_eq(type, ASBI_STR("plural")) ||
                   asbi_str_eq(type, ASBI_STR("selectordinal"));
    if (!mark->plural && !asbi_str_eq(type, ASBI_STR("select")))
        return false;
    mark->key = asbi_str_of(marks->at, (size_t)(s.at - marks->at));
    if (marks->icu_left == 0 || !take_comma(&s) ||
        !take_branches(&s, &mark->branches)) {
        marks->icu_left -= marks->icu_left > 0;
        *mark = (struct asbi_mark){ .label = NULL };
        return false;
    }
    mark->loose = true;
    return asbi_found(marks, mark, (size_t)(s.at - marks->at));
}

/* ---- names -------------------------------------------------------------- */

/* The bytes up to `close`, on one line and without another brace; {NULL, 0}
 * when there are none such. */
static asbi_str inside(asbi_str s, char close)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == close)
            return asbi_str_of(s.at, i);
        if (s.at[i] == '{' || s.at[i] == '}' || s.at[i] == '\n')
            break;
    }
    return (asbi_str){ NULL, 0 };
}

static bool is_punctuation(uint32_t c)
{
    return (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x3004) ||
           (c >= 0x3008 && c <= 0x3020) || (c >= 0xff00 && c <= 0xff0f) ||
           (c >= 0xff1a && c <= 0xff20) || c == 0xa0;
}

/* One word, of any script: a name as programs use it, with formats such as
 * "0:N2", "item[0]", "/color" or "color=#fff" behind it. */
static bool is_name(asbi_str s)
{
    const char *end = asbi_str_end(s);

    for (const char *at = s.at; at < end;) {
        uint32_t c = asbi_utf8_next(&at, end);

        if (c <= 0x20 || c == 0x7f || c == ',' || c == ';' || c == '"' ||
            c == '|' || is_punctuation(c))
            return false;
    }
    return true;
}

/* "n, number, ::currency/USD" of ICU and "0,-10:F2" of .NET. */
static bool is_formatted(asbi_str s)
{
    static const char *const types[] = { "number",  "date",     "time",
                                         "ordinal", "duration", "spellout" };

    asbi_str name = take_word(&s);
    if (!name.len || !take_comma(&s) || !s.len)
        return false;
    if (asbi_is_digit(name.at[0]) && (s.at[0] == '-' || asbi_is_digit(*s.at)))
        return is_name(s);
    asbi_str type = take_word(&s);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (asbi_str_eq(type, asbi_str_c(types[i])))
            return !s.len || take_comma(&s);
    }
    return false;
}

/* {name}; also { $name } of Fluent and the empty {}. */
static bool scan_simple(struct asbi_marks *marks, struct asbi_mark *mark)
{
    asbi_str s = text_left(marks, NAME_MAX_BYTES);
    skip(&s, 1);
    asbi_str name = inside(s, '}');

    if (!name.at)
        return false;
    asbi_str bare = asbi_str_trim(name);
    if (bare.len == 0 && name.len > 0)
        return false;
    mark->loose = !is_name(bare);
    if (mark->loose && !is_formatted(bare))
        return false;
    return asbi_found(marks, mark, name.len + 2);
}

/* {{var}}, {{#if x}}, {{ a | filter }}: one word, or the signs of a template
 * language; "{{PLURAL:$1|one|two}}" is for the translator. */
static bool scan_double(struct asbi_marks *marks, struct asbi_mark *mark)
{
    asbi_str s = text_left(marks, NAME_MAX_BYTES);

    if (!asbi_str_starts(s, ASBI_STR("{{")))
        return false;
    skip(&s, 2);
    asbi_str name = inside(s, '}');
    if (!name.at || asbi_peek(marks, name.len + 3) != '}')
        return false;
    asbi_str bare = asbi_str_trim(name);
    if (!bare.len)
        return false;
    bool template =
        strchr("#/^>&!$", bare.at[0]) || memchr(bare.at, '|', bare.len) != NULL;
    bool prose =
        memchr(bare.at, ':', bare.len) && memchr(bare.at, '|', bare.len);
    if (prose || (!template && !is_name(bare)))
        return false;
    return asbi_found(marks, mark, name.len + 4);
}

bool asbi_scan_brace(struct asbi_marks *marks, struct asbi_mark *mark)
{
    return scan_double(marks, mark) || scan_complex(marks, mark) ||
           scan_simple(marks, mark);
}

bool asbi_scan_dollar(struct asbi_marks *marks, struct asbi_mark *mark)
{
    asbi_str s = text_left(marks, NAME_MAX_BYTES);

    skip(&s, 1);
    if (s.len && s.at[0] == '{') {
        skip(&s, 1);
        asbi_str name = inside(s, '}');
        return name.len && asbi_found(marks, mark, name.len + 3);
    }
    asbi_str word = { s.at, 0 };
    while (word.len < s.len && asbi_is_word(s.at[word.len]))
        word.len++;
    if (word.len < 2 || asbi_is_digit(word.at[0]) || word.len == s.len ||
        s.at[word.len] != '$' || asbi_is_word(asbi_peek(marks, word.len + 2)))
        return false;
    return asbi_found(marks, mark, word.len + 2);
}
