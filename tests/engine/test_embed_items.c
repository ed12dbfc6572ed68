/* What a host may do in callbacks, the order of callbacks, lent bytes, clocks,
 * engines beside each other. */
#include <asyncbatch/asyncbatch.h>

#include <event2/event.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/str.h"
#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/host.h"

/* ---- calls from inside a callback ------------------------------------- */

/* Every function in turn; two further items end all this. */
static void call_everything(struct host *h, const struct asb_result *result)
{
    struct asb_stats stats = { .size = sizeof(stats) };

    if (h->done != 1)
        return;
    CHECK_INT(asb_run(h->engine), ==, ASB_EBUSY);
    CHECK_INT(asb_cancel(h->engine, result->item), ==, ASB_ENOENT);
    (void)host_submit(h, "b", "second");
    CHECK_INT(asb_cancel(h->engine, host_submit(h, "c", "third")), ==, ASB_OK);
    CHECK(asb_has_room(h->engine));
    asb_flush(h->engine);
    asb_engine_stats(h->engine, &stats);
    CHECK_INT(stats.items_total, ==, 3);
    CHECK_INT(stats.items_ok, ==, 1);
    CHECK(asb_engine_base(h->engine) == h->base);
    asb_drain(h->engine);
    struct asb_request late = { .size = sizeof(late), .text = ASBI_STR("x") };
    CHECK_INT(host_ask(h, &late, NULL), ==, ASB_ECLOSED);
    CHECK_INT(h->done, ==, 1); /* nothing was called back meanwhile */
}

static void a_callback_may_call_all_but_run(void)
{
    struct host h;

    host_init(&h);
    h.on_result = call_everything;
    host_start(&h);
    (void)host_submit(&h, "a", "first");
    host_wait(&h, 3);
    CHECK_BYTES(h.told, strlen(h.told), "a c! b ");
    host_idle(&h);
    CHECK_INT(h.done, ==, 3);
    host_end(&h);
}

static void stop_all(struct host *h, const struct asb_result *result)
{
    (void)result;
    asb_stop(h->engine);
}

static void stop_in_a_callback_ends_what_waits(void)
{
    struct host h;

    host_init(&h);
    h.on_result = stop_all;
    h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
    host_start(&h);
    CHECK_INT(asb_cancel(h.engine, host_submit(&h, "a", "x")), ==, ASB_OK);
    (void)host_submit(&h, "b", "y");
    host_wait(&h, 2);
    CHECK_BYTES(h.told, strlen(h.told), "a! b! ");
    host_end(&h);
}

/* Company that cannot get in any more is not waited for. */
static void a_full_engine_sends_what_it_has(void)
{
    struct host h;
    unsigned count = 0;
    char id[16];

    host_init(&h);
    h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
    h.options[1][0] = "batch_size", h.options[1][1] = "1000";
    h.options[2][0] = "max_memory", h.options[2][1] = "64KiB";
    h.options[3][0] = "max_item_bytes", h.options[3][1] = "64KiB";
    host_start(&h);
    while (asb_has_room(h.engine)) {
        (void)snprintf(id, sizeof(id), "%u", count++);
        (void)host_submit(&h, id, id);
    }
    CHECK_INT(count, <, 1000);
    host_wait(&h, count);
    CHECK_INT(h.ok, ==, count);
    host_end(&h);
}

/* ---- order ------------------------------------------------------------ */

static void submit_in_order(struct host *h)
{
    (void)host_submit(h, "a", "the same");
    uint64_t b = host_submit(h, "b", "another text");
    (void)host_submit(h, "c", "the same"); /* shares the answer of a */
    CHECK_INT(asb_cancel(h->engine, host_submit(h, "d", "never")), ==, ASB_OK);
    (void)host_submit(h, "e", "the same");
    CHECK(b != 0);
}

static void callbacks_come_in_order_when_asked_for(void)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        struct host h;

        host_init(&h);
        h.hooks.in_order = ordered;
        host_start(&h);
        submit_in_order(&h);
        host_wait(&h, 5);
        CHECK_BYTES(h.told, strlen(h.told),
                    ordered ? "a b c d! e " : "d! c e a b ");
        host_end(&h);
    }
}

/* Cancelled items behind one that waits for an hour are done, and owed. */
static void an_engine_in_order_waits_for_the_first_without_spinning(void)
{
    struct asb_stats stats = { .size = sizeof(stats) };
    struct host h;

    host_init(&h);
    h.hooks.in_order = true;
    h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
    host_start(&h);
    (void)host_submit(&h, "a", "x");
    CHECK_INT(asb_cancel(h.engine, host_submit(&h, "b", "y")), ==, ASB_OK);
    host_idle(&h);
    CHECK_INT(h.done, ==, 0);
    CHECK_INT(event_base_get_num_events(h.base, EVENT_BASE_COUNT_ACTIVE), ==,
              0);
    asb_flush(h.engine);
    host_wait(&h, 2);
    CHECK_BYTES(h.told, strlen(h.told), "a b! ");
    asb_engine_stats(h.engine, &stats);
    CHECK_INT(stats.calls, ==, 1);
    host_end(&h);
}

static void an_engine_in_order_is_freed_with_callbacks_owed(void)
{
    struct host h;

    host_init(&h);
    h.hooks.in_order = true;
    h.options[0][0] = "batch_wait", h.options[0][1] = "1h";
    host_start(&h);
    (void)host_submit(&h, "a", "x");
    CHECK_INT(asb_cancel(h.engine, host_submit(&h, "b", "y")), ==, ASB_OK);
    host_idle(&h);
    host_end(&h);
}

/* ---- lent bytes ------------------------------------------------------- */

static const char body[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

static struct asb_request lent_body(struct host *h, const char *bytes,
                                    size_t len)
{
    return (struct asb_request){ .size = sizeof(struct asb_request),
                                 .id = ASBI_STR("lent"),
                                 .payload = ASB_BODY,
                                 .body = asbi_str_of(bytes, len),
                                 .release = host_release,
                                 .release_arg = h };
}

static void expect_unreleased(struct host *h, const struct asb_result *result)
{
    (void)result;
    CHECK_INT(h->released, ==, 0); /* only afterwards */
}

static void lent_bytes_are_given_back_after_the_callback(void)
{
    struct host h;

    host_init(&h);
    h.on_result = expect_unreleased;
    host_start(&h);
    struct asb_request request = lent_body(&h, body, sizeof(body) - 1);
    CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_OK);
    host_wait(&h, 1);
    CHECK_INT(h.ok, ==, 1);
    CHECK_INT(h.released, ==, 1);
    host_end(&h);
    CHECK_INT(h.released, ==, 1);
}

static void lent_text_is_given_back_too(void)
{
    static const char *const tasks[] = { "translate", "raw" };

    for (size_t i = 0; i < 2; i++) {
        struct host h;
        struct asb_request request = { .size = sizeof(request),
                                       .text = ASBI_STR("Hello {name}"),
                                       .release = host_release,
                                       .release_arg = &h };

        host_init(&h);
        h.options[0][0] = "task", h.options[0][1] = tasks[i];
        host_start(&h);
        CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_OK);
        host_wait(&h, 1);
        CHECK_INT(h.ok, ==, 1);
        CHECK_INT(h.released, ==, 1);
        host_end(&h);
    }
}

static void what_is_refused_stays_the_hosts(void)
{
    struct host h;

    host_init(&h);
    host_start(&h);
    struct asb_request request = lent_body(&h, body, sizeof(body) - 1);
    request.payload = (enum asb_payload)17;
    CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_EINVAL);
    for (size_t n = 1;; n++) {
        request.payload = ASB_BODY;
        h.fm.fail_at = h.fm.seen + n;
        int rc = host_ask(&h, &request, NULL);
        CHECK_INT(h.released, ==, 0);
        if (rc == ASB_OK)
            break;
        CHECK_INT(rc, ==, ASB_ENOMEM);
    }
    h.fm.fail_at = 0;
    host_end(&h);
    CHECK_INT(h.released, ==, 1); /* the one that was taken */
}

/* Large enough to be still on its way when it is cancelled: libcurl reads it
 * from where it lies. */
static void a_cancelled_body_stays_until_it_is_off_the_wire(void)
{
    enum { BYTES = 900 * 1024 };
    char *big = malloc(BYTES);
    struct asb_stats stats = { .size = sizeof(stats) };
    struct host h;
    uint64_t number = 0;

    CHECK(big);
    memset(big, ' ', BYTES);
    memcpy(big, body, sizeof(body) - 1);
    host_init(&h);
    host_start(&h);
    struct asb_request request = lent_body(&h, big, BYTES);
    CHECK_INT(host_ask(&h, &request, &number), ==, ASB_OK);
    while (asb_engine_stats(h.engine, &stats), stats.in_flight == 0)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    CHECK_INT(asb_cancel(h.engine, number), ==, ASB_OK);
    host_wait(&h, 1);
    asb_engine_stats(h.engine, &stats);
    CHECK_INT(h.released, ==, !stats.in_flight);
    while (!h.released)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    free(big);
    asb_engine_stats(h.engine, &stats);
    CHECK_INT(stats.in_flight, ==, 0);
    CHECK_INT(stats.calls, ==, 1);
    CHECK_INT(stats.calls_failed, ==, 0); /* it arrived whole */
    host_end(&h);
}

/* The same with a copy of the engine's own, and with a heir who asks the same
 * and takes over what was sent. */
static void a_cancelled_copy_stays_until_it_is_off_the_wire(void)
{
    struct asb_stats stats = { .size = sizeof(stats) };
    struct host h;
    uint64_t number = 0;

    host_init(&h);
    host_start(&h);
    struct asb_request request = lent_body(&h, body, sizeof(body) - 1);
    request.release = NULL;
    CHECK_INT(host_ask(&h, &request, &number), ==, ASB_OK);
    request.id = asbi_str_c("heir");
    CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_OK);
    while (asb_engine_stats(h.engine, &stats), stats.in_flight == 0)
        CHECK_INT(event_base_loop(h.base, EVLOOP_ONCE), ==, 0);
    CHECK_INT(asb_cancel(h.engine, number), ==, ASB_OK);
    host_wait(&h, 2);
    CHECK_BYTES(h.told, strlen(h.told), "lent! heir ");
    host_end(&h);
}

/* ---- versions, clocks ------------------------------------------------- */

static void a_request_of_an_older_header_is_taken(void)
{
    struct host h;
    struct asb_request request = { .text = ASBI_STR("Hello"),
                                   .release = host_release };

    host_init(&h);
    host_start(&h);
    request.release_arg = NULL; /* would crash if it were called */
    CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_EINVAL); /* no size */
    request.size = offsetof(struct asb_request, release);
    CHECK_INT(host_ask(&h, &request, NULL), ==, ASB_OK);
    host_wait(&h, 1);
    CHECK_INT(h.ok, ==, 1);
    host_end(&h);
}

/* Else the host's base would be passed over without a word. */
static void hooks_without_a_size_are_refused(void)
{
    struct asb_options *options = asb_options_new();
    struct asb_hooks hooks = { .size = 0 };
    struct asb_engine *engine;
    struct asb_message why;

    CHECK(options);
    CHECK_INT(asb_engine_new(options, &hooks, &engine, &why), ==, ASB_EINVAL);
    CHECK(!engine && strstr(why.text, "size"));
    asb_options_free(options);
}

struct clocks {
    uint64_t now_ns, asked;
};

static uint64_t clock_now(void *arg)
{
    struct clocks *c = arg;

    c->asked++;
    return c->now_ns;
}

static uint64_t clock_wall(void *arg)
{
    (void)arg;
    return 1700000000000U;
}

/* One item whose batch waits longer than its deadline. */
static void ask_by_clock(struct host *h, struct clocks *clocks,
                         uint64_t deadline_ms)
{
    const struct asb_request request = { .size = sizeof(request),
                                         .id = ASBI_STR("a"),
                                         .text = ASBI_STR("x"),
                                         .deadline_ms = deadline_ms };

    host_init(h);
    h->hooks.now_ns = clock_now;
    h->hooks.wall_ms = clock_wall;
    h->hooks.time_arg = clocks;
    h->options[0][0] = "batch_wait", h->options[0][1] = "2h";
    host_start(h);
    CHECK_INT(host_ask(h, &request, NULL), ==, ASB_OK);
}

/* A deadline of an hour passes when the host's clock says so. */
static void time_is_what_the_host_says(void)
{
    struct clocks clocks = { .now_ns = 5000000000U };
    struct host h;

    ask_by_clock(&h, &clocks, 3600 * 1000);
    host_idle(&h);
    CHECK_INT(h.done, ==, 0);
    CHECK(clocks.asked > 0);
    clocks.now_ns += UINT64_C(3601) * 1000000000U;
    asb_flush(h.engine);
    host_wait(&h, 1);
    CHECK_BYTES(h.told, strlen(h.told), "a! ");
    host_end(&h);
}

/* In nanoseconds it would be over before it began. */
static void a_deadline_past_all_clocks_is_none(void)
{
    struct clocks clocks = { .now_ns = 5000000000U };
    struct host h;

    ask_by_clock(&h, &clocks, UINT64_MAX / 1000000 + 1);
    clocks.now_ns += 1000000000U;
    asb_flush(h.engine);
    host_wait(&h, 1);
    CHECK_BYTES(h.told, strlen(h.told), "a ");
    host_end(&h);
}

/* ---- a cache told to let go --------------------------------------------- */

static void on_purged(void *arg, int status)
{
    CHECK_INT(status, ==, 0); /* nobody was reached */
    ++*(unsigned *)arg;
}

static void asb_run_waits_for_a_purge(void)
{
    unsigned told = 0;
    struct host h;

    host_init(&h);
    h.own_base = true;
    h.options[0][0] = "cache_url", h.options[0][1] = "http://127.0.0.1:9/";
    host_start(&h);
    CHECK_INT(asb_engine_purge(h.engine, "mark", on_purged, &told), ==, ASB_OK);
    CHECK_INT(asb_engine_purge(h.engine, "mark", on_purged, &told), ==,
              ASB_EBUSY);
    CHECK_INT(told, ==, 0);
    CHECK_INT(asb_run(h.engine), ==, ASB_OK);
    CHECK_INT(told, ==, 1);
    host_end(&h);
}

/* ---- beside others ---------------------------------------------------- */

/* Two on one base, a third on its own: each answers its own items alone. */
static void engines_do_not_know_of_each_other(void)
{
    struct host one, two, three;

    host_init(&one);
    host_init(&two);
    host_init(&three);
    two.options[0][0] = "target_lang", two.options[0][1] = "ru";
    two.beside = &one;
    three.own_base = true;
    host_start(&one);
    host_start(&three);
    two.hooks.in_order = true;
    host_start(&two);
    for (int i = 0; i < 20; i++) {
        (void)host_submit(&one, "1", "Hello");
        (void)host_submit(&two, "2", "Hello");
        (void)host_submit(&three, "3", "Hello");
    }
    asb_stop(three.engine);
    CHECK_INT(asb_run(three.engine), ==, ASB_OK);
    CHECK_INT(three.failed, ==, 20);
    CHECK_INT(one.done + two.done, ==, 0);
    host_wait(&one, 20);
    host_wait(&two, 20);
    CHECK_INT(one.ok, ==, 20);
    CHECK_INT(two.ok, ==, 20);
    two.open_before = three.open_before = 0; /* the first has some, too */
    host_end(&two);
    host_end(&three);
    host_end(&one);
}

struct process {
    struct sigaction actions[32];
    sigset_t blocked;
    mode_t mask;
    char folder[256], locale[64];
    int flags[3];
    unsigned threads;
};

static struct process look(void)
{
    struct process p;

    memset(&p, 0, sizeof(p));
    for (int s = 1; s < 32; s++)
        (void)sigaction(s, NULL, &p.actions[s]);
    (void)sigprocmask(SIG_BLOCK, NULL, &p.blocked);
    p.mask = umask(0);
    (void)umask(p.mask);
    CHECK(getcwd(p.folder, sizeof(p.folder)) != NULL);
    (void)snprintf(p.locale, sizeof(p.locale), "%s", setlocale(LC_ALL, NULL));
    for (int fd = 0; fd < 3; fd++)
        p.flags[fd] = fcntl(fd, F_GETFL);
    p.threads = tasks();
    return p;
}

static void check_same(const struct process *a, const struct process *b)
{
    for (int s = 1; s < 32; s++) {
        CHECK(a->actions[s].sa_handler == b->actions[s].sa_handler);
        CHECK_INT(a->actions[s].sa_flags, ==, b->actions[s].sa_flags);
        CHECK_INT(sigismember(&a->blocked, s), ==, sigismember(&b->blocked, s));
    }
    for (int fd = 0; fd < 3; fd++)
        CHECK_INT(a->flags[fd], ==, b->flags[fd]);
    CHECK_INT(a->mask, ==, b->mask);
    CHECK_INT(a->threads, ==, b->threads);
    CHECK(strcmp(a->folder, b->folder) == 0);
    CHECK(strcmp(a->locale, b->locale) == 0);
}

static void the_process_stays_as_it_was(void)
{
    struct process before = look(), during, after;
    struct host h;

    host_init(&h);
    host_start(&h);
    (void)host_submit(&h, "a", "Hello");
    host_wait(&h, 1);
    during = look();
    host_end(&h);
    after = look();
    check_same(&before, &during);
    check_same(&before, &after);
}

TEST_MAIN(
    CASE(a_callback_may_call_all_but_run),
    CASE(stop_in_a_callback_ends_what_waits),
    CASE(a_full_engine_sends_what_it_has),
    CASE(callbacks_come_in_order_when_asked_for),
    CASE(an_engine_in_order_waits_for_the_first_without_spinning),
    CASE(an_engine_in_order_is_freed_with_callbacks_owed),
    CASE(lent_bytes_are_given_back_after_the_callback),
    CASE(lent_text_is_given_back_too), CASE(what_is_refused_stays_the_hosts),
    CASE(a_cancelled_body_stays_until_it_is_off_the_wire),
    CASE(a_cancelled_copy_stays_until_it_is_off_the_wire),
    CASE(a_request_of_an_older_header_is_taken),
    CASE(hooks_without_a_size_are_refused), CASE(time_is_what_the_host_says),
    CASE(a_deadline_past_all_clocks_is_none), CASE(asb_run_waits_for_a_purge),
    CASE(engines_do_not_know_of_each_other), CASE(the_process_stays_as_it_was))
