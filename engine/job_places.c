/*
 * job_places.c -- before a file is made or emptied: each that will be written
 * finds its place, and none is another one by a different name.
 *
 * A run that is refused leaves all files as they were.
 */
#include "engine/job.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/job_journal.h"
#include "engine/real/file.h"

struct place {
    const char *name, *path;
};

enum { WRITTEN = 6, PLACES = 15 };

/* Those that are written first. */
static void list(const struct asbi_config *c, const char *journal,
                 struct place out[PLACES])
{
    const struct place all[PLACES] = {
        { "output", c->output },       { "metrics", c->metrics },
        { "summary", c->summary },     { "journal", journal },
        { "cache", c->cache },         { "state", c->state },
        { "input", c->input },         { "config", c->config },
        { "catalogue", c->catalogue }, { "instructions", c->instructions },
        { "style", c->style },         { "glossary", c->glossary },
        { "tokenizer", c->tokenizer }, { "forecast", c->forecast },
        { "ca_file", c->ca_file },
    };

    memcpy(out, all, sizeof(all));
}

static bool is_file(const struct place *p)
{
    return p->path[0] && strcmp(p->path, "-") != 0;
}

static int same(const struct place *a, const struct place *b,
                struct asb_message *why)
{
    return asbi_fail(why, ASB_ECONFIG,
                     "%s %.300s: is the same file as %s %.300s; name another",
                     a->name, a->path, b->name, b->path);
}

/* Standard input may come from a file. */
static int check_stdin(const struct asb_job *job, const struct place *written,
                       struct asb_message *why)
{
    static const struct place input = { "the input", "" };
    struct stat in, st;

    if (fstat(job->in_fd, &in) != 0 || !S_ISREG(in.st_mode) ||
        stat(written->path, &st) != 0 || in.st_dev != st.st_dev ||
        in.st_ino != st.st_ino)
        return ASB_OK;
    return same(written, &input, why);
}

static int check_alone(const struct asb_job *job, const struct place *places,
                       int index, struct asb_message *why)
{
    int rc = check_stdin(job, &places[index], why);

    for (int i = index + 1; !rc && i < PLACES; i++) {
        if (is_file(&places[i]) &&
            asbi_file_is_same(places[index].path, places[i].path))
            rc = same(&places[index], &places[i], why);
    }
    return rc;
}

static int check_all(const struct asb_job *job,
                     const struct place places[PLACES], struct asb_message *why)
{
    int rc = ASB_OK;

    for (int i = 0; !rc && i < WRITTEN; i++) {
        if (is_file(&places[i]))
            rc = check_alone(job, places, i, why);
    }
    return rc;
}

int asbi_job_check_places(const struct asb_job *job, struct asb_message *why)
{
    struct place places[PLACES];
    char *journal;

    int rc = asbi_job_journal_path(job, &journal);
    if (rc)
        return rc;
    list(job->config, journal ? journal : "", places);
    rc = check_all(job, places, why);
    asbi_free(job->mem, journal);
    if (!rc && is_file(&places[0]))
        rc = asbi_file_check("output", places[0].path, why);
    return rc ? rc : asbi_job_report_check(job, why);
}
