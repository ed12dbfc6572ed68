/*
 * csv_split.h -- one CSV record into columns: the door to libcsv.
 *
 * A record is given whole, without its line end.  Spaces are kept, quoting is
 * held to RFC 4180.
 */
#ifndef ASBI_ADAPTERS_CSV_SPLIT_H
#define ASBI_ADAPTERS_CSV_SPLIT_H

#include "engine/base/mem.h"
#include "engine/base/str.h"

struct asbi_csv_split;

/* NULL when out of memory. */
struct asbi_csv_split *asbi_csv_split_new(const struct asbi_mem *mem);
void asbi_csv_split_free(struct asbi_csv_split *s);

/**
 * Splits a record.  What was read before a fault counts, too.
 * @param most  columns beyond are counted but not kept; 0: keep all
 * @return ASB_OK, ASB_EPARSE (malformed quoting) or ASB_ENOMEM
 */
int asbi_csv_split(struct asbi_csv_split *s, asbi_str record, size_t most);

/* As asbi_csv_split() for the start of a record: what may not be whole, the
 * last column, is left out. */
int asbi_csv_split_start(struct asbi_csv_split *s, asbi_str start, size_t most);

/* The columns of the last record; live until the next. */
const asbi_str *asbi_csv_split_columns(const struct asbi_csv_split *s);
size_t asbi_csv_split_count(const struct asbi_csv_split *s);

#endif
