/*
 * job_aside.c -- rows that are answered long before their turn.  When those
 * that wait fill their share of memory, the answer is left to the journal,
 * where it is anyway, and read back when its turn comes; what stays is a slip
 * with what is the row's own.
 */
#include <string.h>

#include "engine/job_journal.h"

/* Rows that wait may fill so much of what may be held before answers are let
 * go. */
enum { SHARE = 2 };

/* Before the id and the original. */
struct slip {
    uint64_t seq;
    size_t id_len;
    bool id_is_number, batch_line;
};

static bool is_worth_it(const struct asb_job *job, size_t slip_len)
{
    return job->kept &&
           job->order.held_bytes > job->engine->room.bytes / SHARE &&
           slip_len < job->row.len;
}

int asbi_job_wait_for_turn(struct asb_job *job, const struct asbi_slip *s,
                           asbi_str id)
{
    const struct asbi_row_memo *memo = &s->memo;
    const struct slip head = { .seq = memo->seq,
                               .id_len = id.len,
                               .id_is_number = memo->id_is_number,
                               .batch_line = memo->batch_line };

    if (!is_worth_it(job, sizeof(head) + id.len + memo->original.len))
        return asbi_order_keep(&job->order, s->place, asbi_buf_view(&job->row));
    asbi_buf_clear(&job->row);
    asbi_buf_add(&job->row, (const char *)&head, sizeof(head));
    asbi_buf_str(&job->row, id);
    asbi_buf_str(&job->row, memo->original);
    if (asbi_buf_failed(&job->row))
        return ASB_ENOMEM;
    return asbi_order_keep_slip(&job->order, s->place,
                                asbi_buf_view(&job->row));
}

static int out_of_journal(struct asb_job *job, const char *why)
{
    asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                     "an answer could not be read back (%s); mend that and "
                     "run the same command again",
                     why);
    return ASB_EIO;
}

int asbi_job_turn_came(void *arg, asbi_str bytes, struct asbi_buf *out)
{
    struct asb_job *job = arg;
    struct asbi_journal_store *store = job->kept->store;
    struct asbi_journal_answer a;
    struct asb_message why = { .text = "it is not in the journal" };
    struct slip head;

    memcpy(&head, bytes.at, sizeof(head));
    if (store->ops->find(store, head.seq, &a, &why))
        return out_of_journal(job, why.text);
    const char *id = bytes.at + sizeof(head), *original = id + head.id_len;
    const struct asbi_row_memo memo = {
        .original =
            asbi_str_of(original, (size_t)(bytes.at + bytes.len - original)),
        .seq = head.seq,
        .id_is_number = head.id_is_number,
        .batch_line = head.batch_line,
    };
    a.result.id = asbi_str_of(id, head.id_len);
    asbi_writer_row(job->writer, &memo, &a.result, out);
    return ASB_OK;
}
