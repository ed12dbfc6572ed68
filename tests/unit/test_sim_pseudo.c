#include "engine/sim/pseudo.h"

#include "adapters/placeholders.h"
#include "adapters/scripts.h"
#include "engine/base/utf8.h"
#include "engine/sim/tokens.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asbi_buf localise(const char *text, uint64_t max_length)
{
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 1 << 20);
    asbi_sim_pseudo(asbi_str_c(text), max_length, &out);
    CHECK(!asbi_buf_failed(&out));
    return out;
}

static void check(const char *text, uint64_t max_length, const char *want)
{
    struct asbi_buf out = localise(text, max_length);

    CHECK_BYTES(out.data ? out.data : "", out.len, want);
    asbi_buf_fini(&out);
}

static void letters_get_an_accent_one_for_one(void)
{
    check("Save", 0, "Šáṽé");
    check("", 0, "");
    check("12, 3!", 0, "12, 3!");
    check("ÄÖ", 0, "ÄÖ");

    struct asbi_buf out =
        localise("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 0);
    CHECK_INT(asbi_utf8_length(asbi_buf_view(&out)), ==, 52);
    for (size_t i = 0; i < out.len; i++)
        CHECK((unsigned char)out.data[i] >= 0x80);
    asbi_buf_fini(&out);
}

static void what_must_not_be_touched_stays(void)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        { "a⟦PH_1⟧b⟦TAG_3⟧", "á⟦PH_1⟧ḃ⟦TAG_3⟧" },
        { "Hi {name}, {{x}} {0:N2}", "Ĥí {name}, {{x}} {0:N2}" },
        { "%1$s of %d, %-5.2f%% %ld %@ %(name)s", NULL },
        { "<b>bold</b> <br/> <a href=\"x\">y</a> <color=#fff>", NULL },
        { "1 < 2 > 0, a<b", "1 < 2 > 0, á<ḃ" },
        { "a&nbsp;b &#39; &amp; c", "á&nbsp;ḃ &#39; &amp; ç" },
        { "see https://example.org/a?b=c now", NULL },
        { "a\\nb \\u00e9 \\c[1]x\nc", "á\\nḃ \\u00e9 \\c[1]ẋ\nç" },
        { "mail name@example.org.", "ṁáíł name@example.org." },
        { "%name% and $NAME$ and %1 of %2", "%name% áñđ $NAME$ áñđ %1 óḟ %2" },
        { "[b]x[/b] [color=red] [OK]", "[b]ẋ[/b] [color=red] [ÓĶ]" },
        { "{n, plural, one {# file} other {# files}}",
          "{n, plural, one {# ḟíłé} other {# ḟíłéš}}" },
        { "{g, select, male {he {n, plural, other {x}}} other {they}}",
          "{g, select, male {ĥé {n, plural, other {ẋ}}} other {ťĥéý}}" },
        { "100% sure, {open", "100% šúřé, {óṗéñ" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].want)
            check(table[i].text, 0, table[i].want);
    }
    check("%1$s of %d, %-5.2f%% %ld %@ %(name)s", 0,
          "%1$s óḟ %d, %-5.2f%% %ld %@ %(name)s");
    check("<b>bold</b> <br/> <a href=\"x\">y</a> <color=#fff>", 0,
          "<b>ḃółđ</b> <br/> <a href=\"x\">ý</a> <color=#fff>");
    check("see https://example.org/a?b=c now", 0,
          "šéé https://example.org/a?b=c ñóŵ");
}

static const char *const foreign_texts[] = {
    "Привет, {имя}! Ёж",
    "Άνοιξε την πόρτα",
    "افتح الباب، ١٢",
    "פתח את הדֶּלֶת",
    "दरवाज़ा खोलो।",
    "เปิดประตูน้ำ",
    "გააღე კარი",
    "Բացիր դուռը",
    "በሩን ክፈት",
    "你好，世界！",
    "「設定」を保存しますか？",
    "설정을 저장했습니다.",
    "ＡＢＣ１２３（全角）：￥５００",
    "々〆〇〜・…",
    "㈱①ㄅㄆ",
    "恭喜获得⟦PH_12⟧，共%d个{item}",
    "{n, plural, one {# 个文件} other {# 个文件}}",
    "𠮷野家",
};

static void no_source_script_is_left(void)
{
    for (size_t i = 0; i < sizeof(foreign_texts) / sizeof(foreign_texts[0]);
         i++) {
        struct asbi_buf out = localise(foreign_texts[i], 0);
        const char *at = out.data, *end = at + out.len;

        CHECK(out.len > 0);
        while (at < end) {
            asbi_str rest = asbi_str_of(at, (size_t)(end - at));
            size_t kept = asbi_sim_kept_run(rest);

            at += kept;
            if (!kept) {
                uint32_t c = asbi_utf8_next(&at, end);

                CHECK(!asbi_sim_is_cjk(c));
                CHECK(!(asbi_script_of(c) & ~(uint32_t)ASBI_LATIN));
            }
        }
        asbi_buf_fini(&out);
    }
    check("你好，", 0, "çáłá,");
    check("ＡＢＣ１２", 0, "ÁḂÇ12");
}

static void the_adapters_find_every_placeholder_again(void)
{
    static const char *const texts[] = {
        "a⟦PH_1⟧b⟦TAG_3⟧ {name} {0:N2} {} { $name } {玩家} {{var}}",
        "${var} %{var} $NAME$ %name% %s %1$d %-5.2f %lu %@ %% %(name)s",
        "Qt %1 of %2",
        "<b> </b> <br/> <color=#fff> <#fff> [b] [/color]",
        "\\n \\t \\c[1] \\N[2] \\. \\! &nbsp; &#39;",
        "https://example.org/x, name@example.org, www.example.org",
        "{n, plural, =0 {none} one {# file} other {# files}}",
        "100%, 5% discount, <3, a < b > c, { }, [OK], $5",
    };
    struct asbi_comparer *comparer = asbi_comparer_new(&asbi_mem_system);

    CHECK(comparer);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct asbi_buf out = localise(texts[i], 0);
        char what[200];
        struct asbi_note note;

        asbi_note_init(&note, what, sizeof(what));
        if (!asbi_comparer_agree(comparer, asbi_str_c(texts[i]),
                                 asbi_buf_view(&out), &note))
            check_fail(__FILE__, __LINE__, "\"%s\" gives \"%.*s\": %s",
                       texts[i], (int)out.len, out.data, what);
        asbi_buf_fini(&out);
    }
    asbi_comparer_free(&asbi_mem_system, comparer);
}

static void a_limit_cuts_letters_and_keeps_placeholders(void)
{
    check("abcdef", 3, "áḃç");
    check("abc {name} def", 10, "áḃç {name}");
    check("abcdef{x}", 4, "á{x}");
    check("abcdef{x}", 3, "{x}");
    check("ab{name}cd{y}", 4, "{y}"); /* not all fit: those that do */
    check("你好世界", 3, "çáł");
}

static void a_limit_always_holds(void)
{
    for (size_t i = 0; i < sizeof(foreign_texts) / sizeof(foreign_texts[0]);
         i++) {
        for (uint64_t most = 1; most < 60; most++) {
            struct asbi_buf out = localise(foreign_texts[i], most);
            CHECK_INT(asbi_utf8_length(asbi_buf_view(&out)), <=, most);
            asbi_buf_fini(&out);
        }
    }
}

/* Every prefix of a text with everything in it, cut anywhere. */
static void any_bytes_are_survived(void)
{
    static const char all[] =
        "a{b{c}}⟦P⟧%1$s%(n)s<b>&nbsp;\\u00e9\\c[1]$N$%n%[b]https://x "
        "a@b.c 你{n, plural, one {#}}\\";

    for (size_t from = 0; from < sizeof(all) - 1; from++) {
        for (size_t len = 0; from + len < sizeof(all); len++) {
            char *copy = malloc(len ? len : 1); /* exact: overreads show */
            struct asbi_buf out;

            CHECK(copy);
            memcpy(copy, all + from, len);
            asbi_buf_init(&out, &asbi_mem_system, 4096);
            asbi_sim_pseudo(asbi_str_of(copy, len), len % 7, &out);
            CHECK(!asbi_buf_failed(&out));
            asbi_buf_fini(&out);
            free(copy);
        }
    }
}

static void hostile_braces_stay_cheap(void)
{
    static const char *const patterns[] = {
        "{",  "{a", "{}", "<a", "%(", "\xe2\x9f\xa6", "{n, plural, one {",
        "a@", "h"
    };
    enum { BYTES = 1 << 20 };
    char *text = malloc(BYTES);

    CHECK(text);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        size_t step = strlen(patterns[i]);
        struct asbi_buf out;

        for (size_t at = 0; at < BYTES; at++)
            text[at] = patterns[i][at % step];
        asbi_buf_init(&out, &asbi_mem_system, 8 << 20);
        asbi_sim_pseudo(asbi_str_of(text, BYTES), 1000000, &out);
        CHECK(!asbi_buf_failed(&out));
        asbi_buf_fini(&out);
    }
    free(text);
}

static void tokens_are_counted_by_class(void)
{
    static const struct {
        const char *text;
        uint64_t tokens;
    } table[] = {
        { "", 0 },        { "a", 1 },          { "abcdef", 1 },
        { "abcdefg", 2 }, { "two words", 2 },  { "12345", 2 },
        { "a, b!", 4 },   { "你好世界", 3 },   { "你", 1 },
        { "Привет", 3 },  { "\n\n", 1 },       { "😀", 2 },
        { "áá", 2 },      { "{\"id\":1}", 7 },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        CHECK_INT(asbi_sim_tokens(asbi_str_c(table[i].text)), ==,
                  table[i].tokens);
}

static void a_prefix_has_no_more_tokens_than_asked(void)
{
    static const char text[] = "Some words, 123456 and 你好世界 😀 ëñd";
    asbi_str all = asbi_str_c(text);
    uint64_t total = asbi_sim_tokens(all);

    for (uint64_t most = 0; most <= total; most++) {
        asbi_str prefix = { text, asbi_sim_tokens_prefix(all, most) };
        CHECK_INT(asbi_sim_tokens(prefix), <=, most);
        CHECK(most < total || prefix.len == all.len);
        if (prefix.len < all.len)
            CHECK(((unsigned char)text[prefix.len] & 0xc0) != 0x80);
    }
}

TEST_MAIN(CASE(letters_get_an_accent_one_for_one),
          CASE(what_must_not_be_touched_stays), CASE(no_source_script_is_left),
          CASE(the_adapters_find_every_placeholder_again),
          CASE(a_limit_cuts_letters_and_keeps_placeholders),
          CASE(a_limit_always_holds), CASE(any_bytes_are_survived),
          CASE(hostile_braces_stay_cheap), CASE(tokens_are_counted_by_class),
          CASE(a_prefix_has_no_more_tokens_than_asked))
