#include "engine/real/fd_kind.h"

#include <sys/stat.h>
#include <unistd.h>

enum asbi_fd_kind asbi_fd_kind_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st))
        return ASBI_FD_NONE;
    if (S_ISSOCK(st.st_mode))
        return ASBI_FD_SOCKET;
    if (S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd)))
        return ASBI_FD_STREAM;
    return ASBI_FD_FILE;
}
