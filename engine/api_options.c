#include "engine/api_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/catalogue.h"
#include "config/load.h"
#include "config/options.h"
#include "engine/base/error.h"

enum { FILE_MAX = 1 << 20, CHUNK = 16384 };

static int fail_io(struct asb_message *why, const char *place, const char *path,
                   const char *verb)
{
    char reason[128];

    if (strerror_r(errno, reason, sizeof(reason)) != 0)
        reason[0] = '\0';
    return asbi_fail(why, ASB_EIO, "%s: cannot %s \"%.300s\": %s", place, verb,
                     path, reason);
}

static int read_all(int fd, const char *path, const char *place,
                    struct asbi_buf *out, struct asb_message *why)
{
    char chunk[CHUNK];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0)
            return ASB_OK;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_io(why, place, path, "read");
        if ((size_t)n > out->max - out->len)
            return asbi_fail(why, ASB_ETOOBIG,
                             "%s: \"%.300s\" is larger than %zu bytes", place,
                             path, out->max);
        asbi_buf_add(out, chunk, (size_t)n);
        if (asbi_buf_failed(out))
            return asbi_fail(why, ASB_ENOMEM, "%s: out of memory", place);
    }
}

int asbi_read_file(const char *path, const char *place, struct asbi_buf *out,
                   struct asb_message *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return fail_io(why, place, path, "open");
    int rc = ASB_OK;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        rc = asbi_fail(why, ASB_EIO, "%s: \"%.300s\" is a directory", place,
                       path);
    if (!rc)
        rc = read_all(fd, path, place, out, why);
    (void)close(fd);
    return rc;
}

/* Reads the file that option `catalogue` names, unless that was done. */
static int refresh_catalogue(struct asb_options *options,
                             struct asb_message *why)
{
    struct asbi_catalogue *c = options->catalogue;
    const char *path = options->values.catalogue;
    struct asbi_buf text;

    if (!path[0] || (c->file && strcmp(c->file, path) == 0))
        return ASB_OK;
    asbi_buf_init(&text, options->mem, FILE_MAX);
    int rc = asbi_read_file(path, "catalogue", &text, why);
    if (!rc)
        rc = asbi_catalogue_load(c, text.data, text.len, path, why);
    asbi_buf_fini(&text);
    return rc == ASB_EIO || rc == ASB_ETOOBIG ? ASB_ECONFIG : rc;
}

int asb_options_set(struct asb_options *options, const char *name,
                    const char *value, enum asb_origin origin,
                    struct asb_message *why)
{
    int rc = asbi_options_set_name(options, name, value, origin, why);

    return rc ? rc : refresh_catalogue(options, why);
}

int asb_options_load(struct asb_options *options, const char *path,
                     struct asb_message *why)
{
    struct asbi_buf text;

    if (why)
        why->text[0] = '\0';
    if (!options || !path)
        return asbi_fail(why, ASB_EINVAL, "no options or no path given");
    asbi_buf_init(&text, options->mem, FILE_MAX);
    int rc = asbi_read_file(path, "config", &text, why);
    if (!rc)
        rc = asbi_options_load_text(options, text.data, text.len, path, why);
    if (!rc)
        rc = refresh_catalogue(options, why);
    asbi_buf_fini(&text);
    return rc == ASB_ETOOBIG ? ASB_ECONFIG : rc;
}

/* The strongest variable that is set and not empty decides. */
static int load_row(struct asb_options *options, const struct asbi_option *row,
                    struct asb_message *why)
{
    char name[64];

    for (size_t i = 0; asbi_option_variable(row, i, name); i++) {
        const char *value = getenv(name);

        if (value && value[0])
            return asbi_options_set_row(options, row, value,
                                        ASB_FROM_ENVIRONMENT, name, why);
    }
    return ASB_OK;
}

int asb_options_load_environment(struct asb_options *options,
                                 struct asb_message *why)
{
    int rc = ASB_OK;

    if (why)
        why->text[0] = '\0';
    if (!options)
        return asbi_fail(why, ASB_EINVAL, "no options given");
    for (size_t i = 0; !rc && i < asbi_option_count; i++)
        rc = load_row(options, &asbi_option_table[i], why);
    return rc ? rc : refresh_catalogue(options, why);
}
