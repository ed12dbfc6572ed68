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

/* Fills in what a row leaves to the job: its class, its deadline. */
void asbi_input_complete(const struct asbi_config *config,
                         struct asb_request *request);

#endif
