/* The lines that the command shows: what they say and that they fit. */
#include "tests/support/check.h"
#include "tools/asyncbatch/progress_text.h"

/* A job half way. */
static struct asb_job_stats half_way(void)
{
    return (struct asb_job_stats){
        .size = sizeof(struct asb_job_stats),
        .engine = { .items_total = 2000,
                    .items_ok = 997,
                    .items_failed = 3,
                    .batches = 20,
                    .batch_items = 1000,
                    .calls = 21,
                    .input_tokens = 50000,
                    .output_tokens = 12345,
                    .cost_nano_usd = 12300000,
                    .in_flight = 8,
                    .concurrency_limit = 16,
                    .in_flight_max = 9 },
        .rows_read = 2000,
        .rows_written = 1000,
        .input_ended = true,
        .elapsed_seconds = 10,
        .rows_per_second = 93.24,
        .tokens_per_second = 6234.5,
        .eta_seconds = 75,
        .total_rows_guess = -1,
        .rows_failed = 3,
    };
}

static struct progress_screen screen(unsigned columns, bool unicode)
{
    return (struct progress_screen){ .columns = columns, .unicode = unicode };
}

static void bar(struct text *out, const struct asb_job_stats *s,
                unsigned columns, bool unicode)
{
    struct progress_screen on = screen(columns, unicode);

    progress_bar_line(out, s, &on);
}

static bool holds(const struct text *t, const char *what)
{
    return strstr(t->at, what) != NULL;
}

static void a_wide_bar_says_everything(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    bar(&line, &s, 160, false);
    CHECK_BYTES(line.at, line.len,
                " 50%  [###############...............]  1,000/2,000  93.2/s  "
                "8/16 calls  $0.0123 of ~$0.0246  ETA 1m15s  3 failed");
}

/* A second run, all of whose answers are in its journal. */
static void where_nothing_was_asked_there_is_no_rate(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.engine.calls = s.engine.batches = 0;
    s.rows_per_second = 89232600;
    bar(&line, &s, 160, false);
    CHECK(holds(&line, "1,000/2,000  8/16 calls"));
    progress_plain_line(&line, &s, NULL);
    CHECK(holds(&line, "1,000/2,000 items, 8/16 calls"));
    progress_summary(&line, &s);
    CHECK(holds(&line, "time    10s\n"));
}

/* A run that goes on: 900 of the 1,000 were answered by the one before. */
static void what_was_known_before_took_neither_time_nor_money(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.engine.items_ok = 97;
    progress_summary(&line, &s);
    CHECK(holds(&line, "time    10s, 10.0 items/s\n"));
    progress_plain_line(&line, &s, NULL);
    CHECK(holds(&line, "$0.0123 of ~$0.1353"));
}

static void a_bar_fits_every_width(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.engine.rate_limited = true;
    s.engine.blocked_ms = 4200;
    for (unsigned columns = 0; columns < 200; columns++) {
        bar(&line, &s, columns, true);
        CHECK_INT(text_columns(line.at), <, columns ? columns : 1);
        bar(&line, &s, columns, false);
        CHECK_INT(line.len, <, columns ? columns : 1);
    }
}

static void a_narrow_bar_keeps_the_percentage_and_the_count(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    bar(&line, &s, 20, false);
    CHECK_BYTES(line.at, line.len, " 50%  1,000/2,000");
}

static void an_ascii_bar_is_ascii(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    bar(&line, &s, 160, false);
    for (size_t i = 0; i < line.len; i++)
        CHECK_INT((unsigned char)line.at[i], <, 0x80);
}

static void a_unicode_bar_moves_by_eighths(void)
{
    struct asb_job_stats s = half_way();
    struct text before, after;

    bar(&before, &s, 160, true);
    s.rows_written += 10;
    bar(&after, &s, 160, true);
    CHECK(holds(&before, "█ "));
    CHECK(holds(&after, "█▏"));
    CHECK_INT(text_columns(before.at), ==, text_columns(after.at));
}

static void an_unknown_total_turns_a_spinner(void)
{
    struct asb_job_stats s = half_way();
    struct progress_screen on = screen(120, false);
    struct text line;

    s.input_ended = false;
    progress_bar_line(&line, &s, &on);
    CHECK_INT(line.at[0], ==, '|');
    CHECK(!holds(&line, "%"));
    CHECK(!holds(&line, " of ~"));
    on.tick = 1;
    progress_bar_line(&line, &s, &on);
    CHECK_INT(line.at[0], ==, '/');
}

static void a_guessed_total_is_marked(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.input_ended = false;
    s.total_rows_guess = 4000;
    bar(&line, &s, 160, false);
    CHECK(holds(&line, " 25%"));
    CHECK(holds(&line, "1,000/~4,000"));
}

static void a_guess_below_what_was_read_is_not_believed(void)
{
    struct asb_job_stats s = half_way();

    s.input_ended = false;
    s.total_rows_guess = 10;
    CHECK_INT(progress_total(&s), ==, 2000);
}

static void hundred_percent_means_done(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.rows_written = 1999;
    bar(&line, &s, 160, false);
    CHECK(holds(&line, " 99%"));
    CHECK(holds(&line, "ETA 1m15s"));
    s.rows_written = 2000;
    bar(&line, &s, 160, false);
    CHECK(holds(&line, "100%"));
    CHECK(holds(&line, "in 10s"));
}

static void an_empty_input_is_done(void)
{
    struct asb_job_stats s = { .input_ended = true, .eta_seconds = -1 };
    struct text line;

    bar(&line, &s, 160, false);
    CHECK(holds(&line, "100%"));
    CHECK(holds(&line, "0/0"));
    CHECK(holds(&line, "in 0.0s"));
    CHECK(holds(&line, "$0 "));
}

static void a_rate_limit_says_for_how_long(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.engine.rate_limited = true;
    s.engine.blocked_ms = 4200;
    bar(&line, &s, 200, false);
    CHECK(holds(&line, "rate limited, 4.2s"));
}

static void a_note_outlives_the_bar(void)
{
    struct asb_job_stats s = half_way();
    struct progress_screen on = screen(40, false);
    struct text line;

    on.note = "finishing";
    progress_bar_line(&line, &s, &on);
    CHECK(holds(&line, "finishing"));
    CHECK(!holds(&line, "calls"));
}

static void money_keeps_the_digits_that_matter(void)
{
    static const struct {
        int64_t nano;
        const char *text;
    } cases[] = {
        { 0, "cost    $0, " },
        { 1400, "$0.000001," },
        { 1600, "$0.000002," },
        { 12345678, "$0.0123," },
        { 999996000, "$1.0000," },
        { 1234567890, "$1.23," },
        { INT64_MAX, "$9223372036.85," },
        { -12345678, "-$0.0123," },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asb_job_stats s = half_way();
        struct text block;

        s.engine.cost_nano_usd = cases[i].nano;
        progress_summary(&block, &s);
        if (!holds(&block, cases[i].text))
            check_fail(__FILE__, __LINE__, "no %s in\n%s", cases[i].text,
                       block.at);
    }
}

static void times_have_two_units_at_most(void)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        { 0, "ETA 0.0s" },      { 9.94, "ETA 9.9s" },  { 9.96, "ETA 10s" },
        { 59.4, "ETA 59s" },    { 59.6, "ETA 1m00s" }, { 3600, "ETA 1h00m" },
        { 90061, "ETA 1d01h" }, { -1, "ETA --" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct asb_job_stats s = half_way();
        struct text line;

        s.eta_seconds = cases[i].seconds;
        bar(&line, &s, 160, false);
        if (!holds(&line, cases[i].text))
            check_fail(__FILE__, __LINE__, "no %s in %s", cases[i].text,
                       line.at);
    }
}

static void a_slow_rate_is_told_by_the_minute(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.rows_per_second = 0.25;
    bar(&line, &s, 160, false);
    CHECK(holds(&line, "15.0/min"));
}

static void a_plain_line_reads_as_a_sentence(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    progress_plain_line(&line, &s, "finishing");
    CHECK_BYTES(line.at, line.len,
                "50%, 1,000/2,000 items, 93.2 items/s, 8/16 calls in flight, "
                "$0.0123 of ~$0.0246, ETA 1m15s, 3 failed, finishing");
}

static void a_plain_line_says_what_was_reused(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.engine.items_cached = 1200;
    s.engine.items_duplicate = 34;
    s.engine.saved_nano_usd = 500000000;
    progress_plain_line(&line, &s, NULL);
    CHECK(strstr(line.at, ", 1,234 reused, saved $0.5000, 3 failed") != NULL);
}

static void who_knew_the_answers_is_told(void)
{
    struct asb_job_stats s = half_way();
    const struct progress_screen wide = { .columns = 200, .unicode = true };
    struct text line;

    s.engine.items_cached = 1200;
    s.engine.saved_nano_usd = 500000000;
    s.engine.tiers[ASB_TIER_MEMORY] = (struct asb_tier){ 1600, 150, 100000000 };
    s.engine.tiers[ASB_TIER_FILE] = (struct asb_tier){ 1450, 1050, 400000000 };
    s.engine.tiers[ASB_TIER_HTTP] = (struct asb_tier){ 400, 0, 0 };
    progress_plain_line(&line, &s, NULL);
    CHECK(strstr(line.at, ", 1,200 reused: memory 150, the file 1,050, "
                          "saved $0.5000") != NULL);
    progress_bar_line(&line, &s, &wide);
    CHECK(strstr(line.at, "  saved $0.5000  ") != NULL);
    progress_summary(&line, &s);
    CHECK(strstr(line.at, "\n  cache   memory 150 of 1,600 ($0.1000), the file "
                          "1,050 of 1,450 ($0.4000)\n") != NULL);
}

static void plain_lines_are_rare(void)
{
    struct progress_mark last = { 100, 1000 };
    struct asb_job_stats s = half_way();

    s.elapsed_seconds = 109;
    s.rows_written = 2000;
    CHECK(!progress_plain_due(&last, &s)); /* not within 10 s */
    s.elapsed_seconds = 110;
    s.rows_written = 1100;
    CHECK(progress_plain_due(&last, &s)); /* 10 s and 5 % */
    s.rows_written = 1099;
    CHECK(!progress_plain_due(&last, &s)); /* less than 5 % */
    s.elapsed_seconds = 160;
    CHECK(progress_plain_due(&last, &s)); /* never silent for long */
}

static void json_names_what_the_metrics_name(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    progress_json_line(&line, &s);
    CHECK_BYTES(
        line.at, line.len,
        "{\"elapsed_seconds\":10.000,\"total_texts\":2000,"
        "\"processed_texts\":1000,\"failed_texts\":3,\"total_tokens\":62345,"
        "\"texts_per_sec\":93.240,\"tokens_per_sec\":6234.500,"
        "\"batch_count\":20,\"eta_seconds\":75.000,\"in_flight\":8,"
        "\"concurrency_limit\":16,\"rate_limited\":false,"
        "\"cost_usd\":0.012300000,\"saved_usd\":0.000000000,"
        "\"cache_hits\":0}");
}

static void json_says_null_for_unknown(void)
{
    struct asb_job_stats s = half_way();
    struct text line;

    s.input_ended = false;
    s.eta_seconds = -1;
    progress_json_line(&line, &s);
    CHECK(holds(&line, "\"total_texts\":null"));
    CHECK(holds(&line, "\"eta_seconds\":null"));
}

static void the_summary_adds_up(void)
{
    struct asb_job_stats s = half_way();
    struct text block;

    progress_summary(&block, &s);
    CHECK_BYTES(block.at, block.len,
                "  items   997 ok, 3 failed\n"
                "  calls   21, 50.0 items each, at most 9 at once\n"
                "  tokens  50,000 in, 12,345 out\n"
                "  cost    $0.0123, saved $0\n"
                "  time    10s, 100 items/s\n");
}

static void long_text_is_cut_and_stays_terminated(void)
{
    struct text t = { 0 };

    for (int i = 0; i < 3000; i++)
        text_add(&t, "x");
    CHECK_INT(t.len, ==, sizeof(t.at) - 1);
    CHECK_INT(t.at[t.len], ==, '\0');
}

TEST_MAIN(CASE(a_wide_bar_says_everything),
          CASE(where_nothing_was_asked_there_is_no_rate),
          CASE(what_was_known_before_took_neither_time_nor_money),
          CASE(a_bar_fits_every_width),
          CASE(a_narrow_bar_keeps_the_percentage_and_the_count),
          CASE(an_ascii_bar_is_ascii), CASE(a_unicode_bar_moves_by_eighths),
          CASE(an_unknown_total_turns_a_spinner),
          CASE(a_guessed_total_is_marked),
          CASE(a_guess_below_what_was_read_is_not_believed),
          CASE(hundred_percent_means_done), CASE(an_empty_input_is_done),
          CASE(a_rate_limit_says_for_how_long), CASE(a_note_outlives_the_bar),
          CASE(money_keeps_the_digits_that_matter),
          CASE(times_have_two_units_at_most),
          CASE(a_slow_rate_is_told_by_the_minute),
          CASE(a_plain_line_reads_as_a_sentence),
          CASE(a_plain_line_says_what_was_reused),
          CASE(who_knew_the_answers_is_told), CASE(plain_lines_are_rare),
          CASE(json_names_what_the_metrics_name),
          CASE(json_says_null_for_unknown), CASE(the_summary_adds_up),
          CASE(long_text_is_cut_and_stays_terminated))
