/*
 * log.h -- one line at a time to the host's sink; never to stdio.
 *
 * No key and no text of an item ever goes in here.
 */
#ifndef ASBI_BASE_LOG_H
#define ASBI_BASE_LOG_H

#include <asyncbatch/asyncbatch.h>

struct asbi_log {
    void (*sink)(enum asb_log_level level, const char *line, void *arg);
    void *arg;
};

/* Accepts NULL and a log without a sink. */
void asbi_log(const struct asbi_log *log, enum asb_log_level level,
              const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
