#include "engine/real/artefact_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/list.h"
#include "engine/real/file.h"

enum { SLICE = 65536 };

struct dir {
    struct asbi_artefacts base; /* first */
    const struct asbi_mem *mem;
    char *path;
    int fd;
    int error; /* errno of the last failure; 0: no memory or digest */
    struct asbi_list open;
};

struct asbi_artefact {
    struct dir *dir;
    struct asbi_link link;
    struct asbi_digest *digest;
    char *part; /* its name within the folder */
    int fd;
};

static struct dir *dir_of(struct asbi_artefacts *a)
{
    return (struct dir *)(void *)a;
}

static int fail(struct dir *d)
{
    d->error = errno;
    return ASB_EIO;
}

static void artefact_free(struct asbi_artefact *f)
{
    if (!f)
        return;
    asbi_list_remove(&f->link);
    if (f->fd >= 0)
        (void)close(f->fd); /* gives the lock back, too */
    asbi_digest_free(f->digest);
    asbi_free(f->dir->mem, f->part);
    asbi_free(f->dir->mem, f);
}

/* ---- a part ----------------------------------------------------------- */

/* What is there goes into the digest; the position is behind it then. */
static int read_part(struct asbi_artefact *f, uint64_t *have)
{
    char *slice = asbi_alloc(f->dir->mem, SLICE);
    ssize_t n = 1;

    if (!slice)
        return ASB_ENOMEM;
    *have = 0;
    while (n > 0) {
        n = read(f->fd, slice, SLICE);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n > 0 && !asbi_digest_add(f->digest, slice, (size_t)n))
            n = -1;
        if (n > 0)
            *have += (uint64_t)n;
    }
    asbi_free(f->dir->mem, slice);
    return n < 0 ? fail(f->dir) : ASB_OK;
}

static int open_part(struct asbi_artefact *f, uint64_t *have)
{
    struct dir *d = f->dir;

    f->fd =
        openat(d->fd, f->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (f->fd < 0 || flock(f->fd, LOCK_EX | LOCK_NB))
        return fail(d);
    if (!asbi_digest_begin(f->digest)) {
        d->error = 0;
        return ASB_EIO;
    }
    return read_part(f, have);
}

static int dir_begin(struct asbi_artefacts *a, const char *name,
                     struct asbi_artefact **out, uint64_t *have)
{
    struct dir *d = dir_of(a);
    struct asbi_artefact *f = asbi_calloc(d->mem, 1, sizeof(*f));
    struct asbi_buf part;
    int rc = ASB_ENOMEM;

    *out = NULL;
    if (!f)
        return rc;
    f->dir = d;
    f->fd = -1;
    asbi_buf_init(&part, d->mem, 4096);
    asbi_buf_fmt(&part, "%s.part", name);
    f->part = part.len ? asbi_strndup(d->mem, part.data, part.len) : NULL;
    asbi_buf_fini(&part);
    f->digest = asbi_digest_new();
    if (f->part && f->digest)
        rc = open_part(f, have);
    if (rc) {
        artefact_free(f);
        return rc;
    }
    asbi_list_append(&d->open, &f->link);
    *out = f;
    return ASB_OK;
}

static int part_restart(struct asbi_artefact *f)
{
    if (ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) < 0)
        return fail(f->dir);
    f->dir->error = 0;
    return asbi_digest_begin(f->digest) ? ASB_OK : ASB_EIO;
}

static int part_write(struct asbi_artefact *f, const char *at, size_t len)
{
    f->dir->error = 0;
    if (!asbi_digest_add(f->digest, at, len))
        return ASB_EIO;
    while (len) {
        ssize_t n = write(f->fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(f->dir);
        at += n;
        len -= (size_t)n;
    }
    return ASB_OK;
}

static int part_digest(struct asbi_artefact *f,
                       unsigned char sha256[ASBI_DIGEST_BYTES])
{
    f->dir->error = 0;
    return asbi_digest_end(f->digest, sha256) ? ASB_OK : ASB_EIO;
}

static int part_finish(struct asbi_artefact *f, const char *name,
                       struct asbi_buf *path)
{
    struct dir *d = f->dir;
    int rc = ASB_OK;

    if (fsync(f->fd) || renameat(d->fd, f->part, d->fd, name) || fsync(d->fd))
        rc = fail(d);
    else
        asbi_buf_fmt(path, "%s/%s", d->path, name);
    artefact_free(f);
    return rc;
}

static void part_drop(struct asbi_artefact *f)
{
    (void)unlinkat(f->dir->fd, f->part, 0);
    artefact_free(f);
}

static int read_whole(struct dir *d, int fd, struct asbi_buf *out)
{
    struct stat st;
    ssize_t n = 1;

    if (fstat(fd, &st))
        return fail(d);
    d->error = EFBIG;
    char *at = st.st_size > 0 && (uintmax_t)st.st_size <= out->max
                   ? asbi_buf_reserve(out, (size_t)st.st_size)
                   : NULL;
    if (!at)
        return ASB_EIO;
    for (size_t left = (size_t)st.st_size; n > 0 && left > 0;) {
        n = read(fd, at, left);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        at += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
        out->len += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? fail(d) : ASB_OK;
}

static int dir_load(struct asbi_artefacts *a, const char *path,
                    struct asbi_buf *out)
{
    struct dir *d = dir_of(a);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(d);
    int rc = read_whole(d, fd, out);
    (void)close(fd);
    return rc;
}

static const char *dir_say(const struct asbi_artefacts *a)
{
    const struct dir *d = (const struct dir *)(const void *)a;

    if (d->error == EWOULDBLOCK)
        return "another run writes the same artefact";
    return d->error ? strerror(d->error) : "the digest failed";
}

static void dir_free(struct asbi_artefacts *a)
{
    struct dir *d = dir_of(a);
    struct asbi_link *link;

    while ((link = asbi_list_first(&d->open)))
        artefact_free(ASBI_OF(link, struct asbi_artefact, link));
    if (d->fd >= 0)
        (void)close(d->fd);
    asbi_free(d->mem, d->path);
    asbi_free(d->mem, d);
}

static const struct asbi_artefacts_ops dir_ops = {
    .open = dir_begin,
    .restart = part_restart,
    .write = part_write,
    .digest = part_digest,
    .finish = part_finish,
    .close = artefact_free,
    .drop = part_drop,
    .load = dir_load,
    .say = dir_say,
    .free = dir_free,
};

int asbi_artefact_dir_open(const struct asbi_mem *mem, const char *path,
                           struct asbi_artefacts **out, struct asb_message *why)
{
    struct dir *d = asbi_calloc(mem, 1, sizeof(*d));
    size_t len = strlen(path);

    *out = NULL;
    if (!d)
        return ASB_ENOMEM;
    *d = (struct dir){ .base = { &dir_ops }, .mem = mem, .fd = -1 };
    asbi_list_init(&d->open);
    while (len > 1 && path[len - 1] == '/')
        len--;
    d->path = asbi_strndup(mem, path, len);
    if (!d->path) {
        dir_free(&d->base);
        return ASB_ENOMEM;
    }
    asbi_file_make_folder(d->path);
    if (mkdir(d->path, 0777) == 0 || errno == EEXIST)
        d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0) {
        int rc = asbi_fail(why, ASB_EIO,
                           "artefacts %.400s: %s; name another folder "
                           "by --artefacts",
                           d->path, strerror(errno));
        dir_free(&d->base);
        return rc;
    }
    *out = &d->base;
    return ASB_OK;
}
