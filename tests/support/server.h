/*
 * server.h -- a real server in a process of its own, for the length of a test:
 * redis-server, nginx.  It lives in a folder of its own, which goes with it.
 */
#ifndef ASBI_TESTS_SERVER_H
#define ASBI_TESTS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
    char folder[64];
    pid_t pid; /* 0: not running */
};

/* Makes the folder.  Ends the test when it cannot. */
void server_init(struct server *s);

/* A path in the folder; lives until the fourth call after it. */
const char *server_path(const struct server *s, const char *name);

/* Writes a file in the folder. */
void server_write(const struct server *s, const char *name, const char *text);

/* Starts a program (`argv[0]` is looked for in PATH) and waits until `ready`
 * says that it serves.  False when the program is not installed. */
bool server_start(struct server *s, const char *const *argv,
                  bool (*ready)(const struct server *s));

/* SIGSTOP and SIGCONT. */
void server_freeze(const struct server *s);
void server_thaw(const struct server *s);

/* SIGKILL, and waits for the end. */
void server_kill(struct server *s);

/* Kills it and removes the folder with all in it. */
void server_fini(struct server *s);

#endif
