#include "tools/asyncbatch/progress.h"

#include <event2/event.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/asyncbatch/progress_text.h"
#include "tools/asyncbatch/say.h"

enum mode { BAR, PLAIN, JSON, NONE };

struct progress {
    enum mode mode;
    const struct asb_job *job; /* borrowed */
    struct event *timer;
    struct progress_screen screen;
    struct progress_mark last; /* plain lines */
    bool drawn;                /* a bar stands on the screen's last line */
};

static const char erase_line[] = "\r\033[K";

static enum mode mode_of(const char *name, bool data_on_terminal)
{
    const char *terminal = getenv("TERM");

    if (strcmp(name, "bar") == 0)
        return BAR;
    if (strcmp(name, "plain") == 0)
        return PLAIN;
    if (strcmp(name, "json") == 0)
        return JSON;
    if (strcmp(name, "none") == 0)
        return NONE;
    if (data_on_terminal || !isatty(STDERR_FILENO) || !terminal ||
        strcmp(terminal, "dumb") == 0)
        return PLAIN;
    return BAR;
}

/* Asked at every redraw, since windows are resized. */
static unsigned terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

static struct asb_job_stats stats_of(const struct progress *p)
{
    struct asb_job_stats s = { .size = sizeof(s),
                               .engine.size = sizeof(s.engine) };

    asb_job_get_stats(p->job, &s);
    return s;
}

/* One write, and the old line is only erased by the new: no flicker. */
static void draw_bar(struct progress *p, const struct asb_job_stats *s)
{
    struct text line, shown = { 0 };

    p->screen.columns = terminal_columns();
    progress_bar_line(&line, s, &p->screen);
    text_add(&shown, "\r%s\033[K", line.at);
    say_bytes(shown.at, shown.len);
    p->screen.tick++;
    p->drawn = true;
}

static void write_plain(struct progress *p, const struct asb_job_stats *s)
{
    struct text line;

    progress_plain_line(&line, s, p->screen.note);
    say("%s", line.at);
    p->last = (struct progress_mark){ s->elapsed_seconds, s->rows_written };
}

static void write_json(const struct asb_job_stats *s)
{
    struct text line;

    progress_json_line(&line, s);
    text_add(&line, "\n");
    say_bytes(line.at, line.len);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct progress *p = arg;
    struct asb_job_stats s = stats_of(p);

    (void)fd;
    (void)what;
    if (p->mode == BAR)
        draw_bar(p, &s);
    else if (p->mode == JSON)
        write_json(&s);
    else if (progress_plain_due(&p->last, &s))
        write_plain(p, &s);
}

struct progress *progress_new(struct event_base *base,
                              const struct asb_job *job, const char *mode,
                              bool data_on_terminal)
{
    static const struct timeval five_a_second = { 0, 200000 },
                                once_a_second = { 1, 0 };
    struct progress *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->job = job;
    p->mode = mode_of(mode, data_on_terminal);
    p->screen.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (p->mode == NONE)
        return p;
    p->timer = event_new(base, -1, EV_PERSIST, on_timer, p);
    if (!p->timer ||
        event_add(p->timer, p->mode == BAR ? &five_a_second : &once_a_second)) {
        progress_free(p);
        return NULL;
    }
    return p;
}

static void erase_bar(struct progress *p)
{
    if (p->drawn)
        say_bytes(erase_line, strlen(erase_line));
    p->drawn = false;
}

void progress_finish(struct progress *p)
{
    struct text block;

    if (!p || p->mode == NONE)
        return;
    struct asb_job_stats s = stats_of(p);
    (void)event_del(p->timer);
    if (p->mode == JSON) {
        write_json(&s);
        return;
    }
    if (p->mode == BAR) {
        draw_bar(p, &s);
        say_bytes("\n", 1);
        p->drawn = false;
    }
    progress_summary(&block, &s);
    say_bytes(block.at, block.len);
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    erase_bar(p);
    if (p->timer)
        event_free(p->timer);
    free(p);
}

void progress_log(struct progress *p, const char *line)
{
    if (!p || !p->drawn) {
        say("%s", line);
        return;
    }
    erase_bar(p);
    say("%s", line);
    struct asb_job_stats s = stats_of(p);
    draw_bar(p, &s);
}

void progress_tell(struct progress *p, const char *line)
{
    if (p->mode == BAR || p->mode == PLAIN)
        progress_log(p, line);
}

void progress_note(struct progress *p, const char *note)
{
    if (p)
        p->screen.note = note;
}
