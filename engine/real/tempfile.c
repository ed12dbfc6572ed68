#include "engine/real/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The descriptor itself is the handle; one is added as 0 would be NULL. */
static void *handle_of(int fd)
{
    return (void *)((intptr_t)fd + 1);
}

static int fd_of(void *file)
{
    return (int)((intptr_t)file - 1);
}

static int tempfile_open(void *arg, void **file)
{
    const char *folder = arg ? arg : getenv("TMPDIR");
    char path[4096];

    int len = snprintf(path, sizeof(path), "%s/asyncbatch-XXXXXX",
                       folder && folder[0] ? folder : "/tmp");
    if (len < 0 || (size_t)len >= sizeof(path))
        return ENAMETOOLONG;
    int fd = mkstemp(path);
    if (fd < 0)
        return errno;
    (void)unlink(path);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    *file = handle_of(fd);
    return 0;
}

static int tempfile_read(void *file, uint64_t at, void *to, size_t len)
{
    char *next = to;

    while (len) {
        ssize_t n = pread(fd_of(file), next, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : EIO;
        next += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int tempfile_write(void *file, uint64_t at, const void *from, size_t len)
{
    const char *next = from;

    while (len) {
        ssize_t n = pwrite(fd_of(file), next, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        next += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static void tempfile_close(void *file)
{
    (void)close(fd_of(file));
}

const struct asbi_seen_store asbi_tempfile_store = {
    .open = tempfile_open,
    .read = tempfile_read,
    .write = tempfile_write,
    .close = tempfile_close,
};
