/*
 * journal_doubt.c -- what a crash left in doubt: calls with an intent and no
 * end.  Nobody can tell whether they were paid for; what they had answered by
 * then is not asked again.
 */
#include "engine/journal.h"

#include "engine/base/error.h"

struct taking {
    struct asbi_journal *j;
    enum asbi_in_doubt policy;
    struct asbi_journal_doubts *found;
    struct asb_message *why;
};

/* The row's call was cut off, and it shall not be paid for twice. */
static int fail_row(struct asbi_journal *j, uint64_t row)
{
    const struct asbi_journal_answer answer = {
        .seq = row,
        .round = j->state.round,
        .place = ASBI_NO_ROW,
        .result = { .size = sizeof(answer.result),
                    .error_code = "in_doubt",
                    .error_message = ASBI_STR(
                        "an earlier run was cut off while this item was with "
                        "the provider; run with --in-doubt retry to ask "
                        "again") },
    };

    return asbi_journal_answer(j, &answer);
}

/* What belongs to no row is never asked again. */
static bool lacks_answer(const struct asbi_journal_call *call, size_t i)
{
    return call->rows[i] != ASBI_NO_ROW && !(call->kept && call->kept[i]);
}

static int fail_rows(struct asbi_journal *j,
                     const struct asbi_journal_call *call)
{
    int rc = ASB_OK;

    for (size_t i = 0; !rc && i < call->count; i++) {
        if (lacks_answer(call, i))
            rc = fail_row(j, call->rows[i]);
    }
    return rc;
}

static int on_part(void *arg, const struct asbi_journal_answer *part)
{
    struct asbi_journal *j = arg;
    struct asbi_journal_answer answer = *part;

    answer.round = j->state.round;
    answer.place = ASBI_NO_ROW;
    return asbi_journal_answer(j, &answer);
}

/* What of its worst cost falls to rows without an answer; all of it when its
 * rows are not known any more. */
static int64_t count(struct asbi_journal_doubts *found,
                     const struct asbi_journal_call *call)
{
    int64_t worst = call->worst;
    size_t left = 0;

    for (size_t i = 0; i < call->count; i++)
        left += lacks_answer(call, i);
    if (call->count)
        worst = (int64_t)((double)worst * (double)left / (double)call->count);
    if (left == 0 && call->count)
        return 0;
    found->calls++;
    found->rows += left;
    found->worst += worst;
    found->adrift += call->count ? 0 : worst;
    return worst;
}

static int on_open_call(void *arg, const struct asbi_journal_call *call)
{
    struct taking *t = arg;
    struct asbi_journal *j = t->j;
    bool paid = asbi_journal_is_paid(call); /* and counted as such */

    int64_t worst = count(t->found, call);
    j->state.doubtful += paid ? 0 : worst;
    int rc =
        j->store->ops->each_part(j->store, call->number, on_part, j, t->why);
    if (!rc && t->policy == ASBI_DOUBT_FAIL)
        rc = fail_rows(j, call);
    /* The budget must hold even if all of it was billed. */
    asbi_journal_end(j, call->number, 0, paid ? 0 : call->worst);
    return rc;
}

static int on_call_counted(void *arg, const struct asbi_journal_call *call)
{
    (void)count(arg, call);
    return ASB_OK;
}

int asbi_journal_take_up(struct asbi_journal *j, enum asbi_in_doubt policy,
                         struct asbi_journal_doubts *found,
                         struct asb_message *why)
{
    struct taking t = { .j = j, .policy = policy, .found = found, .why = why };
    const struct asbi_journal_store_ops *ops = j->store->ops;
    int rc = ASB_OK;

    *found = (struct asbi_journal_doubts){ .calls = 0 };
    if (policy == ASBI_DOUBT_ASK)
        rc = ops->each_open(j->store, on_call_counted, found, why);
    if (!rc && found->calls)
        return ASB_ECONFIG;
    if (!rc)
        rc = ops->each_open(j->store, on_open_call, &t, why);
    if (!rc && !asbi_journal_settled(j)) {
        rc = asbi_journal_commit(j, 0);
        if (rc && why)
            *why = j->why;
    }
    return rc;
}
