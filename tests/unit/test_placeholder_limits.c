/* Texts made to cost time, memory or room, and how far they get. */
#include "adapters/placeholders.h"

#include "engine/base/buf.h"
#include "tests/support/fault_mem.h"
#include "tests/support/placeholder_samples.h"

static void fill(struct asbi_buf *out, const char *unit, size_t bytes)
{
    asbi_buf_init(out, &asbi_mem_system, bytes + 64);
    while (out->len < bytes)
        asbi_buf_c(out, unit);
}

/* Would take minutes if anything were quadratic. */
static void hostile_texts_cost_linear_time(void)
{
    static const char *const units[] = {
        "{",
        "{n, plural, other {",
        "%1",
        "<a",
        "⟦",
        "a@",
        "\\",
        "[b",
        "&a",
        "{a",
        "{{",
        "$a",
        "{n,plural,a{}b{}",
        "{n,plural,other{#}}",
        "%",
    };
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);

    CHECK(c);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct asbi_buf text;
        char why[192];

        fill(&text, units[i], 1 << 18);
        (void)agree(c, asbi_buf_view(&text), asbi_buf_view(&text), why,
                    sizeof(why));
        asbi_buf_fini(&text);
    }
    asbi_comparer_free(&asbi_mem_system, c);
}

/* Small branches, each held against a large one, and again inside. */
static void put_plural(struct asbi_buf *out, char name, asbi_str branch,
                       asbi_str other, unsigned branches)
{
    asbi_buf_fmt(out, "{%c,plural,", name);
    for (unsigned i = 0; i < branches; i++) {
        asbi_buf_fmt(out, "=%u{", i);
        asbi_buf_str(out, branch);
        asbi_buf_c(out, "}");
    }
    asbi_buf_c(out, "other{");
    asbi_buf_str(out, other);
    asbi_buf_c(out, "}}");
}

static void work_on_nested_messages_is_bounded(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf large, source, target, inner, nested;
    asbi_str none = ASBI_STR("");
    char why[192];

    CHECK(c);
    fill(&large, "a", 7900);
    fill(&nested, "", 0);
    fill(&source, "", 0);
    fill(&inner, "", 0);
    fill(&target, "", 0);
    nested.max = source.max = inner.max = target.max = 65536;
    put_plural(&nested, 'm', none, asbi_buf_view(&large), 0);
    put_plural(&source, 'n', none, asbi_buf_view(&nested), 0);
    put_plural(&inner, 'm', none, none, 30);
    put_plural(&target, 'n', asbi_buf_view(&inner), asbi_buf_view(&inner), 30);
    CHECK(!agree(c, asbi_buf_view(&source), asbi_buf_view(&target), why,
                 sizeof(why)));
    CHECK(strstr(why, "nested too deeply"));
    asbi_buf_fini(&large);
    asbi_buf_fini(&nested);
    asbi_buf_fini(&source);
    asbi_buf_fini(&inner);
    asbi_buf_fini(&target);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void a_hundred_icu_messages_in_a_text_are_seen(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf text;
    char why[192];

    CHECK(c);
    fill(&text, "{n, plural, other {#}} ", 100 * 23);
    asbi_str whole = asbi_buf_view(&text);
    CHECK(agree(c, whole, whole, why, sizeof(why)));
    CHECK(!agree(c, whole, asbi_str_of(whole.at, 99 * 23), why, sizeof(why)));
    CHECK_BYTES(why, strlen(why), "missing {n, plural} (99 instead of 100)");
    asbi_buf_fini(&text);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void very_many_placeholders_are_counted(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    struct asbi_buf text;
    char why[192];

    CHECK(c);
    asbi_buf_init(&text, &asbi_mem_system, 1 << 20);
    for (unsigned i = 0; i < 2000; i++)
        asbi_buf_fmt(&text, "{v%u} ", i);
    asbi_str whole = asbi_buf_view(&text);
    CHECK(agree(c, whole, whole, why, sizeof(why)));
    CHECK(!agree(c, whole, asbi_str_of(whole.at, whole.len - 8), why,
                 sizeof(why)));
    CHECK_BYTES(why, strlen(why),
                "missing one of very many placeholders (1744 instead of "
                "1745)");
    asbi_buf_fini(&text);
    asbi_comparer_free(&asbi_mem_system, c);
}

static void long_names_are_cut_between_code_points(void)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);
    char why[192], tiny[16];

    CHECK(c);
    CHECK(!agree(c,
                 ASBI_STR("{aаааааааааааааааааааааааааааааааааааааааааааааа}"),
                 ASBI_STR(""), why, sizeof(why)));
    CHECK_BYTES(why, strlen(why), "missing {aааааааааааааааааааааааа...");
    CHECK(
        !agree(c, ASBI_STR("{аааааааааа}"), ASBI_STR(""), tiny, sizeof(tiny)));
    CHECK_BYTES(tiny, strlen(tiny), "missing {а...");
    asbi_comparer_free(&asbi_mem_system, c);
}

static void no_memory_gives_no_comparer(void)
{
    struct fault_mem fm;

    fault_mem_init(&fm, 1);
    CHECK(!asbi_comparer_new(&fm.mem));
    CHECK_INT(fm.live, ==, 0);
}

TEST_MAIN(CASE(hostile_texts_cost_linear_time),
          CASE(work_on_nested_messages_is_bounded),
          CASE(a_hundred_icu_messages_in_a_text_are_seen),
          CASE(very_many_placeholders_are_counted),
          CASE(long_names_are_cut_between_code_points),
          CASE(no_memory_gives_no_comparer))
