#define _GNU_SOURCE
#include "tests/support/server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check.h"

extern char **environ;

enum { LOOKS = 1000, LOOK_MS = 10 }; /* until it serves */

void server_init(struct server *s)
{
    *s = (struct server){ .pid = 0 };
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/asb-server-XXXXXX");
    CHECK(mkdtemp(s->folder) != NULL);
}

const char *server_path(const struct server *s, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", s->folder, name);
    return path;
}

void server_write(const struct server *s, const char *name, const char *text)
{
    FILE *f = fopen(server_path(s, name), "w");

    CHECK(f && fputs(text, f) >= 0);
    CHECK_INT(fclose(f), ==, 0);
}

static int spawn(struct server *s, const char *const *argv)
{
    posix_spawn_file_actions_t files;
    char *const *args = (char *const *)(uintptr_t)argv;

    CHECK_INT(posix_spawn_file_actions_init(&files), ==, 0);
    CHECK_INT(posix_spawn_file_actions_addopen(&files, 1, server_path(s, "log"),
                                               O_WRONLY | O_CREAT | O_TRUNC,
                                               0600),
              ==, 0);
    CHECK_INT(posix_spawn_file_actions_adddup2(&files, 1, 2), ==, 0);
    int rc = posix_spawnp(&s->pid, argv[0], &files, NULL, args, environ);
    CHECK_INT(posix_spawn_file_actions_destroy(&files), ==, 0);
    return rc;
}

bool server_start(struct server *s, const char *const *argv,
                  bool (*ready)(const struct server *s))
{
    int rc = spawn(s, argv);

    if (rc == ENOENT) {
        s->pid = 0;
        return false;
    }
    CHECK_INT(rc, ==, 0);
    for (int i = 0; i < LOOKS; i++) {
        if (ready(s))
            return true;
        CHECK_INT(waitpid(s->pid, NULL, WNOHANG), ==, 0); /* it has ended */
        (void)poll(NULL, 0, LOOK_MS);
    }
    check_fail(__FILE__, __LINE__, "%s does not serve", argv[0]);
    return false;
}

void server_freeze(const struct server *s)
{
    int status;

    CHECK_INT(kill(s->pid, SIGSTOP), ==, 0);
    CHECK_INT(waitpid(s->pid, &status, WUNTRACED), ==, s->pid);
}

void server_thaw(const struct server *s)
{
    CHECK_INT(kill(s->pid, SIGCONT), ==, 0);
}

void server_kill(struct server *s)
{
    if (s->pid == 0)
        return;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int what,
                      struct FTW *where)
{
    (void)st;
    (void)what;
    (void)where;
    return remove(path);
}

void server_fini(struct server *s)
{
    server_kill(s);
    (void)nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
