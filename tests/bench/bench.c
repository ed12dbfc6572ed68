#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static size_t number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end || n == 0) {
        (void)fprintf(stderr, "not a count: %s\n", text);
        exit(2);
    }
    return n;
}

static void body_read(struct bench *b, const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = fopen(path, "rb");

    b->body = malloc(MOST);
    if (!f || !b->body) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    b->body_len = fread(b->body, 1, MOST, f);
    (void)fclose(f);
}

void bench_arguments(struct bench *b, int argc, char **argv)
{
    *b = (struct bench){ 0 };
    if (argc != 5) {
        (void)fprintf(stderr, "usage: %s URL COUNT IN_FLIGHT BODY_FILE\n",
                      argv[0]);
        exit(2);
    }
    b->url = argv[1];
    b->count = number(argv[2]);
    b->in_flight = number(argv[3]);
    body_read(b, argv[4]);
}

static uint64_t wall(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static uint64_t cpu(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) *
               1000000000U +
           ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) *
               1000U;
}

void bench_begin(struct bench *b)
{
    b->wall_ns = wall();
    b->cpu_ns = cpu();
}

int bench_report(const struct bench *b, const char *name)
{
    double seconds = (double)(wall() - b->wall_ns) / 1e9;
    double cpu_us = (double)(cpu() - b->cpu_ns) / 1e3;

    (void)printf("%-10s in_flight=%zu requests=%zu failed=%zu "
                 "req_per_s=%.0f cpu_us=%.2f\n",
                 name, b->in_flight, b->ended, b->failed,
                 (double)b->ended / seconds, cpu_us / (double)b->ended);
    free(b->body);
    return b->failed ? 1 : 0;
}
