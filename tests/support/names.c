#include "tests/support/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/util.h>

#include "tests/support/check.h"

enum { MOST_ENTRIES = 32 };

struct entry {
    char name[64], address[64];
};

struct names {
    int fd;
    struct evdns_server_port *port;
    struct entry entries[MOST_ENTRIES];
    unsigned count;
    bool silent;
    unsigned asked;
    char resolv_conf[64], hosts[64];
};

static void write_file(char *path, size_t size, const char *text)
{
    if (!path[0])
        (void)snprintf(path, size, "/tmp/asb-test-names-XXXXXX");
    int fd = strstr(path, "XXXXXX") ? mkstemp(path) : -1;
    FILE *f = fd >= 0 ? fdopen(fd, "w") : fopen(path, "w");

    CHECK(f && fputs(text, f) >= 0);
    (void)fclose(f);
}

static void answer(struct names *n, struct evdns_server_request *r,
                   const struct evdns_server_question *q, bool *known)
{
    unsigned char bytes[16];

    for (unsigned i = 0; i < n->count; i++) {
        const struct entry *e = &n->entries[i];

        if (strcasecmp(e->name, q->name) != 0)
            continue;
        *known = true;
        if (q->type == EVDNS_TYPE_A && inet_pton(AF_INET, e->address, bytes))
            (void)evdns_server_request_add_a_reply(r, q->name, 1, bytes, 60);
        if (q->type == EVDNS_TYPE_AAAA &&
            inet_pton(AF_INET6, e->address, bytes) == 1)
            (void)evdns_server_request_add_aaaa_reply(r, q->name, 1, bytes, 60);
    }
}

static void on_question(struct evdns_server_request *r, void *arg)
{
    struct names *n = arg;
    bool known = false;

    for (int i = 0; i < r->nquestions; i++)
        n->asked++;
    if (n->silent) {
        (void)evdns_server_request_drop(r);
        return;
    }
    for (int i = 0; i < r->nquestions; i++)
        answer(n, r, r->questions[i], &known);
    (void)evdns_server_request_respond(r, known ? 0 : DNS_ERR_NOTEXIST);
}

struct names *names_new(struct event_base *base)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    struct names *n = calloc(1, sizeof(*n));
    char text[64];

    n->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(n->fd >= 0 && bind(n->fd, (struct sockaddr *)&at, len) == 0);
    (void)getsockname(n->fd, (struct sockaddr *)&at, &len);
    (void)evutil_make_socket_nonblocking(n->fd);
    n->port = evdns_add_server_port_with_base(base, n->fd, 0, on_question, n);
    (void)snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n",
                   ntohs(at.sin_port));
    write_file(n->resolv_conf, sizeof(n->resolv_conf), text);
    write_file(n->hosts, sizeof(n->hosts), "");
    return n;
}

void names_free(struct names *n)
{
    evdns_close_server_port(n->port);
    (void)close(n->fd);
    (void)unlink(n->resolv_conf);
    (void)unlink(n->hosts);
    free(n);
}

void names_add(struct names *n, const char *name, const char *address)
{
    CHECK(n->count < MOST_ENTRIES);
    struct entry *e = &n->entries[n->count++];
    (void)snprintf(e->name, sizeof(e->name), "%s", name);
    (void)snprintf(e->address, sizeof(e->address), "%s", address);
}

void names_be_silent(struct names *n)
{
    n->silent = true;
}

unsigned names_asked(const struct names *n)
{
    return n->asked;
}

const char *names_resolv_conf(const struct names *n)
{
    return n->resolv_conf;
}

const char *names_hosts(struct names *n, const char *text)
{
    write_file(n->hosts, sizeof(n->hosts), text);
    return n->hosts;
}
