/* What a translation must keep, sample by sample. */
#include "adapters/placeholders.h"

#include "tests/support/placeholder_samples.h"

static void try_sample(struct asbi_comparer *c, const struct sample *s)
{
    char why[192];
    bool agreed = agree(c, asbi_str_c(s->source), asbi_str_c(s->target), why,
                        sizeof(why));

    if (agreed != !s->fault)
        check_fail(s->source, 0, "-> %s: agreed %d, because \"%s\"", s->target,
                   agreed, why);
    if (s->fault && strcmp(why, s->fault) != 0)
        check_fail(s->source, 0, "-> %s:\n  says \"%s\"\n  not  \"%s\"",
                   s->target, why, s->fault);
    if (agreed)
        CHECK_BYTES(why, strlen(why), "");
}

static void try_all(const struct sample *samples, size_t count)
{
    struct asbi_comparer *c = asbi_comparer_new(&asbi_mem_system);

    CHECK(c);
    for (size_t i = 0; i < count; i++)
        try_sample(c, &samples[i]);
    asbi_comparer_free(&asbi_mem_system, c);
}

#define TRY_ALL(samples) \
    try_all(samples, sizeof(samples) / sizeof((samples)[0]))

static void frozen_placeholders_survive_as_often(void)
{
    TRY_ALL(frozen);
}

static void variables_in_braces_survive(void)
{
    TRY_ALL(braces);
}

static void conversions_survive_and_percentages_are_prose(void)
{
    TRY_ALL(formats);
}

static void markup_survives_and_brackets_are_prose(void)
{
    TRY_ALL(tags);
}

static void escapes_and_addresses_survive(void)
{
    TRY_ALL(escapes);
}

static void icu_messages_keep_their_structure(void)
{
    TRY_ALL(icu);
}

static void game_strings_are_judged_as_a_whole(void)
{
    TRY_ALL(mixed);
}

TEST_MAIN(CASE(frozen_placeholders_survive_as_often),
          CASE(variables_in_braces_survive),
          CASE(conversions_survive_and_percentages_are_prose),
          CASE(markup_survives_and_brackets_are_prose),
          CASE(escapes_and_addresses_survive),
          CASE(icu_messages_keep_their_structure),
          CASE(game_strings_are_judged_as_a_whole))
