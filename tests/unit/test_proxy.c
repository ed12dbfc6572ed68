/*
 * test_proxy.c -- what the environment says of proxies.
 */
#include "engine/real/proxy.h"

#include "tests/support/check.h"

static const char *const *environment;

static const char *get(const char *name)
{
    for (const char *const *v = environment; *v; v += 2) {
        if (strcmp(v[0], name) == 0)
            return v[1];
    }
    return NULL;
}

static const char *choose(const char *const *with, bool tls, const char *host)
{
    environment = with;
    const char *proxy = asbi_proxy_choose(tls, asbi_str_c(host), get);
    return proxy ? proxy : "";
}

static void check_choice(const char *const *with, bool tls, const char *want)
{
    const char *got = choose(with, tls, "api.example");

    CHECK_BYTES(got, strlen(got), want);
}

static void each_scheme_has_its_variable(void)
{
    static const char *const both[] = { "http_proxy", "a", "https_proxy", "b",
                                        "all_proxy",  "c", NULL };
    static const char *const all[] = { "ALL_PROXY", "c", NULL };
    static const char *const upper[] = { "HTTP_PROXY", "a", "HTTPS_PROXY", "b",
                                         NULL };
    static const char *const empty[] = { "https_proxy", "", "HTTPS_PROXY", "",
                                         NULL };
    static const char *const none[] = { NULL };

    check_choice(both, false, "a");
    check_choice(both, true, "b");
    check_choice(all, false, "c");
    check_choice(all, true, "c");
    check_choice(upper, false, ""); /* a CGI client could set it */
    check_choice(upper, true, "b");
    check_choice(empty, true, "");
    check_choice(none, true, "");
}

static void lower_case_beats_upper(void)
{
    static const char *const two[] = { "HTTPS_PROXY", "B", "https_proxy", "b",
                                       NULL };

    check_choice(two, true, "b");
}

static void excluded_hosts_go_straight(void)
{
    static const char *const with[] = { "all_proxy", "p", "no_proxy",
                                        "api.example", NULL };

    CHECK_BYTES(choose(with, true, "api.example"), 0, "");
    CHECK_BYTES(choose(with, true, "apo.example"), 1, "p");
}

static bool out(const char *list, const char *host)
{
    return asbi_proxy_excluded(asbi_str_c(list), asbi_str_c(host));
}

static void lists_of_names_are_understood(void)
{
    CHECK(out("*", "anything"));
    CHECK(out(" * ", "anything"));
    CHECK(out("example.com", "example.com"));
    CHECK(out("example.com", "API.Example.COM"));
    CHECK(out(".example.com", "example.com"));
    CHECK(out(".example.com", "a.b.example.com"));
    CHECK(out("example.com.", "api.example.com"));
    CHECK(out("example.com", "example.com."));
    CHECK(out("a.test, b.test c.test\td.test", "c.test"));
    CHECK(out("a.test,,b.test,", "b.test"));
    CHECK(!out("example.com", "badexample.com"));
    CHECK(!out("example.com", "example.co"));
    CHECK(!out("example.com", "com"));
    CHECK(!out("", "example.com"));
    CHECK(!out(",", "example.com"));
    CHECK(!out(".", "example.com"));
    CHECK(!out("a*", "abc"));
}

static void lists_of_addresses_are_understood(void)
{
    CHECK(out("127.0.0.1", "127.0.0.1"));
    CHECK(out("10.0.0.0/8", "10.200.3.4"));
    CHECK(out("192.168.16.0/20", "192.168.31.255"));
    CHECK(out("0.0.0.0/0", "8.8.8.8"));
    CHECK(out("::1", "0:0:0:0:0:0:0:1"));
    CHECK(out("[::1]", "::1"));
    CHECK(out("fe80::/10", "febf::1"));
    CHECK(!out("fe80::/10", "fec0::1"));
    CHECK(!out("192.168.16.0/20", "192.168.32.0"));
    CHECK(!out("10.0.0.0/8", "11.0.0.1"));
    CHECK(!out("10.0.0.0/33", "10.0.0.0"));
    CHECK(!out("10.0.0.0/", "10.0.0.0"));
    CHECK(!out("10.0.0.0/x", "10.0.0.0"));
    CHECK(!out("10.0.0.0/8", "::ffff:10.0.0.1"));
    CHECK(!out("0.0.1", "127.0.0.1")); /* no domain of numbers */
}

TEST_MAIN(CASE(each_scheme_has_its_variable), CASE(lower_case_beats_upper),
          CASE(excluded_hosts_go_straight), CASE(lists_of_names_are_understood),
          CASE(lists_of_addresses_are_understood))
