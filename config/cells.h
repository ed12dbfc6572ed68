/*
 * cells.h -- rows of a small table: CSV after RFC 4180, or with tabs.
 *
 * For lists that users keep by hand, read whole; not for input data.
 */
#ifndef ASBI_CONFIG_CELLS_H
#define ASBI_CONFIG_CELLS_H

#include <stddef.h>

#include "engine/base/buf.h"
#include "engine/base/str.h"

enum { ASBI_CELLS_MAX = 64 };

struct asbi_cells {
    const char *at, *end;
    char separator;
    unsigned line; /* of `at`, from 1 */
    struct asbi_buf *room;

    /* -- the last row */
    asbi_str cell[ASBI_CELLS_MAX];
    unsigned column[ASBI_CELLS_MAX]; /* where each began, from 1 */
    size_t count;
    unsigned row_line;

    const char *error; /* of ASB_EPARSE */
    unsigned error_column;
};

/* Cells are written to `room`, which must hold `len` bytes without moving. */
void asbi_cells_init(struct asbi_cells *c, const char *text, size_t len,
                     char separator, struct asbi_buf *room);

/* The next row that is not empty.  ASB_OK, ASB_ENOENT at the end, ASB_EPARSE
 * (row_line, error_column and error say where and why). */
int asbi_cells_next(struct asbi_cells *c);

#endif
