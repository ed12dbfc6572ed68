#include "tools/asyncbatch/progress_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers as people read them -------------------------------------- */

void text_add(struct text *t, const char *format, ...)
{
    size_t room = sizeof(t->at) - t->len;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(t->at + t->len, room, format, args);
    va_end(args);
    if (n > 0)
        t->len += (size_t)n < room ? (size_t)n : room - 1;
}

size_t text_columns(const char *utf8)
{
    size_t n = 0;

    for (; *utf8; utf8++)
        n += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return n;
}

/* 1234567 as 1,234,567. */
static void add_count(struct text *t, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

    for (int i = 0; i < len; i++)
        text_add(t, i && (len - i) % 3 == 0 ? ",%c" : "%c", digits[i]);
}

/* As many digits as it takes to see it move, without floating point. */
static void add_usd(struct text *t, int64_t nano)
{
    bool negative = nano < 0;
    uint64_t n = negative ? 0 - (uint64_t)nano : (uint64_t)nano;
    unsigned digits = n == 0 ? 0 : n >= 1000000000 ? 2 : n >= 10000000 ? 4 : 6;
    uint64_t unit = 1000000000;

    for (unsigned i = 0; i < digits; i++)
        unit /= 10;
    n = n / unit + (n % unit >= unit / 2 && unit > 1); /* to the nearest */
    uint64_t per_usd = 1000000000 / unit;
    text_add(t, "%s$%" PRIu64, negative ? "-" : "", n / per_usd);
    if (digits)
        text_add(t, ".%0*" PRIu64, (int)digits, n % per_usd);
}

static void add_duration(struct text *t, double seconds)
{
    if (seconds < 9.95) {
        text_add(t, "%.1fs", seconds < 0 ? 0 : seconds);
        return;
    }
    uint64_t s = seconds < 1e12 ? (uint64_t)(seconds + 0.5) : 1000000000000;
    if (s < 60)
        text_add(t, "%" PRIu64 "s", s);
    else if (s < 3600)
        text_add(t, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        text_add(t, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s % 3600 / 60);
    else
        text_add(t, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s % 86400 / 3600);
}

/* A slow rate is told by the minute.  How fast rows are passed on that were
 * known before says nothing: no rate until something was asked. */
static void add_rate(struct text *t, const struct asb_job_stats *s,
                     double per_second, const char *before, const char *what)
{
    if (s->engine.calls == 0)
        return;
    text_add(t, "%s", before);
    if (per_second >= 100)
        add_count(t, (uint64_t)(per_second + 0.5));
    else if (per_second >= 1)
        text_add(t, "%.1f", per_second);
    else
        text_add(t, "%.1f", per_second * 60);
    text_add(t, "%s/%s", what,
             per_second >= 1 || per_second <= 0 ? "s" : "min");
}

/* ---- what is shown ---------------------------------------------------- */

double progress_total(const struct asb_job_stats *s)
{
    if (s->input_ended)
        return (double)s->rows_read;
    if (s->total_rows_guess < 0)
        return -1;
    return s->total_rows_guess > (double)s->rows_read ? s->total_rows_guess
                                                      : (double)s->rows_read;
}

/* Rounded down, and 100 only when nothing is left. */
static unsigned percent(const struct asb_job_stats *s, double total)
{
    double share = total > 0 ? (double)s->rows_written / total : 1;

    if (s->input_ended && s->rows_written >= s->rows_read)
        return 100;
    return share >= 0.99 ? 99 : (unsigned)(share * 100);
}

static void add_done(struct text *t, const struct asb_job_stats *s,
                     double total)
{
    add_count(t, s->rows_written);
    if (total < 0)
        return;
    text_add(t, s->input_ended ? "/" : "/~");
    add_count(t, (uint64_t)total);
}

/* In this run: rows that were known before took neither time nor money. */
static double items_done(const struct asb_stats *e)
{
    return (double)e->items_ok + (double)e->items_failed;
}

/* "" until enough is done to say. */
static void add_expected_cost(struct text *t, const struct asb_job_stats *s,
                              double total)
{
    double done = items_done(&s->engine),
           left = total - (double)s->rows_written;

    if (left <= 0 || s->engine.batches < 3 || done <= 0)
        return;
    double nano = (double)s->engine.cost_nano_usd * (1 + left / done);
    if (nano <= 0 || nano > 9e18)
        return;
    text_add(t, " of ~");
    add_usd(t, (int64_t)nano);
}

/* Time left, or at the end the time it took. */
static void add_eta(struct text *t, const struct asb_job_stats *s)
{
    if (s->input_ended && s->rows_written >= s->rows_read) {
        text_add(t, "in ");
        add_duration(t, s->elapsed_seconds);
        return;
    }
    text_add(t, "ETA ");
    if (s->eta_seconds < 0)
        text_add(t, "--");
    else
        add_duration(t, s->eta_seconds);
}

static void add_rate_limit(struct text *t, const struct asb_stats *e)
{
    if (!e->rate_limited)
        return;
    text_add(t, "rate limited");
    if (e->blocked_ms > 0) {
        text_add(t, ", ");
        add_duration(t, (double)e->blocked_ms / 1000);
    }
}

/* ---- the bar ---------------------------------------------------------- */

enum {
    PERCENT,
    BAR,
    DONE,
    RATE,
    FLIGHT,
    COST,
    SAVED,
    ETA,
    FAILED,
    LIMITED,
    NOTE,
    PIECES,
    BAR_LEAST = 6,
    BAR_MOST = 30,
};

/* What goes first when the line is too narrow, the first at the end. */
static const int by_weight[PIECES] = { PERCENT, DONE,  NOTE,  FAILED,
                                       ETA,     BAR,   COST,  RATE,
                                       LIMITED, SAVED, FLIGHT };

/* Eighths of a block, so that the bar moves smoothly. */
static void add_bar(struct text *t, double share, size_t width, bool unicode)
{
    static const char *const eighths[] = { " ", "▏", "▎", "▍",
                                           "▌", "▋", "▊", "▉" };
    double cells = (share > 1 ? 1 : share) * (double)width;
    size_t full = (size_t)cells;
    unsigned part = (unsigned)((cells - (double)full) * 8);

    text_add(t, unicode ? "▕" : "[");
    for (size_t i = 0; i < width; i++) {
        if (i < full)
            text_add(t, unicode ? "█" : "#");
        else if (i == full && unicode)
            text_add(t, "%s", eighths[part & 7]);
        else
            text_add(t, unicode ? " " : ".");
    }
    text_add(t, unicode ? "▏" : "]");
}

static void add_spinner(struct text *t, const struct progress_screen *screen)
{
    static const char *const braille[] = { "⠋", "⠙", "⠹", "⠸", "⠼",
                                           "⠴", "⠦", "⠧", "⠇", "⠏" };

    if (screen->unicode)
        text_add(t, "%s", braille[screen->tick % 10]);
    else
        text_add(t, "%c", "|/-\\"[screen->tick % 4]);
}

static void fill_pieces(struct text pieces[PIECES],
                        const struct asb_job_stats *s,
                        const struct progress_screen *screen, double total)
{
    if (total < 0)
        add_spinner(&pieces[PERCENT], screen);
    else
        text_add(&pieces[PERCENT], "%3u%%", percent(s, total));
    add_done(&pieces[DONE], s, total);
    add_rate(&pieces[RATE], s, s->rows_per_second, "", "");
    text_add(&pieces[FLIGHT], "%u/%u calls", s->engine.in_flight,
             s->engine.concurrency_limit);
    add_usd(&pieces[COST], s->engine.cost_nano_usd);
    add_expected_cost(&pieces[COST], s, total);
    if (s->engine.saved_nano_usd > 0) {
        text_add(&pieces[SAVED], "saved ");
        add_usd(&pieces[SAVED], s->engine.saved_nano_usd);
    }
    add_eta(&pieces[ETA], s);
    if (s->rows_failed) {
        add_count(&pieces[FAILED], s->rows_failed);
        text_add(&pieces[FAILED], " failed");
    }
    add_rate_limit(&pieces[LIMITED], &s->engine);
    if (screen->note)
        text_add(&pieces[NOTE], "%s", screen->note);
}

/* Takes what fits into `room`, the weightiest first; what is left over. */
static size_t choose(const struct text pieces[PIECES], bool taken[PIECES],
                     size_t room, bool with_bar)
{
    for (size_t i = 0; i < PIECES; i++) {
        int p = by_weight[i];
        size_t width = p == BAR ? (with_bar ? BAR_LEAST + 2 : 0)
                                : text_columns(pieces[p].at);
        size_t gap = i == 0 ? 0 : 2;

        taken[p] = width > 0 && width + gap <= room;
        if (taken[p])
            room -= width + gap;
    }
    return room;
}

void progress_bar_line(struct text *out, const struct asb_job_stats *s,
                       const struct progress_screen *screen)
{
    struct text pieces[PIECES] = { 0 };
    bool taken[PIECES];
    double total = progress_total(s);

    *out = (struct text){ 0 };
    fill_pieces(pieces, s, screen, total);
    size_t room = screen->columns > 1 ? screen->columns - 1 : 0;
    size_t wider = choose(pieces, taken, room, total >= 0);
    if (wider > BAR_MOST - BAR_LEAST)
        wider = BAR_MOST - BAR_LEAST;
    for (int p = 0; p < PIECES; p++) {
        if (!taken[p])
            continue;
        text_add(out, out->len ? "  " : "");
        if (p == BAR)
            add_bar(out, total > 0 ? (double)s->rows_written / total : 1,
                    BAR_LEAST + wider, screen->unicode);
        else
            text_add(out, "%s", pieces[p].at);
    }
}

/* ---- plain lines and the summary -------------------------------------- */

static const char *const tier_names[ASB_TIERS] = { "memory", "the file",
                                                   "Redis", "HTTP" };

/* Who knew them; nothing for what was under way and is nowhere yet. */
static void add_tiers(struct text *t, const struct asb_stats *e,
                      const char *before)
{
    for (int i = 0; i < ASB_TIERS; i++) {
        if (!e->tiers[i].found)
            continue;
        text_add(t, "%s%s ", before, tier_names[i]);
        add_count(t, e->tiers[i].found);
        before = ", ";
    }
}

/* Says nothing when no answer was reused. */
static void add_reuse(struct text *t, const struct asb_stats *e)
{
    uint64_t reused = e->items_cached + e->items_duplicate + e->items_near;

    if (reused == 0)
        return;
    text_add(t, ", ");
    add_count(t, reused);
    text_add(t, " reused");
    add_tiers(t, e, ": ");
    text_add(t, ", saved ");
    add_usd(t, e->saved_nano_usd);
}

bool progress_plain_due(const struct progress_mark *last,
                        const struct asb_job_stats *s)
{
    double since = s->elapsed_seconds - last->elapsed_seconds;
    double total = progress_total(s);
    double rows = (double)(s->rows_written - last->rows_written);

    if (since < 10)
        return false;
    return since >= 60 || (total > 0 && rows >= total / 20);
}

void progress_plain_line(struct text *out, const struct asb_job_stats *s,
                         const char *note)
{
    double total = progress_total(s);

    *out = (struct text){ 0 };
    if (total >= 0)
        text_add(out, "%u%%, ", percent(s, total));
    add_done(out, s, total);
    text_add(out, " items");
    add_rate(out, s, s->rows_per_second, ", ", " items");
    text_add(out, ", %u/%u calls in flight, ", s->engine.in_flight,
             s->engine.concurrency_limit);
    add_usd(out, s->engine.cost_nano_usd);
    add_expected_cost(out, s, total);
    text_add(out, ", ");
    add_eta(out, s);
    add_reuse(out, &s->engine);
    if (s->rows_failed)
        text_add(out, ", %" PRIu64 " failed", s->rows_failed);
    if (s->engine.rate_limited) {
        text_add(out, ", ");
        add_rate_limit(out, &s->engine);
    }
    if (note)
        text_add(out, ", %s", note);
}

/* Leaves out what is zero. */
static void add_more(struct text *t, const char *before, uint64_t n,
                     const char *what)
{
    if (n == 0)
        return;
    text_add(t, "%s", before);
    add_count(t, n);
    text_add(t, "%s", what);
}

static void add_items(struct text *t, const struct asb_job_stats *s)
{
    const struct asb_stats *e = &s->engine;

    text_add(t, "  items   ");
    add_count(t, s->rows_written - s->rows_failed);
    text_add(t, " ok, ");
    add_count(t, s->rows_failed);
    text_add(t, " failed");
    add_more(t, ", ", e->items_cached, " from the cache");
    add_more(t, ", ", e->items_duplicate, " repeated");
    add_more(t, ", ", e->items_near, " near-repeated");
    add_more(t, ", ", e->items_retried, " sent again");
    text_add(t, "\n");
}

/* Of what each was asked for, how much it knew. */
static void add_cache(struct text *t, const struct asb_stats *e)
{
    const char *before = "  cache   ";

    for (int i = 0; i < ASB_TIERS; i++) {
        const struct asb_tier *tier = &e->tiers[i];

        if (!tier->found)
            continue;
        text_add(t, "%s%s ", before, tier_names[i]);
        add_count(t, tier->found);
        text_add(t, " of ");
        add_count(t, tier->asked);
        text_add(t, " (");
        add_usd(t, tier->saved_nano_usd);
        text_add(t, ")");
        before = ", ";
    }
    if (before[0] == ',')
        text_add(t, "\n");
}

static void add_calls(struct text *t, const struct asb_stats *e)
{
    text_add(t, "  calls   ");
    add_count(t, e->calls);
    if (e->batches)
        text_add(t, ", %.1f items each",
                 (double)e->batch_items / (double)e->batches);
    add_more(t, ", ", e->calls_failed, " failed");
    add_more(t, ", ", e->calls_429, " rate limited");
    add_more(t, ", at most ", e->in_flight_max, " at once");
    text_add(t, "\n  tokens  ");
    add_count(t, e->input_tokens);
    text_add(t, " in, ");
    add_count(t, e->output_tokens);
    text_add(t, " out");
    add_more(t, ", ", e->cached_tokens, " cached by the provider");
    text_add(t, "\n");
}

void progress_summary(struct text *out, const struct asb_job_stats *s)
{
    const struct asb_stats *e = &s->engine;
    double items = items_done(e);

    *out = (struct text){ 0 };
    add_items(out, s);
    add_cache(out, e);
    add_calls(out, e);
    text_add(out, "  cost    ");
    add_usd(out, e->cost_nano_usd);
    text_add(out, ", saved ");
    add_usd(out, e->saved_nano_usd);
    if (e->maybe_paid_twice_nano_usd) {
        text_add(out, ", maybe paid twice ");
        add_usd(out, e->maybe_paid_twice_nano_usd);
    }
    text_add(out, "\n  time    ");
    add_duration(out, s->elapsed_seconds);
    add_rate(out, s, s->elapsed_seconds > 0 ? items / s->elapsed_seconds : 0,
             ", ", " items");
    text_add(out, "\n");
}

/* ---- JSON ------------------------------------------------------------- */

static void add_json_double(struct text *t, const char *name, double value)
{
    if (value < 0)
        text_add(t, ",\"%s\":null", name);
    else
        text_add(t, ",\"%s\":%.3f", name, value);
}

static void add_json_usd(struct text *t, const char *name, int64_t nano)
{
    uint64_t n = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;

    text_add(t, ",\"%s\":%s%" PRIu64 ".%09" PRIu64, name, nano < 0 ? "-" : "",
             n / 1000000000, n % 1000000000);
}

void progress_json_line(struct text *out, const struct asb_job_stats *s)
{
    const struct asb_stats *e = &s->engine;
    double total = progress_total(s);

    *out = (struct text){ 0 };
    text_add(out, "{\"elapsed_seconds\":%.3f", s->elapsed_seconds);
    if (total < 0)
        text_add(out, ",\"total_texts\":null");
    else
        text_add(out, ",\"total_texts\":%.0f", total);
    text_add(out,
             ",\"processed_texts\":%" PRIu64 ",\"failed_texts\":%" PRIu64
             ",\"total_tokens\":%" PRIu64,
             s->rows_written, s->rows_failed,
             e->input_tokens + e->output_tokens);
    add_json_double(out, "texts_per_sec", s->rows_per_second);
    add_json_double(out, "tokens_per_sec", s->tokens_per_second);
    text_add(out, ",\"batch_count\":%" PRIu64, e->batches);
    add_json_double(out, "eta_seconds", s->eta_seconds);
    text_add(
        out, ",\"in_flight\":%u,\"concurrency_limit\":%u,\"rate_limited\":%s",
        e->in_flight, e->concurrency_limit, e->rate_limited ? "true" : "false");
    add_json_usd(out, "cost_usd", e->cost_nano_usd);
    add_json_usd(out, "saved_usd", e->saved_nano_usd);
    text_add(out, ",\"cache_hits\":%" PRIu64, e->items_cached);
    text_add(out, "}");
}
