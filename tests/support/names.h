/*
 * names.h -- a name server for tests, on the test's loop, and the files that
 * lead to it.
 */
#ifndef ASBI_TESTS_NAMES_H
#define ASBI_TESTS_NAMES_H

struct event_base;
struct names;

/* Knows nobody yet: every question is answered with "no such name". */
struct names *names_new(struct event_base *base);
/* Removes its files, too. */
void names_free(struct names *n);

/* Adds an address, IPv4 or IPv6, to a name. */
void names_add(struct names *n, const char *name, const char *address);
/* Questions are taken and never answered. */
void names_be_silent(struct names *n);

/* Questions so far, of type A or AAAA. */
unsigned names_asked(const struct names *n);

/* Path of a resolv.conf that names this server alone. */
const char *names_resolv_conf(const struct names *n);
/* Path of a hosts file; replaces what it holds. */
const char *names_hosts(struct names *n, const char *text);

#endif
