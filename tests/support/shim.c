/*
 * shim.c -- preloaded into the command: the n-th call of one function fails.
 *
 * ASB_FAIL_CALL=write, ASB_FAIL_AT=17, ASB_FAIL_ERRNO=28.  "write" stands for
 * all that writes to a file, "sync" for fsync and fdatasync, "socket" for
 * socket and connect, "send" for what goes into a socket.  Standard error is
 * left alone.  Without ASB_FAIL_AT nothing fails; how many such calls there
 * were is written to the file that ASB_FAIL_COUNT names.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long count;

static int fails(const char *name)
{
    const char *call = getenv("ASB_FAIL_CALL"), *at = getenv("ASB_FAIL_AT");
    const char *number = getenv("ASB_FAIL_ERRNO");

    if (!call || strcmp(call, name) != 0)
        return 0;
    count++;
    if (!at || count != strtoul(at, NULL, 10))
        return 0;
    errno = number ? (int)strtol(number, NULL, 10) : EIO;
    return 1;
}

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* Sockets are written to by sendmsg and the like, and by these too. */
static int is_socket(int fd)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static int write_fails(int fd)
{
    int before = errno;
    int socket = is_socket(fd);

    errno = before;
    if (fd == STDERR_FILENO)
        return 0;
    return fails(socket ? "send" : "write");
}

ssize_t write(int fd, const void *at, size_t len)
{
    ssize_t (*next)(int, const void *, size_t) = real("write");

    return write_fails(fd) ? -1 : next(fd, at, len);
}

ssize_t pwrite(int fd, const void *at, size_t len, off_t to)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = real("pwrite");

    return write_fails(fd) ? -1 : next(fd, at, len, to);
}

ssize_t pwrite64(int fd, const void *at, size_t len, off64_t to)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) = real("pwrite64");

    return write_fails(fd) ? -1 : next(fd, at, len, to);
}

ssize_t writev(int fd, const struct iovec *parts, int parts_count)
{
    ssize_t (*next)(int, const struct iovec *, int) = real("writev");

    return write_fails(fd) ? -1 : next(fd, parts, parts_count);
}

ssize_t send(int fd, const void *at, size_t len, int flags)
{
    ssize_t (*next)(int, const void *, size_t, int) = real("send");

    return fails("send") ? -1 : next(fd, at, len, flags);
}

int fsync(int fd)
{
    int (*next)(int) = real("fsync");

    return fails("sync") ? -1 : next(fd);
}

int fdatasync(int fd)
{
    int (*next)(int) = real("fdatasync");

    return fails("sync") ? -1 : next(fd);
}

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int) = real("socket");

    return fails("socket") ? -1 : next(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = real("connect");

    return fails("socket") ? -1 : next(fd, to, len);
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("ASB_FAIL_COUNT");
    unsigned long all = count;
    FILE *f = path ? fopen(path, "w") : NULL;

    if (!f)
        return;
    (void)fprintf(f, "%lu\n", all);
    (void)fclose(f);
}
