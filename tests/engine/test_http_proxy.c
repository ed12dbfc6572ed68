/*
 * test_http_proxy.c -- calls through a forwarding and a tunnelling proxy.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "tests/support/caller.h"
#include "tests/support/certs.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"
#include "tests/support/names.h"
#include "tests/support/web.h"

static struct surroundings s;
static struct certs certs;
static struct names *names;
static struct web *web;   /* the server */
static struct web *proxy; /* in front of it */
static struct asbi_endpoint endpoint;
static struct call call;
static char url[128], proxy_url[128];
static struct asbi_real_options options;
static const struct asbi_mem *mem = &asbi_mem_system;

/* ---- a proxy --------------------------------------------------------- */

struct tunnel {
    int fd; /* to the server */
    struct event *readable;
    struct web_conn *conn; /* to the client */
};

static void on_server_bytes(evutil_socket_t fd, short what, void *arg)
{
    struct tunnel *t = arg;
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    (void)what;
    if (n > 0) {
        web_send(t->conn, bytes, (size_t)n);
        return;
    }
    if (n < 0 && errno == EAGAIN)
        return;
    web_close(t->conn);
}

static void on_client_bytes(struct web_conn *c, const char *at, size_t len)
{
    struct tunnel *t = web_data(c);

    CHECK_INT(send(t->fd, at, len, MSG_NOSIGNAL), ==, len);
}

static void on_gone(struct web_conn *c)
{
    struct tunnel *t = web_data(c);

    if (!t)
        return;
    event_free(t->readable);
    (void)close(t->fd);
    free(t);
}

static void tunnel_open(struct web_conn *c)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(web_port(web)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct tunnel *t = calloc(1, sizeof(*t));

    t->conn = c;
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(t->fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    t->readable =
        event_new(s.base, t->fd, EV_READ | EV_PERSIST, on_server_bytes, t);
    (void)event_add(t->readable, NULL);
    web_set_data(c, t);
    web_raw(c, on_client_bytes);
    web_text(c, "HTTP/1.1 200 Connected\r\n\r\n");
}

static char proxy_saw[1024];

/* Tunnels CONNECT; answers what should be forwarded by itself. */
static void proxy_request(struct web_request *r, void *arg)
{
    (void)arg;
    (void)snprintf(proxy_saw, sizeof(proxy_saw), "%s", r->head);
    if (strncmp(r->head, "CONNECT ", 8) == 0)
        tunnel_open(r->conn);
    else
        web_ok(r->conn, "by the proxy");
}

static void proxy_refuses(struct web_request *r, void *arg)
{
    (void)arg;
    web_answer(r->conn, 407, "Proxy-Authenticate: Basic realm=x\r\n", "no", 2);
}

/* ---- surroundings ---------------------------------------------------- */

static void serve(struct web_request *r, void *arg)
{
    (void)arg;
    web_ok(r->conn, "by the server");
}

static void prepare(web_fn *on_proxy)
{
    certs_init(&certs, "DNS:api.example,IP:127.0.0.1");
    s = (struct surroundings){ .mem = mem, .open_before = open_descriptors() };
    s.base = event_base_new();
    names = names_new(s.base);
    web = web_new(s.base, serve, NULL);
    proxy = web_new(s.base, on_proxy, NULL);
    web_on_gone(proxy, on_gone);
    proxy_saw[0] = '\0';
}

static void begin(const char *scheme, const char *host)
{
    options = (struct asbi_real_options){
        .http = { .proxy = proxy_url,
                  .ca_file = certs.ca_file,
                  .hosts_file = names_hosts(names, ""),
                  .resolv_conf = names_resolv_conf(names) }
    };
    int rc =
        asbi_real_world_new(s.mem, s.base, &options, NULL, &s.world, &s.why);
    CHECK(rc == ASB_OK || (rc == ASB_ENOMEM && mem != &asbi_mem_system));
    if (strcmp(scheme, "https") == 0)
        web_use_tls(web, certs.ssl_ctx);
    (void)snprintf(url, sizeof(url), "%s://%s:%u/p", scheme, host,
                   web_port(web));
    endpoint = (struct asbi_endpoint){ .method = "POST", .url = url };
    call_init(&call, &s, &endpoint);
}

static void proxy_at(const char *format)
{
    (void)snprintf(proxy_url, sizeof(proxy_url), "%s:%u", format,
                   web_port(proxy));
}

static void finish(void)
{
    call_fini(&call);
    web_free(proxy);
    web_free(web);
    names_free(names);
    surroundings_fini(&s);
    certs_fini(&certs);
}

static void check_answered(const char *by)
{
    call_do(&call, "x");
    CHECK_BYTES(call.text, strlen(call.text), "");
    CHECK_INT(call.end.outcome, ==, ASBI_COMPLETE);
    CHECK_STR(asbi_buf_view(&call.body), by);
}

/* ---- cases ----------------------------------------------------------- */

static void plain_http_is_forwarded(void)
{
    prepare(proxy_request);
    proxy_at("http://127.0.0.1");
    begin("http", "far.example");
    check_answered("by the proxy");
    CHECK(strstr(proxy_saw, "POST http://far.example:"));
    check_answered("by the proxy");
    CHECK_INT(web_counts(proxy).connections, ==, 1);
    CHECK_INT(names_asked(names), ==, 0); /* the proxy resolves it */
    finish();
}

static void https_is_tunnelled(void)
{
    prepare(proxy_request);
    proxy_at("http://127.0.0.1");
    begin("https", "api.example");
    check_answered("by the server");
    CHECK(strstr(proxy_saw, "CONNECT api.example:"));
    check_answered("by the server");
    CHECK_INT(web_counts(proxy).connections, ==, 1);
    CHECK_INT(names_asked(names), ==, 0);
    finish();
}

static void the_key_is_for_the_server_alone(void)
{
    static const char *const headers[] = { "Authorization: Bearer secret",
                                           NULL };

    prepare(proxy_request);
    proxy_at("http://127.0.0.1");
    begin("https", "api.example");
    endpoint.headers = headers;
    check_answered("by the server");
    CHECK(!strstr(proxy_saw, "secret"));
    finish();
}

static void the_proxy_may_have_a_name(void)
{
    prepare(proxy_request);
    names_add(names, "proxy.example", "127.0.0.2"); /* dead */
    names_add(names, "proxy.example", "127.0.0.1");
    proxy_at("proxy.example");
    begin("https", "api.example");
    check_answered("by the server");
    check_answered("by the server");
    CHECK_INT(names_asked(names), >=, 1);
    CHECK_INT(web_counts(proxy).connections, ==, 1);
    CHECK_INT(tasks(), ==, 1);
    finish();
}

static void the_proxys_name_may_not_exist(void)
{
    prepare(proxy_request);
    proxy_at("http://proxy.example");
    begin("http", "127.0.0.1");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK_INT(web_counts(web).connections, ==, 0);
    CHECK(strstr(call.text, "proxy http://proxy.example:"));
    finish();
}

/* Whose password may stand in the environment. */
static void it_is_told_that_the_proxy_cannot_be_reached(void)
{
    prepare(proxy_request);
    (void)snprintf(proxy_url, sizeof(proxy_url), "http://me:pass@127.0.0.2:%u",
                   web_port(proxy));
    begin("https", "api.example");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK(strstr(call.text, "by way of proxy http://127.0.0.2:"));
    CHECK(!strstr(call.text, "pass"));
    finish();
}

static void an_https_proxy_is_verified_by_its_name(void)
{
    prepare(proxy_request);
    web_use_tls(proxy, certs.ssl_ctx);
    names_add(names, "api.example", "127.0.0.1");
    proxy_at("https://api.example");
    begin("http", "far.example");
    check_answered("by the proxy");
    CHECK_INT(names_asked(names), >=, 1);
    finish();
}

static void an_https_proxy_of_another_name_is_refused(void)
{
    prepare(proxy_request);
    web_use_tls(proxy, certs.ssl_ctx);
    names_add(names, "other.example", "127.0.0.1");
    proxy_at("https://other.example");
    begin("http", "far.example");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK_INT(web_counts(proxy).requests, ==, 0);
    finish();
}

static void the_proxys_user_is_sent(void)
{
    prepare(proxy_request);
    (void)snprintf(proxy_url, sizeof(proxy_url),
                   "http://me:p%%40ss@127.0.0.1:%u", web_port(proxy));
    begin("http", "far.example");
    check_answered("by the proxy");
    /* "me:p@ss" */
    CHECK(strstr(proxy_saw, "Proxy-Authorization: Basic bWU6cEBzcw=="));
    finish();
}

static void a_tunnel_refused_was_sent_nothing(void)
{
    prepare(proxy_refuses);
    proxy_at("http://127.0.0.1");
    begin("https", "api.example");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable);
    CHECK(strstr(call.text, "407"));
    CHECK_INT(call.status, ==, 0);
    CHECK_INT(web_counts(web).connections, ==, 0);
    finish();
}

static void the_environment_names_the_proxy(void)
{
    prepare(proxy_request);
    proxy_at("http://127.0.0.1");
    CHECK(setenv("http_proxy", proxy_url, 1) == 0);
    CHECK(setenv("no_proxy", "near.example,127.0.0.1", 1) == 0);
    proxy_url[0] = '\0';
    begin("http", "far.example");
    check_answered("by the proxy");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", web_port(web));
    endpoint_forget(&s, &endpoint);
    check_answered("by the server");
    finish();
    CHECK(unsetenv("http_proxy") == 0 && unsetenv("no_proxy") == 0);
}

static void none_means_none(void)
{
    prepare(proxy_request);
    proxy_at("http://127.0.0.1");
    CHECK(setenv("http_proxy", proxy_url, 1) == 0);
    (void)snprintf(proxy_url, sizeof(proxy_url), "none");
    begin("http", "127.0.0.1");
    check_answered("by the server");
    finish();
    CHECK(unsetenv("http_proxy") == 0);
}

static void a_bad_proxy_is_an_error_at_once(void)
{
    static const char *const bad[] = { "ftp://proxy", "http://", "http://a b",
                                       "http://proxy:port" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct asbi_real_options o = { .http = { .proxy = bad[i] } };

        surroundings_init(&s, NULL, &o);
        CHECK(!s.world);
        CHECK(strstr(s.why.text, "proxy"));
        surroundings_fini(&s);
    }
}

static void a_bad_proxy_of_the_environment_is_told_by_the_call(void)
{
    prepare(proxy_request);
    proxy_url[0] = '\0';
    CHECK(setenv("all_proxy", "gopher://x", 1) == 0);
    begin("http", "127.0.0.1");
    call_do(&call, "x");
    CHECK_INT(call.end.outcome, ==, ASBI_NOT_SENT);
    CHECK(call.end.unreachable && strstr(call.text, "proxy"));
    finish();
    CHECK(unsetenv("all_proxy") == 0);
}

/* A tunnelled call through a proxy by name. */
static int life(const struct asbi_mem *of_world, void *arg)
{
    (void)arg;
    mem = of_world;
    prepare(proxy_request);
    names_add(names, "proxy.example", "127.0.0.1");
    proxy_at("http://me:secret@proxy.example");
    begin("https", "api.example");
    int rc = call_survive(&call, "x");
    finish();
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep_spared(life, NULL), >, 0);
}

TEST_MAIN(CASE(plain_http_is_forwarded), CASE(https_is_tunnelled),
          CASE(the_key_is_for_the_server_alone),
          CASE(the_proxy_may_have_a_name), CASE(the_proxys_name_may_not_exist),
          CASE(it_is_told_that_the_proxy_cannot_be_reached),
          CASE(an_https_proxy_is_verified_by_its_name),
          CASE(an_https_proxy_of_another_name_is_refused),
          CASE(the_proxys_user_is_sent),
          CASE(a_tunnel_refused_was_sent_nothing),
          CASE(the_environment_names_the_proxy), CASE(none_means_none),
          CASE(a_bad_proxy_is_an_error_at_once),
          CASE(a_bad_proxy_of_the_environment_is_told_by_the_call),
          CASE(every_failed_allocation_is_survived))
