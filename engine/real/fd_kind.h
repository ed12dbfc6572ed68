/*
 * fd_kind.h -- what sort of descriptor the loop is given.
 */
#ifndef ASBI_REAL_FD_KIND_H
#define ASBI_REAL_FD_KIND_H

enum asbi_fd_kind {
    ASBI_FD_NONE,   /* not open */
    ASBI_FD_FILE,   /* always ready; epoll refuses it: files, /dev/null */
    ASBI_FD_SOCKET, /* can be told not to wait, call by call */
    ASBI_FD_STREAM, /* a pipe or a terminal */
};

enum asbi_fd_kind asbi_fd_kind_of(int fd);

#endif
