#include "cache/skeleton.h"

#include "cache/token.h"

enum {
    MOST_SLOTS = 16,
    /* A number from a million on has plurals of its own in French. */
    MOST_DIGITS = 6,
    /* Stands for a slot: never in a text that is worth translating. */
    SLOT = 0x01,
};

/* ---- slots ------------------------------------------------------------ */

static unsigned value_of(asbi_str digits)
{
    unsigned n = 0;

    for (size_t i = 0; i < digits.len; i++)
        n = n * 10 + (unsigned)(digits.at[i] - '0');
    return n;
}

/* Whether another number of the same category may stand for it. */
static bool is_open_number(asbi_str digits)
{
    if (digits.len > MOST_DIGITS)
        return false;
    unsigned n = value_of(digits);
    return n >= 20 && n % 1000 != 0;
}

/* What of a number decides on words around it besides its last two digits:
 * whether it is read with a vowel first ("an 80", "gli 80"; in Hungarian those
 * with 5, and 1,000 to 1,999), and, for Tamazight and Breton, whether it is
 * below a hundred and whether it is of the seventies or nineties. */
static char group_of(asbi_str digits)
{
    char first = digits.at[0], second = digits.at[1];
    bool thousands = digits.len == 4 || digits.len == 5;
    bool eight = first == '8' || (thousands && first == '1' &&
                                  (second == '1' || second == '8'));
    bool five = first == '5' || (digits.len == 4 && first == '1');
    unsigned rest = value_of(digits) % 100;
    bool late = rest >= 70 && rest % 20 >= 10;

    return (char)('a' + eight + 2 * five + 4 * (digits.len == 2) + 8 * late);
}

static bool is_slot(const struct asbi_token *t)
{
    return t->kind == ASBI_TOKEN_ADDRESS ||
           (t->kind == ASBI_TOKEN_NUMBER && is_open_number(t->text));
}

static void put_slot(struct asbi_buf *out, const struct asbi_token *t)
{
    unsigned rest = 0;

    asbi_buf_char(out, SLOT);
    if (t->kind == ASBI_TOKEN_ADDRESS) {
        asbi_buf_char(out, 'a');
        return;
    }
    rest = value_of(t->text) % 100;
    asbi_buf_char(out, group_of(t->text));
    asbi_buf_char(out, rest < 20 ? 'h' : 't');
    asbi_buf_u64(out, rest < 20 ? rest : rest % 20);
    asbi_buf_char(out, SLOT);
}

bool asbi_skeleton_put(struct asbi_buf *out, asbi_str text)
{
    size_t before = out->len, slots = 0;
    struct asbi_token t;

    if (text.len == 0 || memchr(text.at, SLOT, text.len))
        return false;
    while (asbi_token_next(&text, &t)) {
        if (is_slot(&t)) {
            put_slot(out, &t);
            slots++;
        } else {
            asbi_buf_str(out, t.text);
        }
    }
    if (slots > 0 && slots <= MOST_SLOTS && !asbi_buf_failed(out))
        return true;
    out->len = before;
    return false;
}

/* ---- the exchange ----------------------------------------------------- */

/* An old value and what stands for it; neither twice in the list. */
struct pair {
    asbi_str old, new;
    size_t times;
};

struct pairs {
    struct pair at[MOST_SLOTS];
    size_t count;
};

static bool next_slot(asbi_str *rest, struct asbi_token *t)
{
    while (asbi_token_next(rest, t)) {
        if (is_slot(t))
            return true;
    }
    return false;
}

/* False when one value would need two others. */
static bool add_pair(struct pairs *p, asbi_str old, asbi_str new)
{
    for (size_t i = 0; i < p->count; i++) {
        bool same_old = asbi_str_eq(p->at[i].old, old);
        bool same_new = asbi_str_eq(p->at[i].new, new);

        if (same_old != same_new)
            return false;
        if (same_old) {
            p->at[i].times++;
            return true;
        }
    }
    if (p->count == MOST_SLOTS)
        return false;
    p->at[p->count++] = (struct pair){ old, new, 1 };
    return true;
}

static bool find_pairs(struct pairs *p, asbi_str text, asbi_str known)
{
    struct asbi_token old, new;
    bool more_old = next_slot(&known, &old);
    bool more_new = next_slot(&text, &new);

    p->count = 0;
    while (more_old && more_new) {
        if (old.kind != new.kind || !add_pair(p, old.text, new.text))
            return false;
        more_old = next_slot(&known, &old);
        more_new = next_slot(&text, &new);
    }
    return more_old == more_new && p->count > 0;
}

/* The pair of a piece that is a slot: by its old value, or by its new one. */
static struct pair *pair_of(struct pairs *p, asbi_str value, bool by_new)
{
    for (size_t i = 0; i < p->count; i++) {
        if (asbi_str_eq(by_new ? p->at[i].new : p->at[i].old, value))
            return &p->at[i];
    }
    return NULL;
}

/* Whether each value stands in the translation as often as in the text, and
 * no other that could be a slot. */
static bool has_each(struct pairs *p, asbi_str translation, bool by_new)
{
    size_t seen[MOST_SLOTS] = { 0 };
    struct asbi_token t;

    while (next_slot(&translation, &t)) {
        struct pair *pair = pair_of(p, t.text, by_new);

        if (!pair)
            return false;
        seen[pair - p->at]++;
    }
    for (size_t i = 0; i < p->count; i++) {
        if (seen[i] != p->at[i].times)
            return false;
    }
    return true;
}

static void exchange(struct asbi_buf *out, struct pairs *p, asbi_str rest)
{
    struct asbi_token t;

    while (asbi_token_next(&rest, &t)) {
        struct pair *pair = is_slot(&t) ? pair_of(p, t.text, false) : NULL;

        asbi_buf_str(out, pair ? pair->new : t.text);
    }
}

bool asbi_skeleton_fill(struct asbi_buf *out, asbi_str text, asbi_str known,
                        asbi_str translated)
{
    size_t before = out->len;
    struct pairs pairs;

    if (!find_pairs(&pairs, text, known) ||
        !has_each(&pairs, translated, false))
        return false;
    exchange(out, &pairs, translated);
    asbi_str made = asbi_str_of(out->data + before, out->len - before);
    if (!asbi_buf_failed(out) && has_each(&pairs, made, true))
        return true;
    if (!asbi_buf_failed(out))
        out->len = before;
    return false;
}
