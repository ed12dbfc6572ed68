#include "engine/fetch.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/engine.h"
#include "engine/fetch_head.h"
#include "scheduler/retry.h"

enum {
    MOST_ACTIVE = 6,
    MOST_REDIRECTS = 5,
    MOST_TRIES = 12, /* in a row, with nothing that came */
    MOST_ANEW = 3,   /* after damage */
    NAME_MAX_BYTES = 255,
};

struct asbi_fetch {
    struct asbi_fetches *all;
    struct asbi_errand errand;
    struct asbi_heap_node due;
    void (*done)(void *arg, const struct asbi_fetched *fetched);
    void *arg;
    char *name, *address;      /* owned */
    uint64_t origin;           /* hash of it */
    const char *sha256, *type; /* as expected; NULL: not known */

    struct asbi_buf url; /* of this try: the address, or a redirect's */
    unsigned redirects, tries, anew;
    bool active;

    struct asbi_artefact *file;
    uint64_t have, had; /* bytes; had: when this try began */
    struct asbi_fetch_head head;
    char etag[128]; /* of what is there; "" when not known */
    char range[48], if_range[160];
    const char *why;

    struct asbi_fetched result;
    struct asbi_buf path;
};

/* ---- ends ------------------------------------------------------------- */

static void end(struct asbi_fetch *f, enum asbi_fetch_outcome outcome,
                const char *why)
{
    struct asbi_fetches *all = f->all;

    if (f->file && f->sha256)
        all->place->ops->drop(f->file);
    else if (f->file)
        all->place->ops->close(f->file);
    f->file = NULL;
    if (f->active)
        all->active--;
    f->active = false;
    f->result.outcome = outcome;
    f->result.why = why;
    f->done(f->arg, &f->result); /* the last use of it */
}

static void end_unsaved(struct asbi_fetch *f)
{
    end(f, ASBI_FETCH_UNSAVED, f->all->place->ops->say(f->all->place));
}

/* The file stays open: its lock keeps others off. */
static void try_again(struct asbi_fetch *f, const char *why)
{
    struct asb_engine *e = f->all->engine;

    if (f->have > f->had)
        f->tries = 0;
    if (++f->tries > f->all->most_tries) {
        end(f, ASBI_FETCH_FAILED, why);
        return;
    }
    uint64_t wait =
        asbi_errand_wait(&f->errand, &asbi_retry_default, f->tries + 1);
    f->all->active--;
    f->active = false;
    if (asbi_heap_push(&f->all->waiting, &f->due,
                       asbi_add_ns(asbi_now(e->world), wait)))
        end(f, ASBI_FETCH_FAILED, "out of memory");
}

static void from_the_start(struct asbi_fetch *f, const char *why)
{
    if (f->all->place->ops->restart(f->file)) {
        end_unsaved(f);
        return;
    }
    f->have = f->had = 0;
    f->etag[0] = '\0';
    if (++f->anew > MOST_ANEW)
        end(f, ASBI_FETCH_DAMAGED, why);
    else
        try_again(f, why);
}

/* How many bytes the whole has; UINT64_MAX when nobody told. */
static uint64_t announced_size(const struct asbi_fetch *f)
{
    if (f->errand.status == 206 || f->errand.status == 416)
        return f->head.total;
    return f->head.encoded ? UINT64_MAX : f->head.length;
}

static void put_hex(const unsigned char *at, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[at[i] >> 4];
        out[2 * i + 1] = digits[at[i] & 15];
    }
    out[2 * len] = '\0';
}

/* Whoever told the digest. */
static bool is_expected(const struct asbi_fetch *f,
                        const unsigned char sha256[ASBI_DIGEST_BYTES])
{
    return (!f->head.has_digest ||
            memcmp(sha256, f->head.sha256, ASBI_DIGEST_BYTES) == 0) &&
           (!f->sha256 || strcmp(f->result.sha256, f->sha256) == 0);
}

/* All that was announced is there. */
static void end_whole(struct asbi_fetch *f)
{
    struct asbi_artefacts *place = f->all->place;
    unsigned char sha256[ASBI_DIGEST_BYTES];
    struct asbi_buf name;

    if (place->ops->digest(f->file, sha256)) {
        end_unsaved(f);
        return;
    }
    put_hex(sha256, sizeof(sha256), f->result.sha256);
    if (!is_expected(f, sha256)) {
        from_the_start(f, "the bytes are not those of the announced digest");
        return;
    }
    f->result.bytes = f->have;
    f->result.check = f->head.has_digest || f->sha256   ? ASBI_CHECK_SHA256
                      : announced_size(f) != UINT64_MAX ? ASBI_CHECK_SIZE
                                                        : ASBI_CHECK_NOTHING;
    f->result.type = f->type ? f->type : f->head.type;
    asbi_buf_init(&name, f->path.mem, 2 * NAME_MAX_BYTES);
    asbi_buf_c(&name, f->name);
    asbi_fetch_put_ending(f->result.type, asbi_buf_view(&f->url), &name);
    asbi_buf_clear(&f->path);
    struct asbi_artefact *file = f->file;
    f->file = NULL;
    const char *text = asbi_buf_cstr(&name);
    int rc = ASB_EIO;
    if (text)
        rc = place->ops->finish(file, text, &f->path);
    else
        place->ops->close(file);
    f->result.path = rc ? NULL : asbi_buf_cstr(&f->path);
    asbi_buf_fini(&name);
    if (f->result.path)
        end(f, ASBI_FETCHED, NULL);
    else
        end_unsaved(f);
}

/* ---- an answer -------------------------------------------------------- */

static struct asbi_fetch *fetch_of(struct asbi_errand *errand)
{
    return errand->arg;
}

static void on_header(struct asbi_errand *errand, asbi_str name, asbi_str value)
{
    asbi_fetch_head_add(&fetch_of(errand)->head, name, value);
}

/* What comes does not go on where the part ends. */
static int align(struct asbi_fetch *f)
{
    bool whole = f->errand.status == 200;

    if (f->have != f->had || (!whole && f->head.from == f->have))
        return ASB_OK;
    if (!whole) {
        f->why = "the server sent another range";
        return ASB_EPARSE;
    }
    if (f->have == 0)
        return ASB_OK;
    if (f->all->place->ops->restart(f->file))
        return ASB_EIO;
    f->have = f->had = 0;
    return ASB_OK;
}

static int on_bytes(struct asbi_errand *errand, const char *at, size_t len)
{
    struct asbi_fetch *f = fetch_of(errand);
    uint64_t most = errand->engine->config->artefact_max_bytes;

    if (errand->status != 200 && errand->status != 206)
        return ASB_OK; /* words about an error */
    int rc = align(f);
    if (rc)
        return rc;
    if (f->have > most || len > most - f->have) {
        f->why = "it is larger than --artefact-max";
        return ASB_ETOOBIG;
    }
    if (f->all->place->ops->write(f->file, at, len))
        return ASB_EIO;
    f->have += len;
    return ASB_OK;
}

static void begin(struct asbi_fetch *f);

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* No key goes along from here on. */
static void follow(struct asbi_fetch *f)
{
    struct asbi_buf to;

    asbi_buf_init(&to, f->path.mem, f->url.max);
    bool leads = f->redirects++ < MOST_REDIRECTS &&
                 asbi_fetch_redirect(asbi_buf_view(&f->errand.url),
                                     f->head.location, &to) &&
                 !asbi_buf_failed(&to);
    if (leads) {
        asbi_buf_clear(&f->url);
        asbi_buf_str(&f->url, asbi_buf_view(&to));
        f->errand.keyless = true;
    }
    asbi_buf_fini(&to);
    if (leads)
        begin(f);
    else
        end(f, ASBI_FETCH_FAILED, "its address leads nowhere");
}

static void judge_whole(struct asbi_fetch *f)
{
    uint64_t size = announced_size(f);

    if (f->have == 0)
        try_again(f, "the artefact is empty");
    else if (size == UINT64_MAX || f->have == size)
        end_whole(f);
    else if (f->have < size)
        try_again(f, "the artefact broke off");
    else
        from_the_start(f, "there are more bytes than were announced");
}

/* The part has all the bytes already, or more than there are. */
static void judge_range(struct asbi_fetch *f)
{
    if (f->have && f->head.total == f->have)
        end_whole(f);
    else
        from_the_start(f, "the server refuses the range");
}

static void judge_status(struct asbi_fetch *f, int status)
{
    if (is_redirect(status))
        follow(f);
    else if (status == 416)
        judge_range(f);
    else if (status == 401 || status == 403 || status == 404 || status == 410)
        end(f, ASBI_FETCH_GONE, "the artefact is not there (any more)");
    else if (status == 408 || status == 425 || status == 429 || status >= 500)
        try_again(f, "the server fails");
    else
        end(f, ASBI_FETCH_FAILED, "the server refuses the request");
}

static void judge_refused(struct asbi_fetch *f)
{
    if (!f->why)
        end_unsaved(f);
    else if (f->errand.status == 206 && f->head.from != f->had)
        from_the_start(f, f->why);
    else
        end(f, ASBI_FETCH_TOO_LARGE, f->why);
}

static void on_done(struct asbi_errand *errand,
                    const struct asbi_exchange_end *x)
{
    struct asbi_fetch *f = fetch_of(errand);
    int status = errand->status;

    if (f->have > f->had) /* whatever comes next must be of the same */
        memcpy(f->etag, f->head.etag, sizeof(f->etag));
    if (x->outcome == ASBI_REFUSED)
        judge_refused(f);
    else if (x->outcome != ASBI_COMPLETE)
        try_again(f, "the artefact broke off");
    else if (status == 200 || status == 206)
        judge_whole(f);
    else
        judge_status(f, status);
}

/* ---- a try ------------------------------------------------------------ */

/* A signature is as good as the key. */
static bool may_sign(const struct asbi_fetch *f)
{
    const struct asbi_fetches *all = f->all;

    return all->sign && f->redirects == 0 &&
           (all->foreign ||
            asbi_errand_is_home(all->engine, asbi_buf_view(&f->url)));
}

static void put_headers(struct asbi_fetch *f)
{
    size_t n = 0;

    f->errand.extra[n++] = "Accept-Encoding: identity";
    if (f->have) {
        (void)snprintf(f->range, sizeof(f->range), "Range: bytes=%llu-",
                       (unsigned long long)f->have);
        f->errand.extra[n++] = f->range;
    }
    if (f->have && f->etag[0]) {
        (void)snprintf(f->if_range, sizeof(f->if_range), "If-Range: %s",
                       f->etag);
        f->errand.extra[n++] = f->if_range;
    }
    if (may_sign(f))
        f->errand.extra[n++] = f->all->sign(f->all->arg);
    f->errand.extra[n] = NULL;
}

/* Parts of one name are of one artefact, of whichever run. */
static int open_part(struct asbi_fetch *f)
{
    struct asbi_artefacts *place = f->all->place;
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "%s-%08x", f->name, (unsigned)f->origin);
    return place->ops->open(place, name, &f->file, &f->have);
}

static void begin(struct asbi_fetch *f)
{
    struct asbi_artefacts *place = f->all->place;

    if (!f->file) {
        int rc = open_part(f);

        if (rc) {
            end(f, ASBI_FETCH_UNSAVED,
                rc == ASB_EIO ? place->ops->say(place) : "out of memory");
            return;
        }
    }
    f->had = f->have;
    f->why = NULL;
    asbi_fetch_head_begin(&f->head);
    put_headers(f);
    if (asbi_errand_send(&f->errand, "GET", asbi_buf_view(&f->url)))
        try_again(f, "there was no room for another connection");
}

/* Each try starts at the address itself: redirects lead to other places. */
static void begin_anew(struct asbi_fetch *f)
{
    asbi_buf_clear(&f->url);
    asbi_buf_c(&f->url, f->address);
    f->errand.keyless = f->all->foreign;
    f->errand.patience_ns = f->all->patience_ns;
    f->redirects = 0;
    f->active = true;
    f->all->active++;
    begin(f);
}

void asbi_fetches_turn(struct asbi_fetches *all, uint64_t now)
{
    struct asbi_heap_node *n;

    while (all->active < MOST_ACTIVE && (n = asbi_heap_first(&all->waiting)) &&
           n->key <= now) {
        asbi_heap_remove(&all->waiting, n);
        begin_anew(ASBI_OF(n, struct asbi_fetch, due));
    }
}

uint64_t asbi_fetches_due(const struct asbi_fetches *all)
{
    struct asbi_heap_node *n = asbi_heap_first(&all->waiting);

    return n && all->active < MOST_ACTIVE ? n->key : ASBI_NEVER;
}

/* ---- birth and death -------------------------------------------------- */

void asbi_fetches_init(struct asbi_fetches *all, struct asb_engine *e,
                       struct asbi_artefacts *place)
{
    *all = (struct asbi_fetches){ .engine = e,
                                  .place = place,
                                  .most_tries = MOST_TRIES };
    asbi_heap_init(&all->waiting, &e->mem);
}

void asbi_fetches_fini(struct asbi_fetches *all)
{
    if (all->engine)
        asbi_heap_fini(&all->waiting);
}

struct asbi_fetch *asbi_fetch_new(
    struct asbi_fetches *all, asbi_str address, asbi_str name, asbi_str origin,
    void (*done)(void *arg, const struct asbi_fetched *fetched), void *arg)
{
    struct asb_engine *e = all->engine;
    struct asbi_fetch *f = asbi_calloc(&e->mem, 1, sizeof(*f));

    if (!f)
        return NULL;
    f->all = all;
    f->done = done;
    f->arg = arg;
    asbi_errand_init(&f->errand, e);
    f->errand.arg = f;
    f->errand.on_header = on_header;
    f->errand.on_bytes = on_bytes;
    f->errand.done = on_done;
    f->errand.most_bytes = SIZE_MAX / 4;
    asbi_buf_init(&f->url, &e->mem, 8192);
    asbi_buf_init(&f->path, &e->mem, 8192);
    f->origin = asbi_hash64(origin.len ? origin.at : "", origin.len, 0);
    f->name = asbi_strndup(&e->mem, name.at, name.len);
    f->address = asbi_strndup(&e->mem, address.at, address.len);
    if (!f->name || !f->address ||
        asbi_heap_push(&all->waiting, &f->due, asbi_now(e->world))) {
        asbi_fetch_free(f);
        return NULL;
    }
    e->world->ops->wake(e->world);
    return f;
}

void asbi_fetch_expect(struct asbi_fetch *f, const char *sha256,
                       const char *type)
{
    f->sha256 = sha256;
    f->type = type;
}

void asbi_fetch_free(struct asbi_fetch *f)
{
    if (!f)
        return;
    const struct asbi_mem *mem = f->path.mem;

    asbi_heap_remove(&f->all->waiting, &f->due);
    if (f->active)
        f->all->active--;
    if (f->file)
        f->all->place->ops->close(f->file);
    asbi_errand_fini(&f->errand);
    asbi_buf_fini(&f->url);
    asbi_buf_fini(&f->path);
    asbi_free(mem, f->name);
    asbi_free(mem, f->address);
    asbi_free(mem, f);
}
