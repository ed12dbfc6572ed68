#include "engine/real/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"

int asbi_file_create(const char *path, bool private_file, int *fd,
                     struct asb_message *why)
{
    mode_t mode = private_file ? 0600 : 0666;

    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (*fd < 0)
        return asbi_fail(why, ASB_EIO, "%s: cannot be written: %s", path,
                         strerror(errno));
    return ASB_OK;
}

int asbi_file_write(int fd, asbi_str bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.at, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes.at += n;
        bytes.len -= (size_t)n;
    }
    return 0;
}

bool asbi_file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 || errno != ENOENT;
}

enum { PATH_BYTES = 4096 };

/* The folder that a path is in. */
static void folder_of(const char *path, char out[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 1;

    if (slash == path)
        len = 1; /* of the root itself */
    (void)snprintf(out, PATH_BYTES, "%.*s", len, slash ? path : ".");
}

static int no_folder(const char *name, const char *path, const char *folder,
                     struct asb_message *why)
{
    return asbi_fail(why, ASB_EIO,
                     "%s %.300s: there is no folder %.300s; make it, or name "
                     "another place by --%s",
                     name, path, folder, name);
}

int asbi_file_check(const char *name, const char *path, struct asb_message *why)
{
    char folder[PATH_BYTES];
    const char *place = path;
    struct stat st;
    int error = stat(path, &st) == 0 ? 0 : errno;

    if (error == ENOENT) {
        folder_of(path, folder);
        if (stat(folder, &st) != 0 && errno == ENOENT)
            return no_folder(name, path, folder, why);
        place = folder;
        error = 0;
    } else if (!error && S_ISDIR(st.st_mode)) {
        error = EISDIR;
    }
    if (!error && faccessat(AT_FDCWD, place, W_OK, AT_EACCESS) != 0)
        error = errno;
    if (!error)
        return ASB_OK;
    return asbi_fail(why, ASB_EIO,
                     "%s %.300s: cannot be written: %s; name another place by "
                     "--%s",
                     name, path, strerror(error), name);
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool asbi_file_is_same(const char *a, const char *b)
{
    char folder_a[PATH_BYTES], folder_b[PATH_BYTES];
    struct stat x, y;
    bool has_a = stat(a, &x) == 0, has_b = stat(b, &y) == 0;

    if (has_a || has_b)
        return has_a && has_b && S_ISREG(x.st_mode) && is_same_inode(&x, &y);
    folder_of(a, folder_a);
    folder_of(b, folder_b);
    return strcmp(last_name(a), last_name(b)) == 0 && stat(folder_a, &x) == 0 &&
           stat(folder_b, &y) == 0 && is_same_inode(&x, &y);
}

void asbi_file_make_folder(const char *path)
{
    char folder[PATH_BYTES];
    char *end = folder;

    folder_of(path, folder);
    do {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char was = *end;
        *end = '\0';
        (void)mkdir(folder, 0777);
        *end = was;
    } while (*end);
}

static int open_folder(const char *path)
{
    char folder[PATH_BYTES];

    folder_of(path, folder);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int asbi_file_lock_beside(const char *path, int *lock, struct asb_message *why)
{
    int rc = -1;

    *lock = open_folder(path);
    if (*lock >= 0) {
        do
            rc = flock(*lock, LOCK_EX);
        while (rc && errno == EINTR);
    }
    if (rc == 0)
        return ASB_OK;
    rc = asbi_fail(why, ASB_EIO, "%s: its folder cannot be locked: %s", path,
                   strerror(errno));
    asbi_file_unlock(*lock);
    *lock = -1;
    return rc;
}

void asbi_file_unlock(int lock)
{
    if (lock >= 0)
        (void)close(lock);
}

/* A new name is there for good only when its folder is on the disk. */
static int sync_folder(const char *path)
{
    int fd = open_folder(path);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int asbi_file_replace(const char *path, asbi_str bytes, struct asb_message *why)
{
    char fresh[PATH_BYTES];
    int len = snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
    int fd = -1, error = ENAMETOOLONG;

    if (len > 0 && (size_t)len < sizeof(fresh)) {
        fd = mkstemp(fresh); /* mode 0600 */
        error = fd < 0 ? errno : asbi_file_write(fd, bytes);
    }
    if (!error && fsync(fd))
        error = errno;
    if (fd >= 0 && close(fd) && !error)
        error = errno;
    if (!error && (rename(fresh, path) || sync_folder(path)))
        error = errno;
    if (!error)
        return ASB_OK;
    if (fd >= 0)
        (void)unlink(fresh);
    return asbi_fail(why, ASB_EIO, "%s: cannot be replaced: %s", path,
                     strerror(error));
}
