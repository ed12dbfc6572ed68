/*
 * job_strict.h -- --strict: the whole input is read once before anything is
 * sent, and refused with its first bad line.
 */
#ifndef ASBI_JOB_STRICT_H
#define ASBI_JOB_STRICT_H

#include "adapters/format.h"

/* Reads a regular file from its start to its end and goes back to where it
 * was.  Blocks while it reads.  ASB_OK, ASB_ECONFIG (with the line in `why`),
 * ASB_EIO or ASB_ENOMEM. */
int asbi_job_check_input(const struct asbi_mem *mem, int fd,
                         const struct asbi_reader_options *options,
                         struct asb_message *why);

#endif
