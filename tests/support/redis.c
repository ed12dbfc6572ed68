#include "tests/support/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/check.h"

enum { SKIPPED = 77 };

static int connect_to(const struct server *s)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/r", s->folder);
    if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* The first line of the answer; with a password it is that we lack one. */
static const char *say(const struct server *s, const char *line)
{
    static char answer[512];
    char command[256];
    size_t len = 0;
    ssize_t n;
    int fd = connect_to(s);

    answer[0] = '\0';
    if (fd < 0)
        return answer;
    int size = snprintf(command, sizeof(command), "%s\r\n", line);
    CHECK_INT(write(fd, command, (size_t)size), ==, size);
    while (!strchr(answer, '\n') && len + 1 < sizeof(answer) &&
           (n = read(fd, answer + len, sizeof(answer) - len - 1)) > 0) {
        len += (size_t)n;
        answer[len] = '\0';
    }
    (void)close(fd);
    return answer;
}

static bool is_ready(const struct server *s)
{
    const char *answer = say(s, "PING");

    return strncmp(answer, "+PONG", 5) == 0 ||
           strncmp(answer, "-NOAUTH", 7) == 0;
}

static bool start(struct redis *r)
{
    char config[1024];

    (void)snprintf(config, sizeof(config),
                   "port 0\nunixsocket %s\nsave \"\"\nappendonly no\n"
                   "dir %s\nenable-debug-command yes\n%s",
                   server_path(&r->server, "r"), r->server.folder,
                   r->options ? r->options : "");
    server_write(&r->server, "redis.conf", config);
    /* It dies with the test, however that ends. */
    const char *argv[] = { "setpriv",
                           "--pdeathsig",
                           "KILL",
                           "redis-server",
                           server_path(&r->server, "redis.conf"),
                           NULL };
    return server_start(&r->server, argv, is_ready);
}

void redis_start(struct redis *r, const char *options)
{
    if (access("/usr/bin/redis-server", X_OK) != 0) {
        (void)fprintf(stderr, "skipped: no redis-server is installed\n");
        exit(SKIPPED);
    }
    server_init(&r->server);
    r->options = options;
    (void)snprintf(r->url, sizeof(r->url), "unix://%s/r", r->server.folder);
    CHECK(start(r));
}

void redis_restart(struct redis *r)
{
    (void)unlink(server_path(&r->server, "r"));
    CHECK(start(r));
}

const char *redis_say(struct redis *r, const char *line)
{
    return say(&r->server, line);
}
