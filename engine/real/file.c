#include "engine/real/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"

int asbi_file_create(const char *path, bool private_file, int *fd,
                     struct asb_message *why)
{
    mode_t mode = private_file ? 0600 : 0666;

    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (*fd < 0)
        return asbi_fail(why, ASB_EIO, "%s: cannot be written: %s", path,
                         strerror(errno));
    return ASB_OK;
}

int asbi_file_write(int fd, asbi_str bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.at, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes.at += n;
        bytes.len -= (size_t)n;
    }
    return 0;
}
