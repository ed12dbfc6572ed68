/*
 * csv_reader.c -- finds the records of a CSV file, in any pieces and in
 * bounded memory, and goes on after bad ones.
 *
 * A record ends at the first line end with an even number of quotes before it.
 * When it turns out malformed or too long, only its first line is given up:
 * the lines after it are read again, so that a quote which is never closed
 * costs one row, not the rest of the file.  A line is read at most twice: the
 * line that would end such a record is the only one in it with an odd number
 * of quotes.
 */
#include "adapters/csv_columns.h"
#include "adapters/csv_split.h"
#include "adapters/format_impl.h"
#include "engine/base/error.h"

struct csv {
    struct asbi_reader base;
    struct asbi_csv_names names; /* copies */
    struct asbi_csv_split *split;
    struct asbi_csv_columns columns;
    bool has_header;
    struct asbi_buf original; /* of the row that is handed out */
    struct asb_message *why;

    /* A record whose end has not come. */
    struct asbi_buf record;
    uint64_t line;    /* of the file, where it starts, 1-based */
    size_t lines;     /* whole lines in it */
    size_t first_end; /* where its second line starts */
    bool odd;         /* an odd number of quotes so far: one is open */
    bool dropping;    /* its first line is over the limit; the rest of that
                         line is dropped */

    /* Lines of a record that was given up, to be read again first. */
    struct asbi_buf again;
    size_t again_at; /* always up to date */
    bool retreated;  /* `again` was filled anew: stop reading what was read */
};

/* A byte order mark and a line end do not count as length. */
enum { SLACK = 5 };

static bool odd_quotes(const char *at, size_t len)
{
    bool odd = false;
    const char *end = at + len;

    while ((at = memchr(at, '"', (size_t)(end - at)))) {
        odd = !odd;
        at++;
    }
    return odd;
}

/* Without its line end. */
static asbi_str chomp(const char *at, size_t len)
{
    len -= len && at[len - 1] == '\n';
    len -= len && at[len - 1] == '\r';
    return asbi_str_of(at, len);
}

static asbi_str without_mark(const struct csv *c, asbi_str s)
{
    if (c->line == 1 && asbi_str_starts(s, ASBI_STR("\xef\xbb\xbf")))
        return asbi_str_of(s.at + 3, s.len - 3);
    return s;
}

/* ---- rows ------------------------------------------------------------- */

static int emit(struct csv *c, int *paused)
{
    c->base.rows.row.original = asbi_buf_view(&c->original);
    if (asbi_buf_failed(&c->original))
        return ASB_ENOMEM;
    *paused = asbi_rows_emit(&c->base.rows);
    return ASB_OK;
}

/* A bad row, of which the columns that were split count. */
static int emit_bad(struct csv *c, int *paused)
{
    const asbi_str *cols = asbi_csv_split_columns(c->split);
    size_t count = asbi_csv_split_count(c->split);
    size_t id = c->columns.at[ASBI_CSV_ID];

    if (id && id <= count && asbi_str_trim(cols[id - 1]).len &&
        asbi_utf8_valid(cols[id - 1].at, cols[id - 1].len))
        c->base.rows.row.request.id = cols[id - 1];
    asbi_buf_clear(&c->original);
    asbi_csv_encode(&c->columns, cols, count, &c->original);
    return emit(c, paused);
}

enum fault { MALFORMED, TOO_LARGE, UNCLOSED };

/* A record that could not be read: `start` is its first line, or the part of
 * it that was kept. */
static int give_up(struct csv *c, asbi_str start, enum fault fault, int *paused)
{
    static const struct {
        const char *code, *message;
    } faults[] = {
        [MALFORMED] = { "malformed",
                        "malformed quoting; close every quote, and double "
                        "those inside of a quoted column" },
        [TOO_LARGE] = { "too_large",
                        "the row is longer than max_item_bytes; shorten it or "
                        "raise the limit" },
        [UNCLOSED] = { "too_large",
                       "a quote opened here is not closed within "
                       "max_item_bytes; close it or raise the limit" },
    };
    if (!c->has_header)
        return asbi_fail(c->why, ASB_EPARSE, "line 1: the header: %s",
                         faults[fault].message);
    start = without_mark(c, start);
    if (start.len > c->base.max_item_bytes)
        start.len = c->base.max_item_bytes;
    asbi_rows_begin(&c->base.rows, c->line);
    asbi_rows_fail(&c->base.rows, faults[fault].code, "%s",
                   faults[fault].message);
    if (asbi_csv_split_start(c->split, start, c->columns.count) == ASB_ENOMEM)
        return ASB_ENOMEM;
    return emit_bad(c, paused);
}

static int read_header(struct csv *c, asbi_str record)
{
    if (!asbi_utf8_valid(record.at, record.len))
        return asbi_fail(c->why, ASB_EPARSE,
                         "line 1: the header is not valid UTF-8; save the "
                         "file as UTF-8");
    int rc = asbi_csv_columns_read(
        &c->columns, asbi_csv_split_columns(c->split),
        asbi_csv_split_count(c->split), &c->names, c->why);
    c->has_header = !rc;
    return rc;
}

static int good_row(struct csv *c, asbi_str record, int *paused)
{
    const asbi_str *cols = asbi_csv_split_columns(c->split);
    int rc = asbi_csv_columns_row(&c->columns, &c->base.rows, cols,
                                  c->base.wants_fields);

    if (rc)
        return rc;
    asbi_buf_clear(&c->original);
    /* A carriage return may have stood outside of quotes. */
    if (asbi_csv_keeps_raw(&c->columns) && !memchr(record.at, '\r', record.len))
        asbi_csv_encode_raw(&c->columns, record, &c->original);
    else
        asbi_csv_encode(&c->columns, cols, c->columns.count, &c->original);
    return emit(c, paused);
}

static int take_row(struct csv *c, asbi_str record, int *paused)
{
    struct asbi_rows *rows = &c->base.rows;
    size_t count = asbi_csv_split_count(c->split);

    asbi_rows_begin(rows, c->line);
    if (!asbi_utf8_valid(record.at, record.len))
        asbi_rows_fail(rows, "invalid_utf8",
                       "not valid UTF-8; save the file as UTF-8");
    else if (count != c->columns.count)
        asbi_rows_fail(rows, "malformed",
                       "%zu columns instead of the header's %zu; quote text "
                       "that contains commas",
                       count, c->columns.count);
    else
        return good_row(c, record, paused);
    return emit_bad(c, paused);
}

/* A record whose quotes are even.  ASB_OK with *malformed when it is given up
 * by the caller. */
static int take_record(struct csv *c, asbi_str record, bool *malformed,
                       int *paused)
{
    record = without_mark(c, record);
    if (asbi_str_trim(record).len == 0)
        return ASB_OK;
    int rc = asbi_csv_split(c->split, record, c->columns.count);
    if (rc == ASB_EPARSE) {
        *malformed = true;
        return ASB_OK;
    }
    if (rc)
        return rc;
    return c->has_header ? take_row(c, record, paused) : read_header(c, record);
}

/* ---- records ---------------------------------------------------------- */

static void forget_record(struct csv *c)
{
    asbi_buf_clear(&c->record);
    c->lines = c->first_end = 0;
    c->odd = c->dropping = false;
}

/* Gives up the first line of the record; what follows it is read again, before
 * what is still unread of `again`. */
static int retreat(struct csv *c, enum fault fault, int *paused)
{
    size_t first = c->first_end ? c->first_end : c->record.len;
    int rc = give_up(c, chomp(c->record.data, first), fault, paused);

    if (rc)
        return rc;
    if (first < c->record.len) {
        struct asbi_buf record = c->record;

        if (c->again_at < c->again.len)
            asbi_buf_add(&record, c->again.data + c->again_at,
                         c->again.len - c->again_at);
        if (asbi_buf_failed(&record))
            return ASB_ENOMEM;
        c->record = c->again;
        c->again = record;
        c->again_at = first;
        c->retreated = true;
    }
    c->line++;
    forget_record(c);
    return ASB_OK;
}

/* A line of the record is whole (or the input ended in it). */
static int end_line(struct csv *c, bool at_end, int *paused)
{
    asbi_str record = chomp(c->record.data, c->record.len);
    bool malformed = false;

    c->lines++;
    if (c->dropping || without_mark(c, record).len > c->base.max_item_bytes)
        return retreat(c, c->lines > 1 ? UNCLOSED : TOO_LARGE, paused);
    if (c->odd && at_end)
        return retreat(c, MALFORMED, paused);
    if (c->odd) {
        if (c->lines == 1)
            c->first_end = c->record.len;
        return ASB_OK;
    }
    int rc = take_record(c, record, &malformed, paused);
    if (rc)
        return rc;
    if (malformed)
        return retreat(c, MALFORMED, paused);
    c->line += c->lines;
    forget_record(c);
    return ASB_OK;
}

/* Adds a line, or a part of one, to the record.  *full: it has no room and was
 * not taken; the record is given up. */
static int keep(struct csv *c, const char *at, size_t len, bool *full,
                int *paused)
{
    if (c->dropping)
        return ASB_OK;
    if (len > c->record.max - c->record.len) {
        if (c->lines) {
            *full = true;
            return retreat(c, UNCLOSED, paused);
        }
        c->dropping = true;
        len = c->record.max - c->record.len;
    }
    asbi_buf_add(&c->record, at, len);
    if (odd_quotes(at, len))
        c->odd = !c->odd;
    return asbi_buf_failed(&c->record) ? ASB_ENOMEM : ASB_OK;
}

/* A line that is a record by itself is read where it lies.  False when it is
 * not. */
static bool take_line(struct csv *c, const char *at, size_t len, int *rc,
                      int *paused)
{
    bool malformed = false;

    if (c->lines || c->record.len || c->dropping ||
        len > c->base.max_item_bytes || odd_quotes(at, len))
        return false;
    asbi_str line = chomp(at, len);
    *rc = take_record(c, line, &malformed, paused);
    if (!*rc && malformed)
        *rc = give_up(c, line, MALFORMED, paused);
    c->line++;
    return true;
}

/* Reads until the bytes or the host's patience end, or there are lines to be
 * read again first.  *pos is where the next line starts. */
static int run(struct csv *c, const char *at, size_t len, size_t *pos,
               int *paused)
{
    int rc = ASB_OK;
    bool full = false;

    c->retreated = false;
    while (*pos < len && !rc && !*paused && !c->retreated && !full) {
        const char *from = at + *pos;
        const char *lf = memchr(from, '\n', len - *pos);
        size_t n = lf ? (size_t)(lf - from) + 1 : len - *pos;

        if (lf && take_line(c, from, n, &rc, paused)) {
            *pos += n;
            continue;
        }
        rc = keep(c, from, n, &full, paused);
        if (rc || full)
            continue;
        *pos += n;
        if (lf)
            rc = end_line(c, false, paused);
    }
    return rc;
}

static int read_again(struct csv *c, int *paused)
{
    int rc = ASB_OK;

    while (c->again_at < c->again.len && !rc && !*paused)
        rc = run(c, c->again.data, c->again.len, &c->again_at, paused);
    return rc;
}

static int feed(struct asbi_reader *r, const char *at, size_t len, size_t *used,
                struct asb_message *why)
{
    struct csv *c = (struct csv *)r;
    int paused = 0;

    c->why = why;
    *used = 0;
    int rc = read_again(c, &paused);
    while (*used < len && !rc && !paused) {
        rc = run(c, at, len, used, &paused);
        if (!rc && !paused)
            rc = read_again(c, &paused);
    }
    return rc;
}

static int end(struct asbi_reader *r, struct asb_message *why)
{
    struct csv *c = (struct csv *)r;
    int rc, paused = 0;

    c->why = why;
    for (;;) {
        rc = read_again(c, &paused);
        if (rc || (c->again_at == c->again.len && c->record.len == 0))
            return rc;
        if (paused)
            return ASB_EBUSY;
        rc = end_line(c, true, &paused);
        if (rc)
            return rc;
    }
}

static asbi_str header(const struct asbi_reader *r)
{
    const struct csv *c = (const struct csv *)r;

    return asbi_buf_view(&c->columns.header);
}

static void csv_free(struct asbi_reader *r)
{
    struct csv *c = (struct csv *)r;

    asbi_free(r->mem, (char *)c->names.id);
    asbi_free(r->mem, (char *)c->names.text);
    asbi_csv_split_free(c->split);
    asbi_csv_columns_fini(&c->columns);
    asbi_buf_fini(&c->original);
    asbi_buf_fini(&c->record);
    asbi_buf_fini(&c->again);
    asbi_free(r->mem, c);
}

static const struct asbi_reader_ops ops = {
    .feed = feed,
    .end = end,
    .header = header,
    .free = csv_free,
};

/* A copy of an option, if it is given.  False when out of memory. */
static bool copy_name(const struct asbi_mem *mem, const char *name,
                      const char **out)
{
    if (name)
        *out = asbi_strndup(mem, name, strlen(name));
    return !name || *out;
}

struct asbi_reader *asbi_csv_reader_new(const struct asbi_mem *mem,
                                        const struct asbi_reader_options *o)
{
    struct csv *c = asbi_calloc(mem, 1, sizeof(*c));

    if (!c)
        return NULL;
    c->base.ops = &ops;
    c->base.mem = mem;
    c->line = 1;
    c->names.text_optional = o->wants_fields;
    asbi_csv_columns_init(&c->columns, mem);
    asbi_buf_init(&c->original, mem, SIZE_MAX / 2);
    asbi_buf_init(&c->record, mem, o->max_item_bytes + SLACK);
    asbi_buf_init(&c->again, mem, o->max_item_bytes + SLACK);
    c->split = asbi_csv_split_new(mem);
    if (!c->split || !copy_name(mem, o->id_column, &c->names.id) ||
        !copy_name(mem, o->text_column, &c->names.text)) {
        csv_free(&c->base);
        return NULL;
    }
    return &c->base;
}
