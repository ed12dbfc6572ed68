#include "adapters/leftover.h"

#include "adapters/lang.h"
#include "adapters/placeholders.h"
#include "adapters/scripts.h"
#include "engine/base/utf8.h"

enum { KEPT_MAX = 16 << 20, SCRIPTS = 28 };

/* ---- code points outside of placeholders -------------------------------- */

struct letters {
    struct asbi_walk walk;
    asbi_str piece;
    const char *at;
};

static void letters_begin(struct letters *l, asbi_str text)
{
    asbi_walk_begin(&l->walk, text);
    l->piece = asbi_str_of(NULL, 0);
    l->at = NULL;
}

static bool next_piece(struct letters *l)
{
    bool is_mark;

    do {
        if (!asbi_walk_next(&l->walk, &l->piece, &is_mark))
            return false;
    } while (is_mark);
    l->at = l->piece.at;
    return true;
}

/* The next code point outside ASCII: *from is where it begins. */
static bool next_letter(struct letters *l, uint32_t *c, const char **from)
{
    for (;;) {
        const char *end = l->at ? l->piece.at + l->piece.len : NULL;

        while (l->at < end && (unsigned char)*l->at < 0x80)
            l->at++;
        if (l->at < end) {
            *from = l->at;
            *c = asbi_utf8_next(&l->at, end);
            return true;
        }
        if (!next_piece(l))
            return false;
    }
}

/* ---- what is foreign ---------------------------------------------------- */

static bool has_script(asbi_str text, uint32_t scripts)
{
    const char *at = text.len ? text.at : "", *end = at + text.len;

    while (at < end) {
        if (asbi_script_of(asbi_utf8_next(&at, end)) & scripts)
            return true;
    }
    return false;
}

int asbi_leftover_init(struct asbi_leftover *l, const struct asbi_mem *mem,
                       const struct asbi_task_material *material)
{
    const char *source = material->source_lang;

    l->detect = !source || !*source;
    l->source = l->detect ? 0 : asbi_lang_scripts(source);
    l->target = asbi_lang_scripts(material->target_lang);
    asbi_buf_init(&l->kept, mem, KEPT_MAX);
    for (size_t i = 0; i < material->term_count; i++) {
        asbi_str target = material->terms[i].target;

        if (!has_script(target, ~(l->target | (uint32_t)ASBI_LATIN)))
            continue;
        asbi_buf_str(&l->kept, target);
        asbi_buf_char(&l->kept, '\0');
    }
    return asbi_buf_failed(&l->kept) ? ASB_ENOMEM : ASB_OK;
}

void asbi_leftover_fini(struct asbi_leftover *l)
{
    asbi_buf_fini(&l->kept);
}

static unsigned index_of(uint32_t script)
{
    unsigned i = 0;

    while (script >>= 1)
        i++;
    return i;
}

static size_t ascii_letters(asbi_str piece)
{
    size_t count = 0;

    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.at[i] | 0x20;
        count += c >= 'a' && c <= 'z';
    }
    return count;
}

/* The script most of a text is in; an East Asian character weighs as much as
 * three letters, and brings along the other such scripts of the text. */
static uint32_t main_scripts(asbi_str text)
{
    size_t weights[SCRIPTS] = { 0 };
    uint32_t seen = 0, c;
    unsigned heaviest = 0;
    struct letters l;
    const char *from;

    letters_begin(&l, text);
    while (next_letter(&l, &c, &from)) {
        uint32_t script = asbi_script_of(c);

        if (!script)
            continue;
        seen |= script;
        weights[index_of(script)] += script & ASBI_EAST_ASIAN ? 3 : 1;
    }
    if (!seen)
        return 0;
    weights[index_of(ASBI_LATIN)] += ascii_letters(text);
    for (unsigned i = 1; i < SCRIPTS; i++) {
        if (weights[i] > weights[heaviest])
            heaviest = i;
    }
    uint32_t script = weights[heaviest] ? UINT32_C(1) << heaviest : 0;
    return script & ASBI_EAST_ASIAN ? seen & ASBI_EAST_ASIAN : script;
}

/* ---- what is forgiven --------------------------------------------------- */

/* Whether the code point at `from` is part of a term the glossary wants. */
static bool in_kept_term(const struct asbi_leftover *l, asbi_str output,
                         const char *from)
{
    const char *term = l->kept.data, *end = term ? term + l->kept.len : NULL;

    for (; term < end; term += strlen(term) + 1) {
        size_t len = strlen(term);
        size_t back = (size_t)(from - output.at);
        const char *at = from - (back < len - 1 ? back : len - 1);

        for (; at <= from; at++) {
            if (len <= (size_t)(output.at + output.len - at) &&
                memcmp(at, term, len) == 0)
                return true;
        }
    }
    return false;
}

/* A lone kana beside a bracket or stroke is the arm of a kaomoji: (^o^)ノ. */
static bool is_arm(asbi_str output, const char *from, const char *behind,
                   uint32_t script)
{
    const char *end = asbi_str_end(output);
    char before = from > output.at ? from[-1] : ' ';
    char after = behind < end ? *behind : ' ';

    return script == ASBI_KANA && (unsigned char)before < 0x80 &&
           (unsigned char)after < 0x80 &&
           (strchr("()/\\_^|~`", before) || strchr("()/\\_^|~`", after));
}

uint32_t asbi_leftover_find(const struct asbi_leftover *l, asbi_str text,
                            asbi_str output)
{
    uint32_t source = l->detect ? main_scripts(text) : l->source;
    uint32_t foreign = source & ~l->target & ~(uint32_t)ASBI_LATIN;
    /* Korean may quote Han, yet is not written in it. */
    bool korean = l->target & ASBI_HANGUL && source & ASBI_HAN;
    size_t han = 0, hangul = 0;
    struct letters letters;
    const char *from;
    uint32_t c;

    if (!l->target || (!foreign && !korean))
        return 0;
    letters_begin(&letters, output);
    while (next_letter(&letters, &c, &from)) {
        uint32_t script = asbi_script_of(c);

        han += script == ASBI_HAN;
        hangul += script == ASBI_HANGUL;
        if (script & foreign && !in_kept_term(l, output, from) &&
            !is_arm(output, from, letters.at, script))
            return script;
    }
    return korean && han > hangul ? ASBI_HAN : 0;
}
