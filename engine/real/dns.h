/*
 * dns.h -- host names to addresses on the loop: evdns, no thread.
 *
 * Looks into the hosts file and asks the name servers of resolv.conf, search
 * domains included.  evdns tells no time to live, so an answer is kept for a
 * minute, a refusal for a second.  Knows no other source of names
 * (nsswitch.conf is not read).
 */
#ifndef ASBI_REAL_DNS_H
#define ASBI_REAL_DNS_H

#include "engine/base/list.h"
#include "engine/base/str.h"
#include "engine/real/parts.h"

struct asbi_dns;

enum asbi_dns_state {
    ASBI_DNS_UNASKED, /* or what was known is too old */
    ASBI_DNS_ASKED,
    ASBI_DNS_KNOWN,
    ASBI_DNS_REFUSED,
};

/* Longest text of an address, with brackets around IPv6 and the NUL. */
enum { ASBI_DNS_ADDRESS = 50, ASBI_DNS_ADDRESSES = 16 };

/* One host name.  Shared by those who got it; lives until each put it. */
struct asbi_dns_host {
    struct asbi_link link;
    struct asbi_dns *dns;
    char *name;
    unsigned users;

    /* -- set by the answer */
    enum asbi_dns_state state;
    uint64_t until_ns; /* the answer's age limit */
    const char *error; /* static; of ASBI_DNS_REFUSED */
    /* IPv4 and IPv6 in turns, IPv4 first. */
    char address[ASBI_DNS_ADDRESSES][ASBI_DNS_ADDRESS];
    unsigned count;
    unsigned best; /* where to begin: the last that was not found dead */

    struct asbi_list waits;             /* of struct asbi_dns_wait */
    struct asbi_dns_question *question; /* NULL unless ASKED */
};

/* Someone who waits for an answer. */
struct asbi_dns_wait {
    struct asbi_link link;
    /* From the loop; the host is KNOWN or REFUSED.  The wait is out of its
     * list and may be used again. */
    void (*on_answer)(struct asbi_dns_wait *w);
};

/* NULL when out of memory.  Opens nothing yet.  Copies the paths. */
struct asbi_dns *asbi_dns_new(const struct asbi_parts *parts,
                              const char *hosts_file, const char *resolv_conf);

/* Accepts NULL.  Every host must have been put.  A question under way is
 * answered to nobody, in the next turn of the loop. */
void asbi_dns_free(struct asbi_dns *dns);

/* The host of that name, made if need be; NULL when out of memory. */
struct asbi_dns_host *asbi_dns_get(struct asbi_dns *dns, asbi_str name);
void asbi_dns_put(struct asbi_dns_host *host);

/* What is known, asking if nothing is.  On ASBI_DNS_ASKED the wait is queued;
 * it leaves the queue by its on_answer() or asbi_list_remove(). */
enum asbi_dns_state asbi_dns_ask(struct asbi_dns_host *host,
                                 struct asbi_dns_wait *wait);

/* An address was found dead: begin with the next.  When all were found dead,
 * one after the other, the answer is forgotten. */
void asbi_dns_dead(struct asbi_dns_host *host, const char *address);

#endif
