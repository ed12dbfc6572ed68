#include <string.h>

#include "engine/real/http_private.h"

enum { MOST_HEAD = 1024 * 1024 };

/* Whether one of the endpoint's own lines gives the field. */
static bool gives(const struct asbi_http_endpoint *ep, const char *field)
{
    const char *const *lines = ep->of->headers;
    asbi_str name = asbi_str_c(field);

    for (size_t i = 0; lines && lines[i]; i++) {
        if (strlen(lines[i]) > name.len && lines[i][name.len] == ':' &&
            asbi_str_eq_nocase(asbi_str_of(lines[i], name.len), name))
            return true;
    }
    return false;
}

static void add_lines(struct asbi_buf *b, const char *const *lines)
{
    for (size_t i = 0; lines && lines[i]; i++) {
        asbi_buf_c(b, lines[i]);
        ASBI_BUF_LIT(b, "\r\n");
    }
}

int asbi_http_head_make(struct asbi_http *h, struct asbi_http_endpoint *ep,
                        asbi_str target, asbi_str host)
{
    struct asbi_buf b;

    asbi_buf_init(&b, h->parts.mem, MOST_HEAD);
    asbi_buf_fmt(&b, "%s %.*s HTTP/1.1\r\n", ep->of->method, (int)target.len,
                 target.at);
    if (!gives(ep, "Host"))
        asbi_buf_fmt(&b, "Host: %.*s\r\n", (int)host.len, host.at);
    if (!gives(ep, "Accept"))
        ASBI_BUF_LIT(&b, "Accept: */*\r\n");
    if (!gives(ep, "Accept-Encoding"))
        ASBI_BUF_LIT(&b, "Accept-Encoding: gzip\r\n");
    add_lines(&b, ep->of->headers);
    if (!asbi_buf_failed(&b)) {
        ep->request = asbi_strndup(h->parts.mem, b.data, b.len);
        ep->request_len = b.len;
    }
    asbi_buf_fini(&b);
    return ep->request ? ASB_OK : ASB_ENOMEM;
}

void asbi_http_head_write(const struct asbi_http_slot *slot,
                          struct asbi_buf *out)
{
    const struct asbi_http_endpoint *ep = slot->endpoint;

    asbi_buf_add(out, ep->request, ep->request_len);
    add_lines(out, slot->x->extra_headers);
    if (ep->post || slot->x->body_len > 0) {
        ASBI_BUF_LIT(out, "Content-Length: ");
        asbi_buf_u64(out, slot->x->body_len);
        ASBI_BUF_LIT(out, "\r\n");
    }
    ASBI_BUF_LIT(out, "\r\n");
}
