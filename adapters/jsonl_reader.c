/*
 * jsonl_reader.c -- lines of JSON: finds the lines, in any pieces and in
 * bounded memory; what a line means is in rows_json.c.
 */
#include "adapters/format_impl.h"

struct jsonl {
    struct asbi_reader base;
    struct asbi_json *json;
    struct asbi_buf line; /* the start of a line whose end has not come */
    bool too_long;        /* that line is over the limit; its rest is dropped */
    uint64_t number;      /* of the line that is being read, 1-based */
};

/* A byte order mark and a carriage return do not count as length. */
enum { SLACK = 4 };

static int parse(struct jsonl *j, asbi_str line)
{
    struct asbi_rows *rows = &j->base.rows;
    int rc = asbi_json_parse(j->json, line.at, line.len);

    if (rc == ASB_ENOMEM)
        return rc;
    if (!rc)
        return asbi_rows_from_json(rows, j->json, j->base.wants_fields, false);
    if (rc == ASB_ETOOBIG)
        asbi_rows_fail(rows, "malformed", "nested more than %d deep",
                       ASBI_JSON_MAX_DEPTH);
    else if (!asbi_utf8_valid(line.at, line.len))
        asbi_rows_fail(rows, "invalid_utf8",
                       "not valid UTF-8; save the file as UTF-8");
    else
        asbi_rows_fail(rows, "malformed",
                       "malformed JSON at byte %zu: %s; write one object on "
                       "each line",
                       asbi_json_error_at(j->json) + 1,
                       asbi_json_error(j->json));
    return ASB_OK;
}

/* A whole line without its line feed.  *paused is what the callback said. */
static int take_line(struct jsonl *j, asbi_str line, int *paused)
{
    struct asbi_rows *rows = &j->base.rows;
    int rc = ASB_OK;

    if (j->number == 1 && asbi_str_starts(line, ASBI_STR("\xef\xbb\xbf")))
        line = asbi_str_of(line.at + 3, line.len - 3);
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    asbi_rows_begin(rows, j->number++);
    if (j->too_long || line.len > j->base.max_item_bytes)
        asbi_rows_fail(rows, "too_large",
                       "the line is longer than %zu bytes; shorten it or "
                       "raise max_item_bytes",
                       j->base.max_item_bytes);
    else if (asbi_str_trim(line).len == 0)
        return ASB_OK;
    else
        rc = parse(j, line);
    if (!rc)
        *paused = asbi_rows_emit(rows);
    return rc;
}

/* Keeps a part of a line for later. */
static int keep(struct jsonl *j, const char *at, size_t len)
{
    if (len > j->line.max - j->line.len)
        j->too_long = true;
    if (!j->too_long)
        asbi_buf_add(&j->line, at, len);
    return asbi_buf_failed(&j->line) ? ASB_ENOMEM : ASB_OK;
}

/* The kept line is whole now. */
static int finish(struct jsonl *j, int *paused)
{
    int rc = take_line(j, asbi_buf_view(&j->line), paused);

    asbi_buf_clear(&j->line);
    j->too_long = false;
    return rc;
}

static int feed(struct asbi_reader *r, const char *at, size_t len, size_t *used,
                struct asb_message *why)
{
    struct jsonl *j = (struct jsonl *)r;
    size_t pos = 0;
    int rc = ASB_OK, paused = 0;

    (void)why;
    while (pos < len && !rc && !paused) {
        const char *from = at + pos;
        const char *lf = memchr(from, '\n', len - pos);
        size_t n = lf ? (size_t)(lf - from) : len - pos;

        pos += n + (lf != NULL);
        if (lf && j->line.len == 0 && !j->too_long) {
            rc = take_line(j, asbi_str_of(from, n), &paused);
            continue;
        }
        rc = keep(j, from, n);
        if (!rc && lf)
            rc = finish(j, &paused);
    }
    *used = pos;
    return rc;
}

static int end(struct asbi_reader *r, struct asb_message *why)
{
    struct jsonl *j = (struct jsonl *)r;
    int paused;

    (void)why;
    if (j->line.len == 0 && !j->too_long)
        return ASB_OK;
    return finish(j, &paused);
}

static void jsonl_free(struct asbi_reader *r)
{
    struct jsonl *j = (struct jsonl *)r;

    asbi_json_free(j->json);
    asbi_buf_fini(&j->line);
    asbi_free(r->mem, j);
}

static const struct asbi_reader_ops ops = {
    .feed = feed,
    .end = end,
    .free = jsonl_free,
};

struct asbi_reader *asbi_jsonl_reader_new(const struct asbi_mem *mem,
                                          const struct asbi_reader_options *o)
{
    struct jsonl *j = asbi_calloc(mem, 1, sizeof(*j));

    if (!j)
        return NULL;
    j->base.ops = &ops;
    j->base.mem = mem;
    j->number = 1;
    asbi_buf_init(&j->line, mem, o->max_item_bytes + SLACK);
    j->json = asbi_json_new(mem, o->max_item_bytes);
    if (!j->json) {
        jsonl_free(&j->base);
        return NULL;
    }
    return &j->base;
}
