/*
 * http.h -- the transport that talks to real servers: libcurl on the loop.
 *
 * HTTP/1.1 over TCP and TLS, HTTP/2 by choice.  libcurl opens connections; what
 * is said on those of HTTP/1.1 is written and read here, at less than half the
 * processor time (http_private.h).  What it promises beyond
 * engine/transport.h:
 *
 *   - A request is put on the wire once.  When a kept-alive connection dies
 *     under a request of which a byte was sent, it is not sent again behind
 *     the owner's back: the end is ASBI_UNANSWERED.  When no byte was sent it
 *     goes on a fresh connection.  (Only GET and HEAD, which cost nothing, may
 *     be repeated by libcurl itself.)
 *   - It starts no thread, whatever the name to resolve.
 *   - While nothing is in flight it keeps no event pending: a host's
 *     event_base_dispatch() returns.
 *
 * It does not follow redirects, keeps no cookies, and does not retry.
 */
#ifndef ASBI_REAL_HTTP_H
#define ASBI_REAL_HTTP_H

#include <asyncbatch/asyncbatch.h>

#include "engine/real/parts.h"
#include "engine/transport.h"

/* Zero it; every default is 0 or NULL. */
struct asbi_http_options {
    unsigned max_in_flight; /* most wanted; 0: what the descriptors allow */
    /* Over TLS, when the server offers it.  Dearer here, and libcurl before 8
     * loses answers that come before the request was read: those calls end as
     * ASBI_UNANSWERED or ASBI_CUT. */
    bool http2;
    const char *ca_file; /* PEM bundle; NULL or "": the system's */
    /* NULL or "": the variables http_proxy, https_proxy, all_proxy and
     * no_proxy; "none": never one; else the URL of one for everything. */
    const char *proxy;
    const char *hosts_file;   /* NULL: /etc/hosts */
    const char *resolv_conf;  /* NULL: /etc/resolv.conf */
    unsigned calls_per_multi; /* 0: 100, see http_multi.c */
};

/* Whether options.proxy, not empty, can be used.  ASB_OK or ASB_ECONFIG. */
int asbi_http_check_proxy(const char *proxy, struct asb_message *why);

/**
 * Makes the transport.  Copies what it needs of the options; borrows what
 * `parts` points to.
 *
 * The capacity follows from the present soft limit of open files.  Its free()
 * must not be called from inside a callback of an exchange.  A name that is
 * being resolved at free() is given back by libevent in the next turn of the
 * loop.
 * @return ASB_OK and *out, or ASB_ECONFIG (proxy, certificates), ASB_ENOMEM
 */
int asbi_http_new(const struct asbi_parts *parts,
                  const struct asbi_http_options *options,
                  struct asbi_transport **out, struct asb_message *why);

#endif
