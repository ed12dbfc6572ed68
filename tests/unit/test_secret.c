#include "config/secret.h"

#include "tests/support/check.h"

static void accepts(const char *reference)
{
    struct asb_message why = { "" };

    CHECK_INT(asbi_secret_check(asbi_str_c(reference), "api_key", &why), ==,
              ASB_OK);
    CHECK_BYTES(why.text, strlen(why.text), "");
}

/* The text of the reference must not be in the message: it may be a key. */
static void refuses(const char *reference, const char *part)
{
    struct asb_message why = { "" };

    CHECK_INT(
        asbi_secret_check(asbi_str_c(reference), "f.yaml:1:2: api_key", &why),
        ==, ASB_ECONFIG);
    CHECK(strncmp(why.text, "f.yaml:1:2: api_key: ", 21) == 0);
    CHECK(strstr(why.text, part) != NULL);
    const char *colon = strchr(reference, ':');
    const char *value = colon ? colon + 1 : reference;
    CHECK(!value[0] || !strstr(why.text, value));
}

static void references_are_accepted(void)
{
    accepts("");
    accepts("env:OPENAI_API_KEY");
    accepts("env:_k1");
    accepts("file:/run/secrets/key");
    accepts("file:./key file");
}

static void a_key_itself_is_refused_and_not_repeated(void)
{
    refuses("sk-proj-Abc123Secret", "never the key itself");
    refuses("env:sk-proj-Abc123Secret", "not its value");
    refuses("ENV:Abc123Secret", "never the key itself");
    refuses("https://x/Abc123Secret", "never the key itself");
}

static void references_to_nothing_are_refused(void)
{
    refuses("env:", "name of a variable");
    refuses("env:1ABCDEF", "name of a variable");
    refuses("env:A BCDEF", "name of a variable");
    refuses("file:", "path of a file");
    refuses("file:a\nbcdef", "path of a file");
}

static void a_reference_says_what_to_read(void)
{
    struct asbi_secret_source s;

    asbi_secret_source("env:MY_KEY", "USUAL", &s);
    CHECK_INT(s.kind, ==, ASBI_SECRET_VARIABLE);
    CHECK_BYTES(s.name, strlen(s.name), "MY_KEY");
    CHECK(s.by_reference);
    asbi_secret_source("file:/k/e:y", "USUAL", &s);
    CHECK_INT(s.kind, ==, ASBI_SECRET_FILE);
    CHECK_BYTES(s.name, strlen(s.name), "/k/e:y");
    CHECK(s.by_reference);
}

static void without_a_reference_the_usual_variable_is_read(void)
{
    struct asbi_secret_source s;

    asbi_secret_source("", "USUAL", &s);
    CHECK_INT(s.kind, ==, ASBI_SECRET_VARIABLE);
    CHECK_BYTES(s.name, strlen(s.name), "USUAL");
    CHECK(!s.by_reference);
    asbi_secret_source("", "", &s);
    CHECK_INT(s.kind, ==, ASBI_SECRET_NONE);
    CHECK(!s.by_reference);
}

static void a_key_loses_the_white_space_around_it(void)
{
    asbi_str key;

    CHECK_INT(asbi_secret_clean(ASBI_STR(" \tsk-123\r\n"), "K", &key, NULL), ==,
              ASB_OK);
    CHECK_STR(key, "sk-123");
}

static void is_no_key(const char *raw, size_t len, const char *message)
{
    struct asb_message why = { "" };
    asbi_str key;

    CHECK_INT(asbi_secret_clean(asbi_str_of(raw, len), "K", &key, &why), ==,
              ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text), message);
}

static void what_no_header_may_carry_is_no_key(void)
{
    char large[ASBI_SECRET_MAX + 1];

    is_no_key("", 0, "K: holds no key: it is empty");
    is_no_key(" \n", 2, "K: holds no key: it is empty");
    is_no_key("ab\r\nX-Evil: 1", 13,
              "K: holds more than a key: byte 3 is a space, a line break or "
              "not ASCII");
    is_no_key("a\0b", 3,
              "K: holds more than a key: byte 2 is a space, a line break or "
              "not ASCII");
    is_no_key("ab\xc3\xa9", 4,
              "K: holds more than a key: byte 3 is a space, a line break or "
              "not ASCII");
    is_no_key("Bearer k", 8,
              "K: holds more than a key: byte 7 is a space, a line break or "
              "not ASCII");
    is_no_key("a\x7f", 2,
              "K: holds more than a key: byte 2 is a space, a line break or "
              "not ASCII");
    memset(large, 'k', sizeof(large));
    is_no_key(large, sizeof(large),
              "K: holds 8193 bytes; a key has at most 8192");
}

TEST_MAIN(CASE(references_are_accepted),
          CASE(a_key_itself_is_refused_and_not_repeated),
          CASE(references_to_nothing_are_refused),
          CASE(a_reference_says_what_to_read),
          CASE(without_a_reference_the_usual_variable_is_read),
          CASE(a_key_loses_the_white_space_around_it),
          CASE(what_no_header_may_carry_is_no_key))
