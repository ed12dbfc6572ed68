#include <string.h>

#include "engine/base/str.h"
#include "engine/real/http_private.h"

static size_t stop(struct asbi_http_slot *slot, enum asbi_slot_stop why)
{
    slot->stop = why;
    return 0; /* fewer bytes than given: libcurl ends the transfer */
}

static void stamp(struct asbi_http_slot *slot)
{
    slot->progress_ns = asbi_http_now(slot->http);
    if (slot->first_byte_ns)
        return;
    slot->first_byte_ns = slot->progress_ns;
    if (slot->x->limits.stall_ns)
        asbi_http_limits_set(slot);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200 ": libcurl has checked the form. */
static int status_of(asbi_str line)
{
    const char *blank = memchr(line.at, ' ', line.len);
    int status = 0;

    if (!blank)
        return 0;
    for (const char *s = blank + 1; s < line.at + line.len; s++) {
        if (*s < '0' || *s > '9' || status > 99)
            break;
        status = status * 10 + (*s - '0');
    }
    return status;
}

static void on_status_line(struct asbi_http_slot *slot, asbi_str line)
{
    int status = status_of(line);

    slot->expect_status = false;
    slot->final = status >= 200;
    if (!slot->final)
        return;
    slot->status = status;
    if (slot->x->ops->on_status)
        slot->x->ops->on_status(slot->x, status);
}

static void on_field(struct asbi_http_slot *slot, asbi_str line)
{
    const char *colon = memchr(line.at, ':', line.len);

    /* A line without a name continues the one before (obsolete) or is junk. */
    if (!colon || colon == line.at || line.at[0] == ' ' || line.at[0] == '\t')
        return;
    size_t name_len = (size_t)(colon - line.at);
    asbi_str name = asbi_http1_trim(asbi_str_of(line.at, name_len));
    asbi_str value =
        asbi_http1_trim(asbi_str_of(colon + 1, line.len - name_len - 1));
    if (slot->x->ops->on_header)
        slot->x->ops->on_header(slot->x, name, value);
}

/* One whole line.  Interim answers (1xx) and trailers are counted, not told. */
static size_t on_header(char *at, size_t size, size_t n, void *arg)
{
    struct asbi_http_slot *slot = arg;
    asbi_str line = asbi_str_of(at, n);

    (void)size;
    if (!slot->x)
        return 0;
    stamp(slot);
    slot->header_bytes += n;
    if (slot->header_bytes > slot->x->limits.max_header_bytes)
        return stop(slot, ASBI_STOP_HEADERS);
    if (slot->in_trailers)
        return n;
    if (slot->expect_status) {
        on_status_line(slot, line);
    } else if (at[0] == '\r' || at[0] == '\n') {
        slot->in_trailers = slot->final;
        slot->expect_status = !slot->final;
    } else if (slot->final) {
        on_field(slot, line);
    }
    return slot->x ? n : 0;
}

/* The body after decompression, so a small answer that unpacks to a large one
 * meets the limit too. */
static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
    struct asbi_http_slot *slot = arg;

    (void)size;
    if (!slot->x)
        return 0;
    stamp(slot);
    if (n > slot->x->limits.max_body_bytes - slot->body_bytes)
        return stop(slot, ASBI_STOP_BODY);
    slot->body_bytes += n;
    if (slot->x->ops->on_body && slot->x->ops->on_body(slot->x, at, n) != 0 &&
        slot->x)
        return stop(slot, ASBI_STOP_REFUSED);
    return slot->x ? n : 0;
}

bool asbi_http_on_line(void *slot, asbi_str line)
{
    return on_header((char *)(uintptr_t)line.at, 1, line.len, slot) > 0;
}

bool asbi_http_on_bytes(void *slot, asbi_str bytes)
{
    return bytes.len == 0 ||
           on_body((char *)(uintptr_t)bytes.at, 1, bytes.len, slot) > 0;
}

static long bytes_sent(struct asbi_http_slot *slot)
{
    long bytes = 1; /* to be safe: something was sent */

    (void)curl_easy_getinfo(slot->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes;
}

bool asbi_http_was_sent(struct asbi_http_slot *slot)
{
    if (slot->endpoint->direct)
        return slot->written > 0;
    return slot->sent && bytes_sent(slot) != slot->bytes_before;
}

/*
 * The connection stands and the request is about to be written.  When a
 * kept-alive connection turns out dead, libcurl comes here again with another
 * one, whether or not the server may have seen the first; no option of it
 * turns that off.  So the second time is allowed only when not one byte was
 * written the first time.
 */
static int on_before_request(void *arg, char *ip, char *local_ip, int port,
                             int local_port)
{
    struct asbi_http_slot *slot = arg;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (!slot->x)
        return CURL_PREREQFUNC_ABORT;
    if (!slot->endpoint->idempotent && asbi_http_was_sent(slot)) {
        slot->stop = ASBI_STOP_RESEND;
        return CURL_PREREQFUNC_ABORT;
    }
    /* A proxy's CONNECT is counted as well. */
    if (!slot->sent)
        slot->bytes_before = slot->endpoint->proxy ? bytes_sent(slot) : 0;
    slot->sent = true;
    return CURL_PREREQFUNC_OK;
}

bool asbi_http_answer_init(struct asbi_http_slot *slot)
{
    CURL *c = slot->easy;

    return !curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) &&
           !curl_easy_setopt(c, CURLOPT_HEADERDATA, slot) &&
           !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(c, CURLOPT_WRITEDATA, slot) &&
           !curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_before_request) &&
           !curl_easy_setopt(c, CURLOPT_PREREQDATA, slot);
}
