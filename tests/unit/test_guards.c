/* What may be answered like another, and what never. */
#include "cache/guards.h"

#include "cache/skeleton.h"
#include "cache/token.h"
#include "cache/trial.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static unsigned differ(const char *a, const char *b)
{
    unsigned set = asbi_guards_differences(asbi_str_c(a), asbi_str_c(b));

    CHECK_INT(asbi_guards_differences(asbi_str_c(b), asbi_str_c(a)), ==, set);
    return set;
}

/* ---- guards ----------------------------------------------------------- */

static void form_alone_is_no_difference(void)
{
    CHECK_INT(differ("Save the file.", "save  the file"), ==, 0);
    CHECK_INT(differ("\"Open\" it: now!", "open it, NOW"), ==, 0);
    CHECK_INT(differ("打开文件", "打开文件"), ==, 0);
    CHECK_INT(differ("It's {name}'s", "it's {name}'s."), ==, 0);
}

static void each_aspect_is_seen(void)
{
    CHECK(differ("delete 2 files", "delete 3 files") & ASBI_DIFFERS_NUMBERS);
    CHECK(differ("at 10:30", "at 10:45") & ASBI_DIFFERS_NUMBERS);
    CHECK(differ("from 3 to 5", "from 5 to 3") & ASBI_DIFFERS_NUMBERS);
    CHECK(differ("version 1.5", "version 15") & ASBI_DIFFERS_NUMBERS);
    CHECK(differ("hi {name}", "hi {user}") & ASBI_DIFFERS_MARKS);
    CHECK(differ("hi {name}", "hi name") & ASBI_DIFFERS_MARKS);
    CHECK(differ("load %s now", "load %d now") & ASBI_DIFFERS_MARKS);
    CHECK(differ("见\u27e6PH_1\u27e7", "见\u27e6PH_2\u27e7") &
          ASBI_DIFFERS_MARKS);
    CHECK(differ("\u27e6NAME\u27e7", "\u27e6CITY\u27e7") & ASBI_DIFFERS_MARKS);
    CHECK(differ("see https://a.example/x", "see https://a.example/y") &
          ASBI_DIFFERS_MARKS);
    CHECK(differ("do it", "do not do it") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("I can go", "I can't go") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("我去", "我不去") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("Касса работает", "Не работает касса") &
          ASBI_DIFFERS_NEGATION);
    CHECK(differ("БЕЗ кассы", "кассы") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("注文できます", "注文できません") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("見られる", "見られない") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("주문이 됩니다", "주문이 안 됩니다") & ASBI_DIFFERS_NEGATION);
    CHECK(differ("Sipariş hazır", "Sipariş hazır değil") &
          ASBI_DIFFERS_NEGATION);
    CHECK(differ("the cat runs", "the dog runs") & ASBI_DIFFERS_WORDS);
    CHECK(differ("dog bites man", "man bites dog") & ASBI_DIFFERS_WORDS);
    CHECK(differ("a", "a long text of another length") & ASBI_DIFFERS_LENGTH);
}

static void opposites_by_affix_are_negations(void)
{
    static const char *const pairs[][2] = {
        { "mark as played", "mark as unplayed" },
        { "is visible", "is invisible" },
        { "a possible case", "an impossible case" },
        { "connect it", "disconnect it" },
        { "harmless thing", "harmful thing" },
        { "include it", "exclude it" },
        { "the inside", "the outside" },
        { "a blocking call", "a non-blocking call" },
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        CHECK(differ(pairs[i][0], pairs[i][1]) & ASBI_DIFFERS_NEGATION);
}

static void played_is_not_unplayed(void)
{
    unsigned set =
        differ("Are you sure you want to mark all selected items as played?",
               "Are you sure you want to mark all selected items as unplayed?");

    CHECK(set & ASBI_DIFFERS_NEGATION);
}

/* ---- a thousand edits ------------------------------------------------- */

static const char *const bases[] = {
    "You have %s new messages from {sender} in the folder {folder}, and "
    "they will be kept there until you come back from your holidays.",
    "The server {host} answered after %s seconds, which is longer than the "
    "limit that was set by the administrator of this network.",
    "Please enter a password of at least %s characters for {user}; it must "
    "have been chosen by yourself and be known to nobody else.",
    "Downloaded %s of {total} packages, the rest of them will follow when "
    "the connection to {mirror} is available again.",
};

enum { BASES = sizeof(bases) / sizeof(bases[0]), EDITS = 1200 };

/* A base with its number, one word more behind the `at`-th blank. */
static void write_base(char *to, size_t size, size_t base, const char *number,
                       size_t at, const char *more)
{
    const char *from = bases[base];
    size_t n = 0, blanks = 0;

    for (; *from && n + 40 < size; from++) {
        if (from[0] == '%' && from[1] == 's') {
            n += (size_t)snprintf(to + n, size - n, "%s", number);
            from++;
            continue;
        }
        to[n++] = *from;
        if (*from == ' ' && ++blanks == at)
            n += (size_t)snprintf(to + n, size - n, "%s ", more);
    }
    to[n] = '\0';
}

static void replace(char *text, const char *from, const char *to)
{
    char rest[400];
    char *at = strstr(text, from);

    CHECK(at != NULL);
    (void)snprintf(rest, sizeof(rest), "%s%s", to, at + strlen(from));
    memcpy(at, rest, strlen(rest) + 1);
}

static void one_edit(struct asbi_rng *rng, char *one, char *two, size_t size)
{
    static const char *const negations[] = { "not", "never", "no", "without" };
    static const char *const names[] = { "{n}", "{0}", "%s", "<b>", "{{x}}" };
    size_t base = asbi_rng_below(rng, BASES);
    char number[16], other[16];

    (void)snprintf(number, sizeof(number), "%d",
                   1 + (int)asbi_rng_below(rng, 3000));
    write_base(one, size, base, number, 0, "");
    memcpy(two, one, size);
    switch (asbi_rng_below(rng, 3)) {
    case 0:
        (void)snprintf(other, sizeof(other), "%d",
                       3001 + (int)asbi_rng_below(rng, 3000));
        write_base(two, size, base, other, 0, "");
        break;
    case 1:
        *strchr(two, '}') = '\0'; /* finds a mark to take out */
        (void)snprintf(other, sizeof(other), "%s}", strchr(two, '{'));
        memcpy(two, one, size);
        replace(two, other, names[asbi_rng_below(rng, 5)]);
        break;
    default:
        write_base(two, size, base, number, 1 + asbi_rng_below(rng, 12),
                   negations[asbi_rng_below(rng, 4)]);
    }
}

static void of_a_thousand_edits_none_passes_the_guards(void)
{
    static char one[400], two[400];
    struct asbi_rng rng;

    asbi_rng_seed(&rng, 21);
    for (int i = 0; i < EDITS; i++) {
        one_edit(&rng, one, two, sizeof(one));
        CHECK(strcmp(one, two) != 0);
        CHECK(differ(one, two) & (ASBI_DIFFERS_NUMBERS | ASBI_DIFFERS_MARKS |
                                  ASBI_DIFFERS_NEGATION));
    }
}

/* ---- skeletons -------------------------------------------------------- */

static struct fault_mem fm;

static bool same_skeleton(const char *a, const char *b)
{
    struct asbi_buf one, two;

    fault_mem_init(&fm, 0);
    asbi_buf_init(&one, &fm.mem, 4096);
    asbi_buf_init(&two, &fm.mem, 4096);
    bool both = asbi_skeleton_put(&one, asbi_str_c(a)) &&
                asbi_skeleton_put(&two, asbi_str_c(b));
    bool same = both && asbi_str_eq(asbi_buf_view(&one), asbi_buf_view(&two));
    asbi_buf_fini(&one);
    asbi_buf_fini(&two);
    CHECK_INT(fm.live, ==, 0);
    return same;
}

/* The translation made for `text`; "" for none. */
static const char *fill(const char *text, const char *known,
                        const char *translated)
{
    static char made[400];
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 4096);
    made[0] = '\0';
    if (asbi_skeleton_fill(&b, asbi_str_c(text), asbi_str_c(known),
                           asbi_str_c(translated)))
        (void)snprintf(made, sizeof(made), "%.*s", (int)b.len, b.data);
    else
        CHECK_INT(b.len, ==, 0);
    asbi_buf_fini(&b);
    return made;
}

static void numbers_of_one_plural_category_are_slots(void)
{
    CHECK(same_skeleton("Level 25", "Level 45"));
    CHECK(same_skeleton("Level 125", "Level 2345"));
    CHECK(same_skeleton("第25关", "第65关"));
    CHECK(same_skeleton("82 files", "82 files"));
    CHECK(same_skeleton("1345 files", "1325 files"));
    CHECK(same_skeleton("820 files", "840 files"));
    CHECK(same_skeleton("105 files", "305 files"));
    CHECK(same_skeleton("see https://a.example", "see http://b.example/c?d"));
    CHECK(same_skeleton("to a@example.org, 25", "to b@example.com, 45"));
}

static void all_else_is_part_of_the_skeleton(void)
{
    static const char *const pairs[][2] = {
        { "Level 25", "Level 26" },
        { "1 file", "2 files" },
        { "Level 5", "Level 25" },
        { "Level 21", "Level 31" },
        { "Level 33", "Level 73" },             /* Breton: few, other */
        { "Level 25", "Level 125" },            /* Tamazight: one, other */
        { "a 60 day trial", "a 80 day trial" }, /* an 80 */
        { "a 600 day trial", "a 800 day trial" },
        { "a 1734 house", "a 1834 house" },
        { "A 32 nap", "A 52 nap" }, /* Hungarian: az 52 */
        { "A 2345 nap", "A 1345 nap" },
        { "Level 1000", "Level 2000" },
        { "Level 2.5", "Level 4.5" },
        { "Level 025", "Level 045" },
        { "Level -25", "Level -45" },
        { "at 10:25", "at 10:45" },
        { "{25}", "{45}" },
        { "25th", "45th" },
        { "25%", "45%" },
        { "level 25", "Level 45" },
        { "Level 25", "Level 25." },
        { "Level 25", "Level 2000025" },
        { "no slots", "no slots" },
        { "x{a}@b.com 25", "x{b}@b.com 25" },
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (same_skeleton(pairs[i][0], pairs[i][1]))
            check_fail(__FILE__, __LINE__, "one skeleton: %s and %s",
                       pairs[i][0], pairs[i][1]);
    }
}

/* Plural categories of whole numbers by the CLDR, of those languages that tell
 * most numbers apart; then the sound a number begins with. */

static bool is_within(unsigned n, unsigned first, unsigned last)
{
    return n >= first && n <= last;
}

static int breton(unsigned n)
{
    unsigned ten = n % 10, rest = n % 100;
    bool late = is_within(rest, 70, 79) || is_within(rest, 90, 99);

    if (ten == 1 || ten == 2)
        return rest == 10 + ten || late ? 0 : (int)ten;
    return (ten == 3 || ten == 4 || ten == 9) && !late &&
                   !is_within(rest, 10, 19)
               ? 3
               : 0;
}

static int cornish(unsigned n)
{
    unsigned score = n % 100 % 20;

    if (n % 1000 == 0)
        return 2;
    return is_within(score, 1, 3) && (n % 100 < 4 || n % 100 > 19) ? (int)score
                                                                   : 0;
}

static int manx(unsigned n)
{
    if (n % 10 == 1 || n % 10 == 2)
        return (int)(n % 10);
    return n % 20 == 0;
}

static int tamazight(unsigned n)
{
    return n < 2 || is_within(n, 11, 99);
}

static int lithuanian(unsigned n)
{
    if (n % 10 == 0 || is_within(n % 100, 11, 19))
        return 0;
    return n % 10 == 1 ? 1 : 2;
}

static int russian(unsigned n)
{
    if (is_within(n % 100, 11, 14))
        return 0;
    return n % 10 == 1 ? 1 : is_within(n % 10, 2, 4) ? 2 : 0;
}

static int slovene(unsigned n)
{
    return n % 100 < 5 ? (int)(n % 100) : 0;
}

static int maltese(unsigned n)
{
    return is_within(n % 100, 2, 10) ? 1 : is_within(n % 100, 11, 19) ? 2 : 0;
}

static int filipino(unsigned n)
{
    return n % 10 == 4 || n % 10 == 6 || n % 10 == 9;
}

/* "an eight", "an eleven thousand", "an eighteen thirty four" */
static int english_article(unsigned n)
{
    while (n >= 100000)
        n /= 1000;
    unsigned first = n;

    while (first >= 100)
        first /= 10;
    return first / 10 == 8 || ((first == 11 || first == 18) && n >= 1000);
}

/* öt, ötven, ötszáz; ezer */
static int hungarian_article(unsigned n)
{
    unsigned first = n;

    while (first >= 10)
        first /= 10;
    return first == 5 || is_within(n, 1000, 1999);
}

/* The first number that was seen with the skeleton of this one. */
static unsigned first_of_its_skeleton(unsigned n)
{
    enum { GROUPS = 1000 };
    static struct {
        char skeleton[32];
        unsigned first;
    } groups[GROUPS];
    char text[32];
    struct asbi_buf b;
    size_t i = 0;

    (void)snprintf(text, sizeof(text), "%u", n);
    asbi_buf_init(&b, &asbi_mem_system, sizeof(groups[0].skeleton) - 1);
    if (!asbi_skeleton_put(&b, asbi_str_c(text))) {
        asbi_buf_fini(&b);
        return n;
    }
    while (groups[i].first &&
           !asbi_str_eq(asbi_buf_view(&b), asbi_str_c(groups[i].skeleton)))
        i++;
    CHECK(i + 1 < GROUPS);
    if (!groups[i].first) {
        groups[i].first = n;
        memcpy(groups[i].skeleton, b.data, b.len);
    }
    asbi_buf_fini(&b);
    return groups[i].first;
}

static void numbers_with_one_skeleton_have_one_form_of_words(void)
{
    static int (*const forms[])(unsigned) = {
        breton,  cornish, manx,     tamazight,       lithuanian,       russian,
        slovene, maltese, filipino, english_article, hungarian_article
    };
    enum { MOST = 3000 };
    unsigned reused = 0;

    for (unsigned n = 0; n < MOST; n++) {
        unsigned first = first_of_its_skeleton(n);

        reused += first != n;
        for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++)
            CHECK_INT(forms[k](n), ==, forms[k](first));
    }
    CHECK_INT(reused, >, MOST * 9 / 10);
}

static void values_are_put_in_each_others_place(void)
{
    CHECK_BYTES(fill("Level 45", "Level 25", "Niveau 25"), 9, "Niveau 45");
    CHECK(strcmp(fill("65 of 45", "45 of 25", "25 dans 45"), "45 dans 65") ==
          0);
    CHECK(strcmp(fill("45 and 45", "25 and 25", "25, 25"), "45, 45") == 0);
    CHECK(strcmp(fill("Mail b@x.org", "Mail a@x.org", "Écris à a@x.org."),
                 "Écris à b@x.org.") == 0);
}

static void what_cannot_be_checked_is_not_made(void)
{
    /* the value is not there, or elsewhere, or more often */
    CHECK_STR(asbi_str_c(fill("Level 45", "Level 25", "Niveau XXV")), "");
    CHECK_STR(asbi_str_c(fill("Level 45", "Level 25", "Niveau 25 25")), "");
    CHECK_STR(asbi_str_c(fill("Level 45", "Level 25", "Niveau 1 025")), "");
    CHECK_STR(asbi_str_c(fill("Level 1345", "Level 1325", "Niveau 1,325")), "");
    /* another number has come in */
    CHECK_STR(asbi_str_c(fill("Level 45", "Level 25", "Niveau 25 de 99")), "");
    /* one value would have to become two, or two one */
    CHECK_STR(asbi_str_c(fill("25 of 45", "25 of 25", "25 sur 25")), "");
    CHECK_STR(asbi_str_c(fill("45 of 45", "25 of 65", "25 sur 65")), "");
    /* not the same slots */
    CHECK_STR(asbi_str_c(fill("45 of 65", "25", "25")), "");
    CHECK_STR(asbi_str_c(fill("none", "none", "aucun")), "");
}

/* Whatever the edit: if a translation is made at all, all the new values are
 * in it, and none of the old. */
static void of_a_thousand_edits_none_is_reused_unchanged(void)
{
    static char one[400], two[400];
    struct asbi_rng rng;
    size_t made = 0;

    asbi_rng_seed(&rng, 33);
    for (int i = 0; i < EDITS; i++) {
        one_edit(&rng, one, two, sizeof(one));
        if (!same_skeleton(one, two))
            continue;
        made++;
        CHECK(strcmp(fill(two, one, one), two) == 0);
    }
    CHECK_INT(made, <, EDITS / 20);
}

static void pieces_in_order_are_the_text(void)
{
    struct asbi_rng rng;
    struct asbi_token t;
    char bytes[120];

    asbi_rng_seed(&rng, 9);
    for (int i = 0; i < 20000; i++) {
        static const char some[] = "aZ09 .,;:'\"()[]{}<>%$@/-+_#\x01\xe4\xb8"
                                   "\x8d\xc3\xa9\xe2\x9f\xa6\n\t";
        size_t len = asbi_rng_below(&rng, sizeof(bytes)), sum = 0;

        for (size_t k = 0; k < len; k++)
            bytes[k] = some[asbi_rng_below(&rng, sizeof(some) - 1)];
        asbi_str rest = asbi_str_of(bytes, len);
        while (asbi_token_next(&rest, &t)) {
            CHECK(t.text.at == bytes + sum && t.text.len > 0);
            sum += t.text.len;
        }
        CHECK_INT(sum, ==, len);
        (void)asbi_guards_differences(asbi_str_of(bytes, len),
                                      asbi_str_of(bytes, len / 2));
    }
}

/* ---- trials ----------------------------------------------------------- */

static void nothing_is_taken_over_before_it_is_known_to_go_well(void)
{
    struct asbi_trial t = { 0 };

    CHECK(asbi_trial_bound(&t) > 0.99);
    for (int i = 0; i < 380; i++) {
        CHECK(!asbi_trial_takes(&t, 0.5));
        asbi_trial_note(&t, true);
    }
    asbi_trial_note(&t, true);
    asbi_trial_note(&t, true);
    CHECK(asbi_trial_takes(&t, 0.5));
    CHECK(
        !asbi_trial_takes(&t, 0.01)); /* one in twenty is asked all the same */
    asbi_trial_note(&t, false);
    CHECK(!asbi_trial_takes(&t, 0.5));
    for (int i = 0; i < 600; i++)
        asbi_trial_note(&t, true);
    CHECK(asbi_trial_takes(&t, 0.5));
    for (int i = 0; i < 30; i++)
        asbi_trial_note(&t, false);
    CHECK(!asbi_trial_takes(&t, 0.99));
    CHECK(asbi_trial_bound(&t) > 30.0 / 1013);
}

TEST_MAIN(CASE(form_alone_is_no_difference), CASE(each_aspect_is_seen),
          CASE(opposites_by_affix_are_negations), CASE(played_is_not_unplayed),
          CASE(of_a_thousand_edits_none_passes_the_guards),
          CASE(numbers_of_one_plural_category_are_slots),
          CASE(all_else_is_part_of_the_skeleton),
          CASE(numbers_with_one_skeleton_have_one_form_of_words),
          CASE(values_are_put_in_each_others_place),
          CASE(what_cannot_be_checked_is_not_made),
          CASE(of_a_thousand_edits_none_is_reused_unchanged),
          CASE(pieces_in_order_are_the_text),
          CASE(nothing_is_taken_over_before_it_is_known_to_go_well))
