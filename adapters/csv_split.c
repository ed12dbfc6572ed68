#include "adapters/csv_split.h"

#include <csv.h>

struct asbi_csv_split {
    const struct asbi_mem *mem;
    struct csv_parser parser;
    size_t parser_cap; /* of the parser's buffer, which is ours */
    char *bytes;       /* the columns' text, one after the other */
    size_t bytes_cap, bytes_len;
    asbi_str *cols;
    size_t cols_cap;
    size_t count; /* of columns seen */
    size_t most;
    int rc;
};

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* A lone carriage return is text. */
static int is_line_feed(unsigned char c)
{
    return c == '\n';
}

/* libcsv's allocator takes no argument, so that a host's cannot be behind it.
 * Its buffer is made large enough before a record is parsed instead. */
static void *refuse_to_grow(void *block, size_t size)
{
    (void)block;
    (void)size;
    return NULL;
}

struct asbi_csv_split *asbi_csv_split_new(const struct asbi_mem *mem)
{
    struct asbi_csv_split *s = asbi_calloc(mem, 1, sizeof(*s));

    if (!s)
        return NULL;
    s->mem = mem;
    (void)csv_init(&s->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_space_func(&s->parser, no_space);
    csv_set_term_func(&s->parser, is_line_feed);
    csv_set_realloc_func(&s->parser, refuse_to_grow);
    return s;
}

void asbi_csv_split_free(struct asbi_csv_split *s)
{
    if (!s)
        return;
    asbi_free(s->mem, s->parser.entry_buf);
    asbi_free(s->mem, s->bytes);
    asbi_free(s->mem, s->cols);
    asbi_free(s->mem, s);
}

static int reserve(struct asbi_csv_split *s, size_t len)
{
    size_t cap = s->parser_cap ? s->parser_cap : 512;

    if (len < s->parser_cap)
        return ASB_OK;
    while (cap <= len)
        cap *= 2;
    void *bytes = asbi_resize(s->mem, s->bytes, cap, 1);
    if (!bytes)
        return ASB_ENOMEM;
    s->bytes = bytes;
    void *entry = asbi_resize(s->mem, s->parser.entry_buf, cap, 1);
    if (!entry)
        return ASB_ENOMEM;
    s->parser.entry_buf = entry;
    s->parser.entry_size = cap;
    s->parser_cap = cap;
    return ASB_OK;
}

static int grow_columns(struct asbi_csv_split *s)
{
    size_t cap = s->cols_cap ? s->cols_cap * 2 : 16;
    void *cols = asbi_resize(s->mem, s->cols, cap, sizeof(*s->cols));

    if (!cols)
        return ASB_ENOMEM;
    s->cols = cols;
    s->cols_cap = cap;
    return ASB_OK;
}

static void on_column(void *at, size_t len, void *arg)
{
    struct asbi_csv_split *s = arg;

    if (s->rc || (s->most && s->count >= s->most)) {
        s->count++;
        return;
    }
    if (s->count == s->cols_cap)
        s->rc = grow_columns(s);
    if (s->rc)
        return;
    char *to = s->bytes + s->bytes_len;
    if (len)
        memcpy(to, at, len);
    s->bytes_len += len;
    s->cols[s->count++] = asbi_str_of(to, len);
}

/* Back to the start of a record, whatever state a fault left. */
static void reset(struct asbi_csv_split *s)
{
    (void)csv_set_opts(&s->parser, 0);
    (void)csv_fini(&s->parser, NULL, NULL, NULL);
    (void)csv_set_opts(&s->parser, CSV_STRICT | CSV_STRICT_FINI);
}

static int split(struct asbi_csv_split *s, asbi_str record, size_t most,
                 bool whole)
{
    s->count = s->bytes_len = 0;
    s->most = most;
    s->rc = reserve(s, record.len);
    if (s->rc)
        return s->rc;
    size_t used =
        csv_parse(&s->parser, record.at, record.len, on_column, NULL, s);
    bool bad = used != record.len;
    if (!bad && whole)
        bad = csv_fini(&s->parser, on_column, NULL, s) != 0;
    if (bad || !whole)
        reset(s);
    if (s->rc)
        return s->rc;
    return bad ? ASB_EPARSE : ASB_OK;
}

int asbi_csv_split(struct asbi_csv_split *s, asbi_str record, size_t most)
{
    return split(s, record, most, true);
}

int asbi_csv_split_start(struct asbi_csv_split *s, asbi_str start, size_t most)
{
    return split(s, start, most, false);
}

const asbi_str *asbi_csv_split_columns(const struct asbi_csv_split *s)
{
    return s->cols;
}

size_t asbi_csv_split_count(const struct asbi_csv_split *s)
{
    return s->count;
}
