/*
 * placeholder_format.c -- percent and backslash: printf, Qt, %name%, escapes.
 *
 * A percent sign is prose more often than not.  No space flag, so "5 % de" is
 * no conversion; what follows a digit ("50%discount") or stands between a
 * placeholder and a letter ("{0}%damage") is perhaps one: it may come and go.
 */
#include "adapters/placeholder_scan.h"

enum {
    WORD_MAX = 64,      /* of %name% and %(name)s */
    WIDTH_MAX = 8,      /* digits, flags and the like */
    BACKSLASH_MAX = 32, /* one run */
};

/* ---- percent ------------------------------------------------------------ */

static size_t word_at(const struct asbi_marks *marks, size_t from)
{
    size_t len = 0;

    while (len < WORD_MAX && (asbi_is_word(asbi_peek(marks, from + len)) ||
                              asbi_peek(marks, from + len) == '.'))
        len++;
    return len;
}

/* %player%: at least three characters, so that %dx%d is none, and nothing of
 * a word behind it. */
static bool scan_named(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t len = word_at(marks, 1);

    if (len < 3 || !asbi_is_word(asbi_peek(marks, 1)) ||
        asbi_is_digit(asbi_peek(marks, 1)) ||
        asbi_peek(marks, len + 1) != '%' ||
        asbi_is_word(asbi_peek(marks, len + 2)))
        return false;
    return asbi_found(marks, mark, len + 2);
}

/* %(name)s of Python and %{name} of Ruby. */
static bool scan_bracketed(struct asbi_marks *marks, struct asbi_mark *mark)
{
    char open = asbi_peek(marks, 1);
    size_t len = word_at(marks, 2);

    if (len == 0)
        return false;
    if (open == '{' && asbi_peek(marks, len + 2) == '}')
        return asbi_found(marks, mark, len + 3);
    if (open == '(' && asbi_peek(marks, len + 2) == ')' &&
        asbi_is_letter(asbi_peek(marks, len + 3)))
        return asbi_found(marks, mark, len + 4);
    return false;
}

static size_t digits_at(const struct asbi_marks *marks, size_t from)
{
    size_t len = 0;

    while (len < WIDTH_MAX && asbi_is_digit(asbi_peek(marks, from + len)))
        len++;
    return len;
}

static size_t any_at(const struct asbi_marks *marks, size_t from,
                     const char *these)
{
    size_t len = 0;

    while (len < WIDTH_MAX && asbi_peek(marks, from + len) &&
           strchr(these, asbi_peek(marks, from + len)))
        len++;
    return len;
}

/* Length of position, flags, width, precision and size behind the percent
 * sign.  *plain_width: nothing but a width, as also "%50" is in Turkish. */
static size_t conversion_prefix(const struct asbi_marks *marks,
                                bool *plain_width)
{
    size_t at = 1, digits = digits_at(marks, 1);
    bool position = digits && asbi_peek(marks, 1 + digits) == '$';

    if (position)
        at += digits + 1;
    size_t flags = any_at(marks, at, "-+#0");
    at += flags;
    size_t width = digits_at(marks, at);
    at += width ? width : asbi_peek(marks, at) == '*';
    *plain_width = !position && !flags && width;
    size_t precision =
        asbi_peek(marks, at) == '.' ? digits_at(marks, at + 1) : 0;
    if (precision ||
        (asbi_peek(marks, at) == '.' && asbi_peek(marks, at + 1) == '*')) {
        at += 1 + (precision ? precision : 1);
        *plain_width = false;
    }
    return at + any_at(marks, at, "hlqjztL");
}

/* Whether the sign may be a mere percent of the number before it. */
static bool follows_number(const struct asbi_marks *marks, bool letter_behind)
{
    const char *at = marks->at;

    if (at > marks->gap && asbi_is_digit(at[-1]))
        return true;
    if (!letter_behind)
        return false;
    if (at == marks->gap)
        return marks->after_mark;
    return at - marks->gap >= 2 && at[-1] == ' ' && asbi_is_digit(at[-2]);
}

static bool scan_conversion(struct asbi_marks *marks, struct asbi_mark *mark)
{
    bool plain_width;
    size_t at = conversion_prefix(marks, &plain_width);
    char conversion = asbi_peek(marks, at);
    bool letter_behind = asbi_is_letter(asbi_peek(marks, at + 1));

    if (!conversion || !strchr("disucfxXeEgGn@", conversion) ||
        (conversion == 'n' && (at > 1 || letter_behind)))
        return false;
    mark->may_vanish = follows_number(marks, letter_behind);
    mark->may_appear = mark->may_vanish || plain_width;
    return asbi_found(marks, mark, at + 1);
}

/* %1 to %9 of Qt; a lone "%5" is five percent in some languages. */
static bool scan_qt(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t at = asbi_peek(marks, 1) == 'L' ? 2 : 1;
    char digit = asbi_peek(marks, at), behind = asbi_peek(marks, at + 1);

    if (digit < '1' || digit > '9' || asbi_is_digit(behind) || behind == '.' ||
        behind == '$' || follows_number(marks, false))
        return false;
    mark->ordinal = (unsigned)(digit - '0');
    mark->may_appear = true;
    return asbi_found(marks, mark, at + 1);
}

bool asbi_scan_percent(struct asbi_marks *marks, struct asbi_mark *mark)
{
    if (asbi_peek(marks, 1) == '%')
        return asbi_found(marks, mark, 2);
    return scan_named(marks, mark) || scan_bracketed(marks, mark) ||
           scan_conversion(marks, mark) || scan_qt(marks, mark);
}

/* ---- backslash ---------------------------------------------------------- */

/* \c[1], \N[2], \fn<Arial>: letters and an argument in brackets. */
static size_t code_argument(const struct asbi_marks *marks, size_t at)
{
    size_t letters = 0;

    while (letters < 16 && asbi_is_letter(asbi_peek(marks, at + letters)))
        letters++;
    char open = asbi_peek(marks, at + letters);
    if (letters == 0 || (open != '[' && open != '<'))
        return 0;
    at += letters + 1;
    size_t len = word_at(marks, at);
    if (len == 0 || asbi_peek(marks, at + len) != (open == '[' ? ']' : '>'))
        return 0;
    return letters + len + 2;
}

bool asbi_scan_backslash(struct asbi_marks *marks, struct asbi_mark *mark)
{
    size_t run = 0;

    while (run < BACKSLASH_MAX && asbi_peek(marks, run) == '\\')
        run++;
    size_t code = code_argument(marks, run);
    if (code)
        return asbi_found(marks, mark, run + code);
    char letter = asbi_peek(marks, run);
    if (!letter || !strchr("ntrG$.|!><^{}", letter))
        return false;
    return asbi_found(marks, mark, run + 1);
}
