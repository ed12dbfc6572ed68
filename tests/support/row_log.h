/*
 * row_log.h -- feeds a reader in pieces and notes its rows as text, one line
 * each, so that two runs are compared as strings.
 */
#ifndef ASBI_TESTS_ROW_LOG_H
#define ASBI_TESTS_ROW_LOG_H

#include "adapters/format.h"

struct row_log {
    struct asbi_buf text;
    char header[1000]; /* the reader's, as a string */
    size_t rows, bad;
    bool pause; /* after each row */
    bool quiet; /* count only */
    size_t pauses;
    struct asb_message why;
};

/* Everything with defaults: 1000 bytes an item. */
struct asbi_reader_options row_log_options(enum asbi_format format);

/* Reads all of `input` in pieces of `piece` bytes (0: in one) and ends it.
 * What the reader returned. */
int row_log_read(struct row_log *log, const struct asbi_mem *mem,
                 const struct asbi_reader_options *options, asbi_str input,
                 size_t piece);

/* As row_log_read(), in two pieces, cut at `at`. */
int row_log_read_cut(struct row_log *log,
                     const struct asbi_reader_options *options, asbi_str input,
                     size_t at);

void row_log_fini(struct row_log *log);

/* Checks that every cut, single bytes, and pausing after every row give the
 * same rows; leaves the log of reading in one piece in *log. */
void row_log_check_pieces(struct row_log *log,
                          const struct asbi_reader_options *options,
                          asbi_str input);

/* The same, and that the notes are these. */
void row_log_check_rows(struct row_log *log,
                        const struct asbi_reader_options *options,
                        asbi_str input, const char *rows);

/* Checks that 100,000 rows behind `head` take as many allocations as 1,000;
 * `put` appends row `i`. */
void row_log_check_memory(enum asbi_format format, const char *head,
                          void (*put)(struct asbi_buf *in, int i));

/* The notes as a string; what was noted of a row is
 * "LINE ID text=... ..." with only what differs from the default. */
const char *row_log_text(struct row_log *log);

#endif
