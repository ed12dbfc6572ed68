#include "tools/asyncbatch/say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard error may share its terminal, and so O_NONBLOCK, with an output. */
static int wait_for_room(void)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

    return poll(&p, 1, 1000) == 1;
}

void say_bytes(const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, at, len);

        if (n >= 0) {
            at += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (!wait_for_room())
                return;
        } else if (errno != EINTR) {
            return;
        }
    }
}

void say(const char *format, ...)
{
    char line[2048] = "asyncbatch: ";
    size_t start = strlen(line), room = sizeof(line) - start - 1;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line + start, room, format, args);
    va_end(args);
    if (n < 0)
        return;
    size_t len = start + ((size_t)n < room ? (size_t)n : room - 1);
    line[len++] = '\n';
    say_bytes(line, len);
}

int say_refused(int rc, const struct asb_message *why)
{
    say("%s", why->text[0] ? why->text : asb_strerror(rc));
    return ASB_EXIT_USAGE;
}

int say_if_output_failed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    say("cannot write to standard output: %s", strerror(errno));
    return 1;
}
