#include "adapters/lang.h"

#include <stdbool.h>

#include "adapters/scripts.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"

struct language {
    const char *tag;
    const char *name;
    uint32_t scripts;
};

/* Longer tags of a language stand after its primary subtag. */
static const struct language languages[] = {
    { "af", "Afrikaans", ASBI_LATIN },
    { "am", "Amharic", ASBI_ETHIOPIC },
    { "ar", "Arabic", ASBI_ARABIC },
    { "as", "Assamese", ASBI_BENGALI },
    { "az", "Azerbaijani", ASBI_LATIN },
    { "be", "Belarusian", ASBI_CYRILLIC },
    { "bg", "Bulgarian", ASBI_CYRILLIC },
    { "bn", "Bengali", ASBI_BENGALI },
    { "bo", "Tibetan", ASBI_TIBETAN },
    { "bs", "Bosnian", ASBI_LATIN },
    { "ca", "Catalan", ASBI_LATIN },
    { "cs", "Czech", ASBI_LATIN },
    { "cy", "Welsh", ASBI_LATIN },
    { "da", "Danish", ASBI_LATIN },
    { "de", "German", ASBI_LATIN },
    { "de-AT", "Austrian German", ASBI_LATIN },
    { "de-CH", "Swiss German orthography", ASBI_LATIN },
    { "el", "Greek", ASBI_GREEK },
    { "en", "English", ASBI_LATIN },
    { "en-GB", "British English", ASBI_LATIN },
    { "en-US", "American English", ASBI_LATIN },
    { "eo", "Esperanto", ASBI_LATIN },
    { "es", "Spanish", ASBI_LATIN },
    { "es-419", "Latin American Spanish", ASBI_LATIN },
    { "es-ES", "European Spanish", ASBI_LATIN },
    { "es-MX", "Mexican Spanish", ASBI_LATIN },
    { "et", "Estonian", ASBI_LATIN },
    { "eu", "Basque", ASBI_LATIN },
    { "fa", "Persian", ASBI_ARABIC },
    { "fi", "Finnish", ASBI_LATIN },
    { "fil", "Filipino", ASBI_LATIN },
    { "fr", "French", ASBI_LATIN },
    { "fr-CA", "Canadian French", ASBI_LATIN },
    { "ga", "Irish", ASBI_LATIN },
    { "gl", "Galician", ASBI_LATIN },
    { "gu", "Gujarati", ASBI_GUJARATI },
    { "ha", "Hausa", ASBI_LATIN },
    { "he", "Hebrew", ASBI_HEBREW },
    { "hi", "Hindi", ASBI_DEVANAGARI },
    { "hr", "Croatian", ASBI_LATIN },
    { "hu", "Hungarian", ASBI_LATIN },
    { "hy", "Armenian", ASBI_ARMENIAN },
    { "id", "Indonesian", ASBI_LATIN },
    { "is", "Icelandic", ASBI_LATIN },
    { "it", "Italian", ASBI_LATIN },
    { "iw", "Hebrew", ASBI_HEBREW },
    { "ja", "Japanese", ASBI_HAN | ASBI_KANA },
    { "jv", "Javanese", ASBI_LATIN },
    { "ka", "Georgian", ASBI_GEORGIAN },
    { "kk", "Kazakh", ASBI_CYRILLIC },
    { "km", "Khmer", ASBI_KHMER },
    { "kn", "Kannada", ASBI_KANNADA },
    { "ko", "Korean", ASBI_HANGUL | ASBI_HAN },
    { "ky", "Kyrgyz", ASBI_CYRILLIC },
    { "la", "Latin", ASBI_LATIN },
    { "lo", "Lao", ASBI_LAO },
    { "lt", "Lithuanian", ASBI_LATIN },
    { "lv", "Latvian", ASBI_LATIN },
    { "mk", "Macedonian", ASBI_CYRILLIC },
    { "ml", "Malayalam", ASBI_MALAYALAM },
    { "mn", "Mongolian", ASBI_CYRILLIC | ASBI_MONGOLIAN },
    { "mr", "Marathi", ASBI_DEVANAGARI },
    { "ms", "Malay", ASBI_LATIN },
    { "mt", "Maltese", ASBI_LATIN },
    { "my", "Burmese", ASBI_MYANMAR },
    { "nb", "Norwegian Bokmål", ASBI_LATIN },
    { "ne", "Nepali", ASBI_DEVANAGARI },
    { "nl", "Dutch", ASBI_LATIN },
    { "nn", "Norwegian Nynorsk", ASBI_LATIN },
    { "no", "Norwegian", ASBI_LATIN },
    { "or", "Odia", ASBI_ORIYA },
    { "pa", "Punjabi", ASBI_GURMUKHI },
    { "pl", "Polish", ASBI_LATIN },
    { "ps", "Pashto", ASBI_ARABIC },
    { "pt", "Portuguese", ASBI_LATIN },
    { "pt-BR", "Brazilian Portuguese", ASBI_LATIN },
    { "pt-PT", "European Portuguese", ASBI_LATIN },
    { "ro", "Romanian", ASBI_LATIN },
    { "ru", "Russian", ASBI_CYRILLIC },
    { "sd", "Sindhi", ASBI_ARABIC },
    { "si", "Sinhala", ASBI_SINHALA },
    { "sk", "Slovak", ASBI_LATIN },
    { "sl", "Slovenian", ASBI_LATIN },
    { "so", "Somali", ASBI_LATIN },
    { "sq", "Albanian", ASBI_LATIN },
    { "sr", "Serbian", ASBI_CYRILLIC },
    { "sv", "Swedish", ASBI_LATIN },
    { "sw", "Swahili", ASBI_LATIN },
    { "ta", "Tamil", ASBI_TAMIL },
    { "te", "Telugu", ASBI_TELUGU },
    { "tg", "Tajik", ASBI_CYRILLIC },
    { "th", "Thai", ASBI_THAI },
    { "ti", "Tigrinya", ASBI_ETHIOPIC },
    { "tk", "Turkmen", ASBI_LATIN },
    { "tl", "Tagalog", ASBI_LATIN },
    { "tr", "Turkish", ASBI_LATIN },
    { "tt", "Tatar", ASBI_CYRILLIC },
    { "ug", "Uyghur", ASBI_ARABIC },
    { "uk", "Ukrainian", ASBI_CYRILLIC },
    { "ur", "Urdu", ASBI_ARABIC },
    { "uz", "Uzbek", ASBI_LATIN },
    { "vi", "Vietnamese", ASBI_LATIN },
    { "yi", "Yiddish", ASBI_HEBREW },
    { "yo", "Yoruba", ASBI_LATIN },
    { "yue", "Cantonese", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh", "Chinese", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-CN", "Simplified Chinese", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-HK", "Traditional Chinese (Hong Kong)", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-Hans", "Simplified Chinese", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-Hant", "Traditional Chinese", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-SG", "Simplified Chinese (Singapore)", ASBI_HAN | ASBI_BOPOMOFO },
    { "zh-TW", "Traditional Chinese (Taiwan)", ASBI_HAN | ASBI_BOPOMOFO },
    { "zu", "Zulu", ASBI_LATIN },
};

/* Script subtags that overrule a language's usual script. */
static const struct {
    const char *subtag;
    uint32_t script;
} subtags[] = {
    { "Latn", ASBI_LATIN },     { "Cyrl", ASBI_CYRILLIC },
    { "Arab", ASBI_ARABIC },    { "Deva", ASBI_DEVANAGARI },
    { "Hebr", ASBI_HEBREW },    { "Grek", ASBI_GREEK },
    { "Mong", ASBI_MONGOLIAN }, { "Guru", ASBI_GURMUKHI },
};

bool asbi_lang_acceptable(const char *tag)
{
    size_t len = tag ? strlen(tag) : 0;

    if (len == 0 || len > ASBI_LANG_MAX || !asbi_utf8_valid(tag, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)tag[i] < 0x20 || tag[i] == 0x7f)
            return false;
    }
    return true;
}

/* "pt_br" and "pt-BR" are one tag. */
static bool same_tag(asbi_str a, asbi_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        asbi_str x = { a.at + i, 1 }, y = { b.at + i, 1 };
        bool both_dashes = strchr("-_", a.at[i]) && strchr("-_", b.at[i]);

        if (!both_dashes && !asbi_str_eq_nocase(x, y))
            return false;
    }
    return true;
}

static const struct language *find(asbi_str tag)
{
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        if (same_tag(tag, asbi_str_c(languages[i].tag)) ||
            same_tag(tag, asbi_str_c(languages[i].name)))
            return &languages[i];
    }
    return NULL;
}

/* The entry of the whole tag, else of ever fewer subtags of it. */
static const struct language *nearest(const char *tag)
{
    asbi_str part = asbi_str_c(tag);

    while (part.len) {
        const struct language *known = find(part);

        if (known)
            return known;
        do
            part.len--;
        while (part.len && !strchr("-_", part.at[part.len]));
    }
    return NULL;
}

void asbi_lang_put_name(struct asbi_buf *out, const char *tag)
{
    const struct language *known = nearest(tag);

    if (known)
        asbi_buf_c(out, known->name);
    if (known && same_tag(asbi_str_c(tag), asbi_str_c(known->name)))
        return;
    asbi_buf_c(out, known ? " (" : "");
    asbi_buf_c(out, tag);
    asbi_buf_c(out, known ? ")" : "");
}

static uint32_t script_of_subtag(asbi_str subtag)
{
    for (size_t i = 0; i < sizeof(subtags) / sizeof(subtags[0]); i++) {
        if (asbi_str_eq_nocase(subtag, asbi_str_c(subtags[i].subtag)))
            return subtags[i].script;
    }
    return ASBI_SCRIPT_NONE;
}

uint32_t asbi_lang_scripts(const char *tag)
{
    const struct language *known = nearest(tag);
    const char *at = tag + strcspn(tag, "-_");

    while (*at) {
        asbi_str subtag = { at + 1, strcspn(at + 1, "-_") };
        uint32_t script = script_of_subtag(subtag);

        if (script)
            return script;
        at = subtag.at + subtag.len;
    }
    return known ? known->scripts : ASBI_SCRIPT_NONE;
}
