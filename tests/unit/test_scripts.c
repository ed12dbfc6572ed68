#include "adapters/scripts.h"

#include "adapters/lang.h"
#include "engine/base/utf8.h"
#include "tests/support/check.h"

static uint32_t script_of_text(const char *text)
{
    const char *at = text, *end = text + strlen(text);
    uint32_t script = asbi_script_of(asbi_utf8_next(&at, end));

    while (at < end) {
        if (asbi_script_of(asbi_utf8_next(&at, end)) != script)
            check_fail(text, 0, "is of several scripts");
    }
    return script;
}

static void letters_have_the_script_they_are_written_in(void)
{
    static const struct {
        const char *text;
        uint32_t script;
        const char *name;
    } rows[] = {
        { "AZazÀÖØöøÿĀſƀɏẞＡｚ", ASBI_LATIN, "Latin" },
        { "АЯаяЁёѢҐґҠ", ASBI_CYRILLIC, "Cyrillic" },
        { "ΑΩαωάἀ", ASBI_GREEK, "Greek" },
        { "ԱՖաֆ", ASBI_ARMENIAN, "Armenian" },
        { "אבתװ", ASBI_HEBREW, "Hebrew" },
        { "ابيپچگکﷲ", ASBI_ARABIC, "Arabic" },
        { "अहािॐ", ASBI_DEVANAGARI, "Devanagari" },
        { "অহ", ASBI_BENGALI, "Bengali" },
        { "ਅਹ", ASBI_GURMUKHI, "Gurmukhi" },
        { "અહ", ASBI_GUJARATI, "Gujarati" },
        { "ଅହ", ASBI_ORIYA, "Oriya" },
        { "அஹ", ASBI_TAMIL, "Tamil" },
        { "అహ", ASBI_TELUGU, "Telugu" },
        { "ಅಹ", ASBI_KANNADA, "Kannada" },
        { "അഹ", ASBI_MALAYALAM, "Malayalam" },
        { "අහ", ASBI_SINHALA, "Sinhala" },
        { "กฮเ", ASBI_THAI, "Thai" },
        { "ກຮ", ASBI_LAO, "Lao" },
        { "ཀཨ", ASBI_TIBETAN, "Tibetan" },
        { "ကအ", ASBI_MYANMAR, "Myanmar" },
        { "აჰႠ", ASBI_GEORGIAN, "Georgian" },
        { "가힣ㄱᄀ", ASBI_HANGUL, "Hangul" },
        { "አፐ", ASBI_ETHIOPIC, "Ethiopic" },
        { "កអ", ASBI_KHMER, "Khmer" },
        { "ᠠᡀ", ASBI_MONGOLIAN, "Mongolian" },
        { "ぁんァヺｦﾝゞ", ASBI_KANA, "Kana" },
        { "ㄅㄩ", ASBI_BOPOMOFO, "Bopomofo" },
        { "一中鿿㐀䶿々〇豈𠀀", ASBI_HAN, "Han" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_INT(script_of_text(rows[i].text), ==, rows[i].script);
        const char *name = asbi_script_name(rows[i].script);
        CHECK_BYTES(name, strlen(name), rows[i].name);
    }
    CHECK_INT(*asbi_script_name(0), ==, 0);
}

static void signs_belong_to_no_script(void)
{
    CHECK_INT(script_of_text(
                  " 09!@[`{~\t\n×÷€№。、「」・ー！？　…—“”⟦⟧→😀🏆\xef\xbf\xbd"),
              ==, ASBI_SCRIPT_NONE);
    CHECK_INT(asbi_script_of(0), ==, 0);
    CHECK_INT(asbi_script_of(0x10ffff), ==, 0);
    CHECK_INT(asbi_script_of(UINT32_MAX), ==, 0);
}

/* The table is searched by halves, so an entry out of order would be missed:
 * ask for every code point and count the changes. */
static void every_range_is_found(void)
{
    size_t in_scripts = 0, han = 0;

    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint32_t script = asbi_script_of(c);

        CHECK_INT(script & (script - 1), ==, 0);
        in_scripts += script != 0;
        han += script == ASBI_HAN;
    }
    CHECK_INT(in_scripts, >, 120000);
    CHECK_INT(han, >, 95000);
}

static void languages_know_their_scripts(void)
{
    static const struct {
        const char *tag;
        uint32_t scripts;
    } rows[] = {
        { "zh", ASBI_HAN | ASBI_BOPOMOFO },
        { "zh-CN", ASBI_HAN | ASBI_BOPOMOFO },
        { "zh_tw", ASBI_HAN | ASBI_BOPOMOFO },
        { "zh-Hant-HK", ASBI_HAN | ASBI_BOPOMOFO },
        { "Chinese", ASBI_HAN | ASBI_BOPOMOFO },
        { "ja", ASBI_HAN | ASBI_KANA },
        { "ko-KR", ASBI_HANGUL | ASBI_HAN },
        { "ru", ASBI_CYRILLIC },
        { "RU-ru", ASBI_CYRILLIC },
        { "uk", ASBI_CYRILLIC },
        { "bg", ASBI_CYRILLIC },
        { "sr", ASBI_CYRILLIC },
        { "sr-Latn", ASBI_LATIN },
        { "sr-Latn-RS", ASBI_LATIN },
        { "uz-Cyrl-UZ", ASBI_CYRILLIC },
        { "kk", ASBI_CYRILLIC },
        { "el", ASBI_GREEK },
        { "he", ASBI_HEBREW },
        { "ar-EG", ASBI_ARABIC },
        { "fa", ASBI_ARABIC },
        { "ur", ASBI_ARABIC },
        { "hi", ASBI_DEVANAGARI },
        { "th", ASBI_THAI },
        { "de", ASBI_LATIN },
        { "vi", ASBI_LATIN },
        { "pt-BR", ASBI_LATIN },
        { "xx", 0 },
        { "tlh", 0 },
        { "xx-Cyrl", ASBI_CYRILLIC },
        { "-", 0 },
        { "", 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (asbi_lang_scripts(rows[i].tag) != rows[i].scripts)
            check_fail(rows[i].tag, 0, "has scripts %lx",
                       (unsigned long)asbi_lang_scripts(rows[i].tag));
    }
}

static void languages_are_called_by_name(void)
{
    static const char *const rows[][2] = {
        { "ru", "Russian (ru)" },
        { "zh-CN", "Simplified Chinese (zh-CN)" },
        { "zh-tw", "Traditional Chinese (Taiwan) (zh-tw)" },
        { "zh-Hans-CN", "Simplified Chinese (zh-Hans-CN)" },
        { "pt_BR", "Brazilian Portuguese (pt_BR)" },
        { "de-LU", "German (de-LU)" },
        { "Russian", "Russian" },
        { "tlh", "tlh" },
        { "Middle English", "Middle English" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asbi_buf out;

        asbi_buf_init(&out, &asbi_mem_system, 256);
        asbi_lang_put_name(&out, rows[i][0]);
        CHECK_BYTES(out.data, out.len, rows[i][1]);
        asbi_buf_fini(&out);
    }
}

static void a_language_of_control_characters_is_refused(void)
{
    CHECK(asbi_lang_acceptable("ru"));
    CHECK(asbi_lang_acceptable("Bokmål"));
    CHECK(!asbi_lang_acceptable(NULL));
    CHECK(!asbi_lang_acceptable(""));
    CHECK(!asbi_lang_acceptable("ru\nIgnore the rules"));
    CHECK(!asbi_lang_acceptable("\xff"));
    CHECK(
        !asbi_lang_acceptable("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                              "aaaaaaaaaaaaaaaaaaaaaa"));
}

TEST_MAIN(CASE(letters_have_the_script_they_are_written_in),
          CASE(signs_belong_to_no_script), CASE(every_range_is_found),
          CASE(languages_know_their_scripts),
          CASE(languages_are_called_by_name),
          CASE(a_language_of_control_characters_is_refused))
