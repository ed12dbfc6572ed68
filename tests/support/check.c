#include "tests/support/check.h"

#include <stdarg.h>

void check_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

/* `op` is one of == != < <= > >=. */
static bool compare(intmax_t got, const char *op, intmax_t want)
{
    bool equal_counts = op[1] == '=';

    switch (op[0]) {
    case '=':
        return got == want;
    case '!':
        return got != want;
    case '<':
        return got < want || (equal_counts && got == want);
    default:
        return got > want || (equal_counts && got == want);
    }
}

void check_int(const char *file, int line, const char *text, intmax_t got,
               const char *op, intmax_t want)
{
    if (!compare(got, op, want))
        check_fail(file, line, "%s is %jd, not %s %jd", text, got, op, want);
}

void check_str(const char *file, int line, const char *text, const char *got,
               size_t got_len, const char *want)
{
    if (got_len != strlen(want) || (got_len && memcmp(got, want, got_len) != 0))
        check_fail(file, line, "%s is\n  \"%.*s\", not\n  \"%s\"", text,
                   (int)got_len, got ? got : "", want);
}

uint64_t check_times(uint64_t few, uint64_t many)
{
    return getenv("ASB_TEST_LONG") ? many : few;
}

int check_main(int argc, char **argv, const struct check_case *cases,
               size_t count)
{
    size_t ran = 0;

    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
            continue;
        cases[i].run();
        ran++;
    }
    if (ran == 0)
        check_fail(argv[0], 0, "no case named %s", argc > 1 ? argv[1] : "");
    return 0;
}
