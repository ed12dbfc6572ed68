/*
 * torn_vfs.h -- puts a torn_disk below SQLite: from torn_vfs_use() on, each
 * data base that this process opens is on it.  For one process and one thread.
 */
#ifndef ASBI_TESTS_TORN_VFS_H
#define ASBI_TESTS_TORN_VFS_H

#include "tests/support/torn_disk.h"

/* False when SQLite does not take it.  `d` lives as long as data bases do. */
bool torn_vfs_use(struct torn_disk *d);

/* The system's disk again. */
void torn_vfs_leave(void);

#endif
