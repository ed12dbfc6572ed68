#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/real/http_private.h"
#include "engine/real/proxy.h"

/* A URL in parts, each owned by libcurl; NULL where there is none. */
struct parts_of_url {
    char *scheme, *user, *password, *host, *port, *path, *query;
};

static void parts_free(struct parts_of_url *p)
{
    curl_free(p->scheme);
    curl_free(p->user);
    curl_free(p->password);
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->path);
    curl_free(p->query);
}

static bool parts_get(struct parts_of_url *p, const char *url, unsigned flags)
{
    CURLU *u = curl_url();
    bool ok = u && !curl_url_set(u, CURLUPART_URL, url, flags) &&
              !curl_url_get(u, CURLUPART_SCHEME, &p->scheme, 0) &&
              !curl_url_get(u, CURLUPART_HOST, &p->host, 0);

    if (ok) {
        (void)curl_url_get(u, CURLUPART_USER, &p->user, 0);
        (void)curl_url_get(u, CURLUPART_PASSWORD, &p->password, 0);
        (void)curl_url_get(u, CURLUPART_PORT, &p->port, 0);
        (void)curl_url_get(u, CURLUPART_PATH, &p->path, 0);
        (void)curl_url_get(u, CURLUPART_QUERY, &p->query, 0);
    }
    curl_url_cleanup(u);
    return ok;
}

/* Whether libcurl needs no resolver for the host: an address, or localhost,
 * which it answers by itself. */
static bool is_plain(asbi_str host)
{
    static const asbi_str local = { "localhost", 9 };
    char copy[INET_ADDRSTRLEN];
    struct in_addr in;

    if (host.len == 0)
        return false;
    if (host.at[0] == '[')
        return true;
    if (asbi_str_eq_nocase(host, local))
        return true;
    if (host.len > local.len && host.at[host.len - local.len - 1] == '.' &&
        asbi_str_eq_nocase(
            asbi_str_of(host.at + host.len - local.len, local.len), local))
        return true;
    if (host.len == 0 || host.len >= sizeof(copy))
        return false;
    memcpy(copy, host.at, host.len);
    copy[host.len] = '\0';
    return inet_pton(AF_INET, copy, &in) == 1;
}

static int host_get(struct asbi_http *h, struct asbi_http_endpoint *ep,
                    asbi_str name, const char *port, enum asbi_http_route route)
{
    ep->host = asbi_dns_get(h->dns, name);
    if (!ep->host)
        return ASB_ENOMEM;
    ep->route = route;
    (void)snprintf(ep->port, sizeof(ep->port), "%s", port);
    return ASB_OK;
}

/* ---- proxies --------------------------------------------------------- */

/* Kinds of proxy.  Those that would have libcurl resolve the server's name are
 * asked to do it themselves instead. */
static const struct proxy_kind {
    const char *scheme, *sent_as, *port;
    bool tls;
} proxy_kinds[] = {
    { "http", "http", "1080", false },
    { "https", "https", "443", true },
    { "socks4", "socks4a", "1080", false },
    { "socks4a", "socks4a", "1080", false },
    { "socks5", "socks5h", "1080", false },
    { "socks5h", "socks5h", "1080", false },
};

static const struct proxy_kind *proxy_kind_of(const char *scheme)
{
    for (size_t i = 0; i < sizeof(proxy_kinds) / sizeof(proxy_kinds[0]); i++) {
        if (strcmp(proxy_kinds[i].scheme, scheme) == 0)
            return &proxy_kinds[i];
    }
    return NULL;
}

/* "proxy:3128" is as good as "http://proxy:3128". */
static const struct proxy_kind *proxy_parts(const char *url,
                                            struct parts_of_url *p)
{
    char full[1024];
    int n = snprintf(full, sizeof(full), "%s%s",
                     strstr(url, "://") ? "" : "http://", url);

    if (n < 0 || (size_t)n >= sizeof(full) ||
        !parts_get(p, full, CURLU_NON_SUPPORT_SCHEME))
        return NULL;
    return proxy_kind_of(p->scheme);
}

bool asbi_http_proxy_valid(const char *url)
{
    struct parts_of_url p = { 0 };
    bool valid = proxy_parts(url, &p) != NULL;

    parts_free(&p);
    return valid;
}

/* Writes "scheme://user:password@", and "host:port" unless the host must be
 * resolved and written there for each call. */
static int proxy_write(struct asbi_http *h, struct asbi_http_endpoint *ep,
                       const struct proxy_kind *kind,
                       const struct parts_of_url *p)
{
    const char *port = p->port ? p->port : kind->port;
    bool later = !is_plain(asbi_str_c(p->host)) && !kind->tls;
    struct asbi_buf url;

    asbi_buf_init(&url, h->parts.mem, 2048);
    asbi_buf_fmt(&url, "%s://", kind->sent_as);
    if (p->user)
        asbi_buf_fmt(&url, "%s:%s@", p->user, p->password ? p->password : "");
    if (!later)
        asbi_buf_fmt(&url, "%s:%s", p->host, port);
    const char *text = asbi_buf_cstr(&url);
    ep->proxy = text ? asbi_strndup(h->parts.mem, text, url.len) : NULL;
    asbi_buf_fini(&url);
    if (!ep->proxy)
        return ASB_ENOMEM;
    if (is_plain(asbi_str_c(p->host)))
        return ASB_OK;
    return host_get(h, ep, asbi_str_c(p->host), port,
                    later ? ASBI_ROUTE_PROXY : ASBI_ROUTE_RESOLVE);
}

/* Without user and password. */
static char *proxy_name(struct asbi_http *h, const struct proxy_kind *kind,
                        const struct parts_of_url *p)
{
    struct asbi_buf name;

    asbi_buf_init(&name, h->parts.mem, 2048);
    asbi_buf_fmt(&name, "%s://%s:%s", kind->scheme, p->host,
                 p->port ? p->port : kind->port);
    char *copy = asbi_buf_failed(&name)
                     ? NULL
                     : asbi_strndup(h->parts.mem, name.data, name.len);
    asbi_buf_fini(&name);
    return copy;
}

static int proxy_set(struct asbi_http *h, struct asbi_http_endpoint *ep,
                     const char *url)
{
    struct parts_of_url p = { 0 };
    const struct proxy_kind *kind = proxy_parts(url, &p);
    int rc = ASB_OK;

    if (kind) {
        ep->tls = ep->tls || kind->tls;
        ep->via = proxy_name(h, kind, &p);
        rc = ep->via ? proxy_write(h, ep, kind, &p) : ASB_ENOMEM;
    } else {
        ep->fault = "the proxy's URL is malformed or of an unknown kind";
    }
    parts_free(&p);
    return rc;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static const char *proxy_for(const struct asbi_http *h, bool tls, asbi_str host)
{
    if (h->proxy)
        return *h->proxy ? h->proxy : NULL;
    if (host.len > 2 && host.at[0] == '[')
        host = asbi_str_of(host.at + 1, host.len - 2);
    return asbi_proxy_choose(tls, host, environment);
}

/* ---- an endpoint ----------------------------------------------------- */

static int headers_set(struct asbi_http *h, struct asbi_http_endpoint *ep)
{
    const char *const *lines = ep->of->headers;
    size_t count = 0;

    while (lines && lines[count])
        count++;
    if (count > 0) {
        ep->headers = asbi_calloc(h->parts.mem, count, sizeof(*ep->headers));
        if (!ep->headers)
            return ASB_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (strpbrk(lines[i], "\r\n"))
            ep->fault = "a header has a line break in it";
        /* libcurl reads the list, it never writes to it. */
        ep->headers[i].data = (char *)(uintptr_t)lines[i];
        ep->headers[i].next = i + 1 < count ? &ep->headers[i + 1] : NULL;
    }
    ep->no_expect = (struct curl_slist){ .data = (char *)(uintptr_t) "Expect:",
                                         .next = ep->headers };
    return ASB_OK;
}

static void method_set(struct asbi_http_endpoint *ep)
{
    const char *method = ep->of->method;

    ep->get = strcmp(method, "GET") == 0;
    ep->head = strcmp(method, "HEAD") == 0;
    ep->post = strcmp(method, "POST") == 0;
    ep->idempotent = ep->get || ep->head;
}

/* What every TLS connection needs; its failure is this endpoint's fault. */
static void roots_load(struct asbi_http *h, struct asbi_http_endpoint *ep)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    const char *file = h->ca_file;

    if (!h->own_roots || h->roots)
        return;
    if (!file)
        file = getenv("SSL_CERT_FILE");
    if (!file || !*file)
        file = v->cainfo;
    if (asbi_tls_roots_new(file, v->capath, &h->roots, &h->roots_why))
        ep->fault = h->roots_why.text[0] ? h->roots_why.text
                                         : "out of memory for certificates";
}

static int origin_set(struct asbi_http *h, struct asbi_http_endpoint *ep,
                      const struct parts_of_url *p, const char *port)
{
    struct asbi_buf name;

    asbi_buf_init(&name, h->parts.mem, 65536);
    asbi_buf_fmt(&name, "%s://%s:%s %s", p->scheme, p->host, port,
                 ep->proxy ? ep->proxy : "");
    if (!asbi_buf_failed(&name))
        ep->origin = asbi_http_origin_get(h, asbi_buf_view(&name));
    asbi_buf_fini(&name);
    return ep->origin ? ASB_OK : ASB_ENOMEM;
}

/* The head of a call that http_talk.c makes. */
static int direct_set(struct asbi_http *h, struct asbi_http_endpoint *ep,
                      const struct parts_of_url *p)
{
    struct asbi_buf b;
    int rc = ASB_ENOMEM;

    asbi_buf_init(&b, h->parts.mem, 65536);
    asbi_buf_fmt(&b, "%s%s%s", p->path ? p->path : "/", p->query ? "?" : "",
                 p->query ? p->query : "");
    size_t target_len = b.len;
    asbi_buf_fmt(&b, "%s%s%s", p->host, p->port ? ":" : "",
                 p->port ? p->port : "");
    if (!asbi_buf_failed(&b))
        rc = asbi_http_head_make(
            h, ep, asbi_str_of(b.data, target_len),
            asbi_str_of(b.data + target_len, b.len - target_len));
    ep->direct = !rc;
    asbi_buf_fini(&b);
    return rc;
}

static int url_set(struct asbi_http *h, struct asbi_http_endpoint *ep)
{
    struct parts_of_url p = { 0 };
    int rc = ASB_OK;

    if (!parts_get(&p, ep->of->url,
                   CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS) ||
        (strcmp(p.scheme, "https") != 0 && strcmp(p.scheme, "http") != 0)) {
        ep->fault = "the URL is malformed or neither http nor https";
        goto out;
    }
    bool https = strcmp(p.scheme, "https") == 0;
    ep->tls = https;
    const char *port = p.port ? p.port : https ? "443" : "80";
    const char *proxy = proxy_for(h, ep->tls, asbi_str_c(p.host));
    if (proxy)
        rc = proxy_set(h, ep, proxy);
    else if (!is_plain(asbi_str_c(p.host)))
        rc = host_get(h, ep, asbi_str_c(p.host), port, ASBI_ROUTE_CONNECT_TO);
    if (!rc && ep->tls && !ep->fault)
        roots_load(h, ep);
    bool direct = !h->http2 && !p.user && (https || !ep->proxy);
    if (!rc && !ep->fault && (direct || h->http2))
        rc = origin_set(h, ep, &p, port);
    if (!rc && !ep->fault && direct)
        rc = direct_set(h, ep, &p);
out:
    parts_free(&p);
    return rc;
}

int asbi_http_endpoint_get(struct asbi_http *h, struct asbi_endpoint *of,
                           struct asbi_http_endpoint **out)
{
    struct asbi_http_endpoint *ep = of->transport_data;
    int rc;

    if (ep) {
        *out = ep;
        return ASB_OK;
    }
    ep = asbi_calloc(h->parts.mem, 1, sizeof(*ep));
    if (!ep)
        return ASB_ENOMEM;
    ep->of = of;
    ep->id = ++h->last_endpoint_id;
    asbi_list_append(&h->endpoints, &ep->link);
    method_set(ep);
    rc = headers_set(h, ep);
    if (!rc)
        rc = url_set(h, ep);
    if (rc) {
        asbi_http_endpoint_free(h, ep);
        return rc;
    }
    of->transport_data = ep;
    *out = ep;
    return ASB_OK;
}

void asbi_http_endpoint_free(struct asbi_http *h, struct asbi_http_endpoint *ep)
{
    if (!ep)
        return;
    asbi_list_remove(&ep->link);
    asbi_dns_put(ep->host);
    asbi_http_origin_put(h, ep->origin);
    asbi_free(h->parts.mem, ep->request);
    asbi_free(h->parts.mem, ep->headers);
    asbi_free(h->parts.mem, ep->proxy);
    asbi_free(h->parts.mem, ep->via);
    asbi_free(h->parts.mem, ep);
}
