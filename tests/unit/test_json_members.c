#include <math.h>
#include <stdint.h>

#include "engine/base/json_members.h"
#include "tests/support/check.h"

static void reads(struct asbi_buf *b, const char *want)
{
    CHECK_STR(asbi_buf_view(b), want);
    asbi_buf_fini(b);
}

static struct asbi_buf object(void)
{
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 1024);
    asbi_buf_char(&b, '{');
    return b;
}

static void members_are_told_apart_by_commas(void)
{
    struct asbi_buf b = object();

    asbi_member_u64(&b, "calls", UINT64_MAX);
    asbi_member_text(&b, "model", asbi_str_c("a\"b"));
    asbi_member_usd(&b, "cost", 11400);
    reads(&b, "{\"calls\":18446744073709551615,\"model\":\"a\\\"b\","
              "\"cost\":0.0000114");
}

static void numbers_are_rounded_to_thousandths(void)
{
    struct asbi_buf b = object();

    asbi_member_rounded(&b, "up", 1.0005);
    asbi_member_rounded(&b, "down", -2.00049);
    asbi_member_rounded(&b, "huge", 1e300);
    asbi_member_rounded(&b, "none", NAN);
    reads(&b, "{\"up\":1.001,\"down\":-2,\"huge\":1e+300,\"none\":null");
}

static void a_part_of_nothing_is_none(void)
{
    struct asbi_buf b = object();

    asbi_member_ratio(&b, "third", 1, 3);
    asbi_member_ratio(&b, "none", 1, 0);
    reads(&b, "{\"third\":0.333,\"none\":0");
}

static void what_is_not_known_is_null(void)
{
    struct asbi_buf b = object();

    asbi_member_known(&b, "eta", 2.5);
    asbi_member_known(&b, "high", -1);
    reads(&b, "{\"eta\":2.5,\"high\":null");
}

TEST_MAIN(CASE(members_are_told_apart_by_commas),
          CASE(numbers_are_rounded_to_thousandths),
          CASE(a_part_of_nothing_is_none), CASE(what_is_not_known_is_null))
