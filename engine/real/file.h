/*
 * file.h -- files written in one go or line by line, outside of the loop:
 * small ones only.
 */
#ifndef ASBI_REAL_FILE_H
#define ASBI_REAL_FILE_H

#include <stdbool.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/str.h"

/* Whether a file of option `name` can be written or made at `path`, as far as
 * that is seen without touching it.  ASB_OK, or ASB_EIO with what is in the way
 * and what to do. */
int asbi_file_check(const char *name, const char *path,
                    struct asb_message *why);

/* Whether two paths name one regular file, or will when it is made. */
bool asbi_file_is_same(const char *a, const char *b);

/* Makes the folder that `path` is in, and those above it; asbi_file_check()
 * tells when that did not work. */
void asbi_file_make_folder(const char *path);

/* Creates or empties a file for writing, closed on exec.  `private_file`: mode
 * 0600.  ASB_OK or ASB_EIO. */
int asbi_file_create(const char *path, bool private_file, int *fd,
                     struct asb_message *why);

/* Writes all of it, whatever write() takes at a time.  0 or errno. */
int asbi_file_write(int fd, asbi_str bytes);

/* True unless it is known not to be there. */
bool asbi_file_exists(const char *path);

/* Puts `bytes` in the place of the file, mode 0600: whoever opens it sees the
 * old bytes or all of the new ones, also after a crash.  ASB_OK or ASB_EIO. */
int asbi_file_replace(const char *path, asbi_str bytes,
                      struct asb_message *why);

/* Locks the folder of a path against others that do so; waits for them, so that
 * it is to be held for the time of a small file only.  ASB_OK and *lock, or
 * ASB_EIO. */
int asbi_file_lock_beside(const char *path, int *lock, struct asb_message *why);
void asbi_file_unlock(int lock); /* -1: does nothing */

#endif
