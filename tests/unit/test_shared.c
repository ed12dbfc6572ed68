#include "engine/base/shared.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static void the_last_holder_frees_it(void)
{
    struct fault_mem fm;

    fault_mem_init(&fm, 0);
    struct asbi_shared *s = asbi_shared_new(&fm.mem, ASBI_STR("req-1"));
    CHECK(asbi_shared_hold(s) == s);
    asbi_shared_drop(&fm.mem, s);
    CHECK_INT(fm.live, ==, 1);
    CHECK_STR(asbi_shared_str(s), "req-1");
    asbi_shared_drop(&fm.mem, s);
    CHECK_INT(fm.live, ==, 0);
}

static void no_text_and_no_memory_are_nobody_s(void)
{
    struct fault_mem fm;

    fault_mem_init(&fm, 1);
    CHECK(asbi_shared_new(&fm.mem, asbi_str_of(NULL, 0)) == NULL);
    CHECK(asbi_shared_new(&fm.mem, ASBI_STR("req-1")) == NULL);
    CHECK(asbi_shared_hold(NULL) == NULL);
    CHECK_INT(asbi_shared_str(NULL).len, ==, 0);
    asbi_shared_drop(&fm.mem, NULL);
}

TEST_MAIN(CASE(the_last_holder_frees_it),
          CASE(no_text_and_no_memory_are_nobody_s))
