/*
 * job_ops.c -- control maps of a stream: {"op": "flush" | "cancel" | "stats"}.
 *
 * None of them is an item: they have no place in the order, and only stats is
 * answered, at once, between two answers.  A cancelled item is answered as any
 * other, in its place; a cancel that comes too late changes nothing.
 */
#include "engine/job.h"

#include "engine/base/json.h"

enum {
    STATS_BYTES = 4096, /* and the id it was asked with */
    ESCAPED = 6,        /* bytes that one may take in JSON */
};

static bool has_id(const void *object, const void *arg)
{
    const struct asbi_item *item = object;

    return asbi_str_eq(item->id, *(const asbi_str *)arg);
}

static void cancel(struct asb_job *job, asbi_str id)
{
    uint64_t number = asbi_slots_find(&job->engine->numbers, has_id, &id);

    if (number)
        (void)asb_cancel(job->engine, number); /* done already: so be it */
}

static void put_id(struct asbi_buf *out, const struct asbi_row *row)
{
    if (row->request.id.len == 0)
        return;
    asbi_json_put_key(out, "id");
    if (row->id_is_number)
        asbi_buf_str(out, row->request.id);
    else
        asbi_json_put_string(out, row->request.id);
}

/* Into what goes out next, whole rows before and after it. */
static void answer_stats(struct asb_job *job, const struct asbi_row *row)
{
    struct asbi_buf text;

    asbi_buf_init(&text, job->mem, STATS_BYTES + ESCAPED * row->request.id.len);
    asbi_buf_c(&text, "{\"op\":\"stats\"");
    put_id(&text, row);
    asbi_job_report_members(job, &text);
    asbi_buf_char(&text, '}');
    if (asbi_buf_failed(&text))
        job->ready.failed = true;
    else
        asbi_writer_note(job->writer, asbi_buf_view(&text), &job->ready);
    asbi_buf_fini(&text);
}

int asbi_job_on_op(struct asb_job *job, const struct asbi_row *row)
{
    if (row->op == ASBI_OP_FLUSH)
        asb_flush(job->engine);
    else if (row->op == ASBI_OP_CANCEL)
        cancel(job, row->request.id);
    else if (row->op == ASBI_OP_STATS)
        answer_stats(job, row);
    return job->input_ended || !asbi_job_has_room(job);
}
