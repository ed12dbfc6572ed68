/*
 * bench.h -- what the two HTTP benchmarks share: arguments, the clock, the
 * report.
 */
#ifndef ASBI_TESTS_BENCH_H
#define ASBI_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

struct bench {
    const char *url;
    size_t count;     /* requests in all */
    size_t in_flight; /* at once */
    char *body;
    size_t body_len;

    /* -- counted by the benchmark */
    size_t started, ended, failed;

    /* -- the report's */
    uint64_t wall_ns, cpu_ns; /* at bench_begin() */
};

/* PROGRAM URL COUNT IN_FLIGHT BODY_FILE; ends the process with a message when
 * they are wrong. */
void bench_arguments(struct bench *b, int argc, char **argv);

void bench_begin(struct bench *b);

/* One line: requests per second and processor time per request.  Returns the
 * process's exit status. */
int bench_report(const struct bench *b, const char *name);

#endif
