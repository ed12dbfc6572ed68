#include "engine/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *system_resize(void *block, size_t size, void *arg)
{
    (void)arg;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

const struct asbi_mem asbi_mem_system = { .resize = system_resize };

static int product(size_t count, size_t size, size_t *bytes)
{
    if (size != 0 && count > SIZE_MAX / size)
        return -1;
    *bytes = count * size;
    return *bytes == 0 ? -1 : 0;
}

void *asbi_alloc(const struct asbi_mem *mem, size_t size)
{
    return size ? mem->resize(NULL, size, mem->arg) : NULL;
}

void *asbi_calloc(const struct asbi_mem *mem, size_t count, size_t size)
{
    size_t bytes;

    if (product(count, size, &bytes))
        return NULL;
    void *block = asbi_alloc(mem, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

void *asbi_resize(const struct asbi_mem *mem, void *block, size_t count,
                  size_t size)
{
    size_t bytes;

    if (product(count, size, &bytes))
        return NULL;
    return mem->resize(block, bytes, mem->arg);
}

void asbi_free(const struct asbi_mem *mem, void *block)
{
    if (block)
        (void)mem->resize(block, 0, mem->arg);
}

char *asbi_strndup(const struct asbi_mem *mem, const char *at, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = asbi_alloc(mem, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}
