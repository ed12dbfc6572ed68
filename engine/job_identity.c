#include "engine/job_identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/options.h"
#include "engine/api_options.h"
#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/job.h"

enum { SLICE = 1 << 18, MATERIAL_MAX = 4 << 20 };

/* Options whose value itself is compared. */
static const struct {
    const char *name;
    bool makes_answers;
} options[] = {
    { "provider", true },      { "model", true },
    { "task", true },          { "source_lang", true },
    { "target_lang", true },   { "labels", true },
    { "temperature", true },   { "dimensions", true },
    { "input_format", false }, { "output_format", false },
    { "id_column", false },    { "text_column", false },
    { "order", false },
};

/* Options that name a file whose content is compared. */
static const char *const materials[] = { "instructions", "style", "glossary" };

static struct asbi_identity_entry *add(struct asbi_identity *id,
                                       const char *name, bool makes_answers)
{
    struct asbi_identity_entry *e = &id->entries[id->count++];

    e->name = name;
    e->makes_answers = makes_answers;
    return e;
}

static void set_hash(struct asbi_identity_entry *e, uint64_t size,
                     uint64_t hash)
{
    e->hashed = true;
    (void)snprintf(e->value, sizeof(e->value), "%" PRIu64 ":%016" PRIx64, size,
                   hash);
}

static void add_text(struct asbi_identity *id, const char *name,
                     bool makes_answers, const char *text)
{
    struct asbi_identity_entry *e = add(id, name, makes_answers);
    size_t len = strlen(text);

    if (len < sizeof(e->value))
        memcpy(e->value, text, len + 1);
    else
        set_hash(e, len, asbi_hash64(text, len, 0));
}

/* A slice as full as it can be: hashes must not depend on how read() cuts. */
static ssize_t read_slice(int fd, char *slice)
{
    size_t len = 0;

    while (len < SLICE) {
        ssize_t n = read(fd, slice + len, SLICE - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int hash_input(int fd, char *slice, struct asbi_identity_entry *e,
                      struct asb_message *why)
{
    off_t start = lseek(fd, 0, SEEK_CUR);
    uint64_t size = 0, hash = 0;
    ssize_t n;

    while ((n = read_slice(fd, slice)) > 0) {
        hash = asbi_hash64(slice, (size_t)n, hash);
        size += (uint64_t)n;
    }
    if (n < 0 || start < 0 || lseek(fd, start, SEEK_SET) < 0)
        return asbi_fail(why, ASB_EIO, "reading the input failed: %s",
                         strerror(errno));
    set_hash(e, size, hash);
    return ASB_OK;
}

static int add_input(const struct asb_job *job, struct asbi_identity *id,
                     struct asb_message *why)
{
    struct asbi_identity_entry *e = add(id, "input", false);
    struct stat st;

    if (fstat(job->in_fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)snprintf(e->value, sizeof(e->value), "%s", ASBI_IDENTITY_STREAM);
        return ASB_OK;
    }
    char *slice = asbi_alloc(job->mem, SLICE);
    if (!slice)
        return ASB_ENOMEM;
    int rc = hash_input(job->in_fd, slice, e, why);
    asbi_free(job->mem, slice);
    return rc;
}

static int add_material(const struct asb_job *job, const char *name,
                        struct asbi_identity *id, struct asb_message *why)
{
    const char *path = asb_options_get(job->engine->options, name, NULL);
    struct asbi_identity_entry *e = add(id, name, true);
    struct asbi_buf text;

    e->hashed = true;
    if (!path || !path[0])
        return ASB_OK;
    asbi_buf_init(&text, job->mem, MATERIAL_MAX);
    int rc = asbi_read_file(path, name, &text, why);
    if (!rc)
        set_hash(e, text.len, asbi_hash64(text.data, text.len, 0));
    asbi_buf_fini(&text);
    return rc;
}

int asbi_identity_make(const struct asb_job *job, struct asbi_identity *out,
                       struct asb_message *why)
{
    asbi_str system = asbi_task_system(job->engine->task);
    int rc;

    *out = (struct asbi_identity){ .count = 0 };
    rc = add_input(job, out, why);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *name = options[i].name;
        const char *text =
            strcmp(name, "model") == 0
                ? job->config->model
                : asb_options_get(job->engine->options, name, NULL);

        add_text(out, name, options[i].makes_answers, text ? text : "");
    }
    for (size_t i = 0; !rc && i < sizeof(materials) / sizeof(materials[0]); i++)
        rc = add_material(job, materials[i], out, why);
    /* Last: it follows from the others, unless another version made it. */
    set_hash(add(out, "prompt", true), system.len,
             asbi_hash64(system.at, system.len, 0));
    return rc;
}

/* ---- what differs ----------------------------------------------------- */

void asbi_identity_diff_init(struct asbi_identity_diff *diff,
                             const struct asbi_identity *now)
{
    *diff = (struct asbi_identity_diff){ .now = now };
}

static bool same(const struct asbi_identity_entry *e, const char *value)
{
    if (strcmp(e->name, "input") == 0 &&
        (strcmp(value, ASBI_IDENTITY_STREAM) == 0 ||
         strcmp(e->value, ASBI_IDENTITY_STREAM) == 0))
        return true;
    return strcmp(e->value, value) == 0;
}

static void say(struct asbi_identity_diff *diff,
                const struct asbi_identity_entry *e, const char *was)
{
    size_t room = sizeof(diff->text) - diff->len;
    const char *link = diff->len ? ", " : "";
    int n;

    /* The prompt follows from what was named already. */
    if (diff->other_answers && strcmp(e->name, "prompt") == 0)
        return;
    diff->any = true;
    diff->other_answers = diff->other_answers || e->makes_answers;
    if (e->hashed)
        n = snprintf(diff->text + diff->len, room, "%sthe %s", link, e->name);
    else
        n = snprintf(diff->text + diff->len, room,
                     "%s%s (was \"%.60s\", is \"%.60s\")", link, e->name, was,
                     e->value);
    diff->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void asbi_identity_compare(void *arg, const char *name, const char *value)
{
    struct asbi_identity_diff *diff = arg;

    for (size_t i = 0; i < diff->now->count; i++) {
        const struct asbi_identity_entry *e = &diff->now->entries[i];

        if (strcmp(e->name, name) != 0)
            continue;
        diff->told[i] = true;
        if (!same(e, value))
            say(diff, e, value);
    }
}

void asbi_identity_diff_end(struct asbi_identity_diff *diff)
{
    for (size_t i = 0; i < diff->now->count; i++) {
        if (!diff->told[i])
            say(diff, &diff->now->entries[i], "");
    }
}
