#include "config/cells.h"

#include <stdbool.h>

void asbi_cells_init(struct asbi_cells *c, const char *text, size_t len,
                     char separator, struct asbi_buf *room)
{
    *c = (struct asbi_cells){ .at = text,
                              .end = text + len,
                              .separator = separator,
                              .line = 1,
                              .room = room };
}

static int fail(struct asbi_cells *c, unsigned column, const char *error)
{
    c->error = error;
    c->error_column = column;
    return ASB_EPARSE;
}

static bool at_row_end(const struct asbi_cells *c)
{
    return c->at == c->end || *c->at == '\n' ||
           (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'));
}

static void skip_row_end(struct asbi_cells *c)
{
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end && *c->at == '\n')
        c->at++;
    c->line++;
}

static int quoted_cell(struct asbi_cells *c, unsigned column)
{
    for (c->at++; c->at < c->end; c->at++) {
        if (*c->at == '"' && (c->at + 1 == c->end || c->at[1] != '"'))
            break;
        c->at += *c->at == '"';
        c->line += *c->at == '\n';
        asbi_buf_char(c->room, *c->at);
    }
    if (c->at == c->end)
        return fail(c, column, "a quoted cell begins here and never ends");
    c->at++;
    if (!at_row_end(c) && *c->at != c->separator)
        return fail(c, column,
                    "text after the closing quote; write a quote within as "
                    "\"\"");
    return ASB_OK;
}

static int next_cell(struct asbi_cells *c, const char *row)
{
    unsigned column = (unsigned)(c->at - row) + 1;
    size_t start = c->room->len;
    int rc = ASB_OK;

    if (c->count == ASBI_CELLS_MAX)
        return fail(c, column, "more than 64 columns");
    if (c->at < c->end && *c->at == '"') {
        rc = quoted_cell(c, column);
    } else {
        while (!at_row_end(c) && *c->at != c->separator)
            asbi_buf_char(c->room, *c->at++);
    }
    c->column[c->count] = column;
    c->cell[c->count++] =
        asbi_str_of(c->room->data + start, c->room->len - start);
    return rc;
}

int asbi_cells_next(struct asbi_cells *c)
{
    while (c->at < c->end && at_row_end(c))
        skip_row_end(c);
    if (c->at == c->end)
        return ASB_ENOENT;
    const char *row = c->at;
    c->row_line = c->line;
    c->count = 0;
    for (;;) {
        int rc = next_cell(c, row);

        if (rc)
            return rc;
        if (at_row_end(c))
            break;
        c->at++; /* the separator: a further cell follows, perhaps empty */
    }
    skip_row_end(c);
    return ASB_OK;
}
