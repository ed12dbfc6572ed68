#include "engine/sim/provider.h"

#include "tests/support/fault_mem.h"
#include "tests/support/sim_rig.h"

/* ---- faults ----------------------------------------------------------- */

static void errors_come_in_three_kinds(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .error_rate = 1 });
    unsigned seen[3] = { 0 };

    for (int i = 0; i < 60; i++) {
        int status = take(&r, CHAT, USER("\"x\""))->status;
        CHECK(status == 500 || status == 502 || status == 503);
        seen[status == 500 ? 0 : status - 501]++;
        CHECK(strcmp(header_of(r.call, "Content-Type"),
                     status == 502 ? "text/html" : "application/json") == 0);
        if (status != 502)
            CHECK(text_at(&r, "error.type").len > 0);
    }
    CHECK(seen[0] > 5 && seen[1] > 5 && seen[2] > 5);
    CHECK_INT(asbi_sim_provider_stats(r.p)->billed_nano_usd, ==, 0);
    CHECK_INT(asbi_sim_provider_stats(r.p)->items, ==, 0);
    rig_free(&r);
}

static void fault_rates_are_kept(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){
        .error_rate = 0.1, .drop_item_rate = 0.2, .disconnect_rate = 0.3 });
    const struct asbi_sim_stats *s = asbi_sim_provider_stats(r.p);

    for (int i = 0; i < 2000; i++)
        take(&r, CHAT, PACKED(THREE));
    uint64_t errors = s->status[500] + s->status[502] + s->status[503];
    CHECK(errors > 150 && errors < 250);
    CHECK_INT(s->items, ==, (2000 - errors) * 3);
    CHECK(s->dropped > 950 && s->dropped < 1210);
    CHECK(s->disconnects > 460 && s->disconnects < 620);
    rig_free(&r);
}

static void a_disconnect_is_inside_the_body_or_before_it(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .disconnect_rate = 1 });
    unsigned silent = 0;

    for (int i = 0; i < 200; i++) {
        take(&r, CHAT, PACKED(THREE));
        CHECK(r.call->cut_at > 0 && r.call->cut_at < r.call->body.len);
        silent += r.call->silent;
    }
    CHECK(silent > 20 && silent < 100);
    rig_free(&r);
}

static void a_truncated_answer_says_so(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .truncate_rate = 1 });

    for (int i = 0; i < 50; i++) {
        take(&r, CHAT, PACKED(ITEM("a", "你好世界你好世界")));
        CHECK_STR(text_at(&r, "choices.0.finish_reason"), "length");
        asbi_str text = content(&r);
        CHECK(asbi_json_parse(r.inner, text.at, text.len) != ASB_OK);
        CHECK(asbi_utf8_valid(text.at, text.len));
    }
    rig_free(&r);
}

/* What a reader sees of a garbled answer to items a, b and c. */
struct sight {
    bool json, fenced, prose_before;
    unsigned known, unknown, not_text;
    bool differing;
};

static asbi_str between_braces(asbi_str s)
{
    const char *from = memchr(s.at, '{', s.len);
    size_t end = s.len;

    while (end > 0 && s.at[end - 1] != '}')
        end--;
    return from && s.at + end > from
               ? asbi_str_of(from, (size_t)(s.at + end - from))
               : asbi_str_of(s.at, 0);
}

static void look_at_items(struct rig *r, struct sight *sight)
{
    const struct asbi_json_node *items = find(r->inner, "items");
    const struct asbi_json_node *i = asbi_json_child(r->inner, items);
    asbi_str last_id = { "", 0 }, last_output = { "", 0 };

    for (; i; i = asbi_json_after(r->inner, items, i)) {
        asbi_str id = asbi_json_text(
            r->inner, asbi_json_get(r->inner, i, ASBI_STR("id")));
        asbi_str output = asbi_json_text(
            r->inner, asbi_json_get(r->inner, i, ASBI_STR("output")));
        bool known = id.len == 1 && strchr("abc", id.at[0]);

        sight->known += known;
        sight->unknown += !known;
        sight->not_text += output.at == NULL;
        sight->differing |=
            asbi_str_eq(id, last_id) && !asbi_str_eq(output, last_output);
        last_id = id;
        last_output = output;
    }
}

static struct sight look(struct rig *r)
{
    asbi_str text = content(r);
    asbi_str inner = between_braces(text);
    struct sight sight = {
        .fenced = asbi_str_starts(text, ASBI_STR("```")),
        .prose_before = text.at[0] != '{' && text.at[0] != '`',
    };

    sight.json =
        inner.len && asbi_json_parse(r->inner, inner.at, inner.len) == ASB_OK;
    if (sight.json)
        look_at_items(r, &sight);
    return sight;
}

static void every_kind_of_garbage_is_seen(void)
{
    struct rig r = rig_new(&(struct asbi_sim_options){ .garbage_rate = 1 });
    unsigned kinds[8] = { 0 };

    for (int i = 0; i < 400; i++) {
        take(&r, CHAT, PACKED(THREE));
        struct sight s = look(&r);
        bool whole = s.json && s.known == 3 && !s.unknown && !s.not_text;
        kinds[0] += !s.json && s.prose_before;  /* prose alone */
        kinds[1] += !s.json && !s.prose_before; /* broken JSON */
        kinds[2] += whole && s.prose_before;
        kinds[3] += whole && s.fenced;
        kinds[4] += s.json && !s.known && s.unknown == 3; /* wrong ids */
        kinds[5] += s.json && s.known == 6 && s.differing;
        kinds[6] += s.json && s.known == 3 && s.unknown == 2; /* extra */
        kinds[7] += s.json && s.not_text == 3;
    }
    unsigned sum = 0;
    for (int i = 0; i < 8; i++) {
        CHECK(kinds[i] > 20);
        sum += kinds[i];
    }
    CHECK_INT(sum, ==, 400);
    rig_free(&r);
}

static void prices_of_one_and_two(void *arg, const char *name,
                                  struct asbi_sim_model *out)
{
    (void)arg;
    (void)name;
    *out = (struct asbi_sim_model){ .input_price = 1000000,
                                    .output_price = 2000000,
                                    .context_tokens = 20,
                                    .max_output_tokens = 2 };
}

/* ---- books ------------------------------------------------------------ */

static void the_bill_is_the_sum_of_the_answers(void)
{
    struct rig r =
        rig_new(&(struct asbi_sim_options){ .error_rate = 0.2,
                                            .drop_item_rate = 0.2,
                                            .truncate_rate = 0.2,
                                            .garbage_rate = 0.2,
                                            .model = prices_of_one_and_two });
    const struct asbi_sim_stats *s = asbi_sim_provider_stats(r.p);
    uint64_t in = 0, out = 0;
    int64_t usd = 0;

    for (int i = 0; i < 300; i++) {
        take(&r, CHAT, USER("\"one two three\""));
        if (r.call->status != 200)
            continue;
        uint64_t i1 = number_at(&r, "usage.prompt_tokens");
        uint64_t o1 = number_at(&r, "usage.completion_tokens");
        in += i1;
        out += o1;
        usd += (int64_t)(i1 + 2 * o1); /* prices of 1 and 2 nano-dollars */
    }
    CHECK(in > 0 && out > 0);
    CHECK_INT(s->billed_input, ==, in);
    CHECK_INT(s->billed_output, ==, out);
    CHECK_INT(s->billed_nano_usd, ==, usd);
    CHECK_INT(s->calls, ==, 300);
    take(&r, "/stats", "");
    CHECK_INT(number_at(&r, "billed_input_tokens"), ==, in);
    CHECK_INT(number_at(&r, "billed_output_tokens"), ==, out);
    CHECK_INT(number_at(&r, "calls"), ==, 300);
    CHECK_INT(number_at(&r, "status.200") + number_at(&r, "status.500") +
                  number_at(&r, "status.502") + number_at(&r, "status.503"),
              ==, 300);
    CHECK_INT(number_at(&r, "max_in_flight"), ==, 1);
    rig_free(&r);
}

static void the_same_seed_answers_the_same(void)
{
    struct asbi_sim_options o = {
        .error_rate = 0.2, .garbage_rate = 0.3, .drop_item_rate = 0.2, .seed = 9
    };
    struct rig a = rig_new(&o), b = rig_new(&o);
    unsigned differing = 0;

    o.seed = 10;
    struct rig c = rig_new(&o);
    for (int i = 0; i < 100; i++) {
        take(&a, CHAT, PACKED(THREE));
        take(&b, CHAT, PACKED(THREE));
        take(&c, CHAT, PACKED(THREE));
        CHECK(asbi_str_eq(asbi_buf_view(&a.call->body),
                          asbi_buf_view(&b.call->body)));
        differing += !asbi_str_eq(asbi_buf_view(&a.call->body),
                                  asbi_buf_view(&c.call->body));
    }
    CHECK(differing > 90); /* ids alone differ */
    rig_free(&a);
    rig_free(&b);
    rig_free(&c);
}

struct question {
    const char *path, *body;
};

static int life(const struct asbi_mem *mem, void *arg)
{
    const struct question *q = arg;
    struct asbi_sim_request request = { .method = ASBI_STR("POST"),
                                        .path = asbi_str_c(q->path),
                                        .body = asbi_str_c(q->body) };
    struct asbi_sim_options o = { .rpm = 1, .capacity = 1 };
    struct asbi_sim_provider *p;
    int rc = asbi_sim_provider_new(mem, &o, &p);

    for (uint64_t i = 0; !rc && i < 3; i++) { /* answered, refused, waiting */
        struct asbi_sim_call *call;
        rc = asbi_sim_provider_take(p, &request, i / 2 * 60 * ASBI_SECOND,
                                    &call);
        if (rc)
            break;
        if (i < 2)
            asbi_sim_provider_finish(p, call, 0);
        asbi_sim_call_free(call);
    }
    asbi_sim_provider_free(p);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    static struct question table[] = {
        { CHAT, PACKED(THREE) },
        { CHAT, "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":"
                "\"user\",\"content\":[{\"text\":\"a b \\u0041\"}]}]}" },
        { "/v1/embeddings", "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        CHECK_INT(fault_sweep_spared(life, &table[i]), >, 0);
}

/* Every request cut at every byte, and with one byte flipped, is answered. */
static void hostile_bodies_are_answered(void)
{
    static const char body[] =
        "{\"model\":\"m\",\"stream\":false,\"n\":1,\"max_tokens\":50,"
        "\"response_format\":{\"output\":{\"enum\":[\"a\",1]}},\"messages\":[{"
        "\"role\":\"system\",\"content\":\"Labels:\\n- \\\"x\\\"\"},{\"role\":"
        "\"user\",\"content\":\"{\\\"items\\\":[{\\\"id\\\":\\\"k\\\","
        "\\\"text\\\":\\\"t\\\",\\\"max_length\\\":3}]}\"}]}";
    struct rig r = rig_new(&(struct asbi_sim_options){ .garbage_rate = 0.5 });
    char copy[sizeof(body)];

    for (size_t len = 0; len < sizeof(body); len++) {
        drop_call(&r);
        memcpy(copy, body, sizeof(body));
        take_at(&r, "POST", CHAT, asbi_str_of(copy, len), 0);
        CHECK_INT(r.call->status, ==, len == sizeof(body) - 1 ? 200 : 400);
        copy[len] = (char)(copy[len] ^ 2);
        drop_call(&r);
        take_at(&r, "POST", CHAT, asbi_str_of(copy, sizeof(copy) - 1), 0);
        CHECK(r.call->status == 200 || r.call->status == 400);
    }
    rig_free(&r);
}

TEST_MAIN(CASE(errors_come_in_three_kinds), CASE(fault_rates_are_kept),
          CASE(a_disconnect_is_inside_the_body_or_before_it),
          CASE(a_truncated_answer_says_so), CASE(every_kind_of_garbage_is_seen),
          CASE(the_bill_is_the_sum_of_the_answers),
          CASE(the_same_seed_answers_the_same),
          CASE(every_failed_allocation_is_survived),
          CASE(hostile_bodies_are_answered))
