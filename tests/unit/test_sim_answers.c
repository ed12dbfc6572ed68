#include "engine/sim/provider.h"

#include "tests/support/sim_rig.h"

static void a_packed_request_is_answered_item_by_item(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    CHECK_INT(take(&r, CHAT, PACKED(THREE))->status, ==, 200);
    CHECK_STR(content(&r), "{\"items\":[{\"id\":\"a\",\"output\":\"óñé\"},"
                           "{\"id\":\"b\",\"output\":\"ťŵó\"},"
                           "{\"id\":\"c\",\"output\":\"ťĥřéé\"}]}");
    CHECK_STR(text_at(&r, "choices.0.finish_reason"), "stop");
    CHECK_STR(text_at(&r, "object"), "chat.completion");
    CHECK_INT(asbi_sim_provider_stats(r.p)->items, ==, 3);
    rig_free(&r);
}

static void ids_may_be_numbers_and_lengths_hold(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    take(&r, CHAT,
         PACKED("{\\\"id\\\":7,\\\"text\\\":\\\"abcdef\\\","
                "\\\"max_length\\\":2,\\\"note\\\":\\\"x\\\"}"));
    CHECK_STR(content(&r), "{\"items\":[{\"id\":7,\"output\":\"áḃ\"}]}");
    rig_free(&r);
}

static void the_items_are_those_at_the_end(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    /* An example before them, and a look-alike inside a text. */
    take(&r, CHAT,
         USER("\"Like {\\\"items\\\":[{\\\"id\\\":\\\"x\\\"}]} so: { "
              "\\\"items\\\" : [" ITEM(
                  "k", "{\\\\\\\"items\\\\\\\":[]}") "] } \\n\""));
    CHECK_STR(content(&r), "{\"items\":[{\"id\":\"k\",\"output\":"
                           "\"{\\\"items\\\":[]}\"}]}");
    rig_free(&r);
}

static void any_other_chat_is_localised(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    take(&r, CHAT,
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
         "\"no\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
         "\"Hi \"},{\"type\":\"text\",\"text\":\"{x}\"}]},{\"role\":"
         "\"assistant\",\"content\":\"no\"}]}");
    CHECK_STR(content(&r), "Ĥí {x}");
    CHECK_INT(asbi_sim_provider_stats(r.p)->items, ==, 1);
    rig_free(&r);
}

static void labels_are_chosen_from_the_schema(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    take(&r, CHAT,
         "{\"model\":\"m\",\"response_format\":{\"type\":\"json_schema\","
         "\"json_schema\":{\"schema\":{\"properties\":{\"items\":{\"items\":"
         "{\"properties\":{\"id\":{\"enum\":[\"no\"]},\"output\":{\"type\":"
         "\"string\",\"enum\":[\"spam\"]}}}}}}}},\"messages\":[{\"role\":"
         "\"user\",\"content\":\"{\\\"items\\\":[" ITEM("a", "x") "]}\"}]}");
    CHECK_STR(content(&r), "{\"items\":[{\"id\":\"a\",\"output\":\"spam\"}]}");
    rig_free(&r);
}

static void labels_are_chosen_from_the_prompt(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    take(
        &r, CHAT,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
        "\"- \\\"no\\\"\\nLabels:\\n- \\\"good\\\"\\n- \\\"bad\\\"\\n\\nx\\n- "
        "\\\"no\\\"\"},{\"role\":\"user\",\"content\":\"{\\\"items\\\":[" ITEM(
            "a",
            "x") "," ITEM("b",
                          "y") "," ITEM("c",
                                        "z") "," ITEM("d",
                                                      "w") "," ITEM("e",
                                                                    "v") "]}\"}"
                                                                         "]}");
    asbi_str text = content(&r);
    CHECK_INT(asbi_json_parse(r.inner, text.at, text.len), ==, ASB_OK);
    const struct asbi_json_node *items = find(r.inner, "items");
    const struct asbi_json_node *i = asbi_json_child(r.inner, items);
    for (; i; i = asbi_json_after(r.inner, items, i)) {
        asbi_str label = asbi_json_text(
            r.inner, asbi_json_get(r.inner, i, ASBI_STR("output")));
        CHECK(asbi_str_eq(label, ASBI_STR("good")) ||
              asbi_str_eq(label, ASBI_STR("bad")));
    }
    rig_free(&r);
}

static void max_tokens_cuts_the_answer(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });

    take(&r, CHAT,
         "{\"model\":\"m\",\"max_completion_tokens\":2,\"n\":3,\"messages\":"
         "[{\"role\":\"user\",\"content\":\"a b c d e\"}]}");
    CHECK_STR(content(&r), "á ḃ ");
    CHECK_STR(text_at(&r, "choices.2.message.content"), "á ḃ ");
    CHECK_STR(text_at(&r, "choices.0.finish_reason"), "length");
    CHECK_INT(number_at(&r, "usage.completion_tokens"), ==, 6);
    rig_free(&r);
}

/* The vector that `data` has for an index; what it has at that place. */
static asbi_str vector_of(struct rig *r, uint64_t index)
{
    char path[] = "data.0.embedding", at[] = "data.0.index";

    for (char i = '0'; i < '9'; i++) {
        path[5] = at[5] = i;
        if (number_at(r, at) == index)
            return find(r->json, path)->raw;
    }
    return ASBI_STR("");
}

static void embeddings_are_unit_vectors_by_text(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    double sum = 0, x, y;

    take(&r, "/v1/embeddings",
         "{\"model\":\"m\",\"input\":[\"a\",\"b\",\"a\",\"c\",\"d\",\"e\","
         "\"f\",\"g\",\"h\"]}");
    CHECK_INT(number_at(&r, "usage.prompt_tokens"), ==, 9);
    CHECK_INT(find(r.json, "data.0.embedding")->count, ==, 8);
    CHECK(asbi_str_eq(vector_of(&r, 0), vector_of(&r, 2)));
    CHECK(!asbi_str_eq(vector_of(&r, 0), vector_of(&r, 1)));
    for (char i = '0'; i < '8'; i++) {
        char path[] = "data.0.embedding.0";
        path[sizeof(path) - 2] = i;
        CHECK(asbi_json_double(find(r.json, path), &x));
        sum += x * x;
    }
    CHECK(sum > 0.999 && sum < 1.001);
    take(&r, "/v1/embeddings",
         "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":3}");
    CHECK_INT(number_at(&r, "data.0.index"), ==, 0);
    CHECK_INT(find(r.json, "data.0.embedding")->count, ==, 3);
    take(&r, "/v1/embeddings",
         "{\"model\":\"m\",\"input\":[1,2,3],\"dimensions\":2,"
         "\"encoding_format\":\"base64\"}");
    CHECK_INT(number_at(&r, "usage.prompt_tokens"), ==, 3);
    CHECK_INT(text_at(&r, "data.0.embedding").len, ==, 12);
    CHECK(!asbi_json_double(find(r.json, "data.0.embedding"), &y));
    rig_free(&r);
}

static void embeddings_come_in_an_order_of_their_own(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ 0 });
    uint64_t seen = 0;
    bool moved = false;

    take(&r, "/v1/embeddings",
         "{\"model\":\"m\",\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\","
         "\"g\",\"h\",\"i\"]}");
    for (uint64_t i = 0; i < 9; i++) {
        char at[] = "data.0.index";

        at[5] = (char)('0' + i);
        uint64_t index = number_at(&r, at);
        CHECK_INT(index, <, 9);
        moved = moved || index != i;
        seen |= UINT64_C(1) << index;
    }
    CHECK_INT(seen, ==, 511); /* each once */
    CHECK(moved);
    rig_free(&r);
}

static void a_stream_says_the_same_in_pieces(void)
{
    struct asbi_sim_options o = { 0 };
    struct asb_message why;
    char joined[4096];
    size_t len = 0;

    CHECK_INT(asbi_sim_latency_parse(ASBI_STR("base=100,per_output_token=10"),
                                     &o.latency, &why),
              ==, 0);
    struct rig r = rig_new(&o);
    struct asbi_sim_call *call = take(
        &r, CHAT,
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":"
        "{\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":"
        "\"The quick brown fox jumps over the lazy dog\"}]}");
    CHECK(call->stream && call->piece_count > 2);
    CHECK_INT(call->pieces[0].after_ns, ==, 100 * ASBI_MS);
    for (size_t i = 1; i < call->piece_count; i++) {
        CHECK(call->pieces[i].after_ns >= call->pieces[i - 1].after_ns);
        CHECK(call->pieces[i].end > call->pieces[i - 1].end);
    }
    CHECK(call->pieces[1].after_ns > call->pieces[0].after_ns);
    CHECK_INT(call->pieces[call->piece_count - 1].end, ==, call->body.len);

    asbi_str rest = asbi_buf_view(&call->body);
    uint64_t usage = 0;
    while (asbi_str_starts(rest, ASBI_STR("data: {"))) {
        const char *end = memchr(rest.at, '\n', rest.len);
        CHECK(end && end[1] == '\n');
        CHECK_INT(
            asbi_json_parse(r.json, rest.at + 6, (size_t)(end - rest.at) - 6),
            ==, ASB_OK);
        asbi_str part =
            asbi_json_text(r.json, find(r.json, "choices.0.delta.content"));
        memcpy(joined + len, part.at ? part.at : "", part.len);
        len += part.len;
        (void)asbi_json_u64(find(r.json, "usage.completion_tokens"), &usage);
        rest = asbi_str_of(end + 2, rest.len - (size_t)(end + 2 - rest.at));
    }
    CHECK_STR(rest, "data: [DONE]\n\n");
    CHECK_BYTES(joined, len, "Ťĥé ǫúíçķ ḃřóŵñ ḟóẋ ĵúṁṗš óṽéř ťĥé łážý đóĝ");
    CHECK_INT(call->pieces[call->piece_count - 1].after_ns, ==,
              (100 + 10 * usage) * ASBI_MS);
    rig_free(&r);
}

TEST_MAIN(CASE(a_packed_request_is_answered_item_by_item),
          CASE(ids_may_be_numbers_and_lengths_hold),
          CASE(the_items_are_those_at_the_end),
          CASE(any_other_chat_is_localised),
          CASE(labels_are_chosen_from_the_schema),
          CASE(labels_are_chosen_from_the_prompt),
          CASE(max_tokens_cuts_the_answer),
          CASE(embeddings_are_unit_vectors_by_text),
          CASE(embeddings_come_in_an_order_of_their_own),
          CASE(a_stream_says_the_same_in_pieces))
