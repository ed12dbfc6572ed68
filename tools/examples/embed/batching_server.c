/*
 * batching_server.c -- an HTTP server on evhttp that batches what its clients
 * ask: each POSTs one text and waits for its translation; the engine, on the
 * same loop, asks the provider for many at once.
 *
 *     cc batching_server.c $(pkg-config --cflags --libs asyncbatch \
 *         libevent_core libevent_extra) -o batching_server
 *     ./batching_server http://127.0.0.1:8080/v1 fr &
 *     curl --data 'Good morning' http://127.0.0.1:PORT/
 *
 * Prints the address it listens on; SIGTERM ends it.
 */
#include <asyncbatch/asyncbatch.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MOST_BYTES = 64 * 1024 };

/* One client that waits for its answer.  Freed by on_done(); an engine that is
 * freed calls nobody, which leaves some at the end of the program. */
struct waiting {
    struct evhttp_request *request; /* NULL: it has gone */
    struct asb_engine *engine;
    uint64_t item;
};

static void watch(struct waiting *w,
                  void (*gone)(struct evhttp_connection *, void *))
{
    struct evhttp_connection *connection =
        evhttp_request_get_connection(w->request);

    if (connection)
        evhttp_connection_set_closecb(connection, gone, w);
}

/* Its item need not be sent any more; on_done() comes all the same. */
static void on_client_gone(struct evhttp_connection *connection, void *arg)
{
    struct waiting *w = arg;

    (void)connection;
    w->request = NULL;
    (void)asb_cancel(w->engine, w->item);
}

static void on_done(struct asb_engine *engine, const struct asb_result *result,
                    void *arg)
{
    struct waiting *w = arg;
    struct asb_bytes text = result->ok ? result->output : result->error_message;
    struct evbuffer *out = w->request ? evbuffer_new() : NULL;

    (void)engine;
    if (w->request)
        watch(w, NULL);
    if (w->request && out && evbuffer_add(out, text.at, text.len) == 0)
        evhttp_send_reply(w->request, result->ok ? 200 : 502, NULL, out);
    else if (w->request)
        evhttp_send_error(w->request, 503, NULL);
    if (out)
        evbuffer_free(out);
    free(w);
}

static int submit(struct asb_engine *engine, struct waiting *w)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(w->request);
    struct asb_request request = { .size = sizeof(request) };

    request.text.len = evbuffer_get_length(in);
    request.text.at = (const char *)evbuffer_pullup(in, -1);
    if (!request.text.at)
        return ASB_EINVAL;
    return asb_submit(engine, &request, on_done, w, &w->item);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct asb_engine *engine = arg;
    struct waiting *w = calloc(1, sizeof(*w));
    int rc = ASB_EFULL;

    if (w) {
        w->request = request;
        w->engine = engine;
    }
    if (w && asb_has_room(engine))
        rc = submit(engine, w);
    if (!rc) {
        watch(w, on_client_gone);
        return;
    }
    free(w);
    evhttp_send_error(request, rc == ASB_EINVAL ? 400 : 503, NULL);
}

static void on_term(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    (void)event_base_loopbreak(arg);
}

static struct asb_engine *make_engine(struct event_base *base, const char *url,
                                      const char *language)
{
    struct asb_options *options = asb_options_new();
    struct asb_hooks hooks = { .size = sizeof(hooks), .base = base };
    struct asb_engine *engine = NULL;
    struct asb_message why = { "" };

    if (!options ||
        asb_options_set(options, "base_url", url, ASB_FROM_HOST, &why) ||
        asb_options_set(options, "task", "translate", ASB_FROM_HOST, &why) ||
        asb_options_set(options, "target_lang", language, ASB_FROM_HOST,
                        &why) ||
        asb_engine_new(options, &hooks, &engine, &why))
        (void)fprintf(stderr, "batching_server: %s\n", why.text);
    asb_options_free(options);
    return engine;
}

/* Where the kernel has put us. */
static int print_address(evutil_socket_t fd)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return -1;
    (void)printf("http://127.0.0.1:%d/\n", ntohs(at.sin_port));
    return fflush(stdout);
}

static int serve(struct event_base *base, struct evhttp *http)
{
    struct evhttp_bound_socket *socket =
        evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    struct event *term = evsignal_new(base, SIGTERM, on_term, base);
    int rc = -1;

    if (socket && term && event_add(term, NULL) == 0 &&
        print_address(evhttp_bound_socket_get_fd(socket)) == 0)
        rc = event_base_dispatch(base);
    if (term)
        event_free(term);
    return rc;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: batching_server URL LANGUAGE\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return usage();
    (void)signal(SIGPIPE, SIG_IGN); /* clients that hang up */
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;
    struct asb_engine *engine =
        http ? make_engine(base, argv[1], argv[2]) : NULL;
    int rc = -1;

    if (engine) {
        evhttp_set_max_body_size(http, MOST_BYTES);
        evhttp_set_gencb(http, on_request, engine);
        rc = serve(base, http);
    }
    /* Connections first: what they still wait for is cancelled. */
    if (http)
        evhttp_free(http);
    (void)asb_engine_free(engine);
    if (base)
        event_base_free(base);
    return rc < 0 ? 1 : 0;
}
