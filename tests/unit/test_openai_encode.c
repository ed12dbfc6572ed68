#include "adapters/dialect.h"

#include "engine/base/json.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

enum { BODY_MAX = 1 << 20 };

static const struct asbi_prompt_item two[] = {
    { .wire_id = { "k3", 2 }, .text = { "One\n\"two\"\t\\", 11 } },
    { .wire_id = { "x9", 2 },
      .text = { "\xe4\xbd\xa0\x01", 4 },
      .complaint = { "lost \"{0}\"", 10 },
      .max_length = 12 },
};

static struct asbi_packed_request packed_two(void)
{
    return (struct asbi_packed_request){
        .system = ASBI_STR("Translate.\nAnswer in JSON."),
        .items = two,
        .count = 2,
    };
}

static const struct asbi_call_style plain = {
    .model = "gpt-4o-mini",
    .temperature = -1,
};

static const struct asbi_dialect *openai(void)
{
    const struct asbi_dialect *d = asbi_dialect_find("openai");

    CHECK(d != NULL);
    return d;
}

static struct asbi_buf body;

static asbi_str encode_packed(const struct asbi_packed_request *request,
                              const struct asbi_call_style *style)
{
    asbi_buf_fini(&body);
    asbi_buf_init(&body, &asbi_mem_system, BODY_MAX);
    openai()->encode_packed(request, style, &body);
    CHECK(!asbi_buf_failed(&body));
    return asbi_buf_view(&body);
}

static asbi_str encode_single(const struct asbi_single_request *request,
                              const struct asbi_call_style *style)
{
    asbi_buf_fini(&body);
    asbi_buf_init(&body, &asbi_mem_system, BODY_MAX);
    openai()->encode_single(request, style, &body);
    CHECK(!asbi_buf_failed(&body));
    return asbi_buf_view(&body);
}

static bool has(asbi_str text, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.at + i, what, len) == 0)
            return true;
    }
    return false;
}

static void dialects_are_found_by_name(void)
{
    CHECK_BYTES(openai()->name, strlen(openai()->name), "openai");
    CHECK(asbi_dialect_find("nobody") == NULL);
}

static void headers_carry_the_key(void)
{
    struct asbi_buf lines;

    asbi_buf_init(&lines, &asbi_mem_system, 1000);
    openai()->headers(ASBI_STR("sk-1"), &plain, &lines);
    CHECK(asbi_str_eq(asbi_buf_view(&lines),
                      ASBI_STR("Content-Type: application/json\0"
                               "Authorization: Bearer sk-1\0")));
    asbi_buf_clear(&lines);
    openai()->headers(ASBI_STR(""), &plain, &lines);
    CHECK(asbi_str_eq(asbi_buf_view(&lines),
                      ASBI_STR("Content-Type: application/json\0")));
    asbi_buf_clear(&lines);
    openai()->headers(ASBI_STR("a\r\nX-Evil: 1"), &plain, &lines);
    CHECK(asbi_str_eq(asbi_buf_view(&lines),
                      ASBI_STR("Content-Type: application/json\0")));
    asbi_buf_fini(&lines);
}

static void a_packed_request_is_written_to_the_byte(void)
{
    struct asbi_packed_request request = packed_two();

    CHECK_STR(encode_packed(&request, &plain),
              "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"system\","
              "\"content\":\"Translate.\\nAnswer in JSON.\"},{\"role\":"
              "\"user\",\"content\":\"{\\\"items\\\":[{\\\"id\\\":\\\"k3\\\","
              "\\\"text\\\":\\\"One\\\\n\\\\\\\"two\\\\\\\"\\\\u0009\\\\\\\\"
              "\\\"},{\\\"id\\\":\\\"x9\\\",\\\"text\\\":\\\"\xe4\xbd\xa0"
              "\\\\u0001\\\",\\\"max_length\\\":12,\\\"note\\\":\\\"lost "
              "\\\\\\\"{0}\\\\\\\"\\\"}]}\"}]}");
    asbi_buf_fini(&body);
}

/* The content of the last message of a body, as the server will read it. */
static asbi_str last_content(struct asbi_json *json, asbi_str text)
{
    CHECK_INT(asbi_json_parse(json, text.at, text.len), ==, ASB_OK);
    const struct asbi_json_node *messages =
        asbi_json_get(json, asbi_json_root(json), ASBI_STR("messages"));
    const struct asbi_json_node *m = asbi_json_child(json, messages), *last;

    for (last = m; m; m = asbi_json_after(json, messages, m))
        last = m;
    return asbi_json_text(json, asbi_json_get(json, last, ASBI_STR("content")));
}

static void the_server_reads_what_was_meant(void)
{
    struct asbi_packed_request request = packed_two();
    struct asbi_json *outer = asbi_json_new(&asbi_mem_system, BODY_MAX);
    struct asbi_json *inner = asbi_json_new(&asbi_mem_system, BODY_MAX);

    CHECK(outer && inner);
    asbi_str content = last_content(outer, encode_packed(&request, &plain));
    CHECK_INT(asbi_json_parse(inner, content.at, content.len), ==, ASB_OK);
    const struct asbi_json_node *items =
        asbi_json_get(inner, asbi_json_root(inner), ASBI_STR("items"));
    const struct asbi_json_node *item = asbi_json_child(inner, items);
    for (size_t i = 0; i < 2; i++) {
        CHECK(item != NULL);
        asbi_str id =
            asbi_json_text(inner, asbi_json_get(inner, item, ASBI_STR("id")));
        asbi_str text =
            asbi_json_text(inner, asbi_json_get(inner, item, ASBI_STR("text")));
        CHECK(asbi_str_eq(id, two[i].wire_id));
        CHECK(asbi_str_eq(text, two[i].text));
        item = asbi_json_after(inner, items, item);
    }
    asbi_json_free(outer);
    asbi_json_free(inner);
    asbi_buf_fini(&body);
}

static void what_does_not_change_comes_first(void)
{
    static const struct asbi_prompt_item other = { .wire_id = { "q", 1 },
                                                   .text = { "Bye", 3 } };
    struct asbi_call_style style = plain;
    struct asbi_packed_request request = packed_two();
    char first[4096];

    style.structured = style.stream = true;
    style.temperature = 0.2;
    style.max_output_tokens = 100;
    asbi_str text = encode_packed(&request, &style);
    size_t len = text.len;
    CHECK(len < sizeof(first));
    memcpy(first, text.at, len);
    request.items = &other;
    request.count = 1;
    style.max_output_tokens = 7;
    text = encode_packed(&request, &style);
    size_t same = 0;
    while (same < len && same < text.len && first[same] == text.at[same])
        same++;
    const char *user = "\"role\":\"user\",\"content\":\"{\\\"items\\\":[{"
                       "\\\"id\\\":\\\"";
    CHECK(same >= strlen(user));
    CHECK_BYTES(first + same - strlen(user), strlen(user), user);
    asbi_buf_fini(&body);
}

static void an_answer_can_be_held_to_a_schema(void)
{
    static const asbi_str choices[] = { { "good", 4 }, { "b\"d", 3 } };
    struct asbi_packed_request request = packed_two();
    struct asbi_call_style style = plain;

    style.structured = style.json_mode = true;
    asbi_str text = encode_packed(&request, &style);
    CHECK(has(text, ",\"response_format\":{\"type\":\"json_schema\","
                    "\"json_schema\":{\"name\":\"answers\",\"strict\":true,"
                    "\"schema\":{\"type\":\"object\",\"properties\":{\"items\":"
                    "{\"type\":\"array\",\"items\":{\"type\":\"object\","
                    "\"properties\":{\"id\":{\"type\":\"string\"},\"output\":{"
                    "\"type\":\"string\"}},\"required\":[\"id\",\"output\"],"
                    "\"additionalProperties\":false}}},\"required\":[\"items\"]"
                    ",\"additionalProperties\":false}}},\"messages\":"));
    request.choices = choices;
    request.choice_count = 2;
    CHECK(has(encode_packed(&request, &style),
              "\"output\":{\"type\":\"string\",\"enum\":[\"good\",\"b\\\"d\"]"
              "}}"));
    style.structured = false;
    text = encode_packed(&request, &style);
    CHECK(has(text, ",\"response_format\":{\"type\":\"json_object\"},"));
    CHECK(!has(text, "json_schema"));
    style.json_mode = false;
    CHECK(!has(encode_packed(&request, &style), "response_format"));
    asbi_buf_fini(&body);
}

static void too_many_choices_are_left_to_the_prompt(void)
{
    static asbi_str choices[501];
    struct asbi_packed_request request = packed_two();
    struct asbi_call_style style = plain;

    for (size_t i = 0; i < 501; i++)
        choices[i] = ASBI_STR("x");
    style.structured = true;
    request.choices = choices;
    request.choice_count = 500;
    CHECK(has(encode_packed(&request, &style), "\"enum\":["));
    request.choice_count = 501;
    CHECK(!has(encode_packed(&request, &style), "\"enum\":["));
    asbi_buf_fini(&body);
}

static void style_is_sent_only_where_it_is_wished(void)
{
    struct asbi_packed_request request = packed_two();
    struct asbi_call_style style = plain;
    asbi_str text = encode_packed(&request, &style);

    CHECK(!has(text, "temperature"));
    CHECK(!has(text, "stream"));
    CHECK(!has(text, "max_tokens"));
    style.temperature = 0;
    style.stream = true;
    style.max_output_tokens = 512;
    text = encode_packed(&request, &style);
    CHECK(has(text, ",\"temperature\":0,"));
    CHECK(has(text,
              ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"));
    CHECK(has(text, "],\"max_tokens\":512}"));
    style.max_completion_tokens = true;
    text = encode_packed(&request, &style);
    CHECK(has(text, "],\"max_completion_tokens\":512}"));
    CHECK(!has(text, "\"max_tokens\""));
    asbi_buf_fini(&body);
}

static void a_body_passes_through_untouched(void)
{
    struct asbi_single_request request = {
        .system = ASBI_STR("ignored"),
        .text = ASBI_STR("ignored"),
        .messages = ASBI_STR("[]"),
        .body = ASBI_STR(" {\"model\" : \"x\",\"n\":1.0e0, \"\\u0041\":1}\n"),
    };
    struct asbi_call_style style = plain;

    style.stream = true;
    style.max_output_tokens = 5;
    CHECK(asbi_str_eq(encode_single(&request, &style), request.body));
    asbi_buf_fini(&body);
}

static void messages_are_spliced_in_as_they_are(void)
{
    struct asbi_single_request request = {
        .system = ASBI_STR("ignored"),
        .messages = ASBI_STR("[ {\"role\":\"user\",\"content\":\"\\u0041\"} ]"),
    };
    struct asbi_call_style style = plain;

    style.max_output_tokens = 5;
    style.temperature = 0.5;
    CHECK_STR(encode_single(&request, &style),
              "{\"model\":\"gpt-4o-mini\",\"temperature\":0.5,\"messages\":"
              "[ {\"role\":\"user\",\"content\":\"\\u0041\"} ],"
              "\"max_tokens\":5}");
    asbi_buf_fini(&body);
}

static void a_text_becomes_a_user_message(void)
{
    struct asbi_single_request request = { .text = ASBI_STR("Say \"hi\"") };

    CHECK_STR(encode_single(&request, &plain),
              "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\","
              "\"content\":\"Say \\\"hi\\\"\"}]}");
    request.system = ASBI_STR("Be brief.");
    CHECK_STR(encode_single(&request, &plain),
              "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"system\","
              "\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":"
              "\"Say \\\"hi\\\"\"}]}");
    asbi_buf_fini(&body);
}

static void a_body_that_is_too_large_fails_the_buffer(void)
{
    struct asbi_packed_request request = packed_two();
    struct asbi_buf small;

    asbi_buf_init(&small, &asbi_mem_system, 100);
    openai()->encode_packed(&request, &plain, &small);
    CHECK(asbi_buf_failed(&small));
    asbi_buf_fini(&small);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_packed_request request = packed_two();
    struct asbi_call_style style = plain;
    struct asbi_buf out;

    (void)arg;
    style.structured = true;
    asbi_buf_init(&out, mem, BODY_MAX);
    openai()->encode_packed(&request, &style, &out);
    int rc = asbi_buf_failed(&out) ? ASB_ENOMEM : ASB_OK;
    asbi_buf_fini(&out);
    return rc;
}

static void every_failed_allocation_fails_the_buffer(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(dialects_are_found_by_name), CASE(headers_carry_the_key),
          CASE(a_packed_request_is_written_to_the_byte),
          CASE(the_server_reads_what_was_meant),
          CASE(what_does_not_change_comes_first),
          CASE(an_answer_can_be_held_to_a_schema),
          CASE(too_many_choices_are_left_to_the_prompt),
          CASE(style_is_sent_only_where_it_is_wished),
          CASE(a_body_passes_through_untouched),
          CASE(messages_are_spliced_in_as_they_are),
          CASE(a_text_becomes_a_user_message),
          CASE(a_body_that_is_too_large_fails_the_buffer),
          CASE(every_failed_allocation_fails_the_buffer))
