/*
 * input.h -- how the options say that an input is read, for all that reads
 * one: a job, a plan.
 */
#ifndef ASBI_INPUT_H
#define ASBI_INPUT_H

#include "adapters/format.h"
#include "adapters/task.h"
#include "config/config.h"

/* The format named, else by the suffix of `path`. */
enum asbi_format asbi_input_format(const char *name, const char *path);

/* What is read of a row is what `task` makes use of.  Strings in *out are
 * borrowed from `config`. */
void asbi_input_reader_options(const struct asbi_config *config,
                               const struct asbi_task *task,
                               struct asbi_reader_options *out);

/* A row's request with what the row leaves to the job: its class, its deadline.
 * One by the calendar is counted from `wall_ms`, which is now. */
struct asb_request asbi_input_request(const struct asbi_config *config,
                                      const struct asbi_row *row,
                                      uint64_t wall_ms);

/* Whether the row's deadline has passed before it could be asked. */
bool asbi_input_is_late(const struct asbi_row *row, uint64_t wall_ms);

#endif
