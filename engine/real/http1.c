#include "engine/real/http1.h"

#include <string.h>

#define LIT(s)             \
    {                      \
        (s), sizeof(s) - 1 \
    }

void asbi_http1_begin(struct asbi_http1 *a, const struct asbi_mem *mem,
                      const struct asbi_http1_ops *ops, void *arg,
                      size_t max_line, bool no_body)
{
    *a = (struct asbi_http1){ .ops = ops, .arg = arg, .no_body = no_body };
    asbi_buf_init(&a->line, mem, max_line);
}

void asbi_http1_fini(struct asbi_http1 *a)
{
    asbi_buf_fini(&a->line);
}

bool asbi_http1_may_end(const struct asbi_http1 *a)
{
    return a->state == ASBI_HTTP1_OPEN || a->state == ASBI_HTTP1_DONE;
}

/* ---- lines ------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK", the reason may be missing. */
static enum asbi_http1_result take_status(struct asbi_http1 *a, asbi_str line)
{
    static const asbi_str http = LIT("HTTP/1.");
    const char *s = line.at + http.len;

    line = asbi_http1_trim(line);
    if (line.len < http.len + 5 || !asbi_str_starts(line, http) ||
        (s[0] != '0' && s[0] != '1') || s[1] != ' ' || s[2] < '1' ||
        s[2] > '9' || !is_digit(s[3]) || !is_digit(s[4]) ||
        (line.len > http.len + 5 && s[5] != ' '))
        return ASBI_HTTP1_NO_HTTP;
    a->status = (s[2] - '0') * 100 + (s[3] - '0') * 10 + (s[4] - '0');
    a->minor = s[0] == '1';
    a->close = a->keep_alive = a->counted = a->chunked = false;
    a->coding = ASBI_HTTP1_IDENTITY;
    a->state = ASBI_HTTP1_FIELD;
    return ASBI_HTTP1_MORE;
}

static bool take_length(struct asbi_http1 *a, asbi_str value)
{
    uint64_t n = 0;

    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.at[i]) || n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (value.len == 0 || (a->counted && n != a->left))
        return false;
    a->left = n;
    a->counted = true;
    return true;
}

/* One of the words between commas. */
static bool has_word(asbi_str value, asbi_str word)
{
    while (value.len) {
        const char *comma = memchr(value.at, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.at) : value.len;

        if (asbi_str_eq_nocase(asbi_http1_trim(asbi_str_of(value.at, len)),
                               word))
            return true;
        len += comma ? 1 : 0;
        value = asbi_str_of(value.at + len, value.len - len);
    }
    return false;
}

static enum asbi_http1_coding coding_of(asbi_str value)
{
    static const asbi_str known[] = { LIT("gzip"), LIT("x-gzip"),
                                      LIT("deflate") };
    static const asbi_str none = LIT("identity");

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (asbi_str_eq_nocase(value, known[i]))
            return ASBI_HTTP1_GZIP;
    }
    return value.len == 0 || asbi_str_eq_nocase(value, none)
               ? ASBI_HTTP1_IDENTITY
               : ASBI_HTTP1_UNKNOWN;
}

/* False: the answer's length could be understood in two ways. */
static bool take_field(struct asbi_http1 *a, asbi_str name, asbi_str value)
{
    static const asbi_str length = LIT("content-length"),
                          transfer = LIT("transfer-encoding"),
                          connection = LIT("connection"),
                          coding = LIT("content-encoding"),
                          chunked = LIT("chunked"), close = LIT("close"),
                          keep = LIT("keep-alive");

    if (asbi_str_eq_nocase(name, length))
        return take_length(a, value);
    if (asbi_str_eq_nocase(name, connection)) {
        a->close = a->close || has_word(value, close);
        a->keep_alive = a->keep_alive || has_word(value, keep);
    } else if (asbi_str_eq_nocase(name, transfer)) {
        bool again = a->chunked;

        a->chunked = true;
        return !again && asbi_str_eq_nocase(value, chunked);
    } else if (asbi_str_eq_nocase(name, coding)) {
        a->coding = a->coding == ASBI_HTTP1_IDENTITY ? coding_of(value)
                                                     : ASBI_HTTP1_UNKNOWN;
    }
    return true;
}

/* The empty line: what follows? */
static enum asbi_http1_result end_head(struct asbi_http1 *a)
{
    if (a->status == 101)
        return ASBI_HTTP1_NO_HTTP;
    if (a->status < 200) {
        a->state = ASBI_HTTP1_STATUS;
        return ASBI_HTTP1_MORE;
    }
    bool bare = a->no_body || a->status == 204 || a->status == 304;
    bool known = bare || a->chunked || a->counted;

    a->keep = known && !a->close && (a->minor || a->keep_alive) &&
              !(a->chunked && a->counted);
    if (bare || (a->counted && !a->chunked && a->left == 0))
        a->state = ASBI_HTTP1_DONE;
    else if (a->chunked)
        a->state = ASBI_HTTP1_CHUNK_SIZE;
    else
        a->state = a->counted ? ASBI_HTTP1_COUNTED : ASBI_HTTP1_OPEN;
    return ASBI_HTTP1_MORE;
}

static enum asbi_http1_result take_head(struct asbi_http1 *a, asbi_str line)
{
    asbi_str text = asbi_http1_trim(line);

    if (text.len == 0)
        return end_head(a);
    /* One that begins with a blank continues the line before (obsolete), one
     * without a colon is junk: neither says how long the answer is. */
    const char *colon = memchr(text.at, ':', text.len);
    if (!colon || colon == text.at || line.at[0] == ' ' || line.at[0] == '\t')
        return ASBI_HTTP1_MORE;
    size_t len = (size_t)(colon - text.at);
    asbi_str value = asbi_str_of(colon + 1, text.len - len - 1);
    return take_field(a, asbi_http1_trim(asbi_str_of(text.at, len)),
                      asbi_http1_trim(value))
               ? ASBI_HTTP1_MORE
               : ASBI_HTTP1_NO_HTTP;
}

static int hex(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a3;extension" */
static enum asbi_http1_result take_size(struct asbi_http1 *a, asbi_str line)
{
    uint64_t n = 0;
    size_t i = 0;

    line = asbi_http1_trim(line);
    for (; i < line.len && hex(line.at[i]) >= 0; i++) {
        if (n >> 60)
            return ASBI_HTTP1_NO_HTTP;
        n = n << 4 | (uint64_t)hex(line.at[i]);
    }
    asbi_str rest = asbi_http1_trim(asbi_str_of(line.at + i, line.len - i));
    if (i == 0 || (rest.len && rest.at[0] != ';'))
        return ASBI_HTTP1_NO_HTTP;
    a->left = n;
    a->state = n ? ASBI_HTTP1_CHUNK : ASBI_HTTP1_TRAILER;
    return ASBI_HTTP1_MORE;
}

static enum asbi_http1_result take_line(struct asbi_http1 *a, asbi_str line)
{
    enum asbi_http1_result r = ASBI_HTTP1_MORE;

    switch (a->state) {
    case ASBI_HTTP1_CHUNK_SIZE:
        return take_size(a, line);
    case ASBI_HTTP1_CHUNK_END:
        a->state = ASBI_HTTP1_CHUNK_SIZE;
        return asbi_http1_trim(line).len ? ASBI_HTTP1_NO_HTTP : ASBI_HTTP1_MORE;
    case ASBI_HTTP1_STATUS:
        r = take_status(a, line);
        break;
    case ASBI_HTTP1_TRAILER:
        if (asbi_http1_trim(line).len == 0)
            a->state = ASBI_HTTP1_DONE;
        break;
    default:
        r = take_head(a, line);
        break;
    }
    if (r == ASBI_HTTP1_MORE && !a->ops->on_line(a->arg, line))
        r = ASBI_HTTP1_STOPPED;
    return r;
}

/* ---- bytes ------------------------------------------------------------ */

/* What cannot become a status line is told at once, not when it ends. */
static bool could_be_http(const struct asbi_http1 *a, asbi_str begun)
{
    static const char http[] = "HTTP/1.";
    size_t len = begun.len < sizeof(http) - 1 ? begun.len : sizeof(http) - 1;

    return a->state != ASBI_HTTP1_STATUS || len == 0 ||
           memcmp(begun.at, http, len) == 0;
}

static enum asbi_http1_result keep_begun(struct asbi_http1 *a, asbi_str bytes)
{
    if (bytes.len > a->line.max - a->line.len)
        return ASBI_HTTP1_TOO_LONG;
    asbi_buf_str(&a->line, bytes);
    if (asbi_buf_failed(&a->line))
        return ASBI_HTTP1_NO_MEMORY;
    return could_be_http(a, asbi_buf_view(&a->line)) ? ASBI_HTTP1_MORE
                                                     : ASBI_HTTP1_NO_HTTP;
}

static enum asbi_http1_result feed_line(struct asbi_http1 *a, asbi_str *bytes)
{
    const char *end = memchr(bytes->at, '\n', bytes->len);
    size_t len = end ? (size_t)(end - bytes->at) + 1 : bytes->len;
    asbi_str line = asbi_str_of(bytes->at, len);
    enum asbi_http1_result r;

    *bytes = asbi_str_of(bytes->at + len, bytes->len - len);
    if (end && a->line.len == 0)
        return take_line(a, line);
    r = keep_begun(a, line);
    if (r != ASBI_HTTP1_MORE || !end)
        return r;
    r = take_line(a, asbi_buf_view(&a->line));
    asbi_buf_clear(&a->line);
    return r;
}

static enum asbi_http1_result feed_body(struct asbi_http1 *a, asbi_str *bytes)
{
    bool open = a->state == ASBI_HTTP1_OPEN;
    size_t len = bytes->len;

    if (!open && len > a->left)
        len = (size_t)a->left;
    asbi_str piece = asbi_str_of(bytes->at, len);
    *bytes = asbi_str_of(bytes->at + len, bytes->len - len);
    if (!open) {
        a->left -= len;
        if (a->left == 0)
            a->state = a->chunked ? ASBI_HTTP1_CHUNK_END : ASBI_HTTP1_DONE;
    }
    return a->ops->on_body(a->arg, piece) ? ASBI_HTTP1_MORE
                                          : ASBI_HTTP1_STOPPED;
}

enum asbi_http1_result asbi_http1_feed(struct asbi_http1 *a, asbi_str bytes,
                                       size_t *used)
{
    enum asbi_http1_result r = ASBI_HTTP1_MORE;
    size_t len = bytes.len;

    while (r == ASBI_HTTP1_MORE && bytes.len && a->state != ASBI_HTTP1_DONE) {
        bool body = a->state == ASBI_HTTP1_COUNTED ||
                    a->state == ASBI_HTTP1_OPEN || a->state == ASBI_HTTP1_CHUNK;

        r = body ? feed_body(a, &bytes) : feed_line(a, &bytes);
    }
    *used = len - bytes.len;
    if (r == ASBI_HTTP1_MORE && a->state == ASBI_HTTP1_DONE)
        r = ASBI_HTTP1_WHOLE;
    return r;
}
