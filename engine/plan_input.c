/*
 * plan_input.c -- the rows of a plan, read once and given to all its runs.
 */
#include "engine/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "adapters/format.h"
#include "engine/base/error.h"
#include "engine/input.h"
#include "engine/job_strict.h"
#include "engine/real/tempfile.h"

enum { SLICE = 65536 };

static bool have_room(const struct asb_plan *p)
{
    for (size_t i = 0; i < p->run_count; i++) {
        if (!asb_has_room(p->runs[i]->engine))
            return false;
    }
    return true;
}

static bool all_have_ended(const struct asb_plan *p)
{
    for (size_t i = 0; i < p->run_count; i++) {
        if (!p->runs[i]->failed_fast)
            return false;
    }
    return true;
}

static int make_room(struct asb_plan *p)
{
    int rc = p->rc;

    for (size_t i = 0; !rc && i < p->run_count; i++)
        rc = asbi_plan_run_make_room(p->runs[i]);
    return rc;
}

/* In a large job luck evens out. */
static void keep_one_run(struct asb_plan *p)
{
    while (p->run_count > 1)
        asbi_plan_run_free(p->runs[--p->run_count]);
}

static void bad_row(struct asb_plan *p)
{
    p->rows_bad++;
    for (size_t i = 0; i < p->run_count; i++)
        asbi_plan_run_failed(p->runs[i]);
}

static int submit(struct asb_plan *p, const struct asbi_row *row)
{
    struct asb_request request =
        asbi_input_request(&p->options->values, row, p->wall_ms);
    bool refused = false;
    int rc = ASB_OK;

    for (size_t i = 0; !rc && i < p->run_count; i++) {
        if (!p->runs[i]->failed_fast)
            rc = asbi_plan_run_submit(p->runs[i], &request, &refused);
    }
    if (!rc && refused)
        bad_row(p);
    return rc;
}

static void flush(struct asb_plan *p)
{
    for (size_t i = 0; i < p->run_count; i++)
        asb_flush(p->runs[i]->engine);
}

static int on_row(void *arg, const struct asbi_row *row)
{
    struct asb_plan *p = arg;
    uint64_t earlier = 0;

    if (row->op == ASBI_OP_FLUSH)
        flush(p);
    if (row->op != ASBI_OP_ITEM)
        return 0;
    if (++p->rows == ASBI_PLAN_ROWS_FOR_ALL)
        keep_one_run(p);
    if (!row->error_code && !row->answered)
        p->rc = asbi_seen_check(p->seen, row->request.id, row->line, &earlier);
    if (row->error_code || earlier || asbi_input_is_late(row, p->wall_ms))
        bad_row(p);
    else if (row->answered)
        p->rows_answered++;
    else if (!p->rc)
        p->rc = submit(p, row);
    return p->rc || all_have_ended(p) || !have_room(p);
}

static int feed(struct asb_plan *p, const char *at, size_t len,
                struct asb_message *why)
{
    int rc = ASB_OK;

    while (!rc && len && !all_have_ended(p)) {
        size_t used = 0;

        rc = asbi_reader_feed(p->reader, at, len, &used, why);
        at += used;
        len -= used;
        if (!rc)
            rc = make_room(p);
    }
    return rc;
}

static int finish_reading(struct asb_plan *p, struct asb_message *why)
{
    int rc;

    do {
        rc = asbi_reader_end(p->reader, why);
        if (rc == ASB_OK || rc == ASB_EBUSY) {
            int room = make_room(p);
            rc = room ? room : rc;
        }
    } while (rc == ASB_EBUSY && !all_have_ended(p));
    return rc == ASB_EBUSY ? ASB_OK : rc;
}

static int read_rows(struct asb_plan *p, int fd, struct asb_message *why)
{
    char *slice = asbi_alloc(&p->mem, SLICE);
    ssize_t n = 1;
    int rc = slice ? ASB_OK : ASB_ENOMEM;

    while (!rc && n && !all_have_ended(p)) {
        n = read(fd, slice, SLICE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = asbi_fail(why, ASB_EIO, "reading the input failed: %s",
                           strerror(errno));
        else if (n > 0)
            rc = feed(p, slice, (size_t)n, why);
    }
    asbi_free(&p->mem, slice);
    if (!rc && !all_have_ended(p))
        rc = finish_reading(p, why);
    return rc ? rc : p->rc;
}

static int open_input(const char *path, int *fd, struct asb_message *why)
{
    *fd = STDIN_FILENO;
    if (strcmp(path, "-") == 0)
        return ASB_OK;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return asbi_fail(why, ASB_EIO, "input %s: %s", path, strerror(errno));
    return ASB_OK;
}

/* As a job does: what is in a file need not be hurried. */
static void be_patient(struct asb_plan *p, int fd)
{
    struct stat st;
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;

    for (size_t i = 0; i < p->run_count; i++)
        p->runs[i]->engine->patient = file;
}

int asbi_plan_read(struct asb_plan *p, struct asb_message *why)
{
    const struct asbi_config *c = &p->options->values;
    struct asbi_reader_options options;
    int fd;

    p->wall_ms = (uint64_t)time(NULL) * 1000;
    asbi_input_reader_options(c, p->runs[0]->engine->task, &options);
    int rc = open_input(c->input, &fd, why);
    if (rc)
        return rc;
    be_patient(p, fd);
    if (c->strict)
        rc = asbi_job_check_input(&p->mem, fd, &options, why);
    if (!rc)
        rc = asbi_reader_new(&p->mem, &options, on_row, p, &p->reader);
    if (!rc)
        rc = asbi_seen_new(&p->mem, &asbi_tempfile_store, NULL, &p->seen);
    if (!rc)
        rc = read_rows(p, fd, why);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return rc;
}
