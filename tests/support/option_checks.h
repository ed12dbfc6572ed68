/*
 * option_checks.h -- options to begin with, and what one of them holds.
 */
#ifndef ASBI_TESTS_OPTION_CHECKS_H
#define ASBI_TESTS_OPTION_CHECKS_H

#include "config/options.h"
#include "tests/support/check.h"

static inline struct asb_options *fresh_options(void)
{
    struct asb_options *o = asbi_options_new(&asbi_mem_system);

    CHECK(o != NULL);
    return o;
}

/* As it is shown to people, and where it came from. */
static inline void holds(const struct asb_options *o, const char *name,
                         const char *want, enum asb_origin want_origin)
{
    enum asb_origin origin;
    const char *text = asb_options_get(o, name, &origin);

    CHECK(text != NULL);
    CHECK_BYTES(text, strlen(text), want);
    CHECK_INT(origin, ==, want_origin);
}

#endif
