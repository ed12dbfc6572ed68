/*
 * mem.h -- every allocation of the library goes through one of these.
 *
 * The host may bring its own allocator; a test fails the n-th allocation.
 * Nothing here ends the process: a failed allocation is a NULL to be handled.
 */
#ifndef ASBI_BASE_MEM_H
#define ASBI_BASE_MEM_H

#include <stddef.h>

/* One function is the whole allocator: `size` 0 frees and returns NULL. */
struct asbi_mem {
    void *(*resize)(void *block, size_t size, void *arg);
    void *arg;
};

/* realloc() and free(); static storage. */
extern const struct asbi_mem asbi_mem_system;

/* Zeroed memory for `count` objects of `size` bytes; NULL on overflow or when
 * there is none. */
void *asbi_calloc(const struct asbi_mem *mem, size_t count, size_t size);

/* Uninitialised memory of `size` > 0 bytes, or NULL. */
void *asbi_alloc(const struct asbi_mem *mem, size_t size);

/* Grows or shrinks to `count` objects of `size` bytes.  On NULL the old block
 * is untouched and still the caller's. */
void *asbi_resize(const struct asbi_mem *mem, void *block, size_t count,
                  size_t size);

/* Accepts NULL. */
void asbi_free(const struct asbi_mem *mem, void *block);

/* A NUL-terminated copy of `len` bytes, or NULL. */
char *asbi_strndup(const struct asbi_mem *mem, const char *at, size_t len);

#endif
