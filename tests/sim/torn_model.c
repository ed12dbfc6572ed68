#include "tests/sim/torn_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/rng.h"

/* ---- answers --------------------------------------------------------------
 */

static size_t length_of(struct asbi_rng *r)
{
    return asbi_rng_below(r, 8) ? asbi_rng_below(r, 300)
                                : asbi_rng_below(r, MODEL_LONGEST);
}

void model_answer(uint64_t stamp, uint64_t seq, char *text,
                  struct asbi_journal_answer *out)
{
    struct asbi_rng r;

    asbi_rng_seed(&r, stamp);
    size_t len = length_of(&r);
    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = asbi_rng_u64(&r);
        memcpy(text + at, &word,
               len - at < sizeof(word) ? len - at : sizeof(word));
    }
    *out = (struct asbi_journal_answer){
        .seq = seq,
        .key = stamp * 0x9e3779b97f4a7c15u,
        .round = stamp % 3,
        .place = stamp % 2 ? stamp % MODEL_ROWS : ASBI_NO_ROW,
        .result = { .size = sizeof(out->result),
                    .ok = stamp % 7 != 0,
                    .output = asbi_str_of(text, len),
                    .attempts = (unsigned)(stamp % 5),
                    .cost_nano_usd = (int64_t)stamp },
    };
    if (!out->result.ok)
        out->result.error_code = "refused";
}

void model_job(uint64_t stamp, uint64_t call, char id[24],
               struct asbi_journal_job *out)
{
    int len = snprintf(id, 24, "job-%" PRIu64, stamp);

    *out = (struct asbi_journal_job){
        .number = call,
        .id = asbi_str_of(id, (size_t)len),
        .address = ASBI_STR("http://sim.test/jobs"),
    };
}

static bool same_str(asbi_str a, asbi_str b)
{
    return a.len == b.len && (!a.len || memcmp(a.at, b.at, a.len) == 0);
}

static bool same_answer(const struct asbi_journal_answer *a, uint64_t stamp,
                        uint64_t seq, bool unplaced)
{
    static char text[MODEL_LONGEST];
    struct asbi_journal_answer b;

    model_answer(stamp, seq, text, &b);
    if (unplaced)
        b.place = ASBI_NO_ROW;
    return a->seq == b.seq && a->key == b.key && a->round == b.round &&
           a->place == b.place && a->result.ok == b.result.ok &&
           a->result.attempts == b.result.attempts &&
           a->result.cost_nano_usd == b.result.cost_nano_usd &&
           same_str(a->result.output, b.result.output);
}

/* ---- records ---------------------------------------------------------------
 */

struct model_call *model_call_of(struct model *m, uint64_t number)
{
    for (size_t i = 0; i < MODEL_CALLS; i++) {
        if (m->calls[i].number == number)
            return &m->calls[i];
    }
    return NULL;
}

static struct model_part *part_of(struct model *m, uint64_t call, uint64_t seq)
{
    for (size_t i = 0; i < MODEL_PARTS; i++) {
        if (m->parts[i].call == call && (!call || m->parts[i].seq == seq))
            return &m->parts[i];
    }
    return NULL;
}

bool model_has_room(const struct model *m)
{
    size_t calls = 0, parts = 0;

    for (size_t i = 0; i < MODEL_CALLS; i++)
        calls += m->calls[i].number == 0;
    for (size_t i = 0; i < MODEL_PARTS; i++)
        parts += m->parts[i].call == 0;
    return calls && parts;
}

static void put_call(struct model *m, const struct asbi_journal_call *call)
{
    struct model_call *free_one = model_call_of(m, 0);

    *free_one = (struct model_call){ .number = call->number,
                                     .worst = call->worst,
                                     .count = call->count };
    memcpy(free_one->rows, call->rows, call->count * sizeof(*call->rows));
}

static void put_part(struct model *m, uint64_t call, uint64_t seq,
                     uint64_t stamp)
{
    struct model_part *p = part_of(m, call, seq);

    p = p ? p : part_of(m, 0, 0);
    *p = (struct model_part){ call, seq, stamp };
}

static void end_call(struct model *m, uint64_t number)
{
    struct model_call *call = model_call_of(m, number);

    if (call)
        call->number = 0;
    for (size_t i = 0; i < MODEL_PARTS; i++) {
        if (m->parts[i].call == number)
            m->parts[i].call = 0;
    }
}

void model_put(struct model *m, const struct asbi_journal_record *r,
               uint64_t stamp)
{
    switch (r->kind) {
    case ASBI_RECORD_INTENT:
        put_call(m, &r->call);
        break;
    case ASBI_RECORD_PART:
        put_part(m, r->call.number, r->answer.seq, stamp);
        break;
    case ASBI_RECORD_END:
        end_call(m, r->call.number);
        break;
    case ASBI_RECORD_JOB:
        model_call_of(m, r->job.number)->job = stamp;
        break;
    case ASBI_RECORD_ANSWER:
        m->answers[r->answer.seq] = stamp;
        m->unplaced[r->answer.seq] = false;
        break;
    case ASBI_RECORD_OVER: /* comes with its call's end */
        break;
    }
}

static void add_earlier(struct model *m, uint64_t stamp)
{
    if (m->earlier_count < MODEL_EARLIER)
        m->earlier[m->earlier_count++] = stamp;
}

void model_set_aside(struct model *m)
{
    for (size_t i = 0; i < MODEL_ROWS; i++) {
        if (m->answers[i])
            add_earlier(m, m->answers[i]);
        m->answers[i] = 0;
    }
    for (size_t i = 0; i < MODEL_PARTS; i++) {
        if (m->parts[i].call)
            add_earlier(m, m->parts[i].stamp);
        m->parts[i].call = 0;
    }
    for (size_t i = 0; i < MODEL_CALLS; i++)
        m->calls[i].count = m->calls[i].job = 0;
}

void model_unplace(struct model *m, uint64_t mark)
{
    for (size_t i = 0; i < MODEL_ROWS; i++) {
        if (m->answers[i] % 2 && m->answers[i] % MODEL_ROWS >= mark)
            m->unplaced[i] = true;
    }
}

/* ---- the comparison --------------------------------------------------------
 */

/* What is told of one model; each call and part that is expected is struck off
 * a copy. */
struct check {
    struct model left;
    uint64_t call;
    const char *wrong;
};

static int on_part(void *arg, const struct asbi_journal_answer *part)
{
    static char text[MODEL_LONGEST];
    struct check *c = arg;
    struct model_part *p = part_of(&c->left, c->call, part->seq);
    struct asbi_journal_answer b;

    if (!p) {
        c->wrong = "a part that was never given";
        return ASB_OK;
    }
    model_answer(p->stamp, p->seq, text, &b);
    if (part->key != b.key || !same_str(part->result.output, b.result.output))
        c->wrong = "a part is other than it was given";
    p->call = 0;
    return ASB_OK;
}

static int on_call(void *arg, const struct asbi_journal_call *call)
{
    struct check *c = arg;
    struct model_call *is = model_call_of(&c->left, call->number);

    if (!is || is->job)
        c->wrong = "an intent that was never given, has its end or a job";
    else if (is->worst != call->worst || is->count != call->count ||
             (is->count &&
              memcmp(is->rows, call->rows, is->count * sizeof(*is->rows)) != 0))
        c->wrong = "an intent is other than it was given";
    if (is)
        is->number = 0;
    return ASB_OK;
}

static int on_job(void *arg, const struct asbi_journal_job *job)
{
    struct check *c = arg;
    struct model_call *is = model_call_of(&c->left, job->number);
    struct asbi_journal_job b;
    char id[24];

    if (!is || !is->job) {
        c->wrong = "a job that was never given, or whose call has its end";
        return ASB_OK;
    }
    model_job(is->job, job->number, id, &b);
    if (!same_str(job->id, b.id) || !same_str(job->address, b.address))
        c->wrong = "a job is other than it was given";
    is->number = 0;
    return ASB_OK;
}

static const char *calls_differ(const struct model *m,
                                struct asbi_journal_store *store)
{
    static struct check c;
    struct asb_message why;

    c = (struct check){ .left = *m };
    if (store->ops->each_open(store, on_call, &c, &why) ||
        store->ops->each_job(store, on_job, &c, &why))
        return "calls cannot be read";
    for (size_t i = 0; i < MODEL_CALLS && !c.wrong; i++) {
        if (c.left.calls[i].number)
            return "an intent or a job is lost";
    }
    for (size_t i = 0; i < MODEL_CALLS && !c.wrong; i++) {
        c.call = m->calls[i].number;
        if (c.call && store->ops->each_part(store, c.call, on_part, &c, &why))
            return "parts cannot be read";
    }
    for (size_t i = 0; i < MODEL_PARTS && !c.wrong; i++) {
        if (c.left.parts[i].call)
            return "a part is lost";
    }
    return c.wrong;
}

static const char *row_differs(const struct model *m,
                               struct asbi_journal_store *store, uint64_t row)
{
    struct asbi_journal_answer a;
    struct asb_message why;
    int rc = store->ops->find(store, row, &a, &why);

    if (rc == ASB_ENOENT)
        return m->answers[row] ? "an answer is lost" : NULL;
    if (rc)
        return "an answer cannot be read";
    if (!m->answers[row])
        return "an answer that was never given";
    return same_answer(&a, m->answers[row], row, m->unplaced[row])
               ? NULL
               : "an answer is other than it was given";
}

/* Of what is set aside the row means nothing any more. */
static const char *earlier_differs(const struct model *m,
                                   struct asbi_journal_store *store,
                                   uint64_t stamp)
{
    static char text[MODEL_LONGEST];
    struct asbi_journal_answer a, b;
    struct asb_message why;

    (void)m;
    model_answer(stamp, 0, text, &b);
    if (store->ops->find_earlier(store, b.key, &a, &why))
        return "an answer that was set aside is lost";
    return same_str(a.result.output, b.result.output)
               ? NULL
               : "an answer that was set aside is other than it was";
}

static const char *state_differs(const struct asbi_journal_state *a,
                                 const struct asbi_journal_state *b)
{
    return a->round == b->round && a->finished == b->finished &&
                   a->rows == b->rows && a->bytes == b->bytes &&
                   a->next_call == b->next_call && a->cost == b->cost &&
                   a->spent == b->spent && a->doubtful == b->doubtful
               ? NULL
               : "the state is another";
}

const char *model_differs(const struct model *m,
                          struct asbi_journal_store *store,
                          const struct asbi_journal_state *state)
{
    const char *wrong = state_differs(&m->state, state);

    for (uint64_t i = 0; i < MODEL_ROWS && !wrong; i++)
        wrong = row_differs(m, store, i);
    for (size_t i = 0; i < m->earlier_count && !wrong; i++)
        wrong = earlier_differs(m, store, m->earlier[i]);
    return wrong ? wrong : calls_differ(m, store);
}
