/*
 * replay -- runs a fuzz target over files, or over all files of folders, one
 * after the other, without a fuzzer: what was found once stays found.  Of each
 * it tries every beginning, too, as long as they are not too many.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 20, MOST_BEGINNINGS = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

/* In memory of its own size, so that reading past its end is seen. */
static void try_input(const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len + !len);

    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    inputs++;
}

static int try_file(const char *path)
{
    static char bytes[MOST_BYTES];
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        return 1;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), f);
    (void)fclose(f);
    for (size_t n = 0; n < len && n < MOST_BEGINNINGS; n++)
        try_input(bytes, len * n / MOST_BEGINNINGS);
    try_input(bytes, len);
    return 0;
}

static int try_folder(const char *path)
{
    char name[4096];
    DIR *d = opendir(path);
    struct dirent *entry;
    int broken = d ? 0 : 1;

    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        broken += try_file(name);
    }
    if (d)
        (void)closedir(d);
    return broken;
}

int main(int argc, char **argv)
{
    struct stat st;
    int broken = 0;

    for (int i = 1; i < argc; i++)
        broken += stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)
                      ? try_folder(argv[i])
                      : try_file(argv[i]);
    (void)printf("%lu inputs\n", inputs);
    return broken || !inputs;
}
