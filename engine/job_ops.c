/*
 * job_ops.c -- control maps of a stream: {"op": "flush" | "cancel" | "stats" |
 * "set"}.
 *
 * None of them is an item: they have no place in the order, and only stats and
 * set are answered, at once, between two answers.  A cancelled item is answered
 * as any other, in its place; a cancel that comes too late changes nothing.
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

static void begin_note(struct asbi_buf *text, const struct asb_job *job,
                       const char *op, const struct asbi_row *row)
{
    asbi_buf_init(text, job->mem, STATS_BYTES + ESCAPED * row->request.id.len);
    asbi_buf_fmt(text, "{\"op\":\"%s\"", op);
    put_id(text, row);
}

/* Into what goes out next, whole rows before and after it. */
static void end_note(struct asbi_buf *text, struct asb_job *job)
{
    asbi_buf_char(text, '}');
    if (asbi_buf_failed(text))
        job->ready.failed = true;
    else
        asbi_writer_note(job->writer, asbi_buf_view(text), &job->ready);
    asbi_buf_fini(text);
}

static void answer_stats(struct asb_job *job, const struct asbi_row *row)
{
    struct asbi_buf text;

    begin_note(&text, job, "stats", row);
    asbi_job_report_members(job, &text);
    end_note(&text, job);
}

/* {"op":"set","ok":true}, or false and why. */
static void set_option(struct asb_job *job, const struct asbi_row *row)
{
    struct asb_message why = { "" };
    struct asbi_buf text;
    char *name = asbi_strndup(job->mem, row->option.at, row->option.len);
    char *value = asbi_strndup(job->mem, row->value.at, row->value.len);
    int rc = ASB_ENOMEM;

    if (name && value)
        rc = asb_engine_set(job->engine, name, value, &why);
    asbi_free(job->mem, name);
    asbi_free(job->mem, value);
    begin_note(&text, job, "set", row);
    asbi_buf_fmt(&text, ",\"ok\":%s", rc ? "false" : "true");
    if (rc) {
        asbi_json_put_key(&text, "error");
        asbi_json_put_string(
            &text, asbi_str_c(why.text[0] ? why.text : asb_strerror(rc)));
    }
    end_note(&text, job);
}

int asbi_job_on_op(struct asb_job *job, const struct asbi_row *row)
{
    if (row->op == ASBI_OP_FLUSH)
        asb_flush(job->engine);
    else if (row->op == ASBI_OP_CANCEL)
        cancel(job, row->request.id);
    else if (row->op == ASBI_OP_STATS)
        answer_stats(job, row);
    else if (row->op == ASBI_OP_SET)
        set_option(job, row);
    return job->input_ended || !asbi_job_has_room(job);
}
