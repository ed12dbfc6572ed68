#include "engine/job_strict.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/real/tempfile.h"
#include "engine/seen.h"

enum { SLICE = 65536 };

struct check {
    struct asb_message *why;
    struct asbi_seen *seen;
    int rc;
};

static int on_row(void *arg, const struct asbi_row *row)
{
    struct check *c = arg;
    uint64_t earlier = 0;

    if (row->error_code) {
        c->rc =
            asbi_fail(c->why, ASB_ECONFIG, "%s; nothing was sent (--strict)",
                      row->error_message);
        return 1;
    }
    c->rc = asbi_seen_check(c->seen, row->request.id, row->line, &earlier);
    if (earlier)
        c->rc = asbi_fail(c->why, ASB_ECONFIG,
                          "%s %llu: this id is taken by %s %llu already; "
                          "nothing was sent (--strict)",
                          row->place, (unsigned long long)row->line, row->place,
                          (unsigned long long)earlier);
    return c->rc != ASB_OK;
}

static int read_through(struct asbi_reader *reader, int fd, char *slice,
                        struct check *c)
{
    for (;;) {
        ssize_t n = read(fd, slice, SLICE);
        size_t used;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return asbi_fail(c->why, ASB_EIO, "reading the input failed: %s",
                             strerror(errno));
        int rc = n ? asbi_reader_feed(reader, slice, (size_t)n, &used, c->why)
                   : asbi_reader_end(reader, c->why);
        if (rc == ASB_EPARSE)
            return ASB_ECONFIG;
        /* A row that will not do pauses the reader: ASB_EBUSY at the end. */
        if (c->rc || rc || n == 0)
            return c->rc ? c->rc : rc;
    }
}

int asbi_job_check_input(const struct asbi_mem *mem, int fd,
                         const struct asbi_reader_options *options,
                         struct asb_message *why)
{
    struct check c = { .why = why };
    struct asbi_reader *reader = NULL;
    off_t start = lseek(fd, 0, SEEK_CUR);

    if (start < 0)
        return asbi_fail(why, ASB_ECONFIG,
                         "strict: the input must be a file, as it is read "
                         "twice; save it first or run without --strict");
    char *slice = asbi_alloc(mem, SLICE);
    int rc = slice ? ASB_OK : ASB_ENOMEM;
    if (!rc)
        rc = asbi_seen_new(mem, &asbi_tempfile_store, NULL, &c.seen);
    if (!rc)
        rc = asbi_reader_new(mem, options, on_row, &c, &reader);
    if (!rc)
        rc = read_through(reader, fd, slice, &c);
    if (lseek(fd, start, SEEK_SET) < 0 && !rc)
        rc = asbi_fail(why, ASB_EIO, "the input cannot be read again: %s",
                       strerror(errno));
    asbi_reader_free(reader);
    asbi_seen_free(c.seen);
    asbi_free(mem, slice);
    return rc;
}
