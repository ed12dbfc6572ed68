/* What was committed is there again, whatever became of the process; what was
 * not is not, in whole. */
#include "engine/real/journal_sqlite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/job_identity.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static char folder[64], path[96], log_path[112];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-journal-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/j", folder);
    (void)snprintf(log_path, sizeof(log_path), "%s-wal", path);
}

static void remove_folder(void)
{
    (void)unlink(path);
    (void)unlink(log_path);
    CHECK_INT(rmdir(folder), ==, 0);
}

/* An open journal with what is to be committed to it. */
struct rig {
    struct asbi_journal_file file;
    struct asbi_journal j;
    struct asb_message why;
};

static void rig_open(struct rig *g)
{
    const struct asbi_identity who = {
        .count = 1, .entries = { { .name = "model", .value = "m" } }
    };

    g->why.text[0] = '\0';
    int rc =
        asbi_journal_sqlite_open(&asbi_mem_system, path, &g->file, &g->why);
    if (rc)
        check_fail(__FILE__, __LINE__, "%s", g->why.text);
    if (g->file.fresh) {
        g->file.state.round = 1;
        CHECK_INT(asbi_journal_sqlite_begin(g->file.store, &who, &g->file.state,
                                            &g->why),
                  ==, ASB_OK);
    }
    asbi_journal_init(&g->j, &asbi_mem_system, g->file.store, &g->file.state);
}

static void rig_close(struct rig *g)
{
    asbi_journal_fini(&g->j);
    g->file.store->ops->free(g->file.store);
}

static void answer(struct rig *g, uint64_t seq, bool ok, uint64_t place)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "answer %d\n", (int)seq);
    const struct asbi_journal_answer a = {
        .seq = seq,
        .key = UINT64_MAX - seq,
        .round = 1,
        .place = place,
        .result = { .size = sizeof(a.result),
                    .ok = ok,
                    .output = asbi_str_of(text, ok ? (size_t)len : 0),
                    .output_is_json = true,
                    .http_status = 200,
                    .error_code = ok ? NULL : "refused",
                    .error_message = ASBI_STR("because"),
                    .request_id = ASBI_STR("req"),
                    .retryable = !ok,
                    .attempts = 3,
                    .usage = { 10, 4, 20 },
                    .cost_nano_usd = 77,
                    .saved_nano_usd = 66,
                    .route = "sim/sim-1" },
    };

    CHECK_INT(asbi_journal_answer(&g->j, &a), ==, ASB_OK);
}

static void commit(struct rig *g)
{
    int rc = asbi_journal_commit(&g->j, 0);

    if (rc)
        check_fail(__FILE__, __LINE__, "%s", g->j.why.text);
}

static bool find(struct rig *g, uint64_t seq, struct asbi_journal_answer *a)
{
    int rc = g->file.store->ops->find(g->file.store, seq, a, &g->why);

    CHECK(rc == ASB_OK || rc == ASB_ENOENT);
    return rc == ASB_OK;
}

static void an_answer_comes_back_as_it_was(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    make_folder();
    rig_open(&g);
    answer(&g, 5, true, ASBI_NO_ROW);
    answer(&g, 6, false, 2);
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    CHECK(!g.file.fresh);
    CHECK(find(&g, 5, &a));
    CHECK_STR(a.result.output, "answer 5\n");
    CHECK_STR(a.result.request_id, "req");
    CHECK_INT(a.key == UINT64_MAX - 5, ==, true);
    CHECK_INT(a.place == ASBI_NO_ROW, ==, true);
    CHECK(a.result.ok && a.result.output_is_json && !a.result.error_code);
    CHECK_INT(a.result.attempts, ==, 3);
    CHECK_INT(a.result.http_status, ==, 200);
    CHECK_INT(a.result.usage.input_tokens, ==, 10);
    CHECK_INT(a.result.usage.cached_tokens, ==, 4);
    CHECK_INT(a.result.usage.output_tokens, ==, 20);
    CHECK_INT(a.result.cost_nano_usd, ==, 77);
    CHECK_INT(a.result.saved_nano_usd, ==, 66);
    CHECK(strcmp(a.result.route, "sim/sim-1") == 0);
    CHECK(find(&g, 6, &a));
    CHECK(!a.result.ok && a.result.retryable);
    CHECK(strcmp(a.result.error_code, "refused") == 0);
    CHECK_STR(a.result.error_message, "because");
    CHECK_INT(a.place, ==, 2);
    CHECK(!find(&g, 7, &a));
    rig_close(&g);
    remove_folder();
}

static void the_state_comes_back_with_every_commit(void)
{
    struct rig g;

    make_folder();
    rig_open(&g);
    g.j.state.cost = -1;
    g.j.state.boot = UINT64_MAX;
    g.j.state.finished = true;
    asbi_journal_mark(&g.j, 12, 345);
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    CHECK_INT(g.j.state.rows, ==, 12);
    CHECK_INT(g.j.state.bytes, ==, 345);
    CHECK_INT(g.j.state.cost, ==, -1);
    CHECK_INT(g.j.state.boot == UINT64_MAX, ==, true);
    CHECK_INT(g.j.state.round, ==, 1);
    CHECK(g.j.state.finished);
    rig_close(&g);
    remove_folder();
}

static int on_call(void *arg, const struct asbi_journal_call *call)
{
    struct asbi_journal_call *seen = arg;

    CHECK_INT(call->count, ==, 3);
    CHECK_INT(call->rows[0], ==, 1);
    CHECK_INT(call->rows[1] == UINT64_MAX - 1, ==, true);
    CHECK_INT(call->rows[2], ==, 300);
    seen->number = call->number;
    seen->worst = call->worst;
    seen->count++;
    return ASB_OK;
}

static void a_call_is_open_until_it_ends(void)
{
    const uint64_t rows[] = { 1, UINT64_MAX - 1, 300 };
    struct asbi_journal_call seen = { .number = 0 };
    uint64_t first, second;
    struct rig g;

    make_folder();
    rig_open(&g);
    CHECK_INT(asbi_journal_intent(&g.j, 9, rows, 3, &first), ==, ASB_OK);
    CHECK_INT(asbi_journal_intent(&g.j, 8, rows, 3, &second), ==, ASB_OK);
    asbi_journal_end(&g.j, first, 1, 1);
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    CHECK_INT(
        g.file.store->ops->each_open(g.file.store, on_call, &seen, &g.why), ==,
        ASB_OK);
    CHECK_INT(seen.count, ==, 1);
    CHECK_INT(seen.number, ==, second);
    CHECK_INT(seen.worst, ==, 8);
    CHECK_INT(asbi_journal_intent(&g.j, 1, rows, 1, &first), ==, ASB_OK);
    CHECK_INT(first, >, second); /* numbers are not given twice */
    rig_close(&g);
    remove_folder();
}

static int on_job(void *arg, const struct asbi_journal_job *job)
{
    uint64_t *seen = arg;

    CHECK_STR(job->id, "video_1");
    CHECK_STR(job->address, "/videos/video_1");
    *seen = job->number;
    return ASB_OK;
}

static int no_call(void *arg, const struct asbi_journal_call *call)
{
    (void)arg;
    (void)call;
    return ASB_EIO; /* a call with a job is in no doubt */
}

struct lines {
    size_t count;
    struct asbi_journal_call last;
    uint64_t row;
};

static int on_line(void *arg, const struct asbi_journal_call *call)
{
    struct lines *seen = arg;

    seen->count++;
    seen->last = *call;
    seen->row = call->count ? call->rows[0] : 0;
    return ASB_OK;
}

static void a_call_with_a_job_is_in_no_doubt(void)
{
    const uint64_t row = 7;
    struct asbi_journal_job job = { .id = ASBI_STR(""),
                                    .address = ASBI_STR("a name") };
    struct lines lines = { .count = 0 };
    uint64_t seen = 0;
    struct rig g;

    make_folder();
    rig_open(&g);
    CHECK_INT(asbi_journal_intent(&g.j, 5, &row, 1, &job.number), ==, ASB_OK);
    asbi_journal_job(&g.j, &job);
    commit(&g);
    job.id = ASBI_STR("video_1");
    job.address = ASBI_STR("/videos/video_1");
    asbi_journal_job(&g.j, &job); /* in the place of what was known before */
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    const struct asbi_journal_store_ops *ops = g.file.store->ops;
    CHECK_INT(ops->each_open(g.file.store, no_call, NULL, &g.why), ==, ASB_OK);
    CHECK_INT(ops->each_job(g.file.store, on_job, &seen, &g.why), ==, ASB_OK);
    CHECK_INT(seen, ==, job.number);
    CHECK_INT(ops->each_line(g.file.store, seen, on_line, &lines, &g.why), ==,
              ASB_OK);
    CHECK_INT(lines.count, ==, 1);
    CHECK_INT(lines.last.number, ==, job.number);
    CHECK_INT(lines.last.worst, ==, 5);
    CHECK_INT(lines.row, ==, 7);
    asbi_journal_end(&g.j, job.number, 4, 4);
    asbi_journal_over(&g.j, job.number);
    commit(&g);
    seen = 0;
    CHECK_INT(ops->each_job(g.file.store, on_job, &seen, &g.why), ==, ASB_OK);
    CHECK_INT(seen, ==, 0);
    rig_close(&g);
    remove_folder();
}

static void lines_of_a_job_are_told_with_their_places(void)
{
    const uint64_t rows[] = { 3, 4, 9 };
    const struct asbi_journal_job job = { .number = 0,
                                          .id = ASBI_STR("video_1"),
                                          .address =
                                              ASBI_STR("/videos/video_1") };
    struct asbi_journal_job named = job;
    struct asbi_journal_call line = { .worst = 6, .rows = rows, .count = 2 };
    struct lines lines = { .count = 0 };
    uint64_t first, second, stray;
    struct rig g;

    make_folder();
    rig_open(&g);
    named.number = line.job = asbi_journal_number(&g.j);
    asbi_journal_job(&g.j, &named);
    line.seed = UINT64_MAX - 1;
    CHECK_INT(asbi_journal_line(&g.j, &line, &first), ==, ASB_OK);
    line.line = 1;
    line.seed = 77;
    line.rows = rows + 2;
    line.count = 1;
    CHECK_INT(asbi_journal_line(&g.j, &line, &second), ==, ASB_OK);
    CHECK_INT(asbi_journal_intent(&g.j, 1, rows, 1, &stray), ==, ASB_OK);
    commit(&g);
    asbi_journal_end(&g.j, first, 1, 1);
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    const struct asbi_journal_store_ops *ops = g.file.store->ops;
    CHECK_INT(
        ops->each_line(g.file.store, named.number, on_line, &lines, &g.why), ==,
        ASB_OK);
    CHECK_INT(lines.count, ==, 1);
    CHECK_INT(lines.last.number, ==, second);
    CHECK_INT(lines.last.line, ==, 1);
    CHECK(lines.last.seed == 77);
    CHECK_INT(lines.row, ==, 9);
    lines.count = 0;
    CHECK_INT(ops->each_open(g.file.store, on_line, &lines, &g.why), ==,
              ASB_OK);
    CHECK_INT(lines.count, ==, 1); /* that of no job alone is in doubt */
    CHECK_INT(lines.last.number, ==, stray);
    rig_close(&g);
    remove_folder();
}

static void failures_are_counted_below_and_above_the_mark(void)
{
    struct asbi_journal_count n;
    struct asbi_journal_answer a;
    struct rig g;

    make_folder();
    rig_open(&g);
    for (uint64_t i = 0; i < 10; i++)
        answer(&g, i, i % 3 != 0, 9 - i); /* 0, 3, 6, 9 fail */
    commit(&g);
    CHECK_INT(g.file.store->ops->count(g.file.store, false, 4, &n, &g.why), ==,
              ASB_OK);
    CHECK_INT(n.failed, ==, 4);
    CHECK_INT(n.failed_delivered, ==, 2);
    CHECK_INT(n.retryable, ==, 4);
    CHECK_INT(n.end, ==, 10);
    CHECK(!n.earlier);
    CHECK_INT(g.file.store->ops->count(g.file.store, true, 1, &n, &g.why), ==,
              ASB_OK);
    CHECK_INT(n.failed_delivered, ==, 1);
    CHECK_INT(g.file.store->ops->unplace(g.file.store, 5, &g.why), ==, ASB_OK);
    CHECK(find(&g, 9, &a) && a.place == 0);
    CHECK(find(&g, 0, &a) && a.place == ASBI_NO_ROW);
    rig_close(&g);
    remove_folder();
}

static bool is_blank(const struct rig *g)
{
    return asbi_journal_sqlite_is_blank(g->file.store);
}

static void who_holds_failures_alone_is_missed_by_nobody(void)
{
    const uint64_t row = 1;
    const struct asbi_journal_job job = { .number = 1 };
    uint64_t number;
    struct rig g;

    make_folder();
    rig_open(&g);
    CHECK(is_blank(&g));
    answer(&g, 1, false, ASBI_NO_ROW);
    commit(&g);
    CHECK(is_blank(&g));
    asbi_journal_job(&g.j, &job);
    commit(&g);
    CHECK(!is_blank(&g));
    asbi_journal_over(&g.j, job.number);
    commit(&g);
    CHECK(is_blank(&g));
    CHECK_INT(asbi_journal_intent(&g.j, 0, &row, 1, &number), ==, ASB_OK);
    commit(&g);
    CHECK(!is_blank(&g));
    asbi_journal_end(&g.j, number, 0, 0);
    answer(&g, 1, true, ASBI_NO_ROW);
    commit(&g);
    CHECK(!is_blank(&g));
    CHECK_INT(asbi_journal_sqlite_set_aside(g.file.store, &g.why), ==, ASB_OK);
    CHECK(!is_blank(&g));
    rig_close(&g);
    remove_folder();
}

static void answers_set_aside_are_found_by_what_was_asked(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    make_folder();
    rig_open(&g);
    answer(&g, 1, true, ASBI_NO_ROW);
    commit(&g);
    for (int twice = 0; twice < 2; twice++) {
        CHECK_INT(asbi_journal_sqlite_set_aside(g.file.store, &g.why), ==,
                  ASB_OK);
        CHECK(!find(&g, 1, &a));
        CHECK_INT(g.file.store->ops->find_earlier(g.file.store, UINT64_MAX - 1,
                                                  &a, &g.why),
                  ==, ASB_OK);
        CHECK_STR(a.result.output, "answer 1\n");
    }
    CHECK_INT(g.file.store->ops->find_earlier(g.file.store, 1, &a, &g.why), ==,
              ASB_ENOENT);
    rig_close(&g);
    remove_folder();
}

static void one_at_a_time(void)
{
    struct asbi_journal_file other;
    struct rig g;

    make_folder();
    rig_open(&g);
    CHECK_INT(asbi_journal_sqlite_open(&asbi_mem_system, path, &other, &g.why),
              ==, ASB_EIO);
    CHECK(strstr(g.why.text, "another run") != NULL);
    rig_close(&g);
    rig_open(&g);
    rig_close(&g);
    remove_folder();
}

static size_t read_whole(const char *from, char *to, size_t room)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    ssize_t n = read(fd, to, room);
    CHECK(n > 0 && (size_t)n < room);
    (void)close(fd);
    return (size_t)n;
}

static void write_whole(const char *to, const char *at, size_t len)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_INT(write(fd, at, len), ==, len);
    (void)close(fd);
}

/* Both files as a process that dies leaves them. */
struct image {
    char file[1 << 18], log[1 << 20];
    size_t file_len, log_len;
};

/* Commits rows one by one; at the death one more waits for its commit. */
static struct image *commit_and_die(unsigned rows)
{
    struct image *image = malloc(sizeof(*image));
    struct rig g;

    CHECK(image != NULL);
    rig_open(&g);
    for (unsigned i = 0; i < rows; i++) {
        answer(&g, i, true, ASBI_NO_ROW);
        asbi_journal_mark(&g.j, i + 1, 0);
        commit(&g);
    }
    answer(&g, rows, true, ASBI_NO_ROW);
    image->file_len = read_whole(path, image->file, sizeof(image->file));
    image->log_len = read_whole(log_path, image->log, sizeof(image->log));
    rig_close(&g);
    return image;
}

/* The answers are those of the first `state.rows` rows and no others. */
static uint64_t rows_found(void)
{
    struct asbi_journal_answer a;
    struct rig g;

    rig_open(&g);
    uint64_t rows = g.j.state.rows;
    for (uint64_t i = 0; i < 30; i++)
        CHECK_INT(find(&g, i, &a), ==, i < rows);
    rig_close(&g);
    return rows;
}

static void a_process_that_dies_loses_what_was_not_committed(void)
{
    make_folder();
    struct image *image = commit_and_die(20);
    write_whole(path, image->file, image->file_len);
    write_whole(log_path, image->log, image->log_len);
    CHECK_INT(rows_found(), ==, 20);
    free(image);
    remove_folder();
}

/* Puts the log back torn after `len` bytes, with rubbish behind the tear. */
static void tear(const struct image *image, size_t len)
{
    size_t left = image->log_len - len, rubbish = left < 5000 ? left : 5000;
    char *torn = malloc(image->log_len);

    CHECK(torn != NULL);
    memcpy(torn, image->log, len);
    for (size_t i = len; i < len + rubbish; i++)
        torn[i] = (char)(image->log[i] ^ 0x55);
    write_whole(path, image->file, image->file_len);
    write_whole(log_path, torn, len + rubbish);
    free(torn);
}

/* A power failure tears the log anywhere. */
static void a_torn_log_gives_an_earlier_commit_whole(void)
{
    enum { ROWS = 12, TEARS = 60 };
    uint64_t before = 0;

    make_folder();
    free(commit_and_die(1)); /* closed in good order: it is in the file */
    struct image *image = commit_and_die(ROWS);
    for (size_t i = 0; i <= TEARS; i++) {
        tear(image, image->log_len * i / TEARS);
        uint64_t rows = rows_found();
        CHECK(rows >= before && rows <= ROWS);
        before = rows;
    }
    CHECK_INT(before, ==, ROWS);
    free(image);
    remove_folder();
}

static void what_is_no_journal_is_left_alone(void)
{
    struct asbi_journal_file file;
    struct asb_message why;
    char text[3000], again[3001];

    memset(text, 'x', sizeof(text));
    make_folder();
    write_whole(path, text, sizeof(text));
    CHECK_INT(asbi_journal_sqlite_open(&asbi_mem_system, path, &file, &why), ==,
              ASB_EIO);
    CHECK(strstr(why.text, "no journal") != NULL);
    CHECK_INT(read_whole(path, again, sizeof(again)), ==, sizeof(text));
    CHECK(memcmp(text, again, sizeof(text)) == 0);
    remove_folder();
}

static void only_its_owner_can_read_it(void)
{
    struct stat st;
    struct rig g;

    make_folder();
    rig_open(&g);
    answer(&g, 0, true, ASBI_NO_ROW);
    commit(&g);
    CHECK_INT(stat(path, &st), ==, 0);
    CHECK_INT(st.st_mode & 0777, ==, 0600);
    CHECK_INT(stat(log_path, &st), ==, 0);
    CHECK_INT(st.st_mode & 0777, ==, 0600);
    rig_close(&g);
    remove_folder();
}

static void the_log_stays_small(void)
{
    struct stat st;
    struct rig g;

    make_folder();
    rig_open(&g);
    for (uint64_t i = 0; i < 600; i++) {
        answer(&g, i, true, ASBI_NO_ROW);
        commit(&g);
        g.file.store->ops->tidy(g.file.store);
    }
    CHECK_INT(stat(log_path, &st), ==, 0);
    CHECK_INT(st.st_size, <, 2 << 20);
    rig_close(&g);
    remove_folder();
}

static void is_put_back(bool file, bool log)
{
    struct asbi_journal_answer a;
    struct rig g;

    make_folder();
    rig_open(&g);
    const struct asbi_journal_store_ops *ops = g.file.store->ops;
    answer(&g, 1, true, ASBI_NO_ROW);
    commit(&g);
    CHECK(!ops->is_gone(g.file.store));
    CHECK(find(&g, 1, &a));
    if (file)
        CHECK_INT(unlink(path), ==, 0);
    if (log)
        CHECK_INT(unlink(log_path), ==, 0);
    CHECK(ops->is_gone(g.file.store));
    CHECK_INT(ops->put_back(g.file.store, &g.why), ==, ASB_OK);
    CHECK(!ops->is_gone(g.file.store));
    answer(&g, 2, true, ASBI_NO_ROW);
    commit(&g);
    rig_close(&g);
    rig_open(&g);
    CHECK(!g.file.fresh);
    CHECK(find(&g, 1, &a));
    CHECK(find(&g, 2, &a));
    rig_close(&g);
    remove_folder();
}

static void a_deleted_journal_is_put_back_with_all_it_holds(void)
{
    is_put_back(true, true);
    is_put_back(true, false);
    is_put_back(false, true);
}

static void what_another_has_put_there_is_left_alone(void)
{
    struct rig g;

    make_folder();
    rig_open(&g);
    CHECK_INT(unlink(path), ==, 0);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK_INT(write(fd, "x", 1), ==, 1);
    (void)close(fd);
    CHECK_INT(g.file.store->ops->put_back(g.file.store, &g.why), ==, ASB_EIO);
    CHECK(strstr(g.why.text, "another file is in its place") != NULL);
    rig_close(&g);
    remove_folder();
}

TEST_MAIN(CASE(an_answer_comes_back_as_it_was),
          CASE(the_state_comes_back_with_every_commit),
          CASE(a_call_is_open_until_it_ends),
          CASE(a_call_with_a_job_is_in_no_doubt),
          CASE(lines_of_a_job_are_told_with_their_places),
          CASE(failures_are_counted_below_and_above_the_mark),
          CASE(who_holds_failures_alone_is_missed_by_nobody),
          CASE(answers_set_aside_are_found_by_what_was_asked),
          CASE(one_at_a_time),
          CASE(a_process_that_dies_loses_what_was_not_committed),
          CASE(a_torn_log_gives_an_earlier_commit_whole),
          CASE(what_is_no_journal_is_left_alone),
          CASE(only_its_owner_can_read_it), CASE(the_log_stays_small),
          CASE(a_deleted_journal_is_put_back_with_all_it_holds),
          CASE(what_another_has_put_there_is_left_alone))
