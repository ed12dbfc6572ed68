#include "engine/job_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/job_identity.h"
#include "engine/real/journal_sqlite.h"

enum { ASIDE_MOST = 99 }; /* old journals of one name */

/* ---- where and whose -------------------------------------------------- */

int asbi_job_journal_path(const struct asb_job *job, char **out)
{
    const struct asbi_config *c = job->config;
    struct asbi_buf path;
    struct stat st;

    *out = NULL;
    if (c->no_journal)
        return ASB_OK;
    if (!c->journal[0] && (strcmp(c->output, "-") == 0 ||
                           (stat(c->output, &st) == 0 && !S_ISREG(st.st_mode))))
        return ASB_OK;
    asbi_buf_init(&path, job->mem, 1 << 17);
    asbi_buf_c(&path, c->journal[0] ? c->journal : c->output);
    if (!c->journal[0])
        asbi_buf_c(&path, ".journal");
    if (!asbi_buf_failed(&path))
        *out = asbi_strndup(job->mem, path.data, path.len);
    asbi_buf_fini(&path);
    return *out ? ASB_OK : ASB_ENOMEM;
}

/* The old journal keeps what was paid for. */
static int move_aside(const struct asb_job *job, struct asb_message *why)
{
    const char *path = job->kept->path;
    struct asbi_buf to;
    struct stat st;
    int rc = ASB_EIO;

    asbi_buf_init(&to, job->mem, 1 << 17);
    for (unsigned i = 1; rc && i <= ASIDE_MOST; i++) {
        asbi_buf_clear(&to);
        asbi_buf_fmt(&to, "%s.old", path);
        if (i > 1)
            asbi_buf_fmt(&to, ".%u", i);
        const char *name = asbi_buf_cstr(&to);
        if (!name || stat(name, &st) == 0)
            continue;
        rc = rename(path, name) ? asbi_fail(why, ASB_EIO,
                                            "journal %.400s: cannot be moved "
                                            "aside: %s",
                                            path, strerror(errno))
                                : ASB_OK;
        break;
    }
    if (rc && why && !why->text[0])
        rc = asbi_fail(why, rc,
                       "journal %.400s: too many old ones; delete "
                       "some",
                       path);
    asbi_buf_fini(&to);
    return rc;
}

static int open_file(struct asb_job *job, struct asbi_journal_file *file,
                     struct asb_message *why)
{
    int rc = asbi_journal_sqlite_open(job->mem, job->kept->path, file, why);

    job->kept->store = file->store;
    return rc;
}

static int begin(struct asb_job *job, const struct asbi_identity *identity,
                 struct asbi_journal_file *file, struct asb_message *why)
{
    struct asbi_journal_state *s = &file->state;

    s->round++;
    s->finished = false;
    s->rows = s->bytes = s->device = s->inode = 0;
    return asbi_journal_sqlite_begin(job->kept->store, identity, s, why);
}

static int start_over(struct asb_job *job, struct asbi_journal_file *file,
                      struct asb_message *why)
{
    struct asbi_job_journal *k = job->kept;

    k->store->ops->free(k->store);
    k->store = NULL;
    int rc = move_aside(job, why);
    return rc ? rc : open_file(job, file, why);
}

static int refuse(const struct asb_job *job,
                  const struct asbi_identity_diff *diff,
                  struct asb_message *why)
{
    return asbi_fail(why, ASB_ECONFIG,
                     "journal %.200s is of another run; changed: %s. Nothing "
                     "was sent; run with %s--on-change restart to ask for "
                     "all, or name another --journal",
                     job->kept->path, diff->text,
                     diff->other_answers ? ""
                                         : "--on-change reuse to ask only for "
                                           "what changed, with ");
}

/* The first try of many ends with a name to be mended: a journal that keeps
 * nothing binds nobody. */
static bool is_blank(const struct asbi_journal_file *file)
{
    return file->state.cost == 0 && file->state.spent == 0 &&
           asbi_journal_sqlite_is_blank(file->store);
}

/* Settles whose the journal is; begins it when it is new or changed. */
static int take_over(struct asb_job *job, struct asbi_journal_file *file,
                     struct asb_message *why)
{
    struct asbi_job_journal *k = job->kept;
    const char *policy = job->config->on_change;
    struct asbi_identity identity;
    struct asbi_identity_diff diff;

    int rc = asbi_identity_make(job, &identity, why);
    if (rc || file->fresh)
        return rc ? rc : begin(job, &identity, file, why);
    asbi_identity_diff_init(&diff, &identity);
    rc = asbi_journal_sqlite_identity(k->store, asbi_identity_compare, &diff,
                                      why);
    asbi_identity_diff_end(&diff);
    if (rc || !diff.any)
        return rc;
    if (is_blank(file))
        rc = asbi_journal_sqlite_clear(k->store, why);
    else if (strcmp(policy, "refuse") == 0)
        rc = refuse(job, &diff, why);
    else if (strcmp(policy, "reuse") == 0 && !diff.other_answers)
        rc = asbi_journal_sqlite_set_aside(k->store, why);
    else
        rc = start_over(job, file, why);
    return rc ? rc : begin(job, &identity, file, why);
}

/* ---- calls in doubt --------------------------------------------------- */

enum asbi_in_doubt asbi_job_doubts(const struct asb_job *job)
{
    const char *policy = job->config->in_doubt;
    enum asb_origin origin = ASB_FROM_DEFAULT;

    (void)asb_options_get(job->engine->options, "in_doubt", &origin);
    if (asbi_media_is_on(&job->engine->media) && origin == ASB_FROM_DEFAULT)
        return ASBI_DOUBT_FAIL; /* dear: not begun twice unless told so */

    return strcmp(policy, "fail") == 0  ? ASBI_DOUBT_FAIL
           : strcmp(policy, "ask") == 0 ? ASBI_DOUBT_ASK
                                        : ASBI_DOUBT_RETRY;
}

static int ask(const struct asb_job *job,
               const struct asbi_journal_doubts *found, struct asb_message *why)
{
    char worst[ASBI_USD_TEXT];

    return asbi_fail(why, ASB_ECONFIG,
                     "journal %.200s: an earlier run was cut off while %zu "
                     "calls with %llu items were with the provider, which may "
                     "have cost up to $%s; nothing was sent; run with "
                     "--in-doubt retry to ask again, or with --in-doubt fail",
                     job->kept->path, found->calls,
                     (unsigned long long)found->rows,
                     asbi_usd_text(found->worst, worst));
}

static int settle_doubts(struct asb_job *job, struct asb_message *why)
{
    struct asbi_journal *j = &job->kept->journal;
    enum asbi_in_doubt policy = asbi_job_doubts(job);
    struct asbi_journal_doubts found;

    int rc = asbi_journal_take_up(j, policy, &found, why);
    if (rc == ASB_ECONFIG)
        return ask(job, &found, why);
    if (!rc) /* what is not known cannot be kept from being asked */
        job->engine->stats.maybe_paid_twice_nano_usd +=
            policy == ASBI_DOUBT_FAIL ? found.adrift : found.worst;
    return rc ? rc : asbi_known_load(job->engine, j, why);
}

static bool input_is_stream(const struct asb_job *job)
{
    struct stat st;

    return fstat(job->in_fd, &st) != 0 || !S_ISREG(st.st_mode);
}

int asbi_job_journal_open(struct asb_job *job, struct asb_message *why)
{
    struct asbi_journal_file file;
    struct asb_message local = { .text = "" };
    char *path;

    why = why ? why : &local;
    int rc = asbi_job_journal_path(job, &path);
    if (rc || !path)
        return rc;
    struct asbi_job_journal *k = asbi_calloc(job->mem, 1, sizeof(*k));
    if (!k) {
        asbi_free(job->mem, path);
        return ASB_ENOMEM;
    }
    job->kept = k;
    k->path = path;
    k->placed = job->config->order_by_completion;
    k->streamed = input_is_stream(job);
    rc = open_file(job, &file, why);
    if (!rc)
        rc = take_over(job, &file, why);
    if (rc)
        return rc;
    asbi_journal_init(&k->journal, job->mem, k->store, &file.state);
    rc = settle_doubts(job, why);
    k->cost_before = k->journal.state.cost;
    job->engine->purse.budget.spent = k->journal.state.spent;
    job->engine->journal = &k->journal;
    return rc;
}

/* ---- the output ------------------------------------------------------- */

/* Tells one boot of the machine from another: what was written but not synced
 * is there after a crash of the process, not after one of the machine. */
static uint64_t boot(void)
{
    char id[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, id, sizeof(id));

    if (fd >= 0)
        (void)close(fd);
    uint64_t hash = asbi_hash64(id, n > 0 ? (size_t)n : 0, 0);
    return hash ? hash : 1;
}

static bool is_intact(const struct asbi_journal_state *s, const struct stat *st)
{
    return s->device == (uint64_t)st->st_dev && s->inode == st->st_ino &&
           s->bytes <= (uint64_t)st->st_size &&
           (s->boot == 0 || s->boot == boot());
}

/* From where the output is written.  Ends with s->rows and s->bytes right. */
static void decide(struct asb_job *job, const struct asbi_journal_count *count,
                   bool intact)
{
    struct asbi_job_journal *k = job->kept;
    struct asbi_journal_state *s = &k->journal.state;
    bool again = count->retryable ||
                 (count->in_doubt && asbi_job_doubts(job) != ASBI_DOUBT_FAIL);
    bool may_differ =
        k->streamed && strcmp(job->config->on_change, "refuse") != 0;

    if (s->finished && !again && intact && !k->streamed) {
        k->done_before = true;
        return;
    }
    if (!intact && s->rows)
        asbi_log(&job->engine->log, ASB_LOG_WARN,
                 "the output is not as it was left; it is written again from "
                 "journal %s",
                 k->path);
    if (s->finished && again)
        s->round++;
    if (!intact || (s->finished && again) || may_differ)
        s->rows = s->bytes = 0;
    s->finished = false;
}

/* Durable before the file is touched: a mark must never be believed of what is
 * written over. */
static int commit(struct asb_job *job, const struct stat *st,
                  struct asb_message *why)
{
    struct asbi_job_journal *k = job->kept;
    struct asbi_journal_state *s = &k->journal.state;
    int rc = ASB_OK;

    s->device = (uint64_t)st->st_dev;
    s->inode = st->st_ino;
    s->boot = boot();
    if (k->placed)
        rc = k->store->ops->unplace(k->store, s->rows, why);
    if (!rc)
        rc = asbi_journal_commit(&k->journal, 0);
    if (rc && why && !why->text[0])
        *why = k->journal.why;
    return rc;
}

static int cut(struct asb_job *job, const char *path, struct asb_message *why)
{
    off_t at = (off_t)job->kept->journal.state.bytes;

    if (ftruncate(job->out_fd, at) == 0 &&
        lseek(job->out_fd, at, SEEK_SET) == at)
        return ASB_OK;
    return asbi_fail(why, ASB_EIO, "%s: cannot be cut to length: %s", path,
                     strerror(errno));
}

static void take_counts(struct asb_job *job,
                        const struct asbi_journal_count *count)
{
    struct asbi_job_journal *k = job->kept;
    const struct asbi_journal_state *s = &k->journal.state;

    k->delivered = k->pushed_rows = s->rows;
    k->base = s->bytes;
    k->end = count->end;
    k->reuses = count->earlier;
    job->rows_written = s->rows;
    job->rows_failed = s->rows ? count->failed_delivered : 0;
    job->header_written = s->bytes > 0;
    if (!k->done_before)
        return;
    k->failed = count->failed;
    k->rows_known = job->rows_read = s->rows;
    job->rows_failed = count->failed;
}

static int open_output(struct asb_job *job, const char *path, struct stat *st,
                       struct asb_message *why)
{
    job->out_fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        job->out_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        job->close_out = job->out_fd >= 0;
    }
    if (job->out_fd < 0 || fstat(job->out_fd, st) != 0)
        return asbi_fail(why, ASB_EIO,
                         "output %s: cannot be written: %s; name another place "
                         "by --output",
                         path, strerror(errno));
    job->kept->keeps_file = job->close_out && S_ISREG(st->st_mode);
    return ASB_OK;
}

int asbi_job_journal_output(struct asb_job *job, const char *path,
                            struct asb_message *why)
{
    struct asbi_job_journal *k = job->kept;
    const struct asbi_journal_state *s = &k->journal.state;
    struct asbi_journal_count count;
    struct stat st = { .st_size = 0 };

    int rc = open_output(job, path, &st, why);
    if (!rc)
        rc = k->store->ops->count(k->store, k->placed, s->rows, &count, why);
    if (rc)
        return rc;
    decide(job, &count, k->keeps_file && is_intact(s, &st));
    if (!k->done_before)
        rc = commit(job, &st, why);
    if (!rc && !k->done_before && k->keeps_file)
        rc = cut(job, path, why);
    if (!rc)
        take_counts(job, &count);
    return rc;
}

/* ---- the end ---------------------------------------------------------- */

void asbi_job_journal_flush(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;

    if (!k || asbi_journal_settled(&k->journal))
        return;
    (void)asbi_journal_commit(&k->journal, asbi_now(job->engine->world));
    asbi_job_journal_check(job);
}

void asbi_job_journal_look(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;
    struct asb_message why = { .text = "" };

    if (!k || job->trouble[0] || !k->store->ops->is_gone ||
        !k->store->ops->is_gone(k->store))
        return;
    if (k->store->ops->put_back(k->store, &why))
        asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                         "%s; what was answered is in the output: keep that "
                         "under another name, as the same command would ask "
                         "for all of it again",
                         why.text);
    else
        asbi_log(&job->engine->log, ASB_LOG_WARN,
                 "journal %s was deleted while it was in use; it is written "
                 "anew",
                 k->path);
}

static bool is_complete(const struct asb_job *job)
{
    const struct asbi_job_journal *k = job->kept;

    return job->read_all && k->rows_unfinished == 0 &&
           job->rows_written == job->rows_read &&
           asbi_sink_written(job->sink) == k->pushed_bytes;
}

void asbi_job_journal_end(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;

    if (!k || k->done_before || k->journal.failing)
        return;
    (void)asbi_job_may_push(job); /* takes the last mark */
    if (is_complete(job)) {
        k->journal.state.finished = true;
        k->journal.state.boot = 0;
        if (k->keeps_file && fdatasync(job->out_fd) != 0) {
            k->journal.state.finished = false;
            asbi_job_trouble(job, ASB_EXIT_INTERRUPTED,
                             "writing the output failed (%s); mend that and "
                             "run the same command again",
                             strerror(errno));
        }
    }
    (void)asbi_journal_commit(&k->journal, asbi_now(job->engine->world));
    asbi_job_journal_check(job);
}

void asbi_job_journal_free(struct asb_job *job)
{
    struct asbi_job_journal *k = job->kept;

    if (!k)
        return;
    job->engine->journal = NULL;
    if (k->journal.mem)
        asbi_journal_fini(&k->journal);
    if (k->store)
        k->store->ops->free(k->store);
    asbi_free(job->mem, k->path);
    asbi_free(job->mem, k);
    job->kept = NULL;
}
