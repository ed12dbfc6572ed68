#include "engine/sim/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "engine/base/units.h"
#include "engine/sim/address.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

#define BODY(text)                                                   \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":" \
    "\"" text "\"}]}"
#define STREAM                                                           \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\"," \
    "\"content\":\"one two three four five six\"}]}"

/* A simulator and its clients on one loop; `mem` tells what is left. */
struct rig {
    struct event_base *base;
    struct asb_simulator *sim;
    struct asbi_sim_address address;
    struct fault_mem mem;
};

/* A connection that writes bytes and keeps what comes back. */
struct client {
    struct rig *rig;
    struct bufferevent *bev;
    char got[16384];
    size_t len;
    bool closed; /* by the server */
};

static struct rig *rig_new(const struct asbi_sim_options *options)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct asb_message why = { "" };
    char host_port[64];

    CHECK(r);
    (void)signal(SIGPIPE, SIG_IGN); /* the host's duty */
    fault_mem_init(&r->mem, 0);
    r->base = event_base_new();
    CHECK(r->base);
    if (asbi_simulator_new(r->base, &r->mem.mem, options, "127.0.0.1:0",
                           &r->sim, &why))
        check_fail(__FILE__, __LINE__, "%s", why.text);
    const char *url = asb_simulator_url(r->sim);
    CHECK(strncmp(url, "http://127.0.0.1:", 17) == 0);
    (void)snprintf(host_port, sizeof(host_port), "%s", url + 7);
    CHECK_INT(asbi_sim_address_parse(host_port, &r->address, &why), ==, ASB_OK);
    return r;
}

static void rig_free(struct rig *r)
{
    asb_simulator_free(r->sim);
    event_base_free(r->base);
    CHECK_INT(r->mem.live, ==, 0);
    free(r);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;
    size_t room = sizeof(c->got) - 1 - c->len;

    c->len += bufferevent_read(bev, c->got + c->len, room);
    c->got[c->len] = '\0';
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct client *c = arg;

    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        c->closed = true;
}

static struct client *client_new(struct rig *r)
{
    struct client *c = calloc(1, sizeof(*c));

    CHECK(c);
    c->rig = r;
    c->bev = bufferevent_socket_new(r->base, -1, BEV_OPT_CLOSE_ON_FREE);
    CHECK(c->bev);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    CHECK(bufferevent_enable(c->bev, EV_READ | EV_WRITE) == 0);
    CHECK(bufferevent_socket_connect(c->bev, (struct sockaddr *)&r->address.at,
                                     (int)r->address.len) == 0);
    return c;
}

static void client_free(struct client *c)
{
    bufferevent_free(c->bev);
    free(c);
}

static void say(struct client *c, const char *text)
{
    CHECK(bufferevent_write(c->bev, text, strlen(text)) == 0);
}

static void post(struct client *c, const char *path, const char *body)
{
    char head[256];

    (void)snprintf(head, sizeof(head),
                   "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
                   path, strlen(body));
    say(c, head);
    say(c, body);
}

static void chat(struct client *c, const char *body)
{
    post(c, "/v1/chat/completions", body);
}

/* Whole answers so far, by their status lines and ends of JSON bodies. */
static unsigned answers(const struct client *c)
{
    unsigned n = 0;

    for (const char *at = c->got; (at = strstr(at, "HTTP/1.1 ")); at++)
        n++;
    return n;
}

static bool has(const struct client *c, const char *text)
{
    return strstr(c->got, text) != NULL;
}

/* Turns the loop until `c` has `text` or is closed.  The case's own time limit
 * is what ends a wait in vain. */
static void wait_for(struct client *c, const char *text)
{
    while (!c->closed && !has(c, text))
        CHECK(event_base_loop(c->rig->base, EVLOOP_ONCE) == 0);
}

static void wait_for_close(struct client *c)
{
    while (!c->closed)
        CHECK(event_base_loop(c->rig->base, EVLOOP_ONCE) == 0);
}

static const struct asbi_sim_stats *stats(const struct rig *r)
{
    return asbi_simulator_stats(r->sim);
}

/* ---- answers ---------------------------------------------------------- */

static void a_request_is_answered_and_the_connection_kept(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    struct client *c = client_new(r);

    chat(c, BODY("first"));
    wait_for(c, "ḟířšť");
    chat(c, BODY("second"));
    wait_for(c, "šéçóñđ");
    CHECK(!c->closed);
    CHECK_INT(answers(c), ==, 2);
    CHECK(has(c, "Content-Type: application/json"));
    CHECK_INT(stats(r)->calls, ==, 2);
    CHECK_INT(stats(r)->in_flight, ==, 0);
    client_free(c);
    rig_free(r);
}

static void requests_in_one_write_are_all_answered(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    struct client *c = client_new(r);

    say(c, "GET /stats HTTP/1.1\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n"
           "GET /nothing HTTP/1.1\r\n\r\n");
    wait_for(c, "Invalid URL");
    CHECK_INT(answers(c), ==, 3);
    CHECK(has(c, "\"billed_usd\":0"));
    CHECK(has(c, "\"object\":\"list\""));
    CHECK_INT(stats(r)->calls, ==, 0);
    client_free(c);
    rig_free(r);
}

static void a_request_in_single_bytes_is_understood(void)
{
    static const char text[] = "POST /v1/chat/completions HTTP/1.1\r\n"
                               "Content-Length: 57\r\n\r\n" BODY("hi");
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    struct client *c = client_new(r);

    CHECK_INT(sizeof(BODY("hi")) - 1, ==, 57);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        CHECK(bufferevent_write(c->bev, text + i, 1) == 0);
        CHECK(event_base_loop(r->base, EVLOOP_NONBLOCK) == 0);
    }
    wait_for(c, "\"ĥí\"");
    client_free(c);
    rig_free(r);
}

static void a_delayed_answer_is_not_early(void)
{
    struct rig *r = rig_new(
        &(struct asbi_sim_options){ .latency = { .base_ns = 30 * ASBI_MS } });
    struct client *c = client_new(r);
    struct timespec from, to;

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    chat(c, BODY("x"));
    wait_for(c, "HTTP/1.1 200");
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    CHECK((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec >=
          30000000L);
    CHECK(has(c, "openai-processing-ms: 30"));
    client_free(c);
    rig_free(r);
}

static void a_stream_comes_in_chunks(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){
        .latency = { .base_ns = ASBI_MS, .per_output_token_ns = ASBI_MS } });
    struct client *c = client_new(r);
    unsigned chunks = 0;

    chat(c, STREAM);
    wait_for(c, "data: [DONE]\n\n\r\n0\r\n\r\n");
    CHECK(has(c, "Transfer-Encoding: chunked"));
    CHECK(has(c, "Content-Type: text/event-stream"));
    CHECK(!has(c, "Content-Length"));
    for (const char *at = c->got; (at = strstr(at, "\r\ndata: ")); at++)
        chunks++;
    CHECK(chunks > 2);
    chat(c, BODY("still there"));
    wait_for(c, "šťíłł ťĥéřé");
    client_free(c);
    rig_free(r);
}

/* ---- load ------------------------------------------------------------- */

static void calls_beyond_the_capacity_wait(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){
        .capacity = 3, .latency = { .base_ns = 2 * ASBI_MS } });
    struct client *c[20];

    for (int i = 0; i < 20; i++) {
        c[i] = client_new(r);
        chat(c[i], BODY("x"));
    }
    for (int i = 0; i < 20; i++)
        wait_for(c[i], "\"total_tokens\"");
    CHECK_INT(stats(r)->max_in_flight, ==, 3);
    CHECK_INT(stats(r)->status[200], ==, 20);
    CHECK_INT(stats(r)->in_flight, ==, 0);
    CHECK(stats(r)->max_waiting > 0);
    for (int i = 0; i < 20; i++)
        client_free(c[i]);
    rig_free(r);
}

static void who_hangs_up_is_served_and_billed_all_the_same(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){
        .capacity = 1, .latency = { .base_ns = 5 * ASBI_MS } });
    struct client *c[3];

    for (int i = 0; i < 3; i++) {
        c[i] = client_new(r);
        chat(c[i], i == 1 ? STREAM : BODY("x"));
    }
    while (stats(r)->waiting < 2)
        CHECK(event_base_loop(r->base, EVLOOP_ONCE) == 0);
    for (int i = 0; i < 3; i++)
        client_free(c[i]);
    while (stats(r)->in_flight > 0)
        CHECK(event_base_loop(r->base, EVLOOP_ONCE) == 0);
    CHECK_INT(stats(r)->items, ==, 3);
    CHECK(stats(r)->billed_nano_usd > 0);
    rig_free(r);
}

static void who_hangs_up_in_a_stream_is_let_go(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){
        .latency = { .per_output_token_ns = 2 * ASBI_MS } });

    for (int i = 0; i < 5; i++) {
        struct client *c = client_new(r);
        chat(c, STREAM);
        wait_for(c, "data: {");
        client_free(c);
        while (stats(r)->in_flight > 0)
            CHECK(event_base_loop(r->base, EVLOOP_ONCE) == 0);
    }
    CHECK_INT(stats(r)->items, ==, 5);
    rig_free(r);
}

/* ---- faults ----------------------------------------------------------- */

static void a_disconnect_ends_inside_the_answer(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ .disconnect_rate = 1 });
    unsigned silent = 0;

    for (int i = 0; i < 40; i++) {
        struct client *c = client_new(r);

        chat(c, i % 2 ? STREAM : BODY("some words"));
        wait_for_close(c);
        silent += c->len == 0;
        CHECK(c->len == 0 || has(c, "HTTP/1.1 200 OK\r\n"));
        CHECK(c->len == 0 || strstr(c->got, "\r\n\r\n")[4] != '\0');
        CHECK(!has(c, "total_tokens") || !has(c, "}}}"));
        CHECK(!has(c, "[DONE]\n\n\r\n0\r\n"));
        client_free(c);
    }
    CHECK(silent > 2 && silent < 25);
    CHECK_INT(stats(r)->disconnects, ==, 40);
    CHECK_INT(stats(r)->in_flight, ==, 0);
    rig_free(r);
}

static void hostile_clients_get_no_further(void)
{
    static const char *const texts[] = {
        "\x01\x02\x03\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: "
        "99999999999999999999\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: "
        "1000000000\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        "\r\nzz\r\n",
        "BREW /pot HTTP/1.1\r\n\r\n",
    };
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct client *c = client_new(r);

        say(c, texts[i]);
        for (int turn = 0; turn < 50 && !c->closed; turn++)
            CHECK(event_base_loop(r->base, EVLOOP_NONBLOCK) == 0);
        CHECK(!has(c, " 200 "));
        client_free(c);
    }
    struct client *c = client_new(r);
    chat(c, BODY("fine"));
    wait_for(c, "ḟíñé");
    client_free(c);
    rig_free(r);
}

static void endless_headers_are_cut_off(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    struct client *c = client_new(r);
    char line[1024];

    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    say(c, "GET /stats HTTP/1.1\r\nX: ");
    for (int i = 0; i < 200 && !c->closed; i++) {
        say(c, line);
        CHECK(event_base_loop(r->base, EVLOOP_NONBLOCK) == 0);
    }
    wait_for_close(c);
    CHECK(!has(c, " 200 "));
    client_free(c);
    rig_free(r);
}

static void it_ends_in_the_middle_of_everything(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){
        .capacity = 2, .latency = { .base_ns = 3600 * ASBI_SECOND } });
    struct client *c[5];

    for (int i = 0; i < 5; i++) {
        c[i] = client_new(r);
        chat(c[i], i % 2 ? STREAM : BODY("x"));
    }
    while (stats(r)->waiting < 3)
        CHECK(event_base_loop(r->base, EVLOOP_ONCE) == 0);
    asb_simulator_free(r->sim);
    r->sim = NULL;
    CHECK_INT(r->mem.live, ==, 0);
    for (int i = 0; i < 5; i++) {
        wait_for_close(c[i]);
        client_free(c[i]);
    }
    CHECK(event_base_loop(r->base, EVLOOP_NONBLOCK) == 1); /* nothing is left */
    rig_free(r);
}

/* ---- listening -------------------------------------------------------- */

static void the_socket_is_closed_on_exec(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    unsigned listening = 0;

    for (int fd = 3; fd < 64; fd++) {
        int on = 0;
        socklen_t len = sizeof(on);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) || !on)
            continue;
        listening++;
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    CHECK_INT(listening, ==, 1);
    rig_free(r);
}

static void addresses_are_read_as_people_write_them(void)
{
    static const struct {
        const char *text, *url;
    } table[] = {
        { "127.0.0.1:0", "http://127.0.0.1:0" },
        { "localhost:80", "http://127.0.0.1:80" },
        { ":8080", "http://127.0.0.1:8080" },
        { "0.0.0.0:65535", "http://0.0.0.0:65535" },
        { "[::1]:8080", "http://[::1]:8080" },
        { "127.0.0.1", NULL },
        { "127.0.0.1:", NULL },
        { "127.0.0.1:65536", NULL },
        { "127.0.0.1:x", NULL },
        { "example.org:80", NULL },
        { "::1:80", NULL },
        { "[::1:80", NULL },
        { "[]:80", NULL },
        { "[127.0.0.1]:80", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct asbi_sim_address address;
        struct asb_message why = { "" };
        char url[80];
        int rc = asbi_sim_address_parse(table[i].text, &address, &why);

        CHECK_INT(rc, ==, table[i].url ? ASB_OK : ASB_ECONFIG);
        CHECK((rc == ASB_OK) == (why.text[0] == '\0'));
        if (rc)
            continue;
        asbi_sim_address_url(&address, url, sizeof(url));
        CHECK_BYTES(url, strlen(url), table[i].url);
    }
}

static void a_taken_port_is_said(void)
{
    struct rig *r = rig_new(&(struct asbi_sim_options){ 0 });
    struct asbi_sim_options none = { 0 };
    struct asb_simulator *second;
    struct asb_message why;

    CHECK_INT(asbi_simulator_new(r->base, &asbi_mem_system, &none,
                                 asb_simulator_url(r->sim) + 7, &second, &why),
              ==, ASB_EIO);
    CHECK(!second);
    CHECK(strstr(why.text, "cannot listen on 127.0.0.1:"));
    rig_free(r);
}

static void the_public_options_shape_it(void)
{
    struct asb_options *options = asb_options_new();
    struct event_base *base = event_base_new();
    struct asb_simulator *sim;
    struct asb_message why = { "" };

    CHECK(options && base);
    CHECK_INT(asb_options_set(options, "sim_latency", "base=1ms,sigma=0.1",
                              ASB_FROM_HOST, &why),
              ==, ASB_OK);
    CHECK_INT(asb_simulator_new(base, options, ":0", &sim, &why), ==, ASB_OK);
    asb_options_free(options); /* it keeps a copy */
    CHECK(strncmp(asb_simulator_url(sim), "http://127.0.0.1:", 17) == 0);
    asb_simulator_free(sim);
    event_base_free(base);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_sim_options none = { 0 };
    struct event_base *base = event_base_new();
    struct asb_simulator *sim;

    (void)arg;
    CHECK(base);
    int rc = asbi_simulator_new(base, mem, &none, "127.0.0.1:0", &sim, NULL);
    asb_simulator_free(sim);
    event_base_free(base);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(a_request_is_answered_and_the_connection_kept),
          CASE(requests_in_one_write_are_all_answered),
          CASE(a_request_in_single_bytes_is_understood),
          CASE(a_delayed_answer_is_not_early), CASE(a_stream_comes_in_chunks),
          CASE(calls_beyond_the_capacity_wait),
          CASE(who_hangs_up_is_served_and_billed_all_the_same),
          CASE(who_hangs_up_in_a_stream_is_let_go),
          CASE(a_disconnect_ends_inside_the_answer),
          CASE(hostile_clients_get_no_further),
          CASE(endless_headers_are_cut_off),
          CASE(it_ends_in_the_middle_of_everything),
          CASE(the_socket_is_closed_on_exec),
          CASE(addresses_are_read_as_people_write_them),
          CASE(a_taken_port_is_said), CASE(the_public_options_shape_it),
          CASE(every_failed_allocation_is_survived))
