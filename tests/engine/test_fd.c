/*
 * test_fd.c -- files, pipes and sockets on the loop.
 */
#define _GNU_SOURCE /* F_SETPIPE_SZ */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "engine/real/fd.h"
#include "tests/support/caller.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct surroundings s;
static const struct asbi_parts *parts;

static void begin(void)
{
    struct asbi_real_options options = { .no_http = true };

    (void)signal(SIGPIPE, SIG_IGN);
    surroundings_init(&s, NULL, &options);
    parts = asbi_real_world_parts(s.world);
}

/* ---- a reader that remembers ----------------------------------------- */

struct reader {
    struct asbi_source *source;
    struct asbi_buf got;
    size_t take_most; /* of one offer; 0: all */
    unsigned offers, ended;
    size_t largest;
    int error;
    bool resume_inside; /* call resume() from on_bytes */
    bool free_inside;
    unsigned *enough; /* counts up at each offer; may be NULL */
};

static size_t on_bytes(void *arg, const char *at, size_t len)
{
    struct reader *r = arg;
    size_t taken = r->take_most && r->take_most < len ? r->take_most : len;

    CHECK(len > 0 && !r->ended);
    r->offers++;
    r->largest = len > r->largest ? len : r->largest;
    asbi_buf_add(&r->got, at, taken);
    if (r->resume_inside)
        asbi_source_resume(r->source);
    if (r->free_inside) {
        asbi_source_free(r->source);
        r->source = NULL;
    }
    return taken;
}

static void on_end(void *arg, int error)
{
    struct reader *r = arg;

    r->ended++;
    r->error = error;
    if (r->free_inside) {
        asbi_source_free(r->source);
        r->source = NULL;
    }
}

static void reader_init(struct reader *r, int fd)
{
    static const struct asbi_source_ops ops = { on_bytes, on_end };

    *r = (struct reader){ 0 };
    asbi_buf_init(&r->got, &asbi_mem_system, (size_t)1 << 28);
    CHECK_INT(asbi_source_new(parts, fd, &ops, r, &r->source), ==, ASB_OK);
}

static void reader_fini(struct reader *r)
{
    asbi_source_free(r->source);
    asbi_buf_fini(&r->got);
}

/* A file of `len` bytes that tell their place. */
static int file_new(size_t len)
{
    char path[] = "/tmp/asb-test-fd-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(dup(fd), "w");

    CHECK(fd >= 0 && f && unlink(path) == 0);
    for (size_t i = 0; i < len; i++)
        (void)fputc((int)('a' + i % 26), f);
    CHECK(fclose(f) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_alphabet(const struct asbi_buf *b, size_t len)
{
    CHECK_INT(b->len, ==, len);
    for (size_t i = 0; i < len; i++)
        CHECK(b->data[i] == (char)('a' + i % 26));
}

/* ---- reading --------------------------------------------------------- */

static void a_file_is_read_in_slices(void)
{
    struct reader r;

    begin();
    int fd = file_new(200000);
    reader_init(&r, fd);
    (void)event_base_loop(s.base, EVLOOP_NONBLOCK);
    CHECK_INT(r.offers, ==, 0); /* starts paused */
    asbi_source_resume(r.source);
    CHECK_INT(r.offers, ==, 0); /* only from the loop */
    run_until(&s, &r.ended, 1);
    CHECK_INT(r.error, ==, 0);
    check_alphabet(&r.got, 200000);
    CHECK_INT(r.offers, >=, 4);
    CHECK_INT(r.largest, <=, 65536);
    reader_fini(&r);
    (void)close(fd);
    surroundings_fini(&s);
}

static void on_other(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ++*(unsigned *)arg;
}

/* A file is always ready: others must still get their turns. */
static void a_file_leaves_the_loop_to_others(void)
{
    struct reader r;
    unsigned others = 0;
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0 && write(pair[1], "x", 1) == 1);
    struct event *other =
        event_new(s.base, pair[0], EV_READ | EV_PERSIST, on_other, &others);
    (void)event_add(other, NULL);
    int fd = file_new(1000000);
    reader_init(&r, fd);
    asbi_source_resume(r.source);
    run_until(&s, &r.ended, 1);
    CHECK_INT(others, >=, r.offers - 1);
    event_free(other);
    (void)close(pair[0]);
    (void)close(pair[1]);
    reader_fini(&r);
    (void)close(fd);
    surroundings_fini(&s);
}

static void what_is_not_taken_is_offered_again(void)
{
    struct reader r;
    int fd;

    begin();
    fd = file_new(1000);
    reader_init(&r, fd);
    r.take_most = 300;
    for (unsigned offers = 1; offers <= 3; offers++) {
        asbi_source_resume(r.source);
        run_until(&s, &r.offers, offers);
        run_for(&s, 2);
        CHECK_INT(r.offers, ==, offers); /* paused */
        CHECK_INT(r.got.len, ==, offers * 300);
    }
    asbi_source_resume(r.source);
    run_until(&s, &r.ended, 1);
    check_alphabet(&r.got, 1000);
    reader_fini(&r);
    (void)close(fd);
    surroundings_fini(&s);
}

static void every_size_of_bites_gives_the_same(void)
{
    begin();
    for (size_t bite = 1; bite <= 101; bite += 4) {
        struct reader r;
        int fd = file_new(101);

        reader_init(&r, fd);
        r.take_most = bite;
        r.resume_inside = true;
        asbi_source_resume(r.source);
        run_until(&s, &r.ended, 1);
        check_alphabet(&r.got, 101);
        reader_fini(&r);
        (void)close(fd);
    }
    surroundings_fini(&s);
}

static void a_pipe_is_read_as_it_comes(void)
{
    struct reader r;
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0);
    reader_init(&r, pair[0]);
    asbi_source_resume(r.source);
    run_for(&s, 2);
    CHECK_INT(r.offers, ==, 0);
    for (unsigned i = 1; i <= 3; i++) {
        CHECK(write(pair[1], "abc", 3) == 3);
        run_until(&s, &r.offers, i);
    }
    CHECK_STR(asbi_buf_view(&r.got), "abcabcabc");
    (void)close(pair[1]);
    run_until(&s, &r.ended, 1);
    CHECK_INT(r.error, ==, 0);
    reader_fini(&r);
    (void)close(pair[0]);
    surroundings_fini(&s);
}

static void a_paused_pipe_is_left_alone(void)
{
    struct reader r;
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0 && write(pair[1], "abc", 3) == 3);
    reader_init(&r, pair[0]);
    asbi_source_resume(r.source);
    asbi_source_pause(r.source);
    run_for(&s, 2);
    CHECK_INT(r.offers, ==, 0);
    asbi_source_resume(r.source);
    run_until(&s, &r.offers, 1);
    reader_fini(&r);
    (void)close(pair[0]);
    (void)close(pair[1]);
    surroundings_fini(&s);
}

static void a_socket_is_read(void)
{
    struct reader r;
    int pair[2];

    begin();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    reader_init(&r, pair[0]);
    asbi_source_resume(r.source);
    CHECK(send(pair[1], "abc", 3, 0) == 3);
    run_until(&s, &r.offers, 1);
    (void)close(pair[1]);
    run_until(&s, &r.ended, 1);
    CHECK_STR(asbi_buf_view(&r.got), "abc");
    reader_fini(&r);
    (void)close(pair[0]);
    surroundings_fini(&s);
}

static void devices_without_readiness_are_read(void)
{
    struct reader r;
    int fd = open("/dev/null", O_RDONLY);

    begin();
    reader_init(&r, fd);
    asbi_source_resume(r.source);
    run_until(&s, &r.ended, 1);
    CHECK_INT(r.error, ==, 0);
    reader_fini(&r);
    surroundings_fini(&s);
    (void)close(fd);
}

static void reading_a_folder_fails(void)
{
    struct reader r;
    int fd = open("/tmp", O_RDONLY);

    begin();
    reader_init(&r, fd);
    asbi_source_resume(r.source);
    run_until(&s, &r.ended, 1);
    CHECK_INT(r.error, ==, EISDIR);
    reader_fini(&r);
    surroundings_fini(&s);
    (void)close(fd);
}

static void a_descriptor_that_is_not_open_is_refused(void)
{
    static const struct asbi_source_ops in = { on_bytes, on_end };
    static const struct asbi_sink_ops out = { NULL, NULL, NULL };
    struct asbi_source *source;
    struct asbi_sink *sink;

    begin();
    CHECK_INT(asbi_source_new(parts, 999, &in, NULL, &source), ==, ASB_EIO);
    CHECK_INT(asbi_sink_new(parts, 999, 1, &out, NULL, &sink), ==, ASB_EIO);
    CHECK(!source && !sink);
    surroundings_fini(&s);
}

static void a_source_can_be_freed_from_its_callbacks(void)
{
    struct reader r;
    int fd;

    begin();
    fd = file_new(100);
    reader_init(&r, fd);
    r.free_inside = true;
    asbi_source_resume(r.source);
    run_until(&s, &r.offers, 1);
    CHECK(!r.source);
    reader_fini(&r);
    CHECK(lseek(fd, 0, SEEK_END) == 100);
    reader_init(&r, fd);
    r.free_inside = true;
    asbi_source_resume(r.source);
    run_until(&s, &r.ended, 1);
    CHECK(!r.source);
    reader_fini(&r);
    (void)close(fd);
    surroundings_fini(&s);
}

/* ---- a writer that remembers ----------------------------------------- */

struct writer {
    struct asbi_sink *sink;
    unsigned rooms, errors, finished;
    int error;
    bool free_inside;
};

static void writer_free_inside(struct writer *w)
{
    if (!w->free_inside)
        return;
    asbi_sink_free(w->sink);
    w->sink = NULL;
}

static void on_room(void *arg)
{
    struct writer *w = arg;

    w->rooms++;
    writer_free_inside(w);
}

static void on_error(void *arg, int error)
{
    struct writer *w = arg;

    w->errors++;
    w->error = error;
    writer_free_inside(w);
}

static void on_finished(void *arg)
{
    struct writer *w = arg;

    w->finished++;
    writer_free_inside(w);
}

static void writer_init(struct writer *w, int fd, size_t high_water)
{
    static const struct asbi_sink_ops ops = { on_room, on_error, on_finished };

    *w = (struct writer){ 0 };
    CHECK_INT(asbi_sink_new(parts, fd, high_water, &ops, w, &w->sink), ==,
              ASB_OK);
}

/* `len` bytes of the alphabet that begins at `from`, `row` at a time. */
static void write_rows(struct writer *w, size_t from, size_t len, size_t row)
{
    char bytes[4096];

    for (size_t at = 0; at < len;) {
        size_t n = len - at < row ? len - at : row;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)('a' + (from + at + i) % 26);
        CHECK_INT(asbi_sink_write(w->sink, asbi_str_of(bytes, n)), ==, ASB_OK);
        at += n;
    }
}

static void check_file(int fd, size_t len)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, (size_t)1 << 28);
    char *to = asbi_buf_reserve(&b, len + 1);
    ssize_t n = pread(fd, to, len + 1, 0);
    b.len = n < 0 ? 0 : (size_t)n;
    check_alphabet(&b, len);
    asbi_buf_fini(&b);
}

static void a_file_is_written(void)
{
    struct writer w;
    int fd;

    begin();
    fd = file_new(0);
    writer_init(&w, fd, 1 << 20);
    write_rows(&w, 0, 100000, 10);
    check_file(fd, 0); /* not from inside the call */
    run_for(&s, 2);
    check_file(fd, 100000);
    write_rows(&w, 100000, 3000000, 1000);
    asbi_sink_finish(w.sink);
    CHECK_INT(w.finished, ==, 0);
    run_until(&s, &w.finished, 1);
    check_file(fd, 3100000);
    CHECK_INT(w.errors, ==, 0);
    run_for(&s, 2);
    CHECK_INT(w.finished, ==, 1);
    asbi_sink_free(w.sink);
    (void)close(fd);
    surroundings_fini(&s);
}

static void nothing_to_write_is_finished_too(void)
{
    struct writer w;
    int fd;

    begin();
    fd = file_new(0);
    writer_init(&w, fd, 100);
    asbi_sink_finish(w.sink);
    CHECK_INT(w.finished, ==, 0);
    run_until(&s, &w.finished, 1);
    asbi_sink_free(w.sink);
    (void)close(fd);
    surroundings_fini(&s);
}

/* Rows of one turn go out together: the reader of a packet pipe sees how. */
static void rows_are_gathered(void)
{
    struct writer w;
    int pair[2];
    char bytes[4096];

    begin();
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    writer_init(&w, pair[1], 1 << 20);
    write_rows(&w, 0, 1000, 10);
    asbi_sink_finish(w.sink);
    run_until(&s, &w.finished, 1);
    CHECK_INT(recv(pair[0], bytes, sizeof(bytes), 0), ==, 1000);
    asbi_sink_free(w.sink);
    (void)close(pair[0]);
    (void)close(pair[1]);
    surroundings_fini(&s);
}

/* Nobody reads at first; the loop must not hang in a blocking write. */
static void a_full_pipe_is_waited_for(int pair[2])
{
    struct writer w;
    struct reader r;
    size_t len = 300000;

    int flags = fcntl(pair[1], F_GETFL);
    writer_init(&w, pair[1], 100000);
    write_rows(&w, 0, len, 100);
    CHECK(asbi_sink_is_full(w.sink));
    asbi_sink_finish(w.sink);
    run_for(&s, 5);
    CHECK_INT(w.finished, ==, 0);
    CHECK_INT(w.rooms, ==, 0);
    CHECK(asbi_sink_is_full(w.sink));
    CHECK_INT(fcntl(pair[1], F_GETFL), ==, flags);
    reader_init(&r, pair[0]);
    asbi_source_resume(r.source);
    run_until(&s, &w.finished, 1);
    CHECK_INT(w.rooms, ==, 1);
    CHECK(!asbi_sink_is_full(w.sink));
    (void)close(pair[1]);
    asbi_sink_free(w.sink);
    run_until(&s, &r.ended, 1);
    check_alphabet(&r.got, len);
    reader_fini(&r);
    (void)close(pair[0]);
}

static void a_pipe_nobody_reads_is_waited_for(void)
{
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0);
    a_full_pipe_is_waited_for(pair);
    CHECK(pipe(pair) == 0 && fcntl(pair[1], F_SETPIPE_SZ, 4096) == 4096);
    a_full_pipe_is_waited_for(pair);
    CHECK(pipe2(pair, O_NONBLOCK) == 0);
    a_full_pipe_is_waited_for(pair);
    surroundings_fini(&s);
}

static void a_socket_nobody_reads_is_waited_for(void)
{
    int pair[2];

    begin();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    a_full_pipe_is_waited_for(pair);
    surroundings_fini(&s);
}

static void an_error_is_told_once(int fd, int want)
{
    struct writer w;

    writer_init(&w, fd, 100);
    write_rows(&w, 0, 1000, 100);
    CHECK(asbi_sink_is_full(w.sink));
    CHECK_INT(w.errors, ==, 0);
    run_until(&s, &w.errors, 1);
    CHECK_INT(w.error, ==, want);
    CHECK(!asbi_sink_is_full(w.sink));
    write_rows(&w, 0, 1000, 100);
    run_for(&s, 2);
    CHECK_INT(w.errors, ==, 1);
    asbi_sink_finish(w.sink);
    run_until(&s, &w.finished, 1);
    CHECK_INT(w.errors, ==, 1);
    asbi_sink_free(w.sink);
}

static void a_reader_that_went_away_is_told_once(void)
{
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0 && close(pair[0]) == 0);
    an_error_is_told_once(pair[1], EPIPE);
    (void)close(pair[1]);
    (void)signal(SIGPIPE, SIG_DFL); /* sockets need no help of the host's */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(close(pair[0]) == 0);
    an_error_is_told_once(pair[1], EPIPE);
    (void)close(pair[1]);
    surroundings_fini(&s);
}

static void a_full_disk_is_told_once(void)
{
    int fd = open("/dev/full", O_WRONLY);

    begin();
    an_error_is_told_once(fd, ENOSPC);
    surroundings_fini(&s);
    (void)close(fd);
}

static void a_sink_can_be_freed_from_its_callbacks(void)
{
    struct writer w;
    int fd, full = open("/dev/full", O_WRONLY);

    begin();
    fd = file_new(0);
    writer_init(&w, fd, 10);
    w.free_inside = true;
    write_rows(&w, 0, 100, 100);
    run_until(&s, &w.rooms, 1);
    CHECK(!w.sink);
    writer_init(&w, full, 10);
    w.free_inside = true;
    write_rows(&w, 0, 100, 100);
    run_until(&s, &w.errors, 1);
    CHECK(!w.sink);
    writer_init(&w, fd, 10);
    w.free_inside = true;
    asbi_sink_finish(w.sink);
    run_until(&s, &w.finished, 1);
    CHECK(!w.sink);
    (void)close(fd);
    surroundings_fini(&s);
    (void)close(full);
}

static void a_sink_can_be_freed_with_bytes_waiting(void)
{
    struct writer w;
    int pair[2];

    begin();
    CHECK(pipe(pair) == 0);
    writer_init(&w, pair[1], 10);
    write_rows(&w, 0, 200000, 100);
    run_for(&s, 2);
    asbi_sink_free(w.sink);
    (void)close(pair[0]);
    (void)close(pair[1]);
    surroundings_fini(&s);
}

static void out_of_memory_loses_nothing_that_was_taken(void)
{
    for (size_t n = 1;; n++) {
        struct fault_mem fm;
        struct asbi_real_options options = { .no_http = true };
        static const struct asbi_sink_ops ops = { on_room, on_error,
                                                  on_finished };
        struct writer w = { 0 };
        size_t taken = 0;
        struct stat st;
        int fd = file_new(0);

        fault_mem_init(&fm, 0);
        surroundings_init(&s, &fm.mem, &options);
        parts = asbi_real_world_parts(s.world);
        fm.seen = 0;
        fm.fail_at = n;
        int rc = asbi_sink_new(parts, fd, 100, &ops, &w, &w.sink);
        for (int i = 0; rc == ASB_OK && i < 1000; i++)
            taken += asbi_sink_write(w.sink, ASBI_STR("row\n")) == ASB_OK;
        if (rc == ASB_OK) {
            asbi_sink_finish(w.sink);
            run_until(&s, &w.finished, 1);
        }
        CHECK(fstat(fd, &st) == 0);
        CHECK_INT(st.st_size, ==, taken * 4);
        CHECK(rc != ASB_OK || taken >= 999); /* and it goes on */
        asbi_sink_free(w.sink);
        bool all_seen = fm.seen < n;
        surroundings_fini(&s);
        (void)close(fd);
        CHECK_INT(fm.live, ==, 0);
        if (all_seen)
            break;
    }
}

TEST_MAIN(CASE(a_file_is_read_in_slices),
          CASE(a_file_leaves_the_loop_to_others),
          CASE(what_is_not_taken_is_offered_again),
          CASE(every_size_of_bites_gives_the_same),
          CASE(a_pipe_is_read_as_it_comes), CASE(a_paused_pipe_is_left_alone),
          CASE(a_socket_is_read), CASE(devices_without_readiness_are_read),
          CASE(reading_a_folder_fails),
          CASE(a_descriptor_that_is_not_open_is_refused),
          CASE(a_source_can_be_freed_from_its_callbacks),
          CASE(a_file_is_written), CASE(nothing_to_write_is_finished_too),
          CASE(rows_are_gathered), CASE(a_pipe_nobody_reads_is_waited_for),
          CASE(a_socket_nobody_reads_is_waited_for),
          CASE(a_reader_that_went_away_is_told_once),
          CASE(a_full_disk_is_told_once),
          CASE(a_sink_can_be_freed_from_its_callbacks),
          CASE(a_sink_can_be_freed_with_bytes_waiting),
          CASE(out_of_memory_loses_nothing_that_was_taken))
