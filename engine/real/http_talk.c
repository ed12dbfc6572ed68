#include <errno.h>
#include <sys/socket.h>

#include "engine/real/http_private.h"

enum {
    /* With a body up to this size the head goes out in one piece, copied. */
    SMALL_BODY = 16 * 1024,
    MOST_HEAD = 1024 * 1024,
    MOST_WRITTEN = 256 * 1024, /* at once */
    READS_AT_ONCE = 16,        /* then others have their turn */
};

/* ---- bytes ------------------------------------------------------------ */

enum io {
    IO_DONE,
    IO_AGAIN,
    IO_END,    /* in good order */
    IO_BROKEN, /* a reset, say */
};

static enum io put(struct asbi_http_slot *slot, asbi_str bytes, size_t *sent)
{
    ssize_t n;

    if (slot->by_curl) {
        CURLcode code = curl_easy_send(slot->easy, bytes.at, bytes.len, sent);

        return code == CURLE_OK      ? IO_DONE
               : code == CURLE_AGAIN ? IO_AGAIN
                                     : IO_BROKEN;
    }
    do
        n = send(slot->fd, bytes.at, bytes.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    *sent = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return IO_DONE;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_BROKEN;
}

static enum io get(struct asbi_http_slot *slot, size_t *len)
{
    struct asbi_http *h = slot->http;
    ssize_t n;

    if (slot->by_curl) {
        CURLcode code = curl_easy_recv(slot->easy, h->in, ASBI_HTTP_IN, len);

        if (code != CURLE_OK)
            return code == CURLE_AGAIN ? IO_AGAIN : IO_BROKEN;
        return *len > 0 ? IO_DONE : IO_END;
    }
    do
        n = recv(slot->fd, h->in, ASBI_HTTP_IN, 0);
    while (n < 0 && errno == EINTR);
    *len = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return n > 0 ? IO_DONE : IO_END;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_BROKEN;
}

/* A kept connection at its end can be read: of that, or of something nobody
 * asked for. */
static bool is_silent(const struct asbi_http_slot *slot)
{
    char byte;

    return recv(slot->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- the request ------------------------------------------------------ */

/* What is still to be written, one piece after the other.  A piece that could
 * not be sent is asked for again as it was, which TLS insists on. */
static asbi_str next_piece(const struct asbi_http_slot *slot, size_t head_len)
{
    const struct asbi_exchange *x = slot->x;
    size_t at = slot->written;

    if (at < slot->out.len)
        return asbi_str_of(slot->out.data + at, slot->out.len - at);
    at -= head_len;
    size_t len = x->body_len - at;
    return asbi_str_of(x->body + at, len < MOST_WRITTEN ? len : MOST_WRITTEN);
}

/* A connection that was kept and has died under us: what was not sent is sent
 * on a fresh one. */
static void reconnect(struct asbi_http_slot *slot)
{
    asbi_http_talk_end(slot);
    asbi_http_disown(slot);
    slot->sent = false;
    slot->written = 0;
    asbi_http_slot_enter(slot, ASBI_SLOT_NAMING);
    asbi_http_slot_connect(slot);
}

static void fail(struct asbi_http_slot *slot)
{
    asbi_http_slot_fail(slot, "out of memory", false);
}

/* When writing fails the connection is at its end for us; shut, it lets what
 * has come be read and then tells so, from the loop. */
static void write_on(struct asbi_http_slot *slot)
{
    struct asbi_watch_table *watches = &slot->http->watches;
    bool small = slot->x->body_len <= SMALL_BODY;
    size_t head_len = slot->out.len - (small ? slot->x->body_len : 0);
    size_t all = head_len + slot->x->body_len, sent;
    enum io io = IO_DONE;

    while (io == IO_DONE && slot->written < all) {
        io = put(slot, next_piece(slot, head_len), &sent);
        if (io != IO_DONE)
            break;
        slot->written += sent;
        slot->asked_ns = asbi_http_now(slot->http);
    }
    if (io == IO_BROKEN && slot->written == 0 && slot->used) {
        reconnect(slot);
        return;
    }
    if (io == IO_BROKEN)
        (void)shutdown(slot->fd, SHUT_RDWR);
    slot->all_written = slot->written == all;
    short what = io == IO_AGAIN ? EV_READ | EV_WRITE : EV_READ;
    if (asbi_watch_set(watches, slot->fd, what, &slot->watcher))
        fail(slot);
    else if (io != IO_AGAIN)
        asbi_buf_fini(&slot->out);
}

/* ---- the answer ------------------------------------------------------- */

static bool on_packed(struct asbi_http_slot *slot, asbi_str bytes)
{
    const struct asbi_mem *mem = slot->http->parts.mem;
    enum asbi_inflate_result r = ASBI_INFLATE_BROKEN;

    if (!slot->inflate && slot->answer.coding == ASBI_HTTP1_GZIP)
        slot->inflate = asbi_inflate_new(mem);
    if (slot->inflate)
        r = asbi_inflate_feed(slot->inflate, bytes, asbi_http_on_bytes, slot);
    slot->garbled = r == ASBI_INFLATE_BROKEN;
    return r == ASBI_INFLATE_OK;
}

static bool on_body(void *arg, asbi_str bytes)
{
    struct asbi_http_slot *slot = arg;

    return slot->answer.coding == ASBI_HTTP1_IDENTITY
               ? asbi_http_on_bytes(slot, bytes)
               : on_packed(slot, bytes);
}

/* The connection ended in the middle of it all. */
static CURLcode cut(const struct asbi_http_slot *slot)
{
    if (!slot->heard)
        return CURLE_GOT_NOTHING;
    return slot->in_trailers ? CURLE_PARTIAL_FILE : CURLE_OK;
}

static CURLcode whole(struct asbi_http_slot *slot)
{
    if (slot->inflate && !asbi_inflate_may_end(slot->inflate))
        return CURLE_BAD_CONTENT_ENCODING;
    return CURLE_OK;
}

static CURLcode code_of(struct asbi_http_slot *slot, enum asbi_http1_result r)
{
    switch (r) {
    case ASBI_HTTP1_WHOLE:
        return whole(slot);
    case ASBI_HTTP1_NO_HTTP:
        return slot->in_trailers ? CURLE_RECV_ERROR : CURLE_WEIRD_SERVER_REPLY;
    case ASBI_HTTP1_TOO_LONG:
        slot->stop = ASBI_STOP_HEADERS;
        return CURLE_WRITE_ERROR;
    case ASBI_HTTP1_STOPPED:
        return slot->garbled ? CURLE_BAD_CONTENT_ENCODING : CURLE_WRITE_ERROR;
    case ASBI_HTTP1_NO_MEMORY:
    case ASBI_HTTP1_MORE:
        break;
    }
    return CURLE_RECV_ERROR;
}

/* An answer that only the connection's end makes whole needs one in good order:
 * after a reset it may be the half of it. */
static void on_end_of_stream(struct asbi_http_slot *slot, enum io io)
{
    /* Nothing came on a kept connection: one that costs nothing is repeated. */
    if (!slot->heard && slot->used && slot->endpoint->idempotent) {
        reconnect(slot);
        return;
    }
    bool ended = io == IO_END && asbi_http1_may_end(&slot->answer);
    asbi_http_finish(slot, ended ? whole(slot) : cut(slot));
}

/* Reads on until the answer is whole or nothing more is there; of a plain
 * socket only so much, since the loop tells of the rest.  It does not tell of
 * what TLS has taken from the socket already. */
static enum asbi_http1_result read_some(struct asbi_http_slot *slot,
                                        enum io *io)
{
    enum asbi_http1_result r = ASBI_HTTP1_MORE;
    size_t len = 0, used = 0;

    for (int i = 0; r == ASBI_HTTP1_MORE; i++) {
        *io = get(slot, &len);
        if (*io != IO_DONE)
            break;
        slot->heard = true;
        r = asbi_http1_feed(&slot->answer, asbi_str_of(slot->http->in, len),
                            &used);
        if (!slot->by_curl && (len < ASBI_HTTP_IN || i == READS_AT_ONCE))
            break;
    }
    slot->keeps = r == ASBI_HTTP1_WHOLE && used == len && slot->answer.keep &&
                  slot->all_written;
    return r;
}

static void read_on(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;
    enum io io = IO_DONE;

    h->in_curl = true; /* who is called must not pull the slot away */
    enum asbi_http1_result r = read_some(slot, &io);
    h->in_curl = false;
    if (!slot->x)
        return; /* cancelled: the pump sees to it */
    if (r != ASBI_HTTP1_MORE)
        asbi_http_finish(slot, code_of(slot, r));
    else if (io == IO_END || io == IO_BROKEN)
        on_end_of_stream(slot, io);
}

static void on_ready(struct asbi_watcher *w, int fd, short what)
{
    struct asbi_http_slot *slot = ASBI_OF(w, struct asbi_http_slot, watcher);

    if (slot->state == ASBI_SLOT_TALKING && (what & EV_WRITE))
        write_on(slot);
    if (slot->state == ASBI_SLOT_TALKING && slot->fd == fd && (what & EV_READ))
        read_on(slot);
}

/* ---- the call --------------------------------------------------------- */

void asbi_http_talk(struct asbi_http_slot *slot)
{
    static const struct asbi_http1_ops ops = { asbi_http_on_line, on_body };
    const struct asbi_exchange *x = slot->x;
    const struct asbi_mem *mem = slot->http->parts.mem;

    slot->watcher.on_ready = on_ready;
    asbi_buf_init(&slot->out, mem, MOST_HEAD);
    asbi_http1_begin(&slot->answer, mem, &ops, slot, x->limits.max_header_bytes,
                     slot->endpoint->head);
    slot->heard = slot->garbled = slot->all_written = false;
    if (slot->used && !is_silent(slot)) {
        reconnect(slot);
        return;
    }
    asbi_http_head_write(slot, &slot->out);
    if (x->body_len <= SMALL_BODY)
        asbi_buf_add(&slot->out, x->body, x->body_len);
    slot->sent = true;
    if (asbi_buf_failed(&slot->out))
        fail(slot);
    else
        write_on(slot);
}

void asbi_http_talk_end(struct asbi_http_slot *slot)
{
    if (!slot->answer.ops)
        return;
    asbi_buf_fini(&slot->out);
    asbi_http1_fini(&slot->answer);
    slot->answer.ops = NULL;
    asbi_inflate_free(slot->inflate);
    slot->inflate = NULL;
}
