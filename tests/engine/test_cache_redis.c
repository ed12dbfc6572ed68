/* Answers in a real Redis: found again, and never waited for when it is slow,
 * hung or gone. */
#include "engine/real/cache_redis.h"

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "cache/record.h"
#include "engine/base/hash.h"
#include "tests/support/caller.h"
#include "tests/support/certs.h"
#include "tests/support/check.h"
#include "tests/support/redis.h"
#include "tests/support/web.h"

enum { LOOKS = 5000 };

/* A look-up and how it ended. */
struct asked {
    struct asbi_look look; /* first */
    struct asbi_cache_key key;
    unsigned ended;
    bool found;
    char text[40];
};

static struct redis redis;
static struct surroundings s;
static struct asbi_remote *remote;
static struct asked asked[LOOKS];
static size_t ended;
static unsigned well, unwell, purges, rests;
static char why_unwell[160];
static struct asbi_cache_key purged;
static bool purged_all;

static void on_end(void *arg, struct asbi_remote *r, struct asbi_look *look,
                   asbi_str record, uint64_t expires_ms)
{
    struct asked *a = (struct asked *)(void *)look;

    (void)arg;
    CHECK(r == remote && !look->at);
    a->ended++;
    a->found = record.at != NULL;
    CHECK(!a->found || expires_ms > 1000);
    (void)snprintf(a->text, sizeof(a->text), "%.*s", (int)record.len,
                   a->found ? record.at : "");
    ended++;
}

static void on_purge(void *arg, const struct asbi_cache_key *key)
{
    (void)arg;
    purges++;
    purged_all = !key;
    if (key)
        purged = *key;
}

static void on_health(void *arg, struct asbi_remote *r, bool is_well,
                      const char *why)
{
    (void)arg;
    (void)r;
    well += is_well;
    unwell += !is_well;
    if (!is_well)
        (void)snprintf(why_unwell, sizeof(why_unwell), "%s", why);
}

static void on_rest(void *arg)
{
    (void)arg;
    rests++;
}

static uint64_t now(void)
{
    return asbi_now(s.world);
}

/* ---- the loop --------------------------------------------------------- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* As the engine does: a turn whenever it is due. */
static void turn(void)
{
    struct timeval tick = { .tv_usec = 2000 };

    remote->ops->turn(remote, now());
    CHECK_INT(event_base_once(s.base, -1, EV_TIMEOUT, on_tick, NULL, &tick), ==,
              0);
    CHECK_INT(event_base_loop(s.base, EVLOOP_ONCE), >=, 0);
}

static void wait_for(const unsigned *what, unsigned count)
{
    uint64_t until = now() + 20 * ASBI_SECOND;

    while (*what < count) {
        CHECK(now() < until);
        turn();
    }
}

static void wait_for_ends(size_t count)
{
    uint64_t until = now() + 20 * ASBI_SECOND;

    while (ended < count) {
        CHECK(now() < until);
        turn();
    }
    CHECK_INT(ended, ==, count);
}

static void open_world(void)
{
    struct asbi_real_options real = { .no_http = true };

    surroundings_init(&s, NULL, &real);
    CHECK(s.world != NULL);
}

static void open_remote(const char *url, const char *password,
                        const char *ca_file, uint64_t budget_ns)
{
    struct asbi_cache_redis_options o = { .budget_ns = budget_ns };
    struct asbi_redis_room room;
    struct asb_message why;

    CHECK_INT(asbi_cache_redis_parse(url, &room, &o.place, &why), ==, ASB_OK);
    o.place.password = asbi_str_c(password);
    o.place.ca_file = ca_file;
    o.place.patience_ns = 5 * ASBI_SECOND;
    CHECK_INT(
        asbi_cache_redis_new(asbi_real_world_parts(s.world), &o, &remote, &why),
        ==, ASB_OK);
    remote->on_end = on_end;
    remote->on_purge = on_purge;
    remote->on_health = on_health;
    remote->on_rest = on_rest;
    ended = 0;
    well = unwell = purges = rests = 0;
}

static void open_at(const char *url, const char *password, const char *ca_file,
                    uint64_t budget_ns)
{
    open_world();
    open_remote(url, password, ca_file, budget_ns);
}

static void open_it(void)
{
    open_at(redis.url, "", "", 10 * ASBI_SECOND);
}

static void close_it(void)
{
    remote->ops->free(remote);
    surroundings_fini(&s);
}

static void finish(void)
{
    close_it();
    server_fini(&redis.server);
}

/* ---- answers ---------------------------------------------------------- */

static struct asbi_cache_key key_of(uint64_t n)
{
    struct asbi_cache_key key;

    asbi_hash128(&n, sizeof(n), 1, key.bytes);
    asbi_hash128(&n, sizeof(n), 2, key.bytes + 16);
    return key;
}

static bool ask(size_t n)
{
    asked[n] = (struct asked){ .key = key_of(n) };
    asked[n].look.key = &asked[n].key;
    return remote->ops->ask(remote, &asked[n].look, now());
}

/* Asks for one and waits; whether it was there. */
static bool has(size_t n)
{
    size_t before = ended;

    if (!ask(n))
        return false;
    wait_for_ends(before + 1);
    CHECK_INT(asked[n].ended, ==, 1);
    return asked[n].found;
}

static void keep(size_t n)
{
    char text[40];
    struct asbi_store_entry e = { .key = key_of(n) };
    uint64_t now_ms = asbi_wall_ms(s.world);

    (void)snprintf(text, sizeof(text), "answer %zu", n);
    e.expires_ms = now_ms + 3600000;
    e.record = asbi_str_c(text);
    remote->ops->keep(remote, &e, now_ms, now());
}

static void keep_some(size_t count)
{
    for (size_t n = 0; n < count; n++)
        keep(n);
    wait_for(&rests, rests + 1);
    CHECK(!remote->ops->busy(remote));
}

/* The first look-up waits for the connection. */
static void get_well(void)
{
    CHECK(!has(LOOKS - 1));
    CHECK_INT(well, ==, 1);
}

static void what_was_kept_is_found_in_the_next_run(void)
{
    redis_start(&redis, NULL);
    open_it();
    get_well();
    keep_some(LOOKS - 1);
    close_it();
    open_it();
    for (size_t n = 0; n < LOOKS; n++)
        CHECK(ask(n));
    wait_for_ends(LOOKS);
    for (size_t n = 0; n < LOOKS; n++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "answer %zu", n);
        CHECK_INT(asked[n].ended, ==, 1);
        CHECK_INT(asked[n].found, ==, n < LOOKS - 1);
        CHECK(!asked[n].found || strcmp(asked[n].text, text) == 0);
    }
    finish();
}

static void put_hex(char *line, size_t size, size_t n)
{
    struct asbi_cache_key key = key_of(n);

    for (size_t i = 0; i < sizeof(key.bytes); i++) {
        size_t len = strlen(line);

        (void)snprintf(line + len, size - len, "%02x", key.bytes[i]);
    }
}

static void redis_lets_go_of_it_in_time(void)
{
    char line[160] = "PTTL asyncbatch:1:";
    uint64_t ttl = 0;

    redis_start(&redis, NULL);
    open_it();
    get_well();
    keep_some(1);
    put_hex(line, sizeof(line), 0);
    const char *answer = redis_say(&redis, line);
    CHECK(asbi_parse_u64(asbi_str_of(answer + 1, strcspn(answer, "\r") - 1),
                         &ttl));
    CHECK_INT(ttl, >, 3000000);
    CHECK_INT(ttl, <=, 3600000);
    finish();
}

static void a_look_up_can_be_forgotten(void)
{
    redis_start(&redis, NULL);
    open_it();
    CHECK(ask(0)); /* while it waits for the connection */
    remote->ops->forget(remote, &asked[0].look);
    get_well();
    keep_some(3);
    CHECK(ask(0) && ask(1) && ask(2));
    remote->ops->forget(remote, &asked[1].look);
    wait_for_ends(3);
    CHECK_INT(asked[1].ended, ==, 0);
    CHECK(strcmp(asked[2].text, "answer 2") == 0);
    finish();
}

/* ---- health ----------------------------------------------------------- */

static void without_a_server_nothing_waits(void)
{
    redis_start(&redis, NULL);
    server_kill(&redis.server);
    open_it();
    CHECK(!has(0));
    CHECK_INT(unwell, ==, 1);
    CHECK(!ask(1)); /* not even for a try */
    finish();
}

static void a_server_that_was_killed_is_used_again_when_it_is_back(void)
{
    redis_start(&redis, NULL);
    open_it();
    get_well();
    keep_some(10);
    CHECK(has(3));
    server_kill(&redis.server);
    CHECK(ask(4));
    wait_for_ends(3);
    CHECK(!asked[4].found);
    CHECK_INT(unwell, ==, 1);
    redis_restart(&redis);
    uint64_t until = now() + 20 * ASBI_SECOND;
    while (well < 2) {
        CHECK(now() < until);
        (void)ask(5); /* a try is made for who asks */
        turn();
    }
    CHECK(!has(3)); /* it came back empty */
    keep_some(10);
    CHECK(has(3));
    CHECK_INT(purges, ==, 1); /* who knows what was said meanwhile */
    CHECK(purged_all);
    finish();
}

static void a_frozen_server_is_given_up_and_comes_back(void)
{
    redis_start(&redis, NULL);
    open_at(redis.url, "", "", 50 * ASBI_MS);
    get_well();
    server_freeze(&redis.server);
    for (size_t n = 0; n < 20; n++)
        CHECK(ask(n));
    wait_for_ends(21);
    wait_for(&unwell, 1);
    CHECK(!ask(30));
    server_thaw(&redis.server);
    uint64_t until = now() + 20 * ASBI_SECOND;
    while (well < 2) {
        CHECK(now() < until);
        (void)ask(5);
        turn();
    }
    finish();
}

static void a_slow_answer_is_not_waited_for(void)
{
    redis_start(&redis, NULL);
    open_at(redis.url, "", "", 50 * ASBI_MS);
    get_well();
    keep_some(1);
    server_freeze(&redis.server);
    uint64_t start = now();
    CHECK(ask(0));
    wait_for_ends(2);
    CHECK(!asked[0].found);
    CHECK_INT(now() - start, >=, 50 * ASBI_MS);
    CHECK(!ask(1)); /* behind one that is late nobody queues up */
    server_thaw(&redis.server);
    /* The late reply is not taken for another's. */
    uint64_t until = now() + 20 * ASBI_SECOND;
    while (!ask(2)) {
        CHECK(now() < until);
        turn();
    }
    wait_for_ends(3);
    CHECK(!asked[2].found);
    finish();
}

static void who_waits_behind_a_write_is_given_up_in_time_too(void)
{
    redis_start(&redis, NULL);
    open_it();
    get_well();
    server_freeze(&redis.server);
    uint64_t begun = now();
    keep(0);
    CHECK(ask(1));
    CHECK_INT(remote->ops->due(remote), >=, begun + 10 * ASBI_SECOND);
    CHECK_INT(remote->ops->due(remote), <=, now() + 10 * ASBI_SECOND);
    server_thaw(&redis.server);
    wait_for_ends(2);
    finish();
}

/* ---- who is let in ---------------------------------------------------- */

static void a_password_is_given(void)
{
    redis_start(&redis, "requirepass \"open sesame\"\n");
    open_at(redis.url, "open sesame", "", 10 * ASBI_SECOND);
    get_well();
    close_it();
    open_at(redis.url, "wrong", "", 10 * ASBI_SECOND);
    CHECK(!has(0));
    CHECK_INT(well, ==, 0);
    CHECK(strstr(why_unwell, "refuses us"));
    close_it();
    open_at(redis.url, "", "", 10 * ASBI_SECOND);
    CHECK(!has(0));
    CHECK_INT(well, ==, 0);
    finish();
}

static const char *refusal;

static void refuse(struct web_conn *c)
{
    web_text(c, refusal);
    web_close(c);
}

/* What `refusal` is taken for. */
static const char *refused_for(const char *says)
{
    char url[64];

    open_world();
    struct web *web = web_new(s.base, NULL, NULL);
    web_on_accept(web, refuse);
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", web_port(web));
    refusal = says;
    open_remote(url, "", "", 10 * ASBI_SECOND);
    CHECK(!has(0));
    CHECK_INT(well, ==, 0);
    web_free(web);
    close_it();
    return why_unwell;
}

static void not_all_that_is_refused_is_a_password(void)
{
    CHECK(strstr(refused_for("-LOADING Redis is loading\r\n"), "reading"));
    CHECK(strstr(refused_for("-DENIED Redis is running in protected mode\r\n"),
                 "protected mode"));
    CHECK(strstr(refused_for("-ERR max number of clients reached\r\n"),
                 "no more clients"));
    CHECK(strstr(refused_for("-NOAUTH Authentication required.\r\n"),
                 "password"));
}

/* An address of the loopback network that no other test has. */
static const char *own_address(void)
{
    static char address[32];
    int pid = (int)getpid();

    (void)snprintf(address, sizeof(address), "127.%d.%d.%d",
                   100 + pid / 65536 % 100, pid / 256 % 256, pid % 256);
    return address;
}

static void tls_is_spoken_to_who_can_prove_its_name(void)
{
    struct certs certs, others;
    char options[768], url[96], name[48], cert_file[80], key_file[80];

    (void)snprintf(name, sizeof(name), "IP:%s", own_address());
    certs_init(&certs, name);
    certs_init(&others, name);
    (void)snprintf(cert_file, sizeof(cert_file), "%s.cert", certs.ca_file);
    (void)snprintf(key_file, sizeof(key_file), "%s.key", certs.ca_file);
    certs_write(&certs, cert_file, key_file);
    (void)snprintf(options, sizeof(options),
                   "bind %s\ntls-port 6390\ntls-cert-file %s\n"
                   "tls-key-file %s\ntls-ca-cert-file %s\n"
                   "tls-auth-clients no\n",
                   own_address(), cert_file, key_file, certs.ca_file);
    redis_start(&redis, options);
    (void)snprintf(url, sizeof(url), "rediss://%s:6390/2", own_address());
    open_at(url, "", certs.ca_file, 10 * ASBI_SECOND);
    get_well();
    keep_some(500);
    CHECK(has(499));
    close_it();
    open_at(url, "", others.ca_file, 10 * ASBI_SECOND);
    CHECK(!has(0));
    CHECK_INT(well, ==, 0);
    CHECK(strstr(why_unwell, "TLS"));
    finish();
    CHECK(unlink(cert_file) == 0 && unlink(key_file) == 0);
    certs_fini(&certs);
    certs_fini(&others);
}

/* To PING, SUBSCRIBE and GET. */
static void have_nothing(struct web_conn *c, const char *at, size_t len)
{
    bool get = len > 8 && at[8] == 'G';

    web_text(c, get ? "$-1\r\n" : "+PONG\r\n");
}

static void say_no_http(struct web_conn *c)
{
    web_raw(c, have_nothing);
}

static void an_ipv6_address_is_a_name_in_a_certificate_too(void)
{
    struct certs certs;
    char url[64];

    open_world();
    struct web *web = web_new_ipv6(s.base, NULL, NULL);
    if (!web) { /* a machine without IPv6 */
        surroundings_fini(&s);
        return;
    }
    certs_init(&certs, "IP:::1");
    web_use_tls(web, certs.ssl_ctx);
    web_on_accept(web, say_no_http);
    (void)snprintf(url, sizeof(url), "rediss://[::1]:%u", web_port(web));
    open_remote(url, "", certs.ca_file, 10 * ASBI_SECOND);
    get_well();
    web_free(web);
    close_it();
    certs_fini(&certs);
}

/* ---- news ------------------------------------------------------------- */

static void who_publishes_a_key_has_it_forgotten(void)
{
    struct asbi_cache_key key = key_of(7);
    char line[160] = "PUBLISH asyncbatch:purge ";

    redis_start(&redis, NULL);
    open_it();
    get_well();
    put_hex(line, sizeof(line), 7);
    /* Until the subscription is there. */
    while (strncmp(redis_say(&redis, line), ":0", 2) == 0)
        turn();
    wait_for(&purges, 1);
    CHECK(!purged_all && memcmp(&purged, &key, sizeof(key)) == 0);
    (void)redis_say(&redis, "PUBLISH asyncbatch:purge nonsense");
    (void)redis_say(&redis, "PUBLISH asyncbatch:purge *");
    wait_for(&purges, 2);
    CHECK(purged_all);
    finish();
}

/* ---- addresses -------------------------------------------------------- */

static void urls_name_a_place(void)
{
    static const char *const wrong[] = {
        "",          "http://host",        "redis://",
        "redis:///", "redis://host:0",     "redis://host:99999",
        "unix://",   "redis://host/x",     "unix://relative",
        "host:6379", "redis://u:p@host/0", "redis://host:12x",
    };
    struct asbi_redis_place place = { 0 };
    struct asbi_redis_room room;
    struct asb_message why;

    CHECK(!asbi_cache_redis_parse("redis://host", &room, &place, &why));
    CHECK(!strcmp(place.host, "host") && place.port == 6379 && !place.tls);
    CHECK(!asbi_cache_redis_parse("rediss://u@[::1]:1/7", &room, &place, &why));
    CHECK(!strcmp(place.host, "[::1]") && place.port == 1 && place.tls);
    CHECK(!strcmp(place.user, "u") && place.database == 7);
    CHECK(!asbi_cache_redis_parse("unix:///run/r", &room, &place, &why));
    CHECK(!strcmp(place.path, "/run/r"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_INT(asbi_cache_redis_parse(wrong[i], &room, &place, &why), ==,
                  ASB_ECONFIG);
}

TEST_MAIN(CASE(what_was_kept_is_found_in_the_next_run),
          CASE(redis_lets_go_of_it_in_time), CASE(a_look_up_can_be_forgotten),
          CASE(without_a_server_nothing_waits),
          CASE(a_server_that_was_killed_is_used_again_when_it_is_back),
          CASE(a_frozen_server_is_given_up_and_comes_back),
          CASE(a_slow_answer_is_not_waited_for),
          CASE(who_waits_behind_a_write_is_given_up_in_time_too),
          CASE(a_password_is_given),
          CASE(not_all_that_is_refused_is_a_password),
          CASE(tls_is_spoken_to_who_can_prove_its_name),
          CASE(an_ipv6_address_is_a_name_in_a_certificate_too),
          CASE(who_publishes_a_key_has_it_forgotten), CASE(urls_name_a_place))
