/*
 * http_private.h -- what the files of the libcurl door share.
 *
 *   http.c           the transport's calls, options, the pump
 *   http_endpoint.c  a URL and its headers, prepared for many calls
 *   http_route.c     names, addresses and proxies of one call
 *   http_slot.c      an easy handle and what it is told for a call
 *   http_answer.c    what is told of the answer
 *   http_talk.c      request and answer on a connection that libcurl opened
 *   http_head.c      the head of such a request
 *   http_keep.c      such connections, kept for the next call
 *   http_multi.c     multi handles, their sockets and timers
 *   http_limits.c    time limits
 *   http_end.c       how a call ended
 *
 * Opening a connection (addresses, TLS, a proxy's tunnel) is libcurl's work.
 * What follows on it is a few lines of text, for which libcurl takes three
 * times the instructions that are needed here, and walks lists of connections:
 * so under HTTP/1.1 the request is written and the answer read here.  HTTP/2
 * and plain HTTP through a proxy are libcurl's from end to end.
 *
 * The rule of the house: libcurl's callbacks never call libcurl's multi
 * functions nor the owner's on_end.  They record; the record is acted on when
 * the call into libcurl has returned.
 */
#ifndef ASBI_REAL_HTTP_PRIVATE_H
#define ASBI_REAL_HTTP_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "engine/base/buf.h"
#include "engine/base/heap.h"
#include "engine/base/list.h"
#include "engine/real/dns.h"
#include "engine/real/http.h"
#include "engine/real/http1.h"
#include "engine/real/inflate.h"
#include "engine/real/parts.h"
#include "engine/real/tls.h"
#include "engine/real/watch.h"
#include "engine/transport.h"

/* ---- endpoints ------------------------------------------------------- */

/* How the address of a call is made known to libcurl. */
enum asbi_http_route {
    ASBI_ROUTE_PLAIN,      /* numeric or localhost: libcurl knows it itself */
    ASBI_ROUTE_CONNECT_TO, /* the server's name was resolved here */
    ASBI_ROUTE_PROXY,      /* the proxy's name, written into its URL */
    ASBI_ROUTE_RESOLVE,    /* an https proxy's: its name is still needed */
};

/* Whom a connection leads to.  Shared by the endpoints of one server. */
struct asbi_http_origin {
    struct asbi_link link; /* http->origins */
    unsigned users;
    unsigned group;        /* of the multi handles that serve it */
    struct asbi_list kept; /* slots with a connection, the warmest first */
    size_t name_len;
    char name[]; /* "https://api.example:443", and the proxy's URL */
};

/* Owned by the transport, reached through endpoint->transport_data. */
struct asbi_http_endpoint {
    struct asbi_link link; /* http->endpoints */
    uint64_t id;           /* never 0, never used again */
    const struct asbi_endpoint *of;
    bool tls;                        /* to the server or to the proxy */
    bool get;                        /* no body unless one is given */
    bool head;                       /* no body in the answer */
    bool post;                       /* a body even when it is empty */
    bool idempotent;                 /* may be repeated */
    bool direct;                     /* the exchange is http_talk.c's */
    struct asbi_http_origin *origin; /* of a direct one, and under HTTP/2 */
    /* -- of a direct one */
    char *request; /* the head up to the length of the body */
    size_t request_len;
    /* The headers as libcurl wants them, over the endpoint's own strings.
     * NULL for none. */
    struct curl_slist *headers;
    /* One node before them, for bodies that libcurl would announce. */
    struct curl_slist no_expect;

    enum asbi_http_route route;
    struct asbi_dns_host *host; /* NULL for ASBI_ROUTE_PLAIN */
    char *proxy;                /* URL; of ROUTE_PROXY the part before the host;
                                   NULL for none */
    char *via;                  /* the proxy, as it may be told; NULL: none */
    char port[8];               /* of `host` */

    const char *fault; /* why no call can be made; NULL: none */
};

/* ---- slots ----------------------------------------------------------- */

/* Where a slot is; also the list it is in. */
enum asbi_slot_state {
    ASBI_SLOT_IDLE,
    ASBI_SLOT_NAMING,    /* waits for a name to be resolved */
    ASBI_SLOT_LAUNCHING, /* to be added when libcurl has returned */
    ASBI_SLOT_RUNNING,   /* in its multi handle, for libcurl to act */
    ASBI_SLOT_TALKING,   /* on its own connection, see http_talk.c */
    ASBI_SLOT_KEPT,      /* idle, with a connection */
    ASBI_SLOT_DROPPING,  /* to be recycled when nobody is inside */
    ASBI_SLOT_ENDING,    /* failed before it began; on_end is owed */
    ASBI_SLOT_STATES,
};

/* Why we ourselves stopped a call. */
enum asbi_slot_stop {
    ASBI_STOP_NONE,
    ASBI_STOP_HEADERS, /* too large */
    ASBI_STOP_BODY,    /* too large */
    ASBI_STOP_REFUSED, /* by the owner */
    ASBI_STOP_RESEND,  /* libcurl wanted to send it again */
    ASBI_STOP_TIME,
    ASBI_STOP_FAULT, /* see `fault` */
};

/* An easy handle, pinned to a multi handle, kept for the next call. */
struct asbi_http_slot {
    struct asbi_watcher watcher; /* first; of its own connection */
    struct asbi_link link;       /* http->by_state[state] */
    enum asbi_slot_state state;
    struct asbi_http *http;
    struct asbi_http_multi *multi;
    CURL *easy;
    bool in_multi; /* the easy handle was added */

    /* -- its own connection: http_keep.c */
    int fd;                          /* -1: none */
    bool by_curl;                    /* bytes go through libcurl: TLS */
    bool used;                       /* for a call before this one */
    bool keeps;                      /* may be used for another */
    struct asbi_http_origin *origin; /* with a connection */
    struct asbi_link kept;           /* origin->kept */
    uint64_t idle_ns;                /* since when */

    /* -- the call on it: http_talk.c */
    struct asbi_buf out; /* head, and a small body */
    size_t written;      /* of head and body */
    bool all_written;
    bool heard;   /* a byte of the answer came */
    bool garbled; /* it was packed, and not as it said */
    struct asbi_http1 answer;
    struct asbi_inflate *inflate;

    /* -- what the easy handle was last told */
    uint64_t endpoint_id;
    bool fresh;       /* to open a connection of its own */
    bool own_headers; /* not the endpoint's list */
    bool with_body;
    struct curl_slist *extra; /* nodes for a call's extra headers */
    size_t extra_cap;
    char pin[352]; /* text of CURLOPT_CONNECT_TO or CURLOPT_RESOLVE */
    struct curl_slist pin_node;
    char error[CURL_ERROR_SIZE]; /* written by libcurl */

    /* -- the call, from begin to end */
    struct asbi_exchange *x; /* NULL when idle or cancelled */
    struct asbi_http_endpoint *endpoint;
    struct asbi_dns_wait wait;
    char address[ASBI_DNS_ADDRESS]; /* pinned; "" for none */
    unsigned tries;                 /* addresses tried */
    uint64_t started_ns, first_byte_ns, progress_ns;
    uint64_t asked_ns;     /* a byte of the request was last written, as far as
                              we write it; else started_ns */
    uint64_t try_until_ns; /* for the next address; ASBI_NEVER for none */
    bool sent;             /* libcurl began to write the request */
    long bytes_before;     /* written before that: a proxy's CONNECT */
    bool expect_status, final, in_trailers;
    int status;
    size_t header_bytes, body_bytes;
    enum asbi_slot_stop stop;
    bool unreachable;
    const char *fault; /* static */

    struct asbi_heap_node deadline; /* http->deadlines */
};

/* ---- multi handles --------------------------------------------------- */

struct asbi_http_multi {
    struct asbi_watcher watcher; /* first; of libcurl's connections */
    struct asbi_http *http;
    CURLM *curl;
    struct event timer;
    struct asbi_link due; /* http->due while libcurl wants to run at once */
    bool lost_event;      /* one that libcurl wanted there was no memory for */
    unsigned group;
    unsigned slots;
};

/* ---- the transport --------------------------------------------------- */

struct asbi_http {
    struct asbi_transport transport;
    struct asbi_parts parts;

    /* -- options */
    bool http2;
    char *ca_file;
    char *proxy; /* NULL: the environment's; "": none */
    unsigned calls_per_multi;

    struct asbi_dns *dns;
    CURLSH *share;                /* TLS sessions */
    bool own_roots;               /* libcurl uses our OpenSSL */
    struct asbi_tls_roots *roots; /* loaded by the first TLS endpoint */
    struct asb_message roots_why; /* why they could not be */

    struct asbi_http_multi **multis;
    size_t multi_count, multi_cap;
    struct asbi_list due;
    struct asbi_watch_table watches;

    struct asbi_list by_state[ASBI_SLOT_STATES];
    unsigned slots; /* in all states */
    struct asbi_list endpoints;
    uint64_t last_endpoint_id;
    struct asbi_list origins;
    unsigned origins_made;
    int handed_over; /* the descriptor that libcurl is not to close; -1 */
    char *in;        /* what is being read: ASBI_HTTP_IN bytes */

    struct asbi_heap deadlines;
    struct event deadline_timer;
    uint64_t deadline_armed_ns; /* ASBI_NEVER: not armed */

    bool in_curl;        /* a call into libcurl is under way, or an answer is
                            being told by http_talk.c */
    bool global;         /* curl_global_init() was called */
    bool events_ready;   /* the events here are assigned */
    bool pump_wanted;    /* the pump is to run in the next turn */
    struct event pump;   /* acts on what was recorded */
    struct event keeper; /* keeps the loop alive while a call is under way */
};

/* Calls that were started and have not ended. */
static inline size_t asbi_http_busy(const struct asbi_http *h)
{
    return h->slots - h->by_state[ASBI_SLOT_IDLE].count -
           h->by_state[ASBI_SLOT_KEPT].count;
}

static inline uint64_t asbi_http_now(const struct asbi_http *h)
{
    return asbi_clock_now(h->parts.clock);
}

/* Of asbi_http.in: more than a record of TLS. */
enum { ASBI_HTTP_IN = 65536 };

/* http.c: has what is due, launching, dropping and ending seen to, later. */
void asbi_http_pump(struct asbi_http *h);

/* http_endpoint.c.  The prepared endpoint, made if need be; ASB_ENOMEM. */
int asbi_http_endpoint_get(struct asbi_http *h, struct asbi_endpoint *of,
                           struct asbi_http_endpoint **out);
void asbi_http_endpoint_free(struct asbi_http *h,
                             struct asbi_http_endpoint *ep);
/* Takes a proxy's URL apart.  False for one that we cannot use. */
bool asbi_http_proxy_valid(const char *url);

/* http_route.c: finds the address, then launches; or fails, later. */
void asbi_http_route(struct asbi_http_slot *slot);
/* After a failed connect: goes to the next address.  False: there is none. */
bool asbi_http_route_next(struct asbi_http_slot *slot);

/* http_slot.c */
void asbi_http_slot_enter(struct asbi_http_slot *slot,
                          enum asbi_slot_state state);
/* An idle slot of the endpoint's group, with a connection for it if there is
 * one and it need not be `fresh`, or a new slot; NULL when out of memory.  One
 * that is `fresh` takes the place of the coldest that was kept, so that these
 * become no more.
 */
struct asbi_http_slot *asbi_http_slot_take(struct asbi_http *h,
                                           struct asbi_http_endpoint *ep,
                                           bool fresh);
void asbi_http_slot_free(struct asbi_http_slot *slot);
/* Fills in the call's part. */
void asbi_http_slot_begin(struct asbi_http_slot *slot, struct asbi_exchange *x,
                          struct asbi_http_endpoint *ep);
/* Finds a way for a call that has no connection. */
void asbi_http_slot_connect(struct asbi_http_slot *slot);
/* Hands it to libcurl, or talks on its connection, now or as soon as that is
 * allowed. */
void asbi_http_slot_launch(struct asbi_http_slot *slot);
/* Has it end without having been sent. */
void asbi_http_slot_fail(struct asbi_http_slot *slot, const char *fault,
                         bool unreachable);

/* http_keep.c */
/* Finds or makes the origin; NULL when out of memory. */
struct asbi_http_origin *asbi_http_origin_get(struct asbi_http *h,
                                              asbi_str name);
/* The last user's has its connections closed.  Accepts NULL. */
void asbi_http_origin_put(struct asbi_http *h, struct asbi_http_origin *o);
/* libcurl has opened a connection: makes it the slot's own.  False: the slot
 * fails, later. */
bool asbi_http_own(struct asbi_http_slot *slot);
/* The warmest slot with a connection of the origin; NULL: there is none. */
struct asbi_http_slot *asbi_http_kept_take(struct asbi_http *h,
                                           struct asbi_http_origin *o);
/* Closes the connection of the origin that was kept longest, if there is one.
 */
void asbi_http_kept_drop(struct asbi_http_origin *o);
/* The slot that was kept longest, its connection closed; NULL: none. */
struct asbi_http_slot *asbi_http_kept_steal(struct asbi_http *h);
/* The call is over: the connection rests, or is closed. */
void asbi_http_keep(struct asbi_http_slot *slot);
void asbi_http_disown(struct asbi_http_slot *slot);
/* CURLOPT_CLOSESOCKETFUNCTION */
int asbi_http_on_close(void *http, curl_socket_t fd);

/* http_head.c: what of a request's head is the same for each call.  ASB_OK or
 * ASB_ENOMEM. */
int asbi_http_head_make(struct asbi_http *h, struct asbi_http_endpoint *ep,
                        asbi_str target, asbi_str host);
/* The whole head of a call. */
void asbi_http_head_write(const struct asbi_http_slot *slot,
                          struct asbi_buf *out);

/* http_talk.c: sends the request; the answer comes from the loop. */
void asbi_http_talk(struct asbi_http_slot *slot);
/* Gives back what a call on the slot's own connection needed. */
void asbi_http_talk_end(struct asbi_http_slot *slot);

/* http_answer.c: sets the callbacks of a new easy handle. */
bool asbi_http_answer_init(struct asbi_http_slot *slot);
/* The same for an answer that is read here; `slot` is a slot. */
bool asbi_http_on_line(void *slot, asbi_str line);
bool asbi_http_on_bytes(void *slot, asbi_str bytes);
/* Whether any byte of the request itself was written to a socket. */
bool asbi_http_was_sent(struct asbi_http_slot *slot);

/* http_multi.c */
/* The multi handle for one more slot of the group; NULL when out of memory. */
struct asbi_http_multi *asbi_http_multi_for_slot(struct asbi_http *h,
                                                 unsigned group);
void asbi_http_multi_free(struct asbi_http_multi *m);
/* The one way into libcurl; it also collects what has ended. */
void asbi_http_drive(struct asbi_http_multi *m, curl_socket_t fd, int mask);

/* http_limits.c */
int asbi_http_limits_init(struct asbi_http *h);
void asbi_http_limits_fini(struct asbi_http *h);
/* The slot's call has begun, or an earlier limit than before applies. */
void asbi_http_limits_set(struct asbi_http_slot *slot);
/* No call is under way. */
void asbi_http_limits_rest(struct asbi_http *h);

/* http_end.c: tells the owner and puts the slot back; also retries another
 * address.  Not from inside libcurl. */
void asbi_http_finish(struct asbi_http_slot *slot, CURLcode code);
/* Puts the slot back without telling anybody. */
void asbi_http_recycle(struct asbi_http_slot *slot);

#endif
