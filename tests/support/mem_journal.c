#include "tests/support/mem_journal.h"

#include <stdio.h>

#include "engine/base/error.h"

static struct mem_journal *mem_of(struct asbi_journal_store *s)
{
    return (struct mem_journal *)(void *)s;
}

static void take(struct mem_journal *m, const struct asbi_journal_record *r)
{
    switch (r->kind) {
    case ASBI_RECORD_INTENT:
        m->intents++;
        m->last_rows = r->call.count;
        m->last_row = r->call.count ? r->call.rows[0] : ASBI_NO_ROW;
        break;
    case ASBI_RECORD_PART:
        m->parts++;
        break;
    case ASBI_RECORD_JOB:
        m->jobs++;
        break;
    case ASBI_RECORD_OVER:
        m->jobs_over++;
        break;
    case ASBI_RECORD_END:
        m->ends++;
        break;
    case ASBI_RECORD_ANSWER:
        m->answers++;
        (void)snprintf(m->last_output, sizeof(m->last_output), "%.*s",
                       (int)r->answer.result.output.len,
                       r->answer.result.output.at);
        break;
    }
}

static int mem_commit(struct asbi_journal_store *s,
                      const struct asbi_list *records,
                      const struct asbi_journal_state *state,
                      struct asb_message *why)
{
    struct mem_journal *m = mem_of(s);
    size_t number = m->commits + m->refused + 1;

    if (m->fail_from && number >= m->fail_from && number <= m->fail_until) {
        m->refused++;
        return asbi_fail(why, ASB_EIO, "the disk is full");
    }
    m->commits++;
    ASBI_LIST_EACH (link, records)
        take(m, ASBI_OF(link, struct asbi_journal_record, link));
    m->state = *state;
    return ASB_OK;
}

static void mem_tidy(struct asbi_journal_store *s)
{
    (void)s;
}

static const struct asbi_journal_store_ops mem_ops = {
    .commit = mem_commit,
    .tidy = mem_tidy,
};

void mem_journal_init(struct mem_journal *m)
{
    *m = (struct mem_journal){ .store = { .ops = &mem_ops } };
}
