#include "cache/guards.h"

#include <strings.h>

#include "cache/token.h"

enum {
    MOST_TOKENS = 512,
    MOST_ODD_WORDS = 8, /* on each side */
    LONGEST_AFFIX = 5,
};

/* The pieces of a text that mean something. */
struct pieces {
    struct asbi_token at[MOST_TOKENS];
    size_t count, bytes;
};

static bool read_pieces(struct pieces *p, asbi_str text)
{
    struct asbi_token t;

    p->count = p->bytes = 0;
    while (asbi_token_next(&text, &t)) {
        if (t.kind == ASBI_TOKEN_SPACE || t.kind == ASBI_TOKEN_PUNCTUATION)
            continue;
        if (p->count == MOST_TOKENS)
            return false;
        p->at[p->count++] = t;
        p->bytes += t.text.len;
    }
    return true;
}

/* ---- pieces of some kinds, in order ----------------------------------- */

static size_t next_of(const struct pieces *p, size_t i, unsigned kinds)
{
    while (i < p->count && !(kinds & 1U << p->at[i].kind))
        i++;
    return i;
}

static bool same(const struct asbi_token *a, const struct asbi_token *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == ASBI_TOKEN_WORD ? asbi_str_eq_nocase(a->text, b->text)
                                      : asbi_str_eq(a->text, b->text);
}

/* Whether both have the same pieces of these kinds in the same order: "from 3
 * to 5" is not "from 5 to 3". */
static bool agree_in(const struct pieces *a, const struct pieces *b,
                     unsigned kinds)
{
    size_t i = next_of(a, 0, kinds), k = next_of(b, 0, kinds);

    while (i < a->count && k < b->count && same(&a->at[i], &b->at[k])) {
        i = next_of(a, i + 1, kinds);
        k = next_of(b, k + 1, kinds);
    }
    return i == a->count && k == b->count;
}

/* ---- negation --------------------------------------------------------- */

static const char *const negations[] = {
    "no",
    "not",
    "never",
    "none",
    "nobody",
    "nothing",
    "neither",
    "nor",
    "nowhere",
    "cannot",
    "cant",
    "without",
    "hardly",
    "except",
    "unless",
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "nie",
    "ohne",
    "ne",
    "pas",
    "jamais",
    "aucun",
    "aucune",
    "sans",
    "non",
    "nunca",
    "sin",
    "ningún",
    "não",
    "sem",
    "senza",
    "mai",
    "niet",
    "geen",
    "bez",
    "nincs",
    "nem",
    "tidak",
    "bukan",
    /* beyond ASCII, where each case stands by itself: not, no, without */
    "не",
    "Не",
    "НЕ",
    "нет",
    "Нет",
    "НЕТ",
    "без",
    "Без",
    "БЕЗ",
    "ни",
    "Ни",
    "ні",
    "Ні",
    "немає",
    "Немає",
    "nÃo",
    "ningÚn",
    "değil",
    "không",
    "chưa",
    "لا",
    "لم",
    "لن",
    "ليس",
    "بدون",
    "नहीं",
    "बिना",
    /* characters: of Chinese; of Japanese and Korean, where they stand within
     * words, those that are seldom anything else */
    "不",
    "没",
    "無",
    "无",
    "非",
    "未",
    "别",
    "勿",
    "な",
    "ん",
    "ず",
    "ぬ",
    "안",
    "않",
    "못",
    "없",
    "아",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool ends_in(asbi_str s, asbi_str end)
{
    return s.len > end.len &&
           asbi_str_eq_nocase(asbi_str_of(s.at + s.len - end.len, end.len),
                              end);
}

static bool negates(asbi_str word)
{
    for (size_t i = 0; i < COUNT(negations); i++) {
        if (asbi_str_eq_nocase(word, asbi_str_c(negations[i])))
            return true;
    }
    return ends_in(word, ASBI_STR("n't")) ||
           ends_in(word, ASBI_STR("n\xe2\x80\x99t"));
}

static size_t negations_in(const struct pieces *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++)
        n += p->at[i].kind == ASBI_TOKEN_WORD && negates(p->at[i].text);
    return n;
}

static const char *const prefixes[] = {
    "un", "in",  "im",   "il", "ir",  "dis",  "non",   "non-",    "de",
    "a",  "mis", "anti", "re", "out", "over", "under", "counter",
};

static const char *const suffixes[] = { "less", "ful", "free", "-free" };

/* Whether `longer` is `word` with an affix that turns its meaning, or may. */
static bool affixed(asbi_str longer, asbi_str word)
{
    if (longer.len <= word.len)
        return false;
    size_t more = longer.len - word.len;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        asbi_str prefix = asbi_str_c(prefixes[i]);

        if (prefix.len == more && ends_in(longer, word) &&
            strncasecmp(longer.at, prefix.at, more) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        asbi_str suffix = asbi_str_c(suffixes[i]);

        if (suffix.len == more && ends_in(longer, suffix) &&
            strncasecmp(longer.at, word.at, word.len) == 0)
            return true;
    }
    return false;
}

/* "harmless" and "harmful", "include" and "exclude", "inside" and "outside":
 * the same word but for how it begins or ends. */
static bool share_a_stem(asbi_str a, asbi_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len, front = 0, back = 0;

    while (front < shorter && (a.at[front] | 32) == (b.at[front] | 32))
        front++;
    while (back < shorter &&
           (a.at[a.len - 1 - back] | 32) == (b.at[b.len - 1 - back] | 32))
        back++;
    size_t common = front > back ? front : back;
    return common >= 3 && a.len - common <= LONGEST_AFFIX &&
           b.len - common <= LONGEST_AFFIX;
}

/* ---- words ------------------------------------------------------------ */

struct odd_words {
    asbi_str at[MOST_ODD_WORDS];
    size_t count;
    bool too_many;
};

/* The words of `a` that are not in `b`. */
static void find_odd(const struct pieces *a, const struct pieces *b,
                     struct odd_words *odd)
{
    *odd = (struct odd_words){ .count = 0 };
    for (size_t i = 0; i < a->count && !odd->too_many; i++) {
        bool found = a->at[i].kind != ASBI_TOKEN_WORD;

        for (size_t k = 0; k < b->count && !found; k++)
            found = same(&a->at[i], &b->at[k]);
        if (found)
            continue;
        odd->too_many = odd->count == MOST_ODD_WORDS;
        if (!odd->too_many)
            odd->at[odd->count++] = a->at[i].text;
    }
}

static bool opposites(asbi_str a, asbi_str b)
{
    return affixed(a, b) || affixed(b, a) || share_a_stem(a, b);
}

static unsigned word_differences(const struct pieces *a, const struct pieces *b)
{
    struct odd_words of_a, of_b;

    find_odd(a, b, &of_a);
    find_odd(b, a, &of_b);
    if (of_a.too_many || of_b.too_many)
        return ASBI_DIFFERS_WORDS | ASBI_DIFFERS_TOO_MUCH;
    for (size_t i = 0; i < of_a.count; i++) {
        for (size_t k = 0; k < of_b.count; k++) {
            if (opposites(of_a.at[i], of_b.at[k]))
                return ASBI_DIFFERS_WORDS | ASBI_DIFFERS_NEGATION;
        }
    }
    return agree_in(a, b, 1U << ASBI_TOKEN_WORD) ? 0 : ASBI_DIFFERS_WORDS;
}

unsigned asbi_guards_differences(asbi_str a, asbi_str b)
{
    const unsigned numbers = 1U << ASBI_TOKEN_NUMBER | 1U << ASBI_TOKEN_FIGURE;
    const unsigned marks = 1U << ASBI_TOKEN_MARK | 1U << ASBI_TOKEN_ADDRESS;
    struct pieces of_a, of_b;
    unsigned set = 0;

    if (!read_pieces(&of_a, a) || !read_pieces(&of_b, b))
        return ASBI_DIFFERS_TOO_MUCH;
    if (!agree_in(&of_a, &of_b, numbers))
        set |= ASBI_DIFFERS_NUMBERS;
    if (!agree_in(&of_a, &of_b, marks))
        set |= ASBI_DIFFERS_MARKS;
    if (negations_in(&of_a) != negations_in(&of_b))
        set |= ASBI_DIFFERS_NEGATION;
    if (of_a.bytes * 10 > of_b.bytes * 11 || of_b.bytes * 10 > of_a.bytes * 11)
        set |= ASBI_DIFFERS_LENGTH;
    return set | word_differences(&of_a, &of_b);
}
