/*
 * torn_disk.h -- a disk in memory whose power fails: what was written and not
 * synced is kept, lost or torn, sector by sector, later writes perhaps without
 * earlier ones; names that were made or removed without a sync of their folder
 * may be as before.
 *
 * Knows nothing of SQLite: torn_vfs.h puts it below SQLite.  All it does
 * follows from its seed.  Ends the test when memory is short.
 *
 * What a machine promises is kept, and no more: what a sync said is durable is;
 * bytes beside those that were written are left alone; and what a failed sync
 * was to make durable is made so by no later one, unless it is written again.
 */
#ifndef ASBI_TESTS_TORN_DISK_H
#define ASBI_TESTS_TORN_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/rng.h"

enum { TORN_FILES = 8, TORN_SECTOR = 512 };

struct torn_bytes {
    unsigned char *at;
    size_t len, room;
};

/* A write, or a change of the file's length to `off` when `data` is NULL. */
struct torn_change {
    size_t off, len;
    unsigned char *data;
    bool doomed; /* its sync has failed */
};

struct torn_file {
    char name[128]; /* empty: a free place */
    bool is;        /* as who runs sees it ... */
    bool was;       /* ... and as the folder says on the disk */
    struct torn_bytes now, durable;
    struct torn_change *changes; /* since the last sync, the oldest first */
    size_t change_count, change_room;
};

struct torn_disk {
    struct torn_file files[TORN_FILES];
    struct asbi_rng rng;
    size_t until_off;  /* changes and syncs before the power fails; 0: never */
    size_t until_fail; /* and before one fails that is not the last; likewise */
    bool off;          /* the power is off: nothing works */

    /* -- counted */
    size_t writes, syncs, crashes, torn, lost, kept;
};

void torn_disk_init(struct torn_disk *d, uint64_t seed);
void torn_disk_fini(struct torn_disk *d);

/* The power comes back: settles what had not been synced. */
void torn_disk_restart(struct torn_disk *d);

/* NULL when there is none; or when there is no place for another. */
struct torn_file *torn_disk_find(struct torn_disk *d, const char *name);
struct torn_file *torn_disk_make(struct torn_disk *d, const char *name);

/* These are false when the power is off, or when this one is to fail. */
bool torn_disk_write(struct torn_disk *d, struct torn_file *f, size_t off,
                     const void *data, size_t len);
bool torn_disk_cut(struct torn_disk *d, struct torn_file *f, size_t len);
bool torn_disk_sync(struct torn_disk *d, struct torn_file *f);
bool torn_disk_sync_names(struct torn_disk *d);
bool torn_disk_remove(struct torn_disk *d, struct torn_file *f, bool durably);

#endif
