#include "engine/fetch_head.h"

#include <ctype.h>

#include "engine/base/base64.h"
#include "engine/base/units.h"

void asbi_fetch_head_begin(struct asbi_fetch_head *h)
{
    memset(h, 0, sizeof(*h));
    h->length = h->total = UINT64_MAX;
}

/* ---- digests ---------------------------------------------------------- */

/* Base64 of exactly 32 bytes: 43 digits and a sign that nothing follows. */
static bool read_digest(asbi_str text, unsigned char out[ASBI_DIGEST_BYTES])
{
    size_t len;

    if (text.len == 44 && text.at[43] == '=')
        text.len--;
    return text.len == 43 &&
           asbi_base64_decode(text, (char *)out, ASBI_DIGEST_BYTES, &len) &&
           len == ASBI_DIGEST_BYTES;
}

/* "sha-256=:...:" (RFC 9530) or "SHA-256=..." (RFC 3230), one of a list. */
static void take_digest(struct asbi_fetch_head *h, asbi_str list)
{
    static const asbi_str name = { "sha-256=", 8 };

    while (list.len) {
        const char *comma = memchr(list.at, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.at) : list.len;
        asbi_str one = asbi_str_trim(asbi_str_of(list.at, len));

        if (one.len > name.len && strncasecmp(one.at, name.at, name.len) == 0) {
            asbi_str text = asbi_str_of(one.at + name.len, one.len - name.len);
            if (text.len > 2 && text.at[0] == ':' &&
                text.at[text.len - 1] == ':')
                text = asbi_str_of(text.at + 1, text.len - 2);
            h->has_digest = read_digest(text, h->sha256);
        }
        len += comma != NULL;
        list = asbi_str_of(list.at + len, list.len - len);
    }
}

/* ---- headers ---------------------------------------------------------- */

/* "bytes 100-199/2000", "bytes * / 2000" without blanks. */
static void take_range(struct asbi_fetch_head *h, asbi_str text)
{
    const char *slash, *dash;

    if (!asbi_str_starts(text, ASBI_STR("bytes ")))
        return;
    text = asbi_str_of(text.at + 6, text.len - 6);
    slash = text.len ? memchr(text.at, '/', text.len) : NULL;
    if (!slash)
        return;
    size_t before = (size_t)(slash - text.at);
    (void)asbi_parse_u64(asbi_str_of(slash + 1, text.len - before - 1),
                         &h->total);
    dash = before ? memchr(text.at, '-', before) : NULL;
    if (dash)
        (void)asbi_parse_u64(asbi_str_of(text.at, (size_t)(dash - text.at)),
                             &h->from);
}

static void copy(asbi_str value, char *to, size_t size)
{
    if (value.len >= size)
        return;
    if (value.len)
        memcpy(to, value.at, value.len);
    to[value.len] = '\0';
}

/* Without parameters: "video/mp4; codecs=..." is "video/mp4". */
static void take_type(struct asbi_fetch_head *h, asbi_str value)
{
    const char *end = value.len ? memchr(value.at, ';', value.len) : NULL;

    if (end)
        value.len = (size_t)(end - value.at);
    value = asbi_str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        if (!isalnum(c) && (!c || !strchr("/.+-", c)))
            return;
    }
    copy(value, h->type, sizeof(h->type));
}

void asbi_fetch_head_add(struct asbi_fetch_head *h, asbi_str name,
                         asbi_str value)
{
    value = asbi_str_trim(value);
    if (asbi_str_eq_nocase(name, ASBI_STR("content-length")))
        (void)asbi_parse_u64(value, &h->length);
    else if (asbi_str_eq_nocase(name, ASBI_STR("content-range")))
        take_range(h, value);
    else if (asbi_str_eq_nocase(name, ASBI_STR("content-encoding")))
        h->encoded = !asbi_str_eq_nocase(value, ASBI_STR("identity"));
    else if (asbi_str_eq_nocase(name, ASBI_STR("content-type")))
        take_type(h, value);
    else if (asbi_str_eq_nocase(name, ASBI_STR("repr-digest")) ||
             asbi_str_eq_nocase(name, ASBI_STR("digest")))
        take_digest(h, value);
    else if (asbi_str_eq_nocase(name, ASBI_STR("x-amz-checksum-sha256")))
        h->has_digest = read_digest(value, h->sha256);
    else if (asbi_str_eq_nocase(name, ASBI_STR("location")))
        copy(value, h->location, sizeof(h->location));
    else if (asbi_str_eq_nocase(name, ASBI_STR("etag")) && value.len &&
             value.at[0] == '"')
        copy(value, h->etag, sizeof(h->etag));
}

/* ---- addresses -------------------------------------------------------- */

static size_t origin_len(asbi_str url)
{
    const char *colon = url.len ? memchr(url.at, ':', url.len) : NULL;
    size_t at = colon ? (size_t)(colon - url.at) + 3 : url.len;

    while (at < url.len && !strchr("/?#", url.at[at]))
        at++;
    return at < url.len ? at : url.len;
}

bool asbi_fetch_redirect(asbi_str url, const char *location,
                         struct asbi_buf *out)
{
    asbi_str to = asbi_str_c(location);
    bool secure = asbi_str_starts(url, ASBI_STR("https://"));

    for (size_t i = 0; i < to.len; i++) {
        unsigned char c = (unsigned char)to.at[i];

        if (c <= ' ' || c == 0x7f)
            return false;
    }
    if (asbi_str_starts(to, ASBI_STR("https://")) ||
        (asbi_str_starts(to, ASBI_STR("http://")) && !secure)) {
        asbi_buf_str(out, to);
        return true;
    }
    if (to.len < 2 || to.at[0] != '/' || to.at[1] == '/')
        return false;
    asbi_buf_add(out, url.at, origin_len(url));
    asbi_buf_str(out, to);
    return true;
}

static const char *ending_of_type(const char *type)
{
    static const struct {
        const char *type, *ending;
    } endings[] = {
        { "video/mp4", ".mp4" },         { "video/webm", ".webm" },
        { "video/quicktime", ".mov" },   { "image/png", ".png" },
        { "image/jpeg", ".jpg" },        { "image/webp", ".webp" },
        { "image/gif", ".gif" },         { "audio/mpeg", ".mp3" },
        { "audio/wav", ".wav" },         { "audio/x-wav", ".wav" },
        { "model/gltf-binary", ".glb" },
    };

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcasecmp(type, endings[i].type) == 0)
            return endings[i].ending;
    }
    return NULL;
}

void asbi_fetch_put_ending(const char *type, asbi_str url, struct asbi_buf *out)
{
    const char *known = ending_of_type(type);
    size_t end = origin_len(url), dot = 0;

    if (known) {
        asbi_buf_c(out, known);
        return;
    }
    for (; end < url.len && url.at[end] != '?' && url.at[end] != '#'; end++) {
        if (url.at[end] == '.')
            dot = end;
        else if (!isalnum((unsigned char)url.at[end]))
            dot = 0;
    }
    if (dot && end - dot > 1 && end - dot <= 6)
        asbi_buf_add(out, url.at + dot, end - dot);
    else
        asbi_buf_c(out, ".bin");
}
