#include "adapters/csv_columns.h"

#include <stdio.h>

#include "engine/base/error.h"

/* Names of a role, the preferred first. */
static const struct {
    enum asbi_csv_role role;
    const char *name;
} known[] = {
    { ASBI_CSV_ID, "string_id" },
    { ASBI_CSV_ID, "id" },
    { ASBI_CSV_TEXT, "tokenized_zh" },
    { ASBI_CSV_TEXT, "source_zh" },
    { ASBI_CSV_TEXT, "source_text" },
    { ASBI_CSV_TEXT, "text" },
    { ASBI_CSV_MAX_LENGTH, "max_length_target" },
    { ASBI_CSV_MAX_LENGTH, "max_len_target" },
    { ASBI_CSV_PRIORITY, "priority" },
    { ASBI_CSV_DEADLINE, "deadline" },
    { ASBI_CSV_TARGET, "target_text" },
    { ASBI_CSV_STATUS, "asb_status" },
    { ASBI_CSV_ERROR, "asb_error" },
};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static const char markers[ASBI_CSV_ROLES] = {
    [ASBI_CSV_TARGET] = ASBI_CSV_PUT_TARGET,
    [ASBI_CSV_STATUS] = ASBI_CSV_PUT_STATUS,
    [ASBI_CSV_ERROR] = ASBI_CSV_PUT_ERROR,
};

void asbi_csv_columns_init(struct asbi_csv_columns *c,
                           const struct asbi_mem *mem)
{
    *c = (struct asbi_csv_columns){ 0 };
    asbi_buf_init(&c->header, mem, SIZE_MAX / 2);
    asbi_buf_init(&c->names, mem, SIZE_MAX / 2);
    asbi_buf_init(&c->fields, mem, SIZE_MAX / 2);
}

void asbi_csv_columns_fini(struct asbi_csv_columns *c)
{
    asbi_buf_fini(&c->header);
    asbi_buf_fini(&c->names);
    asbi_buf_fini(&c->fields);
}

/* Quotes doubled, what is not UTF-8 replaced. */
static void put_repaired(struct asbi_buf *out, asbi_str text)
{
    while (text.len) {
        size_t n = asbi_utf8_first(text);

        if (n == 0)
            asbi_buf_c(out, "\xef\xbf\xbd");
        else if (text.at[0] == '"')
            asbi_buf_c(out, "\"\"");
        else
            asbi_buf_add(out, text.at, n);
        n += n == 0;
        text = asbi_str_of(text.at + n, text.len - n);
    }
}

/* Quotes doubled. */
static void put_valid(struct asbi_buf *out, asbi_str text)
{
    while (text.len) {
        const char *quote = memchr(text.at, '"', text.len);
        size_t n = quote ? (size_t)(quote - text.at) : text.len;

        asbi_buf_add(out, text.at, n);
        if (!quote)
            return;
        asbi_buf_c(out, "\"\"");
        text = asbi_str_of(text.at + n + 1, text.len - n - 1);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool needs_quotes(asbi_str s)
{
    if (s.len == 0)
        return false;
    if (is_blank(s.at[0]) || is_blank(s.at[s.len - 1]))
        return true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        if (c == ',' || c == '"' || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

void asbi_csv_put(struct asbi_buf *out, asbi_str text)
{
    bool quoted = needs_quotes(text);

    if (quoted)
        asbi_buf_char(out, '"');
    if (!asbi_utf8_valid(text.at, text.len))
        put_repaired(out, text);
    else if (quoted)
        put_valid(out, text);
    else
        asbi_buf_str(out, text);
    if (quoted)
        asbi_buf_char(out, '"');
}

/* ---- the header ------------------------------------------------------- */

/* Index + 1 of the column of that name, the first of several; 0: none. */
static size_t find(const asbi_str *cols, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (asbi_str_eq(asbi_str_trim(cols[i]), asbi_str_c(name)))
            return i + 1;
    }
    return 0;
}

/* At most `most` bytes, and no part of a character; nothing from a control
 * character on, which would spoil a terminal. */
static int shown(asbi_str name, size_t most)
{
    size_t n = 0;

    while (n < name.len && n < most && (unsigned char)name.at[n] >= 0x20)
        n++;
    while (n && n < name.len && ((unsigned char)name.at[n] & 0xc0) == 0x80)
        n--;
    return (int)n;
}

/* What whoever wrote the file may have meant; "" for nothing. */
static const char *hint(const asbi_str *cols, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memchr(cols[i].at, '\r', cols[i].len))
            return " (lines end with a line feed here)";
    }
    if (count == 1 && (memchr(cols[0].at, ';', cols[0].len) ||
                       memchr(cols[0].at, '\t', cols[0].len)))
        return " (columns are separated by commas here)";
    return "";
}

/* Lists the columns there are, as far as they fit. */
static int refuse(const asbi_str *cols, size_t count, const char *what,
                  struct asb_message *why)
{
    char list[400];
    size_t len = 0;

    list[0] = '\0';
    for (size_t i = 0; i < count && len + 80 < sizeof(list); i++) {
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s",
                                i ? ", " : "", shown(cols[i], 60), cols[i].at);
        if (memchr(cols[i].at, '\r', cols[i].len))
            break; /* what follows is of the next row */
    }
    return asbi_fail(why, ASB_EPARSE, "line 1: %s; the columns are: %s%s", what,
                     list, hint(cols, count));
}

static int assign(struct asbi_csv_columns *c, const asbi_str *cols,
                  const struct asbi_csv_names *names, struct asb_message *why)
{
    char what[200];

    for (size_t i = 0; i < KNOWN; i++) {
        if (!c->at[known[i].role])
            c->at[known[i].role] = find(cols, c->count, known[i].name);
    }
    if (names->id)
        c->at[ASBI_CSV_ID] = find(cols, c->count, names->id);
    if (names->text)
        c->at[ASBI_CSV_TEXT] = find(cols, c->count, names->text);
    if ((names->id && !c->at[ASBI_CSV_ID]) ||
        (names->text && !c->at[ASBI_CSV_TEXT])) {
        (void)snprintf(what, sizeof(what), "there is no column \"%.100s\"",
                       names->text && !c->at[ASBI_CSV_TEXT] ? names->text
                                                            : names->id);
        return refuse(cols, c->count, what, why);
    }
    if (!c->at[ASBI_CSV_TEXT] && !names->text_optional)
        return refuse(cols, c->count,
                      "there is no text column; call it tokenized_zh, "
                      "source_zh, source_text or text, or name it with "
                      "--text-column",
                      why);
    return ASB_OK;
}

int asbi_csv_columns_read(struct asbi_csv_columns *c, const asbi_str *cols,
                          size_t count, const struct asbi_csv_names *names,
                          struct asb_message *why)
{
    c->count = count;
    int rc = assign(c, cols, names, why);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (i)
            asbi_buf_char(&c->header, ',');
        asbi_csv_put(&c->header, cols[i]);
        asbi_json_put_string(&c->names, asbi_str_trim(cols[i]));
        asbi_buf_char(&c->names, ':');
        asbi_buf_char(&c->names, '\0'); /* in no JSON string */
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if (markers[known[i].role] && !c->at[known[i].role]) {
            asbi_buf_char(&c->header, ',');
            asbi_buf_c(&c->header, known[i].name);
        }
    }
    asbi_buf_char(&c->header, '\n');
    return asbi_buf_failed(&c->header) || asbi_buf_failed(&c->names)
               ? ASB_ENOMEM
               : ASB_OK;
}

/* ---- rows ------------------------------------------------------------- */

static asbi_str column(const struct asbi_csv_columns *c, const asbi_str *cols,
                       enum asbi_csv_role role)
{
    return c->at[role] ? cols[c->at[role] - 1] : (asbi_str){ NULL, 0 };
}

/* {"column": "value", ...} */
static int fill_fields(struct asbi_csv_columns *c, const asbi_str *cols)
{
    const char *name = c->names.data;

    asbi_buf_clear(&c->fields);
    for (size_t i = 0; i < c->count; i++) {
        asbi_buf_char(&c->fields, i ? ',' : '{');
        asbi_buf_c(&c->fields, name);
        asbi_json_put_string(&c->fields, cols[i]);
        name += strlen(name) + 1;
    }
    asbi_buf_char(&c->fields, '}');
    return asbi_buf_failed(&c->fields) ? ASB_ENOMEM : ASB_OK;
}

int asbi_csv_columns_row(struct asbi_csv_columns *c, struct asbi_rows *rows,
                         const asbi_str *cols, bool wants_fields)
{
    struct asbi_row *row = &rows->row;
    asbi_str answer = column(c, cols, ASBI_CSV_TARGET);

    asbi_str id = column(c, cols, ASBI_CSV_ID);
    if (asbi_str_trim(id).len)
        row->request.id = id;
    row->request.text = column(c, cols, ASBI_CSV_TEXT);
    if (asbi_str_trim(answer).len) {
        row->answered = true;
        row->answer = answer;
        return ASB_OK;
    }
    asbi_rows_set_max_length(rows, column(c, cols, ASBI_CSV_MAX_LENGTH));
    asbi_rows_set_priority(rows, column(c, cols, ASBI_CSV_PRIORITY));
    asbi_rows_set_deadline(rows, column(c, cols, ASBI_CSV_DEADLINE));
    if (!wants_fields) {
        (void)asbi_rows_lacks_text(rows, row->request.text);
        return ASB_OK;
    }
    int rc = fill_fields(c, cols);
    row->request.fields = asbi_buf_view(&c->fields);
    return rc;
}

bool asbi_csv_keeps_raw(const struct asbi_csv_columns *c)
{
    return !c->at[ASBI_CSV_TARGET] && !c->at[ASBI_CSV_STATUS] &&
           !c->at[ASBI_CSV_ERROR];
}

static void append_missing(const struct asbi_csv_columns *c,
                           struct asbi_buf *out)
{
    for (size_t role = ASBI_CSV_TARGET; role <= ASBI_CSV_ERROR; role++) {
        if (!c->at[role]) {
            asbi_buf_char(out, ',');
            asbi_buf_char(out, markers[role]);
        }
    }
}

void asbi_csv_encode_raw(const struct asbi_csv_columns *c, asbi_str raw,
                         struct asbi_buf *out)
{
    asbi_buf_str(out, raw);
    append_missing(c, out);
}

/* The marker of a column that the writer fills, or 0.  A target that is there
 * already stays. */
static char marker_of(const struct asbi_csv_columns *c, size_t index,
                      asbi_str text)
{
    if (index + 1 == c->at[ASBI_CSV_TARGET])
        return asbi_str_trim(text).len ? '\0' : ASBI_CSV_PUT_TARGET;
    if (index + 1 == c->at[ASBI_CSV_STATUS])
        return ASBI_CSV_PUT_STATUS;
    if (index + 1 == c->at[ASBI_CSV_ERROR])
        return ASBI_CSV_PUT_ERROR;
    return '\0';
}

void asbi_csv_encode(const struct asbi_csv_columns *c, const asbi_str *cols,
                     size_t count, struct asbi_buf *out)
{
    for (size_t i = 0; i < c->count; i++) {
        asbi_str text = i < count ? cols[i] : (asbi_str){ NULL, 0 };
        char marker = marker_of(c, i, text);

        if (i)
            asbi_buf_char(out, ',');
        if (marker)
            asbi_buf_char(out, marker);
        else
            asbi_csv_put(out, text);
    }
    append_missing(c, out);
}
