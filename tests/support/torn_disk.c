#include "tests/support/torn_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ------------------------------------------------------------- */

static void *grown(void *at, size_t bytes)
{
    void *more = realloc(at, bytes);

    if (!more) {
        (void)fprintf(stderr, "torn_disk: out of memory\n");
        exit(2);
    }
    return more;
}

/* What comes to be between is zero, as in a file. */
static void set_length(struct torn_bytes *b, size_t len)
{
    if (len > b->room) {
        b->room = len + len / 2 + 4096;
        b->at = grown(b->at, b->room);
    }
    if (len > b->len)
        memset(b->at + b->len, 0, len - b->len);
    b->len = len;
}

static void put(struct torn_bytes *b, size_t off, const unsigned char *data,
                size_t len)
{
    if (off + len > b->len)
        set_length(b, off + len);
    if (len)
        memcpy(b->at + off, data, len);
}

static void apply(struct torn_bytes *b, const struct torn_change *c)
{
    if (c->data)
        put(b, c->off, c->data, c->len);
    else
        set_length(b, c->off);
}

static void copy(struct torn_bytes *to, const struct torn_bytes *from)
{
    set_length(to, 0);
    put(to, 0, from->at, from->len);
}

/* ---- files -------------------------------------------------------------- */

void torn_disk_init(struct torn_disk *d, uint64_t seed)
{
    *d = (struct torn_disk){ .off = false };
    asbi_rng_seed(&d->rng, seed);
}

static void forget_changes(struct torn_file *f)
{
    for (size_t i = 0; i < f->change_count; i++)
        free(f->changes[i].data);
    f->change_count = 0;
}

static void file_fini(struct torn_file *f)
{
    forget_changes(f);
    free(f->changes);
    free(f->now.at);
    free(f->durable.at);
    *f = (struct torn_file){ .is = false };
}

void torn_disk_fini(struct torn_disk *d)
{
    for (size_t i = 0; i < TORN_FILES; i++)
        file_fini(&d->files[i]);
}

struct torn_file *torn_disk_find(struct torn_disk *d, const char *name)
{
    for (size_t i = 0; i < TORN_FILES; i++) {
        if (d->files[i].is && strcmp(d->files[i].name, name) == 0)
            return &d->files[i];
    }
    return NULL;
}

/* A name that was removed, and perhaps still is on the disk, is used again. */
struct torn_file *torn_disk_make(struct torn_disk *d, const char *name)
{
    struct torn_file *f = NULL;

    for (size_t i = 0; i < TORN_FILES && d->files[i].name[0]; i++) {
        if (strcmp(d->files[i].name, name) == 0)
            f = &d->files[i];
    }
    for (size_t i = 0; !f && i < TORN_FILES; i++)
        f = d->files[i].name[0] ? NULL : &d->files[i];
    if (!f || d->off || strlen(name) >= sizeof(f->name))
        return NULL;
    (void)snprintf(f->name, sizeof(f->name), "%s", name);
    f->is = true;
    return f;
}

/* ---- changes ------------------------------------------------------------ */

/* Whether this change or sync works. */
static bool works(struct torn_disk *d)
{
    if (d->until_off && --d->until_off == 0)
        d->off = true;
    if (d->until_fail && --d->until_fail == 0)
        return false;
    return !d->off;
}

static void note(struct torn_file *f, size_t off, const void *data, size_t len)
{
    struct torn_change *c;

    if (f->change_count == f->change_room) {
        f->change_room = f->change_room * 2 + 16;
        f->changes = grown(f->changes, f->change_room * sizeof(*f->changes));
    }
    c = &f->changes[f->change_count++];
    *c = (struct torn_change){ .off = off, .len = len };
    if (data) {
        c->data = grown(NULL, len + 1);
        memcpy(c->data, data, len);
    }
    apply(&f->now, c);
}

/* One that the power went off in has begun. */
static bool change(struct torn_disk *d, struct torn_file *f, size_t off,
                   const void *data, size_t len)
{
    bool was_off = d->off, good = works(d);

    d->writes++;
    if (good || (d->off && !was_off))
        note(f, off, data, len);
    return good;
}

bool torn_disk_write(struct torn_disk *d, struct torn_file *f, size_t off,
                     const void *data, size_t len)
{
    return change(d, f, off, data, len);
}

bool torn_disk_cut(struct torn_disk *d, struct torn_file *f, size_t len)
{
    return change(d, f, len, NULL, 0);
}

bool torn_disk_sync_names(struct torn_disk *d)
{
    d->syncs++;
    if (!works(d))
        return false;
    for (size_t i = 0; i < TORN_FILES; i++)
        d->files[i].was = d->files[i].is;
    return true;
}

bool torn_disk_sync(struct torn_disk *d, struct torn_file *f)
{
    bool good = works(d);

    d->syncs++;
    if (d->off)
        return false;
    for (size_t i = 0; i < f->change_count; i++) {
        if (!good)
            f->changes[i].doomed = true;
        else if (!f->changes[i].doomed)
            apply(&f->durable, &f->changes[i]);
    }
    if (!good)
        return false;
    forget_changes(f);
    return true;
}

bool torn_disk_remove(struct torn_disk *d, struct torn_file *f, bool durably)
{
    if (!works(d))
        return false;
    f->is = false;
    set_length(&f->now, 0);
    forget_changes(f);
    return !durably || torn_disk_sync_names(d);
}

/* ---- the power comes back ----------------------------------------------- */

static bool chance(struct torn_disk *d, double p)
{
    return asbi_rng_unit(&d->rng) < p;
}

/* Some bytes of a sector: a beginning, an end, or one of them and junk. */
static void tear(struct torn_disk *d, struct torn_file *f, size_t off,
                 const unsigned char *data, size_t len)
{
    size_t at = (size_t)asbi_rng_below(&d->rng, len + 1);
    bool junk = chance(d, 0.3), first = chance(d, 0.5);

    d->torn++;
    put(&f->durable, off, data, first ? at : 0);
    if (off + len > f->durable.len)
        set_length(&f->durable, off + len);
    if (!first)
        put(&f->durable, off + at, data + at, len - at);
    for (size_t i = first ? at : 0; junk && i < (first ? len : at); i++)
        f->durable.at[off + i] = (unsigned char)asbi_rng_below(&d->rng, 256);
}

static void settle_sector(struct torn_disk *d, struct torn_file *f, size_t off,
                          const unsigned char *data, size_t len, double keep)
{
    if (chance(d, 0.1)) {
        tear(d, f, off, data, len);
    } else if (chance(d, keep)) {
        d->kept++;
        put(&f->durable, off, data, len);
    } else {
        d->lost++;
    }
}

static void settle(struct torn_disk *d, struct torn_file *f,
                   const struct torn_change *c, double keep)
{
    size_t done = 0;

    if (c->doomed && !chance(d, keep))
        return;
    if (!c->data) {
        if (chance(d, keep))
            set_length(&f->durable, c->off);
        return;
    }
    while (done < c->len) {
        size_t at = c->off + done;
        size_t len = TORN_SECTOR - at % TORN_SECTOR;

        len = len < c->len - done ? len : c->len - done;
        settle_sector(d, f, at, c->data + done, len, keep);
        done += len;
    }
}

static void settle_file(struct torn_disk *d, struct torn_file *f, double keep)
{
    for (size_t i = 0; i < f->change_count; i++)
        settle(d, f, &f->changes[i], keep);
    forget_changes(f);
    if (f->is != f->was)
        f->is = chance(d, keep);
    f->was = f->is;
    if (!f->is)
        set_length(&f->durable, 0);
    copy(&f->now, &f->durable);
}

void torn_disk_restart(struct torn_disk *d)
{
    static const double shares[] = { 0, 0.1, 0.5, 0.9, 1 };
    double keep = shares[asbi_rng_below(&d->rng, 5)];

    d->crashes++;
    for (size_t i = 0; i < TORN_FILES; i++)
        settle_file(d, &d->files[i], keep);
    d->off = false;
    d->until_off = d->until_fail = 0;
}
