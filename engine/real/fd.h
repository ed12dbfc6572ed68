/*
 * fd.h -- file descriptors on the loop: bytes in, in bounded slices that can be
 * paused; bytes out, gathered and bounded, so that no row costs a system call
 * of its own.
 *
 * Works for pipes, sockets, terminals and regular files alike (epoll refuses
 * the last: they are read a slice in each turn of the loop, so that it stays
 * fair).  O_NONBLOCK is never set: standard output may be the same open file as
 * standard error or the shell's terminal, and would stay so after a crash.
 * Instead a pipe or terminal is only touched when it is ready, and written in
 * pieces that a ready one takes whole.  Never closes a descriptor.
 */
#ifndef ASBI_REAL_FD_H
#define ASBI_REAL_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/str.h"
#include "engine/real/parts.h"

struct asbi_source;

struct asbi_source_ops {
    /* Bytes came, 64 KiB at most.  Returns how many were taken; fewer than
     * `len` pauses the source (unless it was resumed meanwhile), and the rest
     * is offered again after asbi_source_resume(). */
    size_t (*on_bytes)(void *arg, const char *at, size_t len);
    /* The last call: the input ended (`error` 0) or failed (an errno). */
    void (*on_end)(void *arg, int error);
};

/* Starts paused; nothing is called before asbi_source_resume().  Callbacks come
 * from the loop only.  ASB_OK, ASB_EIO (no such descriptor) or ASB_ENOMEM. */
int asbi_source_new(const struct asbi_parts *parts, int fd,
                    const struct asbi_source_ops *ops, void *arg,
                    struct asbi_source **out);

/* May be called at any time, from callbacks too. */
void asbi_source_pause(struct asbi_source *s);
void asbi_source_resume(struct asbi_source *s);

/* Accepts NULL.  May be called from its own callbacks. */
void asbi_source_free(struct asbi_source *s);

struct asbi_sink;

struct asbi_sink_ops {
    /* What was over the high-water mark has been written down to a quarter of
     * it. */
    void (*on_room)(void *arg);
    /* Writing failed; told once, nothing more is written.  EPIPE: the reader
     * has closed its end. */
    void (*on_error)(void *arg, int error);
    /* After asbi_sink_finish(): everything is written, or on_error has told
     * that it will not be.  Last call. */
    void (*on_finished)(void *arg);
};

/* `high_water` bytes waiting make it full; appends beyond are still taken, as
 * what they carry must not be lost. */
int asbi_sink_new(const struct asbi_parts *parts, int fd, size_t high_water,
                  const struct asbi_sink_ops *ops, void *arg,
                  struct asbi_sink **out);

/* Copies the bytes; they are written in the next turn of the loop, together
 * with whatever else comes until then.  ASB_OK (also after an error: they are
 * dropped) or ASB_ENOMEM. */
int asbi_sink_write(struct asbi_sink *s, asbi_str bytes);
bool asbi_sink_is_full(const struct asbi_sink *s);

/* Bytes that the system has taken so far. */
uint64_t asbi_sink_written(const struct asbi_sink *s);

/* No more writes.  on_finished comes from the loop once all is out; after an
 * on_error, at once. */
void asbi_sink_finish(struct asbi_sink *s);

/* Accepts NULL; drops what is not written.  May be called from its own
 * callbacks. */
void asbi_sink_free(struct asbi_sink *s);

#endif
