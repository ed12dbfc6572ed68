#include "tests/support/row_log.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

struct asbi_reader_options row_log_options(enum asbi_format format)
{
    return (struct asbi_reader_options){ .format = format,
                                         .max_item_bytes = 1000 };
}

static void note_bytes(struct asbi_buf *b, const char *name, asbi_str s)
{
    if (!s.at)
        return;
    asbi_buf_fmt(b, " %s=[", name);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c >= 0xfd)
            asbi_buf_c(b, c == 0xff ? "<T>" : c == 0xfe ? "<S>" : "<E>");
        else if (c == '\n')
            asbi_buf_c(b, "\\n");
        else if (c == '\r')
            asbi_buf_c(b, "\\r");
        else
            asbi_buf_char(b, (char)c);
    }
    asbi_buf_char(b, ']');
}

static void note_request(struct asbi_buf *b, const struct asbi_row *row)
{
    const struct asb_request *q = &row->request;
    static const char *const payloads[] = { "", " prompt", " messages",
                                            " body" };
    static const char *const classes[] = { " normal", " urgent",
                                           " background" };

    CHECK_INT(q->size, ==, sizeof(*q));
    asbi_buf_c(b, payloads[q->payload]);
    note_bytes(b, "text", q->text);
    note_bytes(b, "body", q->body);
    note_bytes(b, "url", q->url);
    note_bytes(b, "fields", q->fields);
    note_bytes(b, "tenant", q->tenant);
    if (row->names_class)
        asbi_buf_c(b, classes[q->priority]);
    CHECK(row->names_class || q->priority == ASB_NORMAL);
    if (q->max_length)
        asbi_buf_fmt(b, " max=%u", q->max_length);
    if (q->deadline_ms)
        asbi_buf_fmt(b, " deadline=%" PRIu64, q->deadline_ms);
    if (row->due_wall_ms)
        asbi_buf_fmt(b, " due=%" PRIu64, row->due_wall_ms);
}

static int on_row(void *arg, const struct asbi_row *row)
{
    static const char *const ops[] = { "", " flush", " cancel", " stats",
                                       " set" };
    struct row_log *log = arg;
    struct asbi_buf *b = &log->text;

    log->rows++;
    log->bad += row->error_code != NULL;
    log->pauses += log->pause;
    CHECK(row->op != ASBI_OP_ITEM || row->request.id.len > 0);
    CHECK(!row->error_code == !row->error_message);
    if (log->quiet)
        return log->pause;
    asbi_buf_fmt(b, "%" PRIu64 "%s ", row->line, ops[row->op]);
    asbi_buf_str(b, row->request.id);
    asbi_buf_c(b, row->id_is_number ? "#" : "");
    asbi_buf_c(b, row->batch_line ? " batch" : "");
    if (!row->error_code) {
        note_request(b, row);
    } else {
        asbi_buf_fmt(b, " BAD %s (%s)", row->error_code, row->error_message);
        note_bytes(b, "fields", row->request.fields);
    }
    note_bytes(b, "option", row->option);
    note_bytes(b, "value", row->value);
    note_bytes(b, "original", row->original);
    if (row->answered)
        note_bytes(b, "answer", row->answer);
    asbi_buf_char(b, '\n');
    return log->pause;
}

static int feed_all(struct row_log *log, struct asbi_reader *r, asbi_str s)
{
    while (s.len) {
        size_t used = 0, before = log->pauses;
        int rc = asbi_reader_feed(r, s.at, s.len, &used, &log->why);

        if (rc)
            return rc;
        CHECK(used <= s.len);
        if (!log->pause)
            CHECK_INT(used, ==, s.len);
        else
            CHECK(log->pauses <= before + 1);
        s.at += used;
        s.len -= used;
    }
    return ASB_OK;
}

static int finish(struct row_log *log, struct asbi_reader *r, int rc)
{
    asbi_str header;

    for (size_t rows = log->rows; !rc; rows = log->rows) {
        rc = asbi_reader_end(r, &log->why);
        CHECK(!log->pause || log->rows <= rows + 1);
        if (rc != ASB_EBUSY)
            break;
        CHECK(log->pause && log->rows == rows + 1);
        rc = ASB_OK;
    }
    header = asbi_reader_header(r);
    CHECK(header.len < sizeof(log->header));
    if (header.len)
        memcpy(log->header, header.at, header.len);
    log->header[header.len] = '\0';
    asbi_reader_free(r);
    return rc;
}

static void begin(struct row_log *log)
{
    asbi_buf_fini(&log->text);
    log->rows = log->bad = 0;
    log->why.text[0] = '\0';
    asbi_buf_init(&log->text, &asbi_mem_system, (size_t)64 << 20);
}

int row_log_read(struct row_log *log, const struct asbi_mem *mem,
                 const struct asbi_reader_options *options, asbi_str input,
                 size_t piece)
{
    struct asbi_reader *r;

    begin(log);
    int rc = asbi_reader_new(mem, options, on_row, log, &r);
    if (rc)
        return rc;
    for (size_t i = 0; i < input.len && !rc;) {
        size_t n = piece && piece < input.len - i ? piece : input.len - i;

        /* A copy of its own: reading past its end is seen. */
        char *copy = malloc(n);
        CHECK(copy);
        memcpy(copy, input.at + i, n);
        rc = feed_all(log, r, asbi_str_of(copy, n));
        free(copy);
        i += n;
    }
    return finish(log, r, rc);
}

int row_log_read_cut(struct row_log *log,
                     const struct asbi_reader_options *options, asbi_str input,
                     size_t at)
{
    struct asbi_reader *r;

    begin(log);
    int rc = asbi_reader_new(&asbi_mem_system, options, on_row, log, &r);
    CHECK_INT(rc, ==, ASB_OK);
    rc = feed_all(log, r, asbi_str_of(input.at, at));
    if (!rc)
        rc = feed_all(log, r, asbi_str_of(input.at + at, input.len - at));
    return finish(log, r, rc);
}

void row_log_fini(struct row_log *log)
{
    asbi_buf_fini(&log->text);
}

static void check_same(struct row_log *log, struct row_log *other,
                       const char *what, size_t at)
{
    if (!asbi_str_eq(asbi_buf_view(&log->text), asbi_buf_view(&other->text)) ||
        strcmp(log->header, other->header) != 0)
        check_fail(__FILE__, __LINE__, "%s %zu:\n%s\nnot\n%s", what, at,
                   row_log_text(other), row_log_text(log));
}

void row_log_check_pieces(struct row_log *log,
                          const struct asbi_reader_options *options,
                          asbi_str input)
{
    struct row_log other = { 0 };
    int rc = row_log_read(log, &asbi_mem_system, options, input, 0);

    for (size_t piece = 1; piece < 4; piece++) {
        CHECK_INT(row_log_read(&other, &asbi_mem_system, options, input, piece),
                  ==, rc);
        check_same(log, &other, "in pieces of", piece);
    }
    for (size_t at = 0; at <= input.len; at++) {
        CHECK_INT(row_log_read_cut(&other, options, input, at), ==, rc);
        check_same(log, &other, "cut at", at);
    }
    other.pause = true;
    for (size_t piece = 0; piece < 3; piece++) {
        CHECK_INT(row_log_read(&other, &asbi_mem_system, options, input, piece),
                  ==, rc);
        check_same(log, &other, "with pauses, in pieces of", piece);
    }
    row_log_fini(&other);
}

void row_log_check_rows(struct row_log *log,
                        const struct asbi_reader_options *options,
                        asbi_str input, const char *rows)
{
    row_log_check_pieces(log, options, input);
    CHECK_STR(asbi_buf_view(&log->text), rows);
}

/* Allocations that reading so many rows takes. */
static size_t allocations(const struct asbi_reader_options *options,
                          const char *head,
                          void (*put)(struct asbi_buf *in, int i), int rows)
{
    struct row_log log = { .quiet = true };
    struct fault_mem fm;
    struct asbi_buf in;

    fault_mem_init(&fm, 0);
    asbi_buf_init(&in, &asbi_mem_system, (size_t)1 << 30);
    asbi_buf_c(&in, head);
    for (int i = 0; i < rows; i++)
        put(&in, i);
    CHECK_INT(row_log_read(&log, &fm.mem, options, asbi_buf_view(&in), 4099),
              ==, ASB_OK);
    CHECK_INT(log.rows, ==, rows);
    CHECK_INT(log.bad, ==, 0);
    CHECK_INT(fm.live, ==, 0);
    asbi_buf_fini(&in);
    row_log_fini(&log);
    return fm.seen;
}

void row_log_check_memory(enum asbi_format format, const char *head,
                          void (*put)(struct asbi_buf *in, int i))
{
    struct asbi_reader_options o = row_log_options(format);

    CHECK_INT(allocations(&o, head, put, 1000), ==,
              allocations(&o, head, put, 100000));
}

const char *row_log_text(struct row_log *log)
{
    const char *text = asbi_buf_cstr(&log->text);

    CHECK(text);
    return text;
}
