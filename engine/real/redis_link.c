#include "engine/real/redis_link.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <hiredis/hiredis.h>
#include <openssl/x509.h>

#include "engine/base/buf.h"
#include "engine/base/error.h"
#include "engine/real/dns.h"
#include "engine/real/stream.h"
#include "engine/real/tls.h"

enum {
    MAX_WAITING = 16 << 20, /* bytes to be sent */
    MAX_UNREAD = 64 << 20,  /* bytes of a reply that is not whole */
};

enum state { DOWN, RESOLVING, CONNECTING, ENTERING, UP };

struct asbi_redis_link {
    const struct asbi_parts *parts;
    const struct asbi_redis_link_ops *ops;
    void *arg;
    char *host, *path, *user, *password;
    unsigned port, database;
    uint64_t patience_ns;
    struct asbi_tls_roots *roots; /* NULL: no TLS */

    enum state state;
    bool stopped; /* inside a callback: read no further */
    bool reading; /* the reader is at work */
    struct asbi_dns *dns;
    struct asbi_dns_host *name;
    struct asbi_dns_wait wait;
    struct asbi_stream *stream;
    struct asbi_buf command;
    redisReader *reader;
    unsigned greetings; /* replies to come before the link is up */
    struct event timer;
    bool timer_ready;
    bool is_message; /* the array that is being read */
};

/* ---- down ------------------------------------------------------------- */

void asbi_redis_link_stop(struct asbi_redis_link *l)
{
    l->state = DOWN;
    l->stopped = true;
    asbi_list_remove(&l->wait.link);
    asbi_stream_close(l->stream);
    if (l->timer_ready)
        (void)event_del(&l->timer);
}

static void go_down(struct asbi_redis_link *l, const char *why)
{
    asbi_redis_link_stop(l);
    l->ops->on_down(l->arg, why);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct asbi_redis_link *l = arg;
    struct asbi_clock *clock = l->parts->clock;

    (void)fd;
    (void)what;
    asbi_clock_enter(clock);
    go_down(l, "no answer in time");
    asbi_clock_leave(clock);
}

/* ---- commands --------------------------------------------------------- */

static void put_length(struct asbi_buf *out, char type, size_t n)
{
    asbi_buf_char(out, type);
    asbi_buf_u64(out, n);
    asbi_buf_c(out, "\r\n");
}

static bool send_words(struct asbi_redis_link *l, const asbi_str *words,
                       size_t count)
{
    asbi_buf_clear(&l->command);
    put_length(&l->command, '*', count);
    for (size_t i = 0; i < count; i++) {
        put_length(&l->command, '$', words[i].len);
        asbi_buf_str(&l->command, words[i]);
        asbi_buf_c(&l->command, "\r\n");
    }
    return !asbi_buf_failed(&l->command) &&
           asbi_stream_send(l->stream, asbi_buf_view(&l->command));
}

bool asbi_redis_link_send(struct asbi_redis_link *l, const asbi_str *words,
                          size_t count)
{
    return l->state == UP && send_words(l, words, count);
}

void asbi_redis_link_flush(struct asbi_redis_link *l)
{
    asbi_stream_flush(l->stream);
}

bool asbi_redis_link_is_up(const struct asbi_redis_link *l)
{
    return l->state == UP;
}

/* ---- being let in ----------------------------------------------------- */

static bool greet(struct asbi_redis_link *l)
{
    asbi_str auth[] = { ASBI_STR("AUTH"), asbi_str_c(l->user),
                        asbi_str_c(l->password) };
    asbi_str pass[] = { auth[0], auth[2] };
    asbi_str ping[] = { ASBI_STR("PING") };
    char number[16];
    int n = snprintf(number, sizeof(number), "%u", l->database);
    asbi_str select[] = { ASBI_STR("SELECT"), asbi_str_of(number, (size_t)n) };
    bool ok = true;

    l->greetings = 1;
    if (l->password[0]) {
        ok = l->user[0] ? send_words(l, auth, 3) : send_words(l, pass, 2);
        l->greetings++;
    }
    if (l->database) {
        ok = ok && send_words(l, select, 2);
        l->greetings++;
    }
    return ok && send_words(l, ping, 1);
}

static void on_open(void *arg)
{
    struct asbi_redis_link *l = arg;

    l->state = ENTERING;
    if (greet(l))
        asbi_stream_flush(l->stream);
    else
        go_down(l, "out of memory");
}

/* Not all that is refused has to do with who we are. */
static const char *why_refused(asbi_str error)
{
    static const struct {
        asbi_str begins;
        const char *why;
    } known[] = {
        { { "LOADING ", 8 }, "it is still reading its data" },
        { { "BUSY ", 5 }, "it is busy with a script" },
        { { "MASTERDOWN ", 11 }, "it is a replica without its master" },
        { { "ERR max number of clients", 25 }, "it takes no more clients" },
        { { "DENIED ", 7 },
          "its protected mode lets in nobody from elsewhere: give it a "
          "password" },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (asbi_str_starts(error, known[i].begins))
            return known[i].why;
    }
    return "the server refuses us: user, password or database";
}

static void on_greeting(struct asbi_redis_link *l,
                        const struct asbi_redis_reply *reply)
{
    if (reply->kind == ASBI_REDIS_ERROR) {
        go_down(l, why_refused(reply->text));
        return;
    }
    if (--l->greetings > 0)
        return;
    l->state = UP;
    (void)event_del(&l->timer);
    l->ops->on_up(l->arg);
}

static void on_whole_reply(struct asbi_redis_link *l,
                           const struct asbi_redis_reply *reply)
{
    if (l->stopped)
        return;
    if (l->state == ENTERING)
        on_greeting(l, reply);
    else
        l->ops->on_reply(l->arg, reply);
}

/* ---- replies, as hiredis reads them ----------------------------------- */

/* hiredis wants something for each object; there is nothing to keep, as texts
 * are told while they still lie in its buffer. */
static void *something(const struct asbi_redis_link *l)
{
    return (void *)(uintptr_t)l;
}

/* Of an array the first text is remembered: whether it is a message. */
static void on_element(struct asbi_redis_link *l, const redisReadTask *task,
                       asbi_str text)
{
    struct asbi_redis_reply reply = { .kind = ASBI_REDIS_MESSAGE,
                                      .text = text };

    if (task->parent->parent)
        return;
    if (task->idx == 0)
        l->is_message = asbi_str_eq(text, ASBI_STR("message"));
    if (task->idx == 2 && l->is_message)
        on_whole_reply(l, &reply);
}

static void *on_string(const redisReadTask *task, char *at, size_t len)
{
    struct asbi_redis_link *l = task->privdata;
    struct asbi_redis_reply reply = { .text = asbi_str_of(at, len) };

    reply.kind =
        task->type == REDIS_REPLY_ERROR ? ASBI_REDIS_ERROR : ASBI_REDIS_TEXT;
    if (task->parent)
        on_element(l, task, reply.text);
    else
        on_whole_reply(l, &reply);
    return something(l);
}

/* No command of ours is answered by one, but for a subscription. */
static void *on_array(const redisReadTask *task, int count)
{
    (void)count;
    return something(task->privdata);
}

static void *on_integer(const redisReadTask *task, long long number)
{
    struct asbi_redis_link *l = task->privdata;
    struct asbi_redis_reply reply = { .kind = ASBI_REDIS_NUMBER,
                                      .number = number };

    if (!task->parent)
        on_whole_reply(l, &reply);
    return something(l);
}

static void *on_nil(const redisReadTask *task)
{
    struct asbi_redis_link *l = task->privdata;
    struct asbi_redis_reply reply = { .kind = ASBI_REDIS_NIL };

    if (!task->parent)
        on_whole_reply(l, &reply);
    return something(l);
}

static void on_free(void *object)
{
    (void)object;
}

static redisReplyObjectFunctions reading = {
    .createString = on_string,
    .createArray = on_array,
    .createInteger = on_integer,
    .createNil = on_nil,
    .freeObject = on_free,
};

static void read_replies(struct asbi_redis_link *l)
{
    void *whole = NULL;
    int rc;

    do {
        rc = redisReaderGetReply(l->reader, &whole);
    } while (rc == REDIS_OK && whole && !l->stopped);
    if (l->stopped)
        return;
    if (rc != REDIS_OK || l->reader->len - l->reader->pos > MAX_UNREAD)
        go_down(l, "what it says is not Redis's protocol");
}

static void on_bytes(void *arg, const char *at, size_t len)
{
    struct asbi_redis_link *l = arg;

    l->stopped = false;
    if (redisReaderFeed(l->reader, at, len) != REDIS_OK) {
        go_down(l, "out of memory");
        return;
    }
    l->reading = true;
    read_replies(l);
    l->reading = false;
}

static void on_closed(void *arg, const char *why)
{
    go_down(arg, why);
}

static const struct asbi_stream_ops stream_ops = { on_open, on_bytes,
                                                   on_closed };

/* ---- connecting ------------------------------------------------------- */

static void connect_to(struct asbi_redis_link *l, const char *address,
                       unsigned port)
{
    l->state = CONNECTING;
    if (!asbi_stream_open(l->stream, address, port, l->roots, l->host))
        go_down(l, "cannot connect");
}

static void connect_to_best(struct asbi_redis_link *l)
{
    struct asbi_dns_host *h = l->name;

    if (h->state != ASBI_DNS_KNOWN) {
        go_down(l, "the host's name is not known");
        return;
    }
    const char *address = h->address[h->best];
    connect_to(l, address, l->port);
    /* Should it be dead, the next try begins with the next. */
    if (l->state == CONNECTING && h->count > 1)
        asbi_dns_dead(h, address);
}

static void on_answer(struct asbi_dns_wait *w)
{
    struct asbi_redis_link *l = ASBI_OF(w, struct asbi_redis_link, wait);

    if (l->state == RESOLVING)
        connect_to_best(l);
}

static bool is_address(const char *host)
{
    struct in_addr in;

    return host[0] == '[' || inet_pton(AF_INET, host, &in) == 1;
}

static void find_host(struct asbi_redis_link *l)
{
    if (!l->dns)
        l->dns = asbi_dns_new(l->parts, "/etc/hosts", "/etc/resolv.conf");
    if (l->dns && !l->name)
        l->name = asbi_dns_get(l->dns, asbi_str_c(l->host));
    if (!l->name) {
        go_down(l, "out of memory");
        return;
    }
    l->state = RESOLVING;
    if (asbi_dns_ask(l->name, &l->wait) != ASBI_DNS_ASKED)
        connect_to_best(l);
}

static bool new_reader(struct asbi_redis_link *l)
{
    if (l->reader)
        redisReaderFree(l->reader);
    l->reader = redisReaderCreateWithFunctions(&reading);
    if (l->reader)
        l->reader->privdata = l;
    return l->reader != NULL;
}

void asbi_redis_link_start(struct asbi_redis_link *l)
{
    struct timeval tv = asbi_timeval(l->patience_ns);

    if (l->state != DOWN || l->reading)
        return;
    l->state = RESOLVING;
    if (!new_reader(l) || event_add(&l->timer, &tv)) {
        go_down(l, "out of memory");
        return;
    }
    if (l->path[0])
        connect_to(l, l->path, 0);
    else if (strcmp(l->host, "localhost") == 0)
        connect_to(l, "127.0.0.1", l->port);
    else if (is_address(l->host))
        connect_to(l, l->host, l->port);
    else
        find_host(l);
}

/* ---- birth and death -------------------------------------------------- */

static int load_roots(struct asbi_redis_link *l, const char *file,
                      struct asb_message *why)
{
    if (!file[0])
        file = getenv("SSL_CERT_FILE");
    if (!file || !file[0])
        file = X509_get_default_cert_file();
    return asbi_tls_roots_new(file, NULL, &l->roots, why);
}

static bool copy_strings(struct asbi_redis_link *l,
                         const struct asbi_redis_place *p)
{
    const struct asbi_mem *mem = l->parts->mem;

    l->host = asbi_strndup(mem, p->host, strlen(p->host));
    l->path = asbi_strndup(mem, p->path, strlen(p->path));
    l->user = asbi_strndup(mem, p->user, strlen(p->user));
    l->password = asbi_strndup(mem, p->password.at, p->password.len);
    return l->host && l->path && l->user && l->password;
}

static int init(struct asbi_redis_link *l, const struct asbi_redis_place *p,
                struct asb_message *why)
{
    asbi_buf_init(&l->command, l->parts->mem, MAX_WAITING);
    l->port = p->port;
    l->database = p->database;
    l->patience_ns = p->patience_ns;
    l->wait.on_answer = on_answer;
    l->stream = asbi_stream_new(l->parts, &stream_ops, l, MAX_WAITING);
    if (!l->stream || !copy_strings(l, p) ||
        evtimer_assign(&l->timer, l->parts->base, on_timer, l))
        return ASB_ENOMEM;
    l->timer.ev_evcallback.evcb_flags |= EVLIST_INTERNAL;
    l->timer_ready = true;
    return p->tls ? load_roots(l, p->ca_file, why) : ASB_OK;
}

int asbi_redis_link_new(const struct asbi_parts *parts,
                        const struct asbi_redis_place *place,
                        const struct asbi_redis_link_ops *ops, void *arg,
                        struct asbi_redis_link **out, struct asb_message *why)
{
    struct asbi_redis_link *l = asbi_calloc(parts->mem, 1, sizeof(*l));

    *out = NULL;
    if (!l)
        return ASB_ENOMEM;
    l->parts = parts;
    l->ops = ops;
    l->arg = arg;
    int rc = init(l, place, why);
    if (rc) {
        asbi_redis_link_free(l);
        return rc;
    }
    *out = l;
    return ASB_OK;
}

void asbi_redis_link_free(struct asbi_redis_link *l)
{
    if (!l)
        return;
    const struct asbi_mem *mem = l->parts->mem;

    if (l->stream)
        asbi_redis_link_stop(l);
    asbi_dns_put(l->name);
    asbi_dns_free(l->dns);
    asbi_stream_free(l->stream);
    if (l->reader)
        redisReaderFree(l->reader);
    asbi_tls_roots_free(l->roots);
    if (l->password)
        explicit_bzero(l->password, strlen(l->password));
    asbi_free(mem, l->host);
    asbi_free(mem, l->path);
    asbi_free(mem, l->user);
    asbi_free(mem, l->password);
    asbi_buf_fini(&l->command);
    asbi_free(mem, l);
}
