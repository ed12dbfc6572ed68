/*
 * file.h -- files written in one go or line by line, outside of the loop:
 * small ones only.
 */
#ifndef ASBI_REAL_FILE_H
#define ASBI_REAL_FILE_H

#include <asyncbatch/asyncbatch.h>

#include "engine/base/str.h"

/* Creates or empties a file for writing, closed on exec.  `private_file`: mode
 * 0600.  ASB_OK or ASB_EIO. */
int asbi_file_create(const char *path, bool private_file, int *fd,
                     struct asb_message *why);

/* Writes all of it, whatever write() takes at a time.  0 or errno. */
int asbi_file_write(int fd, asbi_str bytes);

#endif
