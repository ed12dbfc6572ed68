/*
 * placeholder_compare.c -- whether two texts have the same marks.
 *
 * Marks are tallied in rows, one for each distinct key, looked for in line:
 * texts have few.  From MOST_ROWS on the rest share the last row, so a hostile
 * text costs time in proportion to its length.
 */
#include "adapters/placeholders.h"

enum {
    MOST_ROWS = 256,
    MOST_NAMED = 4,    /* differences told */
    MOST_SHOWN = 48,   /* bytes of one name */
    MOST_DEPTH = 4,    /* of ICU inside ICU */
    MOST_COMPLEX = 16, /* ICU arguments on one level */
    WORK_FACTOR = 64,  /* bytes read for each byte of the texts, at most */
};

struct row {
    struct asbi_mark mark;
    uint32_t hash;
    uint32_t need_source, all_source; /* without and with what may vanish */
    uint32_t need_target, all_target; /* without and with what may appear */
};

struct asbi_comparer {
    struct row rows[MOST_ROWS];
    size_t count;
    size_t work; /* bytes that may still be read */
};

/* Two texts that are to agree, and how `#` counts in them. */
struct pair {
    asbi_str source, target;
    enum asbi_hash_sign hash_sign;
    unsigned depth;
};

static bool agree(struct asbi_comparer *c, struct pair pair,
                  struct asbi_note *why);

struct asbi_comparer *asbi_comparer_new(const struct asbi_mem *mem)
{
    return asbi_calloc(mem, 1, sizeof(struct asbi_comparer));
}

void asbi_comparer_free(const struct asbi_mem *mem, struct asbi_comparer *c)
{
    asbi_free(mem, c);
}

/* ---- keys --------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* FNV-1a; without white space when that does not count. */
static uint32_t hash_of(const struct asbi_mark *mark)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < mark->key.len; i++) {
        if (mark->loose && is_space(mark->key.at[i]))
            continue;
        hash = (hash ^ (unsigned char)mark->key.at[i]) * 16777619U;
    }
    return hash;
}

static bool same_loosely(asbi_str a, asbi_str b)
{
    for (;;) {
        while (a.len && is_space(a.at[0]))
            a.at++, a.len--;
        while (b.len && is_space(b.at[0]))
            b.at++, b.len--;
        if (!a.len || !b.len)
            return a.len == b.len;
        if (a.at[0] != b.at[0])
            return false;
        a.at++, a.len--;
        b.at++, b.len--;
    }
}

static bool same_key(const struct asbi_mark *a, const struct asbi_mark *b)
{
    if (a->loose != b->loose || !a->branches.len != !b->branches.len)
        return false;
    return a->loose ? same_loosely(a->key, b->key)
                    : asbi_str_eq(a->key, b->key);
}

/* ---- tallies ------------------------------------------------------------ */

static struct row *row_of(struct asbi_comparer *c, const struct asbi_mark *mark)
{
    uint32_t hash = hash_of(mark);

    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i].hash == hash && same_key(&c->rows[i].mark, mark))
            return &c->rows[i];
    }
    if (c->count == MOST_ROWS) {
        c->rows[MOST_ROWS - 1].mark.label = "one of very many placeholders";
        return &c->rows[MOST_ROWS - 1];
    }
    c->rows[c->count] = (struct row){ .mark = *mark, .hash = hash };
    return &c->rows[c->count++];
}

static void tally(struct asbi_comparer *c, const struct pair *pair)
{
    struct asbi_marks marks;
    struct asbi_mark mark;

    c->count = 0;
    asbi_marks_begin(&marks, pair->source, pair->hash_sign);
    while (asbi_marks_next(&marks, &mark)) {
        struct row *row = row_of(c, &mark);

        row->all_source++;
        row->need_source += !mark.may_vanish;
    }
    asbi_marks_begin(&marks, pair->target, pair->hash_sign);
    while (asbi_marks_next(&marks, &mark)) {
        struct row *row = row_of(c, &mark);

        row->all_target++;
        row->need_target += !mark.may_appear;
    }
}

static bool has_ordinal(const struct asbi_comparer *c, unsigned ordinal)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i].mark.ordinal == ordinal && c->rows[i].all_source)
            return true;
    }
    return false;
}

/* Qt counts from %1 on: a %5 without a %4 is a percentage. */
static void forgive_percentages(struct asbi_comparer *c)
{
    for (size_t i = 0; i < c->count; i++) {
        unsigned ordinal = c->rows[i].mark.ordinal;

        if (ordinal > 1 && !has_ordinal(c, ordinal - 1))
            c->rows[i].need_source = 0;
    }
}

/* ---- telling ------------------------------------------------------------ */

static void name_mark(struct asbi_note *why, const struct asbi_mark *mark)
{
    asbi_str key = mark->label ? asbi_str_c(mark->label) : mark->key;
    size_t len = key.len < MOST_SHOWN ? key.len : MOST_SHOWN;

    while (len < key.len && ((unsigned char)key.at[len] & 0xc0) == 0x80)
        len--;
    asbi_note_str(why, asbi_str_of(key.at, len));
    if (mark->branches.len)
        asbi_note_str(why, ASBI_STR("}"));
    else if (len < key.len)
        asbi_note_str(why, ASBI_STR("..."));
}

/* `named` counts what was said before on this level. */
static void say(struct asbi_note *why, unsigned *named, const char *what,
                const struct row *row, uint32_t got, uint32_t want)
{
    if (++*named > MOST_NAMED) {
        if (*named == MOST_NAMED + 1)
            asbi_note_str(why, ASBI_STR(" and more"));
        return;
    }
    asbi_note_fmt(why, "%s%s ", *named > 1 ? ", " : "", what);
    name_mark(why, &row->mark);
    if (got && want)
        asbi_note_fmt(why, " (%u instead of %u)", (unsigned)got,
                      (unsigned)want);
}

/* Whether the tallies agree; says so when not. */
static bool judge(const struct asbi_comparer *c, struct asbi_note *why)
{
    unsigned named = 0;
    bool agreed = true;

    for (size_t i = 0; i < c->count; i++) {
        const struct row *row = &c->rows[i];
        bool missing = row->need_source > row->all_target;
        bool unexpected = row->need_target > row->all_source;

        agreed = agreed && !missing && !unexpected;
        if (why && missing)
            say(why, &named, "missing", row, row->all_target, row->need_source);
        if (why && unexpected)
            say(why, &named, "unexpected", row, row->need_target,
                row->all_source);
    }
    return agreed;
}

/* ---- ICU ---------------------------------------------------------------- */

static bool find_branch(const struct asbi_mark *mark, asbi_str keyword,
                        struct asbi_branch *branch)
{
    asbi_str rest = mark->branches;

    while (asbi_branch_next(&rest, branch)) {
        if (asbi_str_eq(branch->keyword, keyword))
            return true;
    }
    return false;
}

static bool is_category(asbi_str keyword)
{
    static const char *const categories[] = { "zero", "one",  "two",
                                              "few",  "many", "other" };

    if (keyword.len > 1 && keyword.at[0] == '=')
        return true;
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (asbi_str_eq(keyword, asbi_str_c(categories[i])))
            return true;
    }
    return false;
}

static bool refuse_branch(struct asbi_note *why, const char *what,
                          asbi_str keyword, const struct asbi_mark *mark)
{
    if (!why)
        return false;
    asbi_note_fmt(why, "%s branch ", what);
    asbi_note_str(why, keyword);
    asbi_note_str(why, ASBI_STR(" of "));
    name_mark(why, mark);
    return false;
}

static bool must_stay(const struct asbi_mark *mark, asbi_str keyword)
{
    return !mark->plural || keyword.at[0] == '=' ||
           asbi_str_eq(keyword, ASBI_STR("other"));
}

static bool keywords_agree(const struct asbi_mark *source,
                           const struct asbi_mark *target,
                           struct asbi_note *why)
{
    asbi_str rest = source->branches;
    struct asbi_branch branch, other;

    while (asbi_branch_next(&rest, &branch)) {
        if (must_stay(source, branch.keyword) &&
            !find_branch(target, branch.keyword, &other))
            return refuse_branch(why, "missing", branch.keyword, source);
    }
    rest = target->branches;
    while (asbi_branch_next(&rest, &branch)) {
        bool known = (target->plural && is_category(branch.keyword)) ||
                     find_branch(source, branch.keyword, &other);

        if (!known)
            return refuse_branch(why, "unexpected", branch.keyword, source);
    }
    return true;
}

/* The number itself is needed in `other` only: "one item", "# items". */
static bool branch_agrees(struct asbi_comparer *c, struct pair pair,
                          const struct asbi_mark *source,
                          const struct asbi_branch *target,
                          struct asbi_note *why)
{
    asbi_str other = ASBI_STR("other");
    bool is_other = asbi_str_eq(target->keyword, other);
    struct asbi_branch branch;

    pair.target = target->text;
    if (source->plural)
        pair.hash_sign = is_other ? ASBI_HASH_IS_MARK : ASBI_HASH_MAY_GO;
    bool same = find_branch(source, target->keyword, &branch);
    bool last = !source->plural || is_other;
    if (same) {
        pair.source = branch.text;
        if (agree(c, pair, last ? why : NULL))
            return true;
    }
    if (last || !find_branch(source, other, &branch))
        return false;
    pair.source = branch.text;
    return agree(c, pair, why);
}

static bool complex_agrees(struct asbi_comparer *c, struct pair pair,
                           const struct asbi_mark *source,
                           const struct asbi_mark *target,
                           struct asbi_note *why)
{
    asbi_str rest = target->branches;
    struct asbi_branch branch;

    if (!keywords_agree(source, target, why))
        return false;
    pair.depth++;
    while (asbi_branch_next(&rest, &branch)) {
        if (branch_agrees(c, pair, source, &branch, why))
            continue;
        return refuse_branch(why, " in", branch.keyword, source);
    }
    return true;
}

/* The nth argument with the key of `like`, or false. */
static bool find_complex(const struct pair *pair, const struct asbi_mark *like,
                         unsigned nth, struct asbi_mark *found)
{
    struct asbi_marks marks;

    asbi_marks_begin(&marks, pair->source, pair->hash_sign);
    while (asbi_marks_next(&marks, found)) {
        if (found->branches.len && same_key(found, like) && nth-- == 0)
            return true;
    }
    return false;
}

static bool all_complex_agree(struct asbi_comparer *c, const struct pair *pair,
                              struct asbi_note *why)
{
    struct asbi_mark seen[MOST_COMPLEX], mark, source;
    struct asbi_marks marks;
    unsigned count = 0;

    asbi_marks_begin(&marks, pair->target, pair->hash_sign);
    while (count < MOST_COMPLEX && asbi_marks_next(&marks, &mark)) {
        unsigned nth = 0;

        if (!mark.branches.len)
            continue;
        for (unsigned i = 0; i < count; i++)
            nth += same_key(&seen[i], &mark);
        seen[count++] = mark;
        if (find_complex(pair, &mark, nth, &source) &&
            !complex_agrees(c, *pair, &source, &mark, why))
            return false;
    }
    return true;
}

static bool has_complex(const struct asbi_comparer *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i].mark.branches.len)
            return true;
    }
    return false;
}

/* `why` may be NULL. */
static bool agree(struct asbi_comparer *c, struct pair pair,
                  struct asbi_note *why)
{
    size_t work = pair.source.len + pair.target.len;

    if (work > c->work) {
        if (why)
            asbi_note_str(why, ASBI_STR("nested too deeply"));
        return false;
    }
    c->work -= work;
    tally(c, &pair);
    forgive_percentages(c);
    if (!judge(c, why))
        return false;
    if (pair.depth >= MOST_DEPTH || !has_complex(c))
        return true;
    return all_complex_agree(c, &pair, why);
}

bool asbi_comparer_agree(struct asbi_comparer *c, asbi_str source,
                         asbi_str target, struct asbi_note *why)
{
    c->work = (source.len + target.len) * WORK_FACTOR;
    return agree(c,
                 (struct pair){ .source = source,
                                .target = target,
                                .hash_sign = ASBI_HASH_IS_TEXT },
                 why);
}
