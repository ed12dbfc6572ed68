#include "tests/support/mem_artefacts.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"

struct asbi_artefact {
    struct mem_artefacts *all;
    struct asbi_digest *digest;
    size_t bytes;
    char *at; /* them, where they are kept */
};

static struct mem_artefacts *mem_of(struct asbi_artefacts *a)
{
    return (struct mem_artefacts *)(void *)a;
}

static void drop(struct asbi_artefact *f)
{
    f->all->live--;
    asbi_digest_free(f->digest);
    free(f->at);
    free(f);
}

static int mem_open(struct asbi_artefacts *a, const char *name,
                    struct asbi_artefact **out, uint64_t *have)
{
    struct mem_artefacts *m = mem_of(a);
    struct asbi_artefact *f = calloc(1, sizeof(*f));

    (void)name;
    CHECK(f != NULL);
    f->all = m;
    f->digest = asbi_digest_new();
    CHECK(f->digest && asbi_digest_begin(f->digest));
    m->opened++;
    m->live++;
    *out = f;
    *have = 0;
    return ASB_OK;
}

static int mem_restart(struct asbi_artefact *f)
{
    f->all->restarted++;
    f->bytes = 0;
    return asbi_digest_begin(f->digest) ? ASB_OK : ASB_EIO;
}

static int mem_write(struct asbi_artefact *f, const char *at, size_t len)
{
    struct mem_artefacts *m = f->all;

    if (m->write_most && m->bytes + len > m->write_most)
        return ASB_EIO;
    if (m->keeps) {
        f->at = realloc(f->at, f->bytes + len);
        CHECK(f->at != NULL);
        memcpy(f->at + f->bytes, at, len);
    }
    m->bytes += len;
    f->bytes += len;
    return asbi_digest_add(f->digest, at, len) ? ASB_OK : ASB_EIO;
}

static int mem_digest(struct asbi_artefact *f,
                      unsigned char sha256[ASBI_DIGEST_BYTES])
{
    return asbi_digest_end(f->digest, sha256) ? ASB_OK : ASB_EIO;
}

static int mem_finish(struct asbi_artefact *f, const char *name,
                      struct asbi_buf *path)
{
    struct mem_artefacts *m = f->all;

    if (m->keeps) {
        size_t i = m->finished % MEM_ARTEFACTS;

        (void)snprintf(m->kept[i].path, sizeof(m->kept[i].path), "mem/%s",
                       name);
        free(m->kept[i].bytes);
        m->kept[i].bytes = f->at;
        m->kept[i].len = f->bytes;
        f->at = NULL;
    }
    m->finished++;
    (void)snprintf(m->last_name, sizeof(m->last_name), "%s", name);
    asbi_buf_fmt(path, "mem/%s", name);
    drop(f);
    return ASB_OK;
}

static void mem_close(struct asbi_artefact *f)
{
    f->all->closed++;
    drop(f);
}

static void mem_drop(struct asbi_artefact *f)
{
    f->all->dropped++;
    drop(f);
}

static int mem_load(struct asbi_artefacts *a, const char *path,
                    struct asbi_buf *out)
{
    struct mem_artefacts *m = mem_of(a);

    for (size_t i = 0; i < MEM_ARTEFACTS; i++) {
        if (strcmp(m->kept[i].path, path) == 0 && m->kept[i].bytes) {
            asbi_buf_add(out, m->kept[i].bytes, m->kept[i].len);
            return asbi_buf_failed(out) ? ASB_EIO : ASB_OK;
        }
    }
    return ASB_EIO;
}

static const char *mem_say(const struct asbi_artefacts *a)
{
    (void)a;
    return "the disk is full";
}

static void mem_free(struct asbi_artefacts *a)
{
    CHECK_INT(mem_of(a)->live, ==, 0);
    mem_of(a)->freed = true;
}

static const struct asbi_artefacts_ops mem_ops = {
    .open = mem_open,
    .restart = mem_restart,
    .write = mem_write,
    .digest = mem_digest,
    .finish = mem_finish,
    .close = mem_close,
    .drop = mem_drop,
    .load = mem_load,
    .say = mem_say,
    .free = mem_free,
};

void mem_artefacts_init(struct mem_artefacts *m)
{
    *m = (struct mem_artefacts){ .place = { &mem_ops } };
}

void mem_artefacts_fini(struct mem_artefacts *m)
{
    for (size_t i = 0; i < MEM_ARTEFACTS; i++)
        free(m->kept[i].bytes);
}
