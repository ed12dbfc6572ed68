#include "engine/sim/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"

enum { SLICE = 16384, MOST_BYTES = 64 << 20 };

struct asbi_sim_state_file {
    const struct asbi_mem *mem;
    int fd;
    struct asbi_buf line; /* scratch */
};

int asbi_sim_state_open(const struct asbi_mem *mem, const char *path,
                        struct asbi_sim_state_file **out,
                        struct asb_message *why)
{
    struct asbi_sim_state_file *f = asbi_calloc(mem, 1, sizeof(*f));

    *out = NULL;
    if (!f)
        return ASB_ENOMEM;
    f->mem = mem;
    asbi_buf_init(&f->line, mem, MOST_BYTES);
    f->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        int rc =
            asbi_fail(why, ASB_EIO, "sim_state: %s: %s", path, strerror(errno));
        asbi_sim_state_close(f);
        return rc;
    }
    *out = f;
    return ASB_OK;
}

void asbi_sim_state_close(struct asbi_sim_state_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        (void)close(f->fd);
    asbi_buf_fini(&f->line);
    asbi_free(f->mem, f);
}

/* In one write, so that a kill leaves whole lines.  What a full disk keeps out
 * is not there after a restart, as at a provider that lost it. */
void asbi_sim_state_keep(void *arg, asbi_str line)
{
    struct asbi_sim_state_file *f = arg;

    asbi_buf_clear(&f->line);
    asbi_buf_str(&f->line, line);
    asbi_buf_char(&f->line, '\n');
    if (!asbi_buf_failed(&f->line) &&
        write(f->fd, f->line.data, f->line.len) < 0)
        return;
}

static int read_all(struct asbi_sim_state_file *f, struct asb_message *why)
{
    ssize_t n = 1;

    asbi_buf_clear(&f->line);
    while (n > 0) {
        char *room = asbi_buf_reserve(&f->line, SLICE);

        if (!room)
            return ASB_ENOMEM;
        n = read(f->fd, room, SLICE);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            f->line.len += (size_t)n;
    }
    return n < 0 ? asbi_fail(why, ASB_EIO, "sim_state: %s", strerror(errno))
                 : ASB_OK;
}

int asbi_sim_state_restore(struct asbi_sim_state_file *f,
                           struct asbi_sim_provider *p, uint64_t now_ns,
                           uint64_t wall_s, struct asb_message *why)
{
    int rc = read_all(f, why);
    asbi_str rest = asbi_buf_view(&f->line);

    while (!rc && rest.len) {
        const char *end = memchr(rest.at, '\n', rest.len);

        if (!end)
            break; /* a line that was cut short */
        size_t len = (size_t)(end - rest.at);
        rc = asbi_sim_provider_restore(p, asbi_str_of(rest.at, len), now_ns,
                                       wall_s);
        rest = asbi_str_of(end + 1, rest.len - len - 1);
    }
    return rc;
}
