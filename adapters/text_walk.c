#include "adapters/placeholders.h"

static struct asbi_walk_level *top(struct asbi_walk *walk)
{
    return &walk->levels[walk->depth - 1];
}

static asbi_str between(const char *from, const char *to)
{
    return asbi_str_of(from, (size_t)(to - from));
}

void asbi_walk_begin(struct asbi_walk *walk, asbi_str text)
{
    walk->depth = 1;
    walk->held = (struct asbi_mark){ .label = NULL };
    walk->levels[0].rest = walk->held.text;
    walk->levels[0].end = NULL;
    asbi_marks_begin(&walk->levels[0].marks, text, ASBI_HASH_IS_TEXT);
}

/* A mark; of ICU only what stands before the text of its first branch. */
static asbi_str enter(struct asbi_walk *walk, const struct asbi_mark *mark)
{
    enum asbi_hash_sign hash_sign = top(walk)->marks.hash_sign;
    asbi_str rest = mark->branches;
    struct asbi_branch branch;

    if (walk->depth == ASBI_WALK_DEPTH || !asbi_branch_next(&rest, &branch))
        return mark->text;
    walk->depth++;
    top(walk)->rest = rest;
    top(walk)->end = mark->text.at + mark->text.len;
    asbi_marks_begin(&top(walk)->marks, branch.text,
                     mark->plural ? ASBI_HASH_IS_MARK : hash_sign);
    return between(mark->text.at, branch.text.at);
}

/* From the end of a branch to the text of the next, or out of its ICU mark. */
static asbi_str leave(struct asbi_walk *walk)
{
    struct asbi_walk_level *level = top(walk);
    const char *from = level->marks.end;
    struct asbi_branch branch;

    if (asbi_branch_next(&level->rest, &branch)) {
        asbi_marks_begin(&level->marks, branch.text, level->marks.hash_sign);
        return between(from, branch.text.at);
    }
    walk->depth--;
    return between(from, level->end);
}

bool asbi_walk_next(struct asbi_walk *walk, asbi_str *piece, bool *is_mark)
{
    struct asbi_mark mark = walk->held;
    struct asbi_marks *marks = &top(walk)->marks;
    const char *gap = marks->gap;

    *is_mark = true;
    walk->held.text.len = 0;
    if (mark.text.len == 0 && asbi_marks_next(marks, &mark) &&
        mark.text.at > gap) {
        walk->held = mark;
        *piece = between(gap, mark.text.at);
        *is_mark = false;
        return true;
    }
    if (mark.text.len) {
        *piece = enter(walk, &mark);
        return true;
    }
    if (gap < marks->end) {
        *piece = between(gap, marks->end);
        marks->gap = marks->end;
        *is_mark = false;
        return true;
    }
    if (walk->depth == 1)
        return false;
    *piece = leave(walk);
    return true;
}
