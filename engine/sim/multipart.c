#include "engine/sim/multipart.h"

enum { MAX_BOUNDARY = 70 };

static asbi_str skip(asbi_str s, size_t len)
{
    return asbi_str_of(s.at + len, s.len - len);
}

/* Where `needle` begins in `s`, or s.len.  Its first byte is rare in what is
 * searched, so memchr() does most of the work. */
static size_t find(asbi_str s, asbi_str needle)
{
    const char *at = s.at, *end = asbi_str_end(s);

    while (needle.len <= (size_t)(end - at) &&
           (at = memchr(at, needle.at[0], (size_t)(end - at)))) {
        if (asbi_str_starts(asbi_str_of(at, (size_t)(end - at)), needle))
            return (size_t)(at - s.at);
        at++;
    }
    return s.len;
}

/* The value of `key` among the parameters of a header: a; key="value"; b=c */
static asbi_str parameter(asbi_str header, const char *key)
{
    while (header.len) {
        size_t end = find(header, ASBI_STR(";"));
        asbi_str one = asbi_str_trim(asbi_str_of(header.at, end));
        size_t equals = find(one, ASBI_STR("="));

        header = skip(header, end < header.len ? end + 1 : end);
        if (equals == one.len ||
            !asbi_str_eq_nocase(asbi_str_of(one.at, equals), asbi_str_c(key)))
            continue;
        one = skip(one, equals + 1);
        if (one.len >= 2 && one.at[0] == '"' && one.at[one.len - 1] == '"')
            one = asbi_str_of(one.at + 1, one.len - 2);
        return one;
    }
    return ASBI_STR("");
}

/* Moves behind the delimiter at the start of the rest. */
static bool take_delimiter(struct asbi_sim_multipart *m)
{
    asbi_str s = m->rest;

    if (!asbi_str_starts(s, ASBI_STR("--")))
        return false;
    s = skip(s, 2);
    if (!asbi_str_starts(s, m->boundary))
        return false;
    m->rest = skip(s, m->boundary.len);
    return true;
}

bool asbi_sim_multipart_begin(struct asbi_sim_multipart *m,
                              asbi_str content_type, asbi_str body)
{
    m->rest = body;
    m->boundary = parameter(content_type, "boundary");
    return content_type.len >= 19 &&
           asbi_str_eq_nocase(asbi_str_of(content_type.at, 19),
                              ASBI_STR("multipart/form-data")) &&
           m->boundary.len > 0 && m->boundary.len <= MAX_BOUNDARY &&
           take_delimiter(m);
}

static void read_headers(asbi_str headers, struct asbi_sim_part *part)
{
    const asbi_str wanted = ASBI_STR("content-disposition:");

    while (headers.len) {
        size_t end = find(headers, ASBI_STR("\r\n"));
        asbi_str line = asbi_str_of(headers.at, end);

        headers = skip(headers, end + 2 < headers.len ? end + 2 : headers.len);
        if (line.len < wanted.len ||
            !asbi_str_eq_nocase(asbi_str_of(line.at, wanted.len), wanted))
            continue;
        part->name = parameter(line, "name");
        part->filename = parameter(line, "filename");
    }
}

/* Bytes before the delimiter that ends the content, or the rest's length. */
static size_t content_length(const struct asbi_sim_multipart *m)
{
    asbi_str s = m->rest;

    for (size_t at = 0; at < s.len; at++) {
        at += find(skip(s, at), ASBI_STR("\r\n--"));
        if (at < s.len && asbi_str_starts(skip(s, at + 4), m->boundary))
            return at;
    }
    return s.len;
}

bool asbi_sim_multipart_next(struct asbi_sim_multipart *m,
                             struct asbi_sim_part *part)
{
    *part = (struct asbi_sim_part){ .name = ASBI_STR(""),
                                    .filename = ASBI_STR("") };
    if (!asbi_str_starts(m->rest, ASBI_STR("\r\n")))
        return false; /* "--" after the last part */
    size_t head = find(m->rest, ASBI_STR("\r\n\r\n"));
    if (head == m->rest.len)
        return false;
    if (head > 2)
        read_headers(asbi_str_of(m->rest.at + 2, head - 2), part);
    m->rest = skip(m->rest, head + 4);
    size_t len = content_length(m);
    if (len == m->rest.len)
        return false;
    part->content = asbi_str_of(m->rest.at, len);
    m->rest = skip(m->rest, len + 2);
    return take_delimiter(m);
}
