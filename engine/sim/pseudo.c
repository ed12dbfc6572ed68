#include "engine/sim/pseudo.h"

#include "adapters/scripts.h"
#include "engine/base/utf8.h"
#include "engine/sim/tokens.h"

static const char *const lower[26] = {
    "á", "ḃ", "ç", "đ", "é", "ḟ", "ĝ", "ĥ", "í", "ĵ", "ķ", "ł", "ṁ",
    "ñ", "ó", "ṗ", "ǫ", "ř", "š", "ť", "ú", "ṽ", "ŵ", "ẋ", "ý", "ž",
};
static const char *const upper[26] = {
    "Á", "Ḃ", "Ç", "Đ", "É", "Ḟ", "Ĝ", "Ĥ", "Í", "Ĵ", "Ķ", "Ł", "Ṁ",
    "Ñ", "Ó", "Ṗ", "Ǫ", "Ř", "Š", "Ť", "Ú", "Ṽ", "Ŵ", "Ẋ", "Ý", "Ž",
};

/* Signs of CJK text that have a Latin counterpart. */
static const struct {
    uint32_t from;
    const char *to;
} signs[] = {
    { 0x3000, " " }, { 0x3001, "," }, { 0x3002, "." }, { 0x3008, "<" },
    { 0x3009, ">" }, { 0x300a, "«" }, { 0x300b, "»" }, { 0x300c, "“" },
    { 0x300d, "”" }, { 0x300e, "‘" }, { 0x300f, "’" }, { 0x3010, "[" },
    { 0x3011, "]" }, { 0x3014, "(" }, { 0x3015, ")" }, { 0x301c, "~" },
    { 0x30fb, "·" }, { 0xff5f, "(" }, { 0xff60, ")" }, { 0xff61, "." },
    { 0xff62, "“" }, { 0xff63, "”" }, { 0xff64, "," }, { 0xff65, "·" },
    { 0xffe0, "¢" }, { 0xffe1, "£" }, { 0xffe2, "¬" }, { 0xffe3, "¯" },
    { 0xffe4, "¦" }, { 0xffe5, "¥" }, { 0xffe6, "₩" },
};

/* Where an answer goes, and how many letters may still. */
struct sink {
    struct asbi_buf *out;
    uint64_t room; /* code points */
};

static void put(struct sink *s, const char *at, size_t len)
{
    if (s->room == 0)
        return;
    s->room--;
    asbi_buf_add(s->out, at, len);
}

static void put_c(struct sink *s, const char *text)
{
    put(s, text, strlen(text));
}

static bool put_ascii(struct sink *s, uint32_t c)
{
    if (c >= 'a' && c <= 'z')
        put_c(s, lower[c - 'a']);
    else if (c >= 'A' && c <= 'Z')
        put_c(s, upper[c - 'A']);
    else
        return false;
    return true;
}

static bool put_sign(struct sink *s, uint32_t c)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (signs[i].from == c) {
            put_c(s, signs[i].to);
            return true;
        }
    }
    return false;
}

/* A consonant and a vowel chosen by the code point. */
static void put_syllable(struct sink *s, uint32_t c)
{
    static const char consonants[] = "bcdfghjklmnprstvwz";
    static const char vowels[] = "aeiou";
    uint32_t hash = c * 2654435761U >> 8;

    put_ascii(s, (uint32_t)consonants[hash % (sizeof(consonants) - 1)]);
    put_ascii(s, (uint32_t)vowels[hash / 64 % (sizeof(vowels) - 1)]);
}

static void put_cjk(struct sink *s, uint32_t c)
{
    if (c > 0xff00 && c < 0xff5f) { /* full-width ASCII */
        char plain = (char)(c - 0xff00 + 0x20);

        if (!put_ascii(s, (uint32_t)plain))
            put(s, &plain, 1);
    } else if (!put_sign(s, c)) {
        put_syllable(s, c);
    }
}

/* Any other letter that Latin readers cannot read: one for one. */
static bool put_foreign(struct sink *s, uint32_t c)
{
    uint32_t script = asbi_script_of(c);

    if (!script || script == ASBI_LATIN)
        return false;
    return put_ascii(s, 'a' + (c * 2654435761U >> 8) % 26);
}

/* Code points of all kept runs. */
static uint64_t kept_length(asbi_str text)
{
    uint64_t total = 0;

    for (size_t at = 0; at < text.len;) {
        asbi_str rest = asbi_str_of(text.at + at, text.len - at);
        size_t kept = asbi_sim_kept_run(rest);

        total += asbi_utf8_length(asbi_str_of(rest.at, kept));
        at += kept ? kept : 1;
    }
    return total;
}

/* As it stands, but for the branches of an ICU message; never longer. */
static void put_run(struct asbi_buf *out, asbi_str run)
{
    size_t from = 0, done = 0;
    asbi_str branch;

    while (asbi_sim_next_branch(run, &from, &branch)) {
        size_t start = (size_t)(branch.at - run.at);

        asbi_buf_add(out, run.at + done, start - done);
        asbi_sim_pseudo(branch, asbi_utf8_length(branch), out);
        done = start + branch.len;
    }
    asbi_buf_add(out, run.at + done, run.len - done);
}

/* A kept run in whole or not at all; `reserve` is what is set aside for it. */
static void put_kept(struct sink *s, asbi_str run, uint64_t *reserve)
{
    uint64_t length = asbi_utf8_length(run);

    if (length > *reserve)
        return;
    *reserve -= length;
    put_run(s->out, run);
}

static void put_one(struct sink *s, const char *at, size_t len, uint32_t c)
{
    if (asbi_sim_is_cjk(c))
        put_cjk(s, c);
    else if (!put_ascii(s, c) && !put_foreign(s, c))
        put(s, at, len);
}

void asbi_sim_pseudo(asbi_str text, uint64_t max_length, struct asbi_buf *out)
{
    const char *at = text.at, *end = asbi_str_end(text);
    struct sink s = { out, UINT64_MAX };
    uint64_t reserve = UINT64_MAX;

    if (max_length) {
        reserve = kept_length(text);
        s.room = reserve < max_length ? max_length - reserve : 0;
        reserve = reserve < max_length ? reserve : max_length;
    }
    while (at < end) {
        asbi_str rest = asbi_str_of(at, (size_t)(end - at));
        size_t kept = asbi_sim_kept_run(rest);
        const char *here = at;

        if (kept) {
            put_kept(&s, asbi_str_of(at, kept), &reserve);
            at += kept;
            continue;
        }
        uint32_t c = asbi_utf8_next(&at, end);
        put_one(&s, here, (size_t)(at - here), c);
    }
}
