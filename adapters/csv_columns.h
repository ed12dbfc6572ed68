/*
 * csv_columns.h -- what the columns of a CSV file mean, and how its rows are
 * written again.
 *
 * Reader and writer share one private encoding of a row: its CSV text without
 * line end, in which one byte each stands where the writer puts the target
 * text, the status and the error.  These bytes are in no UTF-8 text.
 */
#ifndef ASBI_ADAPTERS_CSV_COLUMNS_H
#define ASBI_ADAPTERS_CSV_COLUMNS_H

#include "adapters/format.h"
#include "adapters/rows.h"

#define ASBI_CSV_PUT_TARGET '\xff'
#define ASBI_CSV_PUT_STATUS '\xfe'
#define ASBI_CSV_PUT_ERROR '\xfd'

enum asbi_csv_role {
    ASBI_CSV_ID,
    ASBI_CSV_TEXT,
    ASBI_CSV_MAX_LENGTH,
    ASBI_CSV_PRIORITY,
    ASBI_CSV_DEADLINE,
    ASBI_CSV_TARGET, /* these three in this order, as they are appended */
    ASBI_CSV_STATUS,
    ASBI_CSV_ERROR,
    ASBI_CSV_ROLES
};

struct asbi_csv_columns {
    size_t count;
    size_t at[ASBI_CSV_ROLES]; /* index + 1; 0: there is no such column */
    struct asbi_buf header;    /* ready to write, with line end */
    struct asbi_buf names;     /* "name": of each column, for fields */
    struct asbi_buf fields;    /* of the last row */
};

void asbi_csv_columns_init(struct asbi_csv_columns *c,
                           const struct asbi_mem *mem);
void asbi_csv_columns_fini(struct asbi_csv_columns *c);

/* What a host may name; NULL: the usual names. */
struct asbi_csv_names {
    const char *id, *text;
    bool text_optional;
};

/* Takes the header row.  ASB_OK, ASB_ENOMEM, or ASB_EPARSE with the reason. */
int asbi_csv_columns_read(struct asbi_csv_columns *c, const asbi_str *cols,
                          size_t count, const struct asbi_csv_names *names,
                          struct asb_message *why);

/* Fills the row from as many columns as the header has.  ASB_OK (also for a
 * bad row) or ASB_ENOMEM. */
int asbi_csv_columns_row(struct asbi_csv_columns *c, struct asbi_rows *rows,
                         const asbi_str *cols, bool wants_fields);

/* Appends the private encoding; of missing columns (`count` is smaller than
 * the header's) empty ones. */
void asbi_csv_encode(const struct asbi_csv_columns *c, const asbi_str *cols,
                     size_t count, struct asbi_buf *out);

/* As asbi_csv_encode(), for a row that can stay as it was written. */
void asbi_csv_encode_raw(const struct asbi_csv_columns *c, asbi_str raw,
                         struct asbi_buf *out);

/* Whether such rows can stay: no column of theirs is ours to fill. */
bool asbi_csv_keeps_raw(const struct asbi_csv_columns *c);

/* One column, quoted only where it must be; what is not UTF-8 is repaired. */
void asbi_csv_put(struct asbi_buf *out, asbi_str text);

#endif
