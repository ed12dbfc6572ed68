/*
 * check.h -- the smallest thing that makes a test: named cases, each run by
 * CTest in a process of its own, stopping at the first failed check.
 */
#ifndef ASBI_TESTS_CHECK_H
#define ASBI_TESTS_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_case {
    const char *name;
    void (*run)(void);
};

/* Failing branches live in functions, so that a test's own branches are all
 * that a complexity checker sees. */
void check_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
void check_int(const char *file, int line, const char *text, intmax_t got,
               const char *op, intmax_t want);
void check_str(const char *file, int line, const char *text, const char *got,
               size_t got_len, const char *want);
int check_main(int argc, char **argv, const struct check_case *cases,
               size_t count);

/* How often to repeat what costs time: `few` in the ordinary tests, `many` when
 * ASB_TEST_LONG is set. */
uint64_t check_times(uint64_t few, uint64_t many);

#define CHECK(cond) \
    ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, "failed: %s", #cond))
/* Each side is evaluated once. */
#define CHECK_INT(got, op, want) \
    check_int(__FILE__, __LINE__, #got, (intmax_t)(got), #op, (intmax_t)(want))
/* Bytes (a pointer and a length) against a C string. */
#define CHECK_BYTES(at, len, want) \
    check_str(__FILE__, __LINE__, #at, (at), (len), (want))
/* A struct asb_bytes against a C string. */
#define CHECK_STR(bytes, want)                                          \
    do {                                                                \
        struct asb_bytes got_ = (bytes);                                \
                                                                        \
        check_str(__FILE__, __LINE__, #bytes, got_.at, got_.len, want); \
    } while (0)

/* CASE(f) names a case after its function. */
#define CASE(function)      \
    {                       \
#function, function \
    }
#define TEST_MAIN(...)                                            \
    int main(int argc, char **argv)                               \
    {                                                             \
        static const struct check_case cases[] = { __VA_ARGS__ }; \
        return check_main(argc, argv, cases,                      \
                          sizeof(cases) / sizeof(cases[0]));      \
    }

#endif
