#include "engine/sim/server.h"

#include <errno.h>
#include <stdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "engine/base/error.h"
#include "engine/base/list.h"
#include "engine/base/units.h"
#include "engine/sim/address.h"
#include "engine/sim/provider.h"
#include "engine/sim/state_file.h"

enum {
    BACKLOG = 1024,
    MAX_HEADERS = 64 << 10,
    IDLE_SECONDS = 120,       /* for a client that neither reads nor writes */
    ACCEPT_PAUSE_US = 100000, /* when no file descriptor is left */
};

struct asb_simulator {
    const struct asbi_mem *mem;
    struct event_base *base;
    struct asbi_sim_provider *provider;
    struct evhttp *http;
    struct evconnlistener *listener;   /* owned by http */
    struct event *resume;              /* takes connections again */
    struct evbuffer *out;              /* scratch; empty between two uses */
    struct asb_options *options;       /* a copy, for model facts; or NULL */
    struct asbi_sim_state_file *state; /* owned; NULL: nothing is kept */
    struct asbi_list replies;
    char url[80];
};

/* An answer on its way.  Owned by the list of its simulator; outlives a client
 * that hangs up, since the provider works on. */
struct reply {
    struct asb_simulator *sim;
    struct asbi_sim_call *call;
    struct evhttp_request *req; /* NULL: answered, or the client has gone */
    struct event timer;
    size_t next; /* piece */
    size_t sent; /* bytes of the body */
    bool begun;  /* the head is out */
    bool ending; /* all is due; waits for its last bytes to be cut off */
    struct asbi_link link;
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * ASBI_SECOND + (uint64_t)ts.tv_nsec;
}

/* ---- the life of a reply ---------------------------------------------- */

static void on_due(evutil_socket_t fd, short what, void *arg);

static void watch_client(struct reply *r,
                         void (*gone)(struct evhttp_connection *, void *))
{
    struct evhttp_connection *conn = evhttp_request_get_connection(r->req);

    if (conn)
        evhttp_connection_set_closecb(conn, gone, gone ? r : NULL);
}

static void reply_free(struct reply *r)
{
    if (r->req)
        watch_client(r, NULL);
    (void)event_del(&r->timer);
    asbi_list_remove(&r->link);
    asbi_free(r->sim->mem, r);
}

/* A write failed, or we hung up.  evhttp reads nothing while a request is
 * served, so a client that goes silently is noticed when it is answered: as
 * with a real provider, its call is worked off and billed. */
static void on_client_gone(struct evhttp_connection *conn, void *arg)
{
    struct reply *r = arg;

    (void)conn;
    /* After a failed write the request belongs to nobody; else it is freed
     * with the connection. */
    if (!evhttp_request_get_connection(r->req))
        evhttp_request_free(r->req);
    r->req = NULL;
    if (r->ending)
        event_active(&r->timer, EV_TIMEOUT, 0);
}

static struct reply *reply_new(struct asb_simulator *sim,
                               struct asbi_sim_call *call,
                               struct evhttp_request *req)
{
    struct reply *r = asbi_calloc(sim->mem, 1, sizeof(*r));

    if (!r)
        return NULL;
    r->sim = sim;
    r->call = call;
    r->req = req;
    call->owner = r;
    evtimer_assign(&r->timer, sim->base, on_due, r);
    asbi_list_append(&sim->replies, &r->link);
    watch_client(r, on_client_gone);
    return r;
}

static void arm(struct reply *r, uint64_t at_ns)
{
    uint64_t now = now_ns();
    uint64_t us = at_ns > now ? (at_ns - now + ASBI_US - 1) / ASBI_US : 0;
    struct timeval tv = { .tv_sec = (time_t)(us / 1000000),
                          .tv_usec = (suseconds_t)(us % 1000000) };

    (void)event_add(&r->timer, &tv);
}

/* The call's time is over; whoever gets its place is started. */
static void finish_call(struct asb_simulator *sim, struct asbi_sim_call *call)
{
    struct asbi_sim_call *next =
        asbi_sim_provider_finish(sim->provider, call, now_ns());

    asbi_sim_call_free(call);
    if (next)
        arm(next->owner, asbi_sim_call_due(next, 0));
}

/* ---- sending ---------------------------------------------------------- */

static void put_headers(struct evhttp_request *req,
                        const struct asbi_sim_call *call)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

    for (size_t i = 0; i < call->header_count; i++)
        (void)evhttp_add_header(headers, call->headers[i].name,
                                call->headers[i].value);
}

static void send_whole(struct asb_simulator *sim, struct evhttp_request *req,
                       const struct asbi_sim_call *call)
{
    put_headers(req, call);
    (void)evbuffer_add(sim->out, call->body.data, call->body.len);
    evhttp_send_reply(req, call->status, NULL, sim->out);
    (void)evbuffer_drain(sim->out, evbuffer_get_length(sim->out));
}

static void begin(struct reply *r)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(r->req);
    char length[24];

    put_headers(r->req, r->call);
    if (!r->call->stream) {
        (void)snprintf(length, sizeof(length), "%zu", r->call->body.len);
        (void)evhttp_add_header(headers, "Content-Length", length);
    }
    evhttp_send_reply_start(r->req, r->call->status, NULL);
    r->begun = true;
}

static void on_flushed(struct evhttp_connection *conn, void *arg)
{
    struct reply *r = arg;

    (void)conn;
    event_active(&r->timer, EV_TIMEOUT, 0);
}

/* Sends the body up to `end`; the last bytes before a cut tell when they are
 * out, so that they are not lost with the connection. */
static void send_part(struct reply *r, size_t end)
{
    bool cut = end >= r->call->cut_at;
    struct evbuffer *out = r->sim->out;

    if (cut)
        end = r->call->cut_at;
    if (!r->begun)
        begin(r);
    if (end > r->sent) {
        (void)evbuffer_add(out, r->call->body.data + r->sent, end - r->sent);
        r->sent = end;
        r->ending = cut;
        evhttp_send_reply_chunk_with_cb(r->req, out, cut ? on_flushed : NULL,
                                        cut ? r : NULL);
        (void)evbuffer_drain(out, evbuffer_get_length(out));
    }
}

static void hang_up(struct reply *r)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(r->req);

    r->ending = false;
    if (conn)
        evhttp_connection_free(conn); /* calls on_client_gone() */
    r->req = NULL;
}

static void complete(struct reply *r)
{
    struct evhttp_request *req = r->req;

    watch_client(r, NULL);
    r->req = NULL;
    if (!r->begun)
        send_whole(r->sim, req, r->call);
    else
        evhttp_send_reply_end(req);
}

/* Sends what is due.  The client is there. */
static void send_due(struct reply *r, uint64_t now)
{
    const struct asbi_sim_call *call = r->call;

    if (call->silent) {
        hang_up(r);
        return;
    }
    bool plain = call->piece_count == 1 && call->cut_at == SIZE_MAX;
    while (!plain && !r->ending && r->next < call->piece_count &&
           asbi_sim_call_due(call, r->next) <= now)
        send_part(r, call->pieces[r->next++].end);
    if (plain || (r->next == call->piece_count && !r->ending))
        complete(r);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct reply *r = arg;
    uint64_t now = now_ns();
    size_t last = r->call->piece_count - 1;

    (void)fd;
    (void)what;
    if (r->req && r->ending)
        hang_up(r);
    else if (r->req && asbi_sim_call_due(r->call, r->next) <= now)
        send_due(r, now);
    if (r->req && r->ending)
        return; /* on_flushed() or on_client_gone() comes back here */
    uint64_t end = asbi_sim_call_due(r->call, last);
    if (end > now) {
        arm(r, r->req ? asbi_sim_call_due(r->call, r->next) : end);
        return;
    }
    finish_call(r->sim, r->call);
    reply_free(r);
}

/* ---- requests --------------------------------------------------------- */

static const char *method_name(struct evhttp_request *req)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    default:
        return "PUT";
    }
}

static struct asbi_sim_request read_request(struct evhttp_request *req)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(body);

    return (struct asbi_sim_request){
        .method = asbi_str_c(method_name(req)),
        .path = asbi_str_c(evhttp_request_get_uri(req)),
        .content_type = asbi_str_c(evhttp_find_header(headers, "Content-Type")),
        .range = asbi_str_c(evhttp_find_header(headers, "Range")),
        .once = asbi_str_c(evhttp_find_header(headers, "Idempotency-Key")),
        .has_key = evhttp_find_header(headers, "Authorization") != NULL,
        .body = asbi_str_of((const char *)evbuffer_pullup(body, -1), len),
        .wall_s = (uint64_t)time(NULL),
    };
}

static bool is_due_at_once(const struct asbi_sim_call *call)
{
    return call->started && call->piece_count == 1 &&
           call->pieces[0].after_ns == 0 && call->cut_at == SIZE_MAX;
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct asb_simulator *sim = arg;
    struct asbi_sim_request request = read_request(req);
    struct asbi_sim_call *call;

    if (request.body.len && !request.body.at) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    if (asbi_sim_provider_take(sim->provider, &request, now_ns(), &call)) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    if (is_due_at_once(call)) {
        send_whole(sim, req, call);
        finish_call(sim, call);
        return;
    }
    struct reply *r = reply_new(sim, call, req);
    if (r && call->started)
        arm(r, asbi_sim_call_due(call, 0));
    if (r)
        return;
    evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
    if (call->started)
        finish_call(sim, call);
    else
        asbi_sim_provider_abandon(sim->provider, call);
}

/* ---- the listening socket --------------------------------------------- */

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct asb_simulator *sim = arg;

    (void)fd;
    (void)what;
    (void)evconnlistener_enable(sim->listener);
}

/* Without a pause a process out of descriptors would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct timeval pause = { .tv_usec = ACCEPT_PAUSE_US };
    struct asb_simulator *sim = arg;

    (void)evconnlistener_disable(listener);
    (void)event_add(sim->resume, &pause);
}

static int bind_listener(struct asb_simulator *sim, const char *listen,
                         struct asb_message *why)
{
    struct asbi_sim_address address;
    struct sockaddr *at = (struct sockaddr *)&address.at;
    unsigned flags =
        LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE;
    int on = 1;

    int rc = asbi_sim_address_parse(listen, &address, why);
    if (rc)
        return rc;
    sim->listener = evconnlistener_new_bind(sim->base, NULL, NULL, flags,
                                            BACKLOG, at, (int)address.len);
    if (!sim->listener)
        return asbi_fail(why, ASB_EIO, "cannot listen on %.80s: %s", listen,
                         strerror(errno));
    if (!evhttp_bind_listener(sim->http, sim->listener)) {
        evconnlistener_free(sim->listener);
        return asbi_fail(why, ASB_ENOMEM, "out of memory");
    }
    evutil_socket_t fd = evconnlistener_get_fd(sim->listener);
    /* Inherited by what it accepts: a stream's parts go out at once. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    evconnlistener_set_error_cb(sim->listener, on_accept_error);
    address.len = sizeof(address.at);
    (void)getsockname(fd, at, &address.len);
    asbi_sim_address_url(&address, sim->url, sizeof(sim->url));
    return ASB_OK;
}

static void set_up_http(struct asb_simulator *sim)
{
    evhttp_set_gencb(sim->http, on_request, sim);
    evhttp_set_max_headers_size(sim->http, MAX_HEADERS);
    evhttp_set_max_body_size(sim->http, (ev_ssize_t)ASBI_SIM_MAX_UPLOAD);
    evhttp_set_timeout(sim->http, IDLE_SECONDS);
    evhttp_set_allowed_methods(sim->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
                                              EVHTTP_REQ_PUT | EVHTTP_REQ_HEAD |
                                              EVHTTP_REQ_DELETE);
}

/* ---- public ----------------------------------------------------------- */

int asbi_simulator_new(struct event_base *base, const struct asbi_mem *mem,
                       const struct asbi_sim_options *options,
                       const char *listen, struct asb_simulator **out,
                       struct asb_message *why)
{
    struct asb_simulator *sim = asbi_calloc(mem, 1, sizeof(*sim));
    int rc = ASB_ENOMEM;

    *out = NULL;
    if (!sim)
        return asbi_fail(why, rc, "out of memory");
    sim->mem = mem;
    sim->base = base;
    asbi_list_init(&sim->replies);
    sim->http = evhttp_new(base);
    sim->out = evbuffer_new();
    sim->resume = evtimer_new(base, on_resume, sim);
    if (asbi_sim_provider_new(mem, options, &sim->provider) || !sim->http ||
        !sim->out || !sim->resume) {
        (void)asbi_fail(why, rc, "out of memory");
        goto out;
    }
    set_up_http(sim);
    rc = bind_listener(sim, listen, why);
    if (rc)
        goto out;
    *out = sim;
    sim = NULL;
out:
    asb_simulator_free(sim);
    return rc;
}

static int open_state(const struct asbi_config *config,
                      const struct asbi_mem *mem, struct asbi_sim_options *sim,
                      struct asbi_sim_state_file **out, struct asb_message *why)
{
    if (!config->sim_state[0])
        return ASB_OK;
    int rc = asbi_sim_state_open(mem, config->sim_state, out, why);
    if (!rc) {
        sim->keep = asbi_sim_state_keep;
        sim->keep_arg = *out;
    }
    return rc;
}

int asb_simulator_new(struct event_base *base,
                      const struct asb_options *options, const char *listen,
                      struct asb_simulator **out, struct asb_message *why)
{
    struct asbi_sim_state_file *state = NULL;
    struct asbi_sim_options sim;

    *out = NULL;
    int rc = asbi_sim_options_from_config(&options->values, &sim, why);
    if (rc)
        return rc;
    struct asb_options *copy = asbi_options_copy(options, options->mem);
    if (!copy)
        return asbi_fail(why, ASB_ENOMEM, "out of memory");
    sim.model = asbi_sim_model_of_catalogue;
    sim.model_arg = copy;
    rc = open_state(&copy->values, options->mem, &sim, &state, why);
    if (!rc)
        rc = asbi_simulator_new(base, options->mem, &sim, listen, out, why);
    if (rc || !*out) {
        asbi_sim_state_close(state);
        asb_options_free(copy);
        return rc;
    }
    (*out)->options = copy;
    (*out)->state = state;
    if (state)
        rc = asbi_sim_state_restore(state, (*out)->provider, now_ns(),
                                    (uint64_t)time(NULL), why);
    if (rc) {
        asb_simulator_free(*out);
        *out = NULL;
    }
    return rc;
}

void asb_simulator_free(struct asb_simulator *sim)
{
    if (!sim)
        return;
    while (sim->replies.count) {
        struct reply *r =
            ASBI_OF(asbi_list_first(&sim->replies), struct reply, link);
        asbi_sim_call_free(r->call);
        reply_free(r);
    }
    if (sim->http)
        evhttp_free(sim->http);
    if (sim->resume)
        event_free(sim->resume);
    if (sim->out)
        evbuffer_free(sim->out);
    asbi_sim_provider_free(sim->provider);
    asbi_sim_state_close(sim->state);
    asb_options_free(sim->options);
    asbi_free(sim->mem, sim);
}

const char *asb_simulator_url(const struct asb_simulator *simulator)
{
    return simulator->url;
}

const struct asbi_sim_stats *
asbi_simulator_stats(const struct asb_simulator *simulator)
{
    return asbi_sim_provider_stats(simulator->provider);
}
