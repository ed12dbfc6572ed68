/*
 * msgpack_reader.c -- maps of msgpack, one after the other.
 *
 * msgpack has no marks to find a message by.  A map that is too large is
 * skipped by its structure.  After bytes that are no map, or no msgpack at
 * all, the reader is lost: one bad row says so, and what follows is skipped up
 * to the next map with text for keys.
 */
#include "adapters/format_impl.h"
#include "adapters/msgpack_door.h"

enum state {
    AT_START, /* of a message */
    IN_MAP,
    IN_OTHER, /* a message that is no map */
    SKIPPING, /* a map that was too large and is reported */
    LOST,
    IN_DOUBT, /* a map, perhaps, in what is lost */
};

struct msgpack {
    struct asbi_reader base;
    struct asbi_msgpack *door;
    struct asbi_json *json;
    struct asbi_buf text; /* a message as JSON */

    enum state state;
    struct asbi_msgpack_scan scan;
    struct asbi_buf message; /* the start of one whose end has not come */
    uint64_t number;         /* of the message, 1-based */
};

static void fail_too_large(struct msgpack *m)
{
    asbi_rows_fail(&m->base.rows, "too_large",
                   "larger than %zu bytes, or of too many values; shorten it "
                   "or raise max_item_bytes",
                   m->base.max_item_bytes);
}

static void fail_no_map(struct msgpack *m)
{
    asbi_rows_fail(&m->base.rows, "malformed",
                   "not a map; send maps such as {\"id\": ..., \"text\": "
                   "...}, one after the other");
}

static void begin(struct msgpack *m)
{
    asbi_rows_begin(&m->base.rows, m->number++);
}

static int report(struct msgpack *m, int *paused)
{
    *paused = asbi_rows_emit(&m->base.rows);
    return ASB_OK;
}

/* Fills the row from a whole map.  *good: it was one as it should be. */
static int read_map(struct msgpack *m, asbi_str message, bool *good)
{
    const char *why;

    asbi_buf_clear(&m->text);
    int rc = asbi_msgpack_to_json(m->door, message, &m->text, &why);
    if (!rc)
        rc = asbi_json_parse(m->json, m->text.data, m->text.len);
    else if (rc == ASB_EPARSE)
        asbi_rows_fail(&m->base.rows, "malformed", "%s", why);
    *good = !rc;
    if (rc == ASB_ENOMEM)
        return rc;
    if (rc) {
        fail_too_large(m); /* unless it has a reason already */
        return ASB_OK;
    }
    return asbi_rows_from_json(&m->base.rows, m->json, m->base.wants_fields,
                               true);
}

/* A message is whole. */
static int finish(struct msgpack *m, asbi_str message, int *paused)
{
    enum state was = m->state;
    bool good;

    m->state = AT_START;
    if (was == SKIPPING)
        return ASB_OK;
    begin(m);
    if (was == IN_OTHER) {
        fail_no_map(m);
        return report(m, paused);
    }
    int rc = read_map(m, message, &good);
    if (rc)
        return rc;
    if (was == IN_DOUBT && !good) {
        m->state = LOST;
        m->number--;
        return ASB_OK;
    }
    return report(m, paused);
}

/* The message cannot be read on. */
static int lose(struct msgpack *m, bool large, int *paused)
{
    enum state was = m->state;

    m->state = large && was == IN_MAP ? SKIPPING : LOST;
    asbi_msgpack_scan_unlimited(&m->scan);
    asbi_buf_clear(&m->message);
    if (was == IN_DOUBT || was == SKIPPING)
        return ASB_OK; /* reported before */
    begin(m);
    if (was != IN_MAP)
        fail_no_map(m);
    else if (large)
        fail_too_large(m);
    else
        asbi_rows_fail(&m->base.rows, "malformed",
                       "not msgpack; what follows is skipped up to the next "
                       "map");
    return report(m, paused);
}

/* What the first byte of something says.  True when there is nothing more to
 * be read of it. */
static bool start(struct msgpack *m, char first, int *rc, int *paused)
{
    bool map = asbi_msgpack_starts_map(first);

    /* A value may be one byte and need fifty when it is unpacked, so that
     * their number has a limit, too. */
    asbi_msgpack_scan_init(&m->scan, m->base.max_item_bytes,
                           m->base.max_item_bytes / 8 + 1024);
    if (m->state == LOST) {
        m->state = map ? IN_DOUBT : LOST;
        return !map;
    }
    if (!map && asbi_msgpack_is_lone_byte(first)) {
        *rc = lose(m, false, paused);
        return true;
    }
    m->state = map ? IN_MAP : IN_OTHER;
    return false;
}

/* Where the first key of a map stands. */
static size_t key_at(char first)
{
    unsigned char c = (unsigned char)first;

    return c == 0xde ? 3 : c == 0xdf ? 5 : 1;
}

/* Whether what was taken for a map in what is lost can be none: no first
 * key. */
static bool belies(const struct msgpack *m)
{
    const struct asbi_buf *b = &m->message;
    size_t key = key_at(b->data[0]);

    return b->len == key + 1 && !asbi_msgpack_starts_key(b->data[key]);
}

/* In doubt, byte by byte up to the first key; *used is 0 when the byte is no
 * part of it and may start something else. */
static int doubt(struct msgpack *m, const char *at, size_t *used, int *paused)
{
    enum asbi_msgpack_seen seen = asbi_msgpack_scan(&m->scan, at, 1, used);

    asbi_buf_add(&m->message, at, *used);
    if (asbi_buf_failed(&m->message))
        return ASB_ENOMEM;
    if (belies(m)) {
        *used = 0;
        return lose(m, false, paused);
    }
    return seen == ASBI_MSGPACK_MORE ? ASB_OK : lose(m, false, paused);
}

/* Reads on in a message; *used says how many bytes. */
static int advance(struct msgpack *m, const char *at, size_t len, size_t *used,
                   int *paused)
{
    enum asbi_msgpack_seen seen = asbi_msgpack_scan(&m->scan, at, len, used);
    asbi_str whole = { at, *used };

    if (seen == ASBI_MSGPACK_BAD || seen == ASBI_MSGPACK_LARGE)
        return lose(m, seen == ASBI_MSGPACK_LARGE, paused);
    if (m->state != SKIPPING && (m->message.len || seen == ASBI_MSGPACK_MORE)) {
        asbi_buf_add(&m->message, at, *used);
        if (asbi_buf_failed(&m->message))
            return ASB_ENOMEM;
        whole = asbi_buf_view(&m->message);
    }
    if (seen == ASBI_MSGPACK_MORE)
        return ASB_OK;
    int rc = finish(m, whole, paused);
    asbi_buf_clear(&m->message);
    return rc;
}

/* One step: takes bytes, or changes the state. */
static int step(struct msgpack *m, const char *at, size_t len, size_t *used,
                int *paused)
{
    int rc = ASB_OK;

    *used = 1;
    if ((m->state == AT_START || m->state == LOST) &&
        start(m, at[0], &rc, paused))
        return rc;
    if (m->state == IN_DOUBT &&
        (m->message.len == 0 || m->message.len <= key_at(m->message.data[0])))
        return doubt(m, at, used, paused);
    return advance(m, at, len, used, paused);
}

static int feed(struct asbi_reader *r, const char *at, size_t len, size_t *used,
                struct asb_message *why)
{
    struct msgpack *m = (struct msgpack *)r;
    int rc = ASB_OK, paused = 0;

    (void)why;
    *used = 0;
    while (*used < len && !rc && !paused) {
        size_t n;

        rc = step(m, at + *used, len - *used, &n, &paused);
        *used += n;
    }
    return rc;
}

static int end(struct asbi_reader *r, struct asb_message *why)
{
    struct msgpack *m = (struct msgpack *)r;
    enum state was = m->state;
    int paused;

    (void)why;
    m->state = AT_START;
    asbi_buf_clear(&m->message);
    if (was != IN_MAP && was != IN_OTHER)
        return ASB_OK;
    begin(m);
    asbi_rows_fail(&m->base.rows, "malformed",
                   "the input ends inside of it; send it whole");
    return report(m, &paused);
}

static void msgpack_free(struct asbi_reader *r)
{
    struct msgpack *m = (struct msgpack *)r;

    asbi_msgpack_free(m->door);
    asbi_json_free(m->json);
    asbi_buf_fini(&m->text);
    asbi_buf_fini(&m->message);
    asbi_free(r->mem, m);
}

static const struct asbi_reader_ops ops = {
    .feed = feed,
    .end = end,
    .free = msgpack_free,
};

/* A control character takes one byte in msgpack and six in JSON; nothing grows
 * more. */
#define JSON_GROWTH 8

struct asbi_reader *asbi_msgpack_reader_new(const struct asbi_mem *mem,
                                            const struct asbi_reader_options *o)
{
    struct msgpack *m = asbi_calloc(mem, 1, sizeof(*m));

    if (!m)
        return NULL;
    m->base.ops = &ops;
    m->base.mem = mem;
    m->number = 1;
    asbi_buf_init(&m->message, mem, o->max_item_bytes);
    asbi_buf_init(&m->text, mem, JSON_GROWTH * o->max_item_bytes + 64);
    m->door = asbi_msgpack_new(mem);
    m->json = asbi_json_new(mem, JSON_GROWTH * o->max_item_bytes + 64);
    if (!m->door || !m->json) {
        msgpack_free(&m->base);
        return NULL;
    }
    return &m->base;
}
