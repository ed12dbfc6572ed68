/*
 * progress_text.h -- a job's statistics as lines for people and machines.
 *
 * Pure: statistics and a screen go in, text comes out.  No terminal, no clock.
 */
#ifndef ASB_TOOLS_PROGRESS_TEXT_H
#define ASB_TOOLS_PROGRESS_TEXT_H

#include <asyncbatch/asyncbatch.h>

/* Text that is cut, never overrun; always NUL-terminated. */
struct text {
    char at[2048];
    size_t len;
};

void text_add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Columns on a screen, all of one column each: what these lines are made of. */
size_t text_columns(const char *utf8);

struct progress_screen {
    unsigned columns; /* of the terminal */
    bool unicode;     /* else ASCII only */
    unsigned tick;    /* counts redraws, turns the spinner */
    const char *note; /* shown at the end of the line; NULL for none */
};

/* One line, without newline, at most `columns` - 1 wide: what matters least is
 * left out first.  "" when not even the percentage fits. */
void progress_bar_line(struct text *out, const struct asb_job_stats *s,
                       const struct progress_screen *screen);

/* One line, without newline, for a log file. */
void progress_plain_line(struct text *out, const struct asb_job_stats *s,
                         const char *note);

/* One JSON object, without newline; keys as in the metrics file. */
void progress_json_line(struct text *out, const struct asb_job_stats *s);

/* The block at the end, several lines. */
void progress_summary(struct text *out, const struct asb_job_stats *s);

/* When the last plain line was written. */
struct progress_mark {
    double elapsed_seconds;
    uint64_t rows_written;
};

/* Whether a plain line is due: never twice in 10 s, then at each 5 % of the
 * work, and after a minute in any case. */
bool progress_plain_due(const struct progress_mark *last,
                        const struct asb_job_stats *s);

/* Rows in all, or < 0 while unknown. */
double progress_total(const struct asb_job_stats *s);

#endif
