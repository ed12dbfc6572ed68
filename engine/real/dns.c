#include "engine/real/dns.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "engine/base/units.h"

#define KEEP_ANSWER (60 * ASBI_SECOND)
#define KEEP_REFUSAL (1 * ASBI_SECOND)

struct asbi_dns {
    const struct asbi_parts *parts;
    struct evdns_base *evdns; /* made by the first question */
    char *hosts_file, *resolv_conf;
    struct asbi_list hosts;
};

/*
 * A question under way.  It may outlive the host and everything above: evdns
 * calls back in a later turn even for what was given up.  So it is not in the
 * host's memory, and knows its host only while that wants to hear.
 */
struct asbi_dns_question {
    struct asbi_dns_host *host; /* NULL: given up */
    int flags;                  /* EVUTIL_AI_... */
};

struct asbi_dns *asbi_dns_new(const struct asbi_parts *parts,
                              const char *hosts_file, const char *resolv_conf)
{
    struct asbi_dns *dns = asbi_calloc(parts->mem, 1, sizeof(*dns));

    if (!dns)
        return NULL;
    dns->parts = parts;
    asbi_list_init(&dns->hosts);
    dns->hosts_file = asbi_strndup(parts->mem, hosts_file, strlen(hosts_file));
    dns->resolv_conf =
        asbi_strndup(parts->mem, resolv_conf, strlen(resolv_conf));
    if (!dns->hosts_file || !dns->resolv_conf) {
        asbi_dns_free(dns);
        return NULL;
    }
    return dns;
}

void asbi_dns_free(struct asbi_dns *dns)
{
    if (!dns)
        return;
    assert(asbi_list_empty(&dns->hosts));
    if (dns->evdns)
        evdns_base_free(dns->evdns, 1);
    asbi_free(dns->parts->mem, dns->hosts_file);
    asbi_free(dns->parts->mem, dns->resolv_conf);
    asbi_free(dns->parts->mem, dns);
}

static int evdns_start(struct asbi_dns *dns)
{
    static const char *const defaults[][2] = {
        { "timeout:", "3" },
        { "attempts:", "3" },
        { "randomize-case:", "0" }, /* some resolvers drop mixed case */
    };

    if (dns->evdns)
        return ASB_OK;
    dns->evdns =
        evdns_base_new(dns->parts->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!dns->evdns)
        return ASB_ENOMEM;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        (void)evdns_base_set_option(dns->evdns, defaults[i][0], defaults[i][1]);
    /* A missing file is no error: then 127.0.0.1 is asked, as by the C
     * library. */
    (void)evdns_base_resolv_conf_parse(
        dns->evdns, DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE, dns->resolv_conf);
    (void)evdns_base_load_hosts(dns->evdns, dns->hosts_file);
    return ASB_OK;
}

struct asbi_dns_host *asbi_dns_get(struct asbi_dns *dns, asbi_str name)
{
    ASBI_LIST_EACH (it, &dns->hosts) {
        struct asbi_dns_host *host = ASBI_OF(it, struct asbi_dns_host, link);

        if (asbi_str_eq_nocase(asbi_str_c(host->name), name)) {
            host->users++;
            return host;
        }
    }
    struct asbi_dns_host *host = asbi_calloc(dns->parts->mem, 1, sizeof(*host));
    if (!host)
        return NULL;
    host->name = asbi_strndup(dns->parts->mem, name.at, name.len);
    if (!host->name) {
        asbi_free(dns->parts->mem, host);
        return NULL;
    }
    host->dns = dns;
    host->users = 1;
    asbi_list_init(&host->waits);
    asbi_list_append(&dns->hosts, &host->link);
    return host;
}

void asbi_dns_put(struct asbi_dns_host *host)
{
    if (!host || --host->users > 0)
        return;
    assert(asbi_list_empty(&host->waits));
    if (host->question)
        host->question->host = NULL;
    asbi_list_remove(&host->link);
    asbi_free(host->dns->parts->mem, host->name);
    asbi_free(host->dns->parts->mem, host);
}

static void address_add(struct asbi_dns_host *host, const struct sockaddr *sa)
{
    char text[INET6_ADDRSTRLEN];
    char *to = host->address[host->count];

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;

        if (inet_ntop(AF_INET, &in->sin_addr, to, ASBI_DNS_ADDRESS))
            host->count++;
        return;
    }
    const struct sockaddr_in6 *in6 = (const void *)sa;
    if (!inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)))
        return;
    size_t len = strlen(text);
    to[0] = '[';
    memcpy(to + 1, text, len);
    memcpy(to + 1 + len, "]", 2);
    host->count++;
}

/* The next address of a family from `*at` on; moves *at past it. */
static const struct sockaddr *next_of(struct evutil_addrinfo **at, int family)
{
    while (*at) {
        struct evutil_addrinfo *ai = *at;

        *at = ai->ai_next;
        if (ai->ai_family == family)
            return ai->ai_addr;
    }
    return NULL;
}

/* IPv4 and IPv6 take turns, so that neither being broken costs more than every
 * second try. */
static void take_addresses(struct asbi_dns_host *host,
                           struct evutil_addrinfo *answer)
{
    struct evutil_addrinfo *v4 = answer, *v6 = answer;
    char best[ASBI_DNS_ADDRESS];

    memcpy(best, host->address[host->best], sizeof(best));
    host->count = 0;
    while ((v4 || v6) && host->count + 2 <= ASBI_DNS_ADDRESSES) {
        const struct sockaddr *a = next_of(&v4, AF_INET);
        const struct sockaddr *b = next_of(&v6, AF_INET6);

        if (a)
            address_add(host, a);
        if (b)
            address_add(host, b);
    }
    /* Kept-alive connections belong to an address: stay with it. */
    host->best = 0;
    for (unsigned i = 0; i < host->count; i++) {
        if (strcmp(host->address[i], best) == 0)
            host->best = i;
    }
}

static void refuse(struct asbi_dns_host *host, const char *error)
{
    host->state = ASBI_DNS_REFUSED;
    host->error = error;
    host->until_ns = asbi_clock_now(host->dns->parts->clock) + KEEP_REFUSAL;
}

static void take_answer(struct asbi_dns_host *host, int error,
                        struct evutil_addrinfo *answer)
{
    if (error) {
        refuse(host, evutil_gai_strerror(error));
        return;
    }
    take_addresses(host, answer);
    if (host->count == 0) {
        refuse(host, "the name has no address");
        return;
    }
    host->state = ASBI_DNS_KNOWN;
    host->until_ns = asbi_clock_now(host->dns->parts->clock) + KEEP_ANSWER;
}

/* Only those who wait now: who asks again meanwhile is answered at once or
 * waits for the next answer. */
static void tell_waiting(struct asbi_dns_host *host)
{
    host->users++; /* a callback may put it */
    for (size_t n = host->waits.count; n > 0; n--) {
        struct asbi_link *link = asbi_list_pop(&host->waits);

        if (!link)
            break;
        struct asbi_dns_wait *w = ASBI_OF(link, struct asbi_dns_wait, link);
        w->on_answer(w);
    }
    asbi_dns_put(host);
}

static void question_send(struct asbi_dns_question *q);

/* A machine that reaches nobody by IPv6 is not told of such addresses.  Those
 * of its own are there all the same: who has no other is asked for them. */
static bool may_have_others(int error, int flags,
                            const struct evutil_addrinfo *answer)
{
    return flags && !answer && error != EVUTIL_EAI_CANCEL &&
           error != EVUTIL_EAI_MEMORY && error != EVUTIL_EAI_AGAIN;
}

static void on_answer(int error, struct evutil_addrinfo *answer, void *arg)
{
    struct asbi_dns_question *q = arg;
    struct asbi_dns_host *host = q->host;

    if (host && may_have_others(error, q->flags, answer)) {
        q->flags = 0;
        question_send(q);
        return;
    }
    asbi_free(&asbi_mem_system, q);
    if (host) {
        struct asbi_clock *clock = host->dns->parts->clock;

        host->question = NULL;
        asbi_clock_enter(clock);
        take_answer(host, error, answer);
        tell_waiting(host);
        asbi_clock_leave(clock);
    }
    if (answer)
        evutil_freeaddrinfo(answer);
}

/* May call on_answer() before it returns: for a name in the hosts file. */
static void question_send(struct asbi_dns_question *q)
{
    const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
                                           .ai_socktype = SOCK_STREAM,
                                           .ai_protocol = IPPROTO_TCP,
                                           .ai_flags = q->flags };

    (void)evdns_getaddrinfo(q->host->dns->evdns, q->host->name, NULL, &hints,
                            on_answer, q);
}

static void question_ask(struct asbi_dns_host *host)
{
    struct asbi_dns_question *q;

    /* Not the host's allocator: see struct asbi_dns_question. */
    q = asbi_calloc(&asbi_mem_system, 1, sizeof(*q));
    if (!q || evdns_start(host->dns)) {
        asbi_free(&asbi_mem_system, q);
        refuse(host, "out of memory");
        return;
    }
    q->host = host;
    q->flags = EVUTIL_AI_ADDRCONFIG;
    host->question = q;
    host->state = ASBI_DNS_ASKED;
    question_send(q);
}

enum asbi_dns_state asbi_dns_ask(struct asbi_dns_host *host,
                                 struct asbi_dns_wait *wait)
{
    bool old = asbi_clock_now(host->dns->parts->clock) >= host->until_ns;

    if (host->state != ASBI_DNS_ASKED &&
        (old || host->state == ASBI_DNS_UNASKED))
        question_ask(host);
    if (host->state == ASBI_DNS_ASKED)
        asbi_list_append(&host->waits, &wait->link);
    return host->state;
}

void asbi_dns_dead(struct asbi_dns_host *host, const char *address)
{
    if (host->state != ASBI_DNS_KNOWN || host->count == 0 ||
        strcmp(host->address[host->best], address) != 0)
        return; /* somebody else has moved on already */
    host->best = (host->best + 1) % host->count;
    if (host->best == 0)
        host->until_ns = 0;
}
