#include "tests/support/torn_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { REGIONS = 16 };

/* An open file.  The index of a write-ahead log is shared memory, which one
 * process needs not share. */
struct handle {
    sqlite3_file base;
    struct torn_file *file;
    bool remove_at_end;
    bool syncs_folder; /* with the next sync */
    void *regions[REGIONS];
};

static struct torn_disk *disk;
static sqlite3_vfs *system_vfs, vfs;

static struct handle *handle_of(sqlite3_file *f)
{
    return (struct handle *)(void *)f;
}

/* ---- one file ------------------------------------------------------------ */

static int on_unmap(sqlite3_file *f, int and_delete)
{
    struct handle *h = handle_of(f);

    (void)and_delete;
    for (int i = 0; i < REGIONS; i++) {
        free(h->regions[i]);
        h->regions[i] = NULL;
    }
    return SQLITE_OK;
}

static int on_close(sqlite3_file *f)
{
    struct handle *h = handle_of(f);

    (void)on_unmap(f, 1);
    if (h->remove_at_end)
        (void)torn_disk_remove(disk, h->file, false);
    return SQLITE_OK;
}

static int on_read(sqlite3_file *f, void *to, int len, sqlite3_int64 off)
{
    const struct torn_bytes *now = &handle_of(f)->file->now;
    size_t at = (size_t)off, wanted = (size_t)len, there = 0;

    if (disk->off)
        return SQLITE_IOERR_READ;
    if (at < now->len)
        there = wanted < now->len - at ? wanted : now->len - at;
    if (there)
        memcpy(to, now->at + at, there);
    memset((char *)to + there, 0, wanted - there);
    return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *f, const void *data, int len,
                    sqlite3_int64 off)
{
    return torn_disk_write(disk, handle_of(f)->file, (size_t)off, data,
                           (size_t)len)
               ? SQLITE_OK
               : SQLITE_FULL;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    return torn_disk_cut(disk, handle_of(f)->file, (size_t)len)
               ? SQLITE_OK
               : SQLITE_IOERR_TRUNCATE;
}

/* The first of a journal that may be new syncs its folder, as on a Unix. */
static int on_sync(sqlite3_file *f, int flags)
{
    struct handle *h = handle_of(f);

    (void)flags;
    if (!torn_disk_sync(disk, h->file))
        return SQLITE_IOERR_FSYNC;
    if (h->syncs_folder && !torn_disk_sync_names(disk))
        return SQLITE_IOERR_DIR_FSYNC;
    h->syncs_folder = false;
    return SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *len)
{
    *len = (sqlite3_int64)handle_of(f)->file->now.len;
    return disk->off ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int on_lock(sqlite3_file *f, int level)
{
    (void)f;
    (void)level;
    return SQLITE_OK;
}

static int on_check_lock(sqlite3_file *f, int *reserved)
{
    (void)f;
    *reserved = 0;
    return SQLITE_OK;
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
    (void)f;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *f)
{
    (void)f;
    return TORN_SECTOR;
}

/* What SQLite takes for granted on a Unix, and torn_disk holds to. */
static int on_characteristics(sqlite3_file *f)
{
    (void)f;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int on_map(sqlite3_file *f, int region, int size, int extend,
                  void volatile **out)
{
    struct handle *h = handle_of(f);

    *out = NULL;
    if (region < 0 || region >= REGIONS)
        return SQLITE_IOERR_SHMMAP;
    if (!h->regions[region] && extend)
        h->regions[region] = calloc(1, (size_t)size);
    *out = h->regions[region];
    return extend && !*out ? SQLITE_NOMEM : SQLITE_OK;
}

static int on_map_lock(sqlite3_file *f, int at, int count, int flags)
{
    (void)f;
    (void)at;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void on_barrier(sqlite3_file *f)
{
    (void)f;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_lock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_map,
    .xShmLock = on_map_lock,
    .xShmBarrier = on_barrier,
    .xShmUnmap = on_unmap,
};

/* ---- the file system ------------------------------------------------------
 */

/* A main data base is there, if empty, since whoever opens it has made it. */
static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
                   int *out_flags)
{
    struct handle *h = handle_of(f);
    const int journals =
        SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    bool make = flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB);

    (void)v;
    *h = (struct handle){
        .remove_at_end = flags & SQLITE_OPEN_DELETEONCLOSE,
        .syncs_folder = flags & SQLITE_OPEN_CREATE && flags & journals,
    };
    if (!name)
        name = "unnamed";
    h->file = torn_disk_find(disk, name);
    if (!h->file && make)
        h->file = torn_disk_make(disk, name);
    if (!h->file || disk->off)
        return SQLITE_CANTOPEN;
    h->base.pMethods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
    struct torn_file *f = torn_disk_find(disk, name);

    (void)v;
    if (!f)
        return SQLITE_IOERR_DELETE_NOENT;
    return torn_disk_remove(disk, f, sync_folder) ? SQLITE_OK
                                                  : SQLITE_IOERR_DELETE;
}

/* As on a Unix: an empty file counts as none when asked whether it exists. */
static int on_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
    const struct torn_file *f = torn_disk_find(disk, name);

    (void)v;
    *out = f && (flags != SQLITE_ACCESS_EXISTS || f->now.len > 0);
    return disk->off ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int on_full_name(sqlite3_vfs *v, const char *name, int room, char *out)
{
    (void)v;
    (void)sqlite3_snprintf(room, out, "%s", name);
    return SQLITE_OK;
}

/* Salts of the log come from here, so that a seed replays. */
static int on_random(sqlite3_vfs *v, int len, char *out)
{
    (void)v;
    for (int i = 0; i < len; i++)
        out[i] = (char)(unsigned char)asbi_rng_below(&disk->rng, 256);
    return len;
}

bool torn_vfs_use(struct torn_disk *d)
{
    if (sqlite3_initialize() != SQLITE_OK)
        return false;
    disk = d;
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.zName = "torn";
    vfs.szOsFile = sizeof(struct handle);
    vfs.pNext = NULL;
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    vfs.xAccess = on_access;
    vfs.xFullPathname = on_full_name;
    vfs.xRandomness = on_random;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        return false;
    sqlite3_randomness(0, NULL); /* begins anew, from the disk's seed */
    return true;
}

void torn_vfs_leave(void)
{
    (void)sqlite3_vfs_unregister(&vfs);
    (void)sqlite3_vfs_register(system_vfs, 1);
}
