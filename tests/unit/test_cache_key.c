/* What makes two requests the same, and what never does. */
#include "cache/key.h"

#include "cache/body.h"
#include "cache/record.h"
#include "engine/base/rng.h"
#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

struct request {
    struct asbi_cache_scope scope;
    struct asbi_cache_item item;
};

static struct asbi_json *json;
static struct asbi_digest *digest;

static const asbi_str choices[] = { { "spam", 4 }, { "ham", 3 } };

static struct request ordinary(void)
{
    return (struct request){
        .scope = { .dialect = ASBI_STR("openai"),
                   .model = ASBI_STR("m-1"),
                   .task = ASBI_STR("translate"),
                   .prompt = ASBI_STR("Translate into French."),
                   .choices = choices,
                   .choice_count = 2,
                   .temperature = -1 },
        .item = { .text = ASBI_STR("Open the door"), .packed = true },
    };
}

static void open_doors(void)
{
    json = asbi_json_new(&asbi_mem_system, 1 << 20);
    digest = asbi_digest_new();
    CHECK(json && digest);
}

static void close_doors(void)
{
    asbi_json_free(json);
    asbi_digest_free(digest);
}

static bool key_of(const struct request *r, bool shared,
                   struct asbi_cache_key *out)
{
    struct asbi_cache_hasher hasher = { shared ? digest : NULL, 42 };
    struct asbi_cache_key scope;
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 1 << 24);
    asbi_cache_put_scope(&b, &r->scope);
    CHECK(asbi_cache_key_of(&hasher, asbi_buf_view(&b), &scope));
    asbi_buf_clear(&b);
    bool settles = asbi_cache_put_item(&b, &scope, &r->item, json);
    CHECK(!asbi_buf_failed(&b));
    CHECK(asbi_cache_key_of(&hasher, asbi_buf_view(&b), out));
    asbi_buf_fini(&b);
    return settles;
}

static bool same(const struct request *a, const struct request *b)
{
    struct asbi_cache_key x, y;
    bool equal[2];

    for (int shared = 0; shared < 2; shared++) {
        (void)key_of(a, shared, &x);
        (void)key_of(b, shared, &y);
        equal[shared] = memcmp(&x, &y, sizeof(x)) == 0;
    }
    CHECK_INT(equal[0], ==, equal[1]);
    return equal[0];
}

/* Changes field `n` of a request; false past the last. */
static bool change(struct request *r, unsigned n)
{
    asbi_str *texts[] = { &r->scope.dialect, &r->scope.model, &r->scope.task,
                          &r->scope.prompt,  &r->item.tenant, &r->item.text,
                          &r->item.url };
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

    if (n < TEXTS)
        *texts[n] = ASBI_STR("another");
    else if (n == TEXTS)
        r->scope.choice_count = 1;
    else if (n == TEXTS + 1)
        r->scope.temperature = 0;
    else if (n == TEXTS + 2)
        r->scope.temperature = 0.5;
    else if (n == TEXTS + 3)
        r->item.payload = ASB_PROMPT;
    else if (n == TEXTS + 4)
        r->item.packed = false;
    else if (n == TEXTS + 5)
        r->item.max_length = 12;
    else
        return false;
    return true;
}

static void the_same_request_has_the_same_key(void)
{
    struct request a = ordinary(), b = ordinary();

    open_doors();
    CHECK(same(&a, &b));
    close_doors();
}

static void any_one_change_is_another_key(void)
{
    struct request all[16];
    unsigned count = 1;

    open_doors();
    all[0] = ordinary();
    for (unsigned n = 0;; n++, count++) {
        all[count] = ordinary();
        if (!change(&all[count], n))
            break;
    }
    CHECK_INT(count, ==, 14);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++)
            CHECK(!same(&all[i], &all[j]));
    }
    close_doors();
}

/* Texts of the same bytes, cut into fields at another place. */
static void no_text_reaches_into_the_next_field(void)
{
    static const char bytes[] = "abcdefgh";

    open_doors();
    for (size_t i = 0; i <= 8; i++) {
        for (size_t j = 0; j < i; j++) {
            struct request a = ordinary(), b = ordinary();

            a.item.tenant = asbi_str_of(bytes, i);
            a.item.text = asbi_str_of(bytes + i, 8 - i);
            b.item.tenant = asbi_str_of(bytes, j);
            b.item.text = asbi_str_of(bytes + j, 8 - j);
            CHECK(!same(&a, &b));
        }
    }
    close_doors();
}

/* Any flipped bit of a text is another text. */
static void every_bit_of_a_text_counts(void)
{
    struct asbi_rng rng;
    char text[300], twin[300];

    open_doors();
    asbi_rng_seed(&rng, 5);
    for (int round = 0; round < 300; round++) {
        size_t len = 1 + (size_t)asbi_rng_below(&rng, sizeof(text));
        size_t bit = (size_t)asbi_rng_below(&rng, 8 * len);
        struct request a = ordinary(), b = ordinary();

        for (size_t i = 0; i < len; i++)
            text[i] = (char)asbi_rng_below(&rng, 128);
        memcpy(twin, text, len);
        twin[bit / 8] = (char)(twin[bit / 8] ^ (1 << bit % 8));
        a.item.text = asbi_str_of(text, len);
        b.item.text = asbi_str_of(twin, len);
        CHECK(!same(&a, &b));
    }
    close_doors();
}

/* ---- bodies ----------------------------------------------------------- */

static struct request with_body(const char *body)
{
    struct request r = ordinary();

    r.item.payload = ASB_BODY;
    r.item.packed = false;
    r.item.text = asbi_str_of("", 0);
    r.item.body = asbi_str_c(body);
    return r;
}

static bool same_bodies(const char *x, const char *y)
{
    struct request a = with_body(x), b = with_body(y);

    return same(&a, &b);
}

static void form_and_names_of_the_user_do_not_count_in_a_body(void)
{
    open_doors();
    CHECK(same_bodies("{\"a\":1,\"b\":[true,\"x\"]}",
                      " { \"b\" : [ true , \"\\u0078\" ],\n\"a\":1}"));
    CHECK(same_bodies("{\"a\":1,\"user\":\"u\",\"metadata\":{\"k\":\"v\"},"
                      "\"store\":true,\"stream\":false}",
                      "{\"a\":1}"));
    CHECK(
        same_bodies("{\"m\":{\"x\":1,\"y\":2}}", "{\"m\":{\"y\":2,\"x\":1}}"));
    close_doors();
}

static void everything_else_in_a_body_counts(void)
{
    static const char *const bodies[] = {
        "{}",
        "{\"a\":1}",
        "{\"a\":2}",
        "{\"a\":\"1\"}",
        "{\"a\":[1]}",
        "{\"a\":[[1]]}",
        "{\"a\":[1,1]}",
        "{\"a\":{\"1\":1}}",
        "{\"a\":1,\"b\":1}",
        "{\"a\":1,\"stream\":true}",
        "{\"a\":1,\"stream\":null}",
        "{\"a\":{\"user\":\"u\"}}",
        "{\"a\":[{\"user\":\"u\"}]}",
        "{\"a\":[{}]}",
        "{\"a\":{}}",
        "{\"a\":null}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":2,\"a\":1}",
        "{\"a\":\"b\\\",\\\"c\"}",
        "[{\"a\":1}]",
        "{\"a\":1",
        "{\"a\":1}}",
    };
    enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };

    open_doors();
    for (size_t i = 0; i < BODIES; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(!same_bodies(bodies[i], bodies[j]));
    }
    close_doors();
}

static void many_members_are_sorted_whatever_their_order(void)
{
    struct asbi_buf up, down;

    open_doors();
    asbi_buf_init(&up, &asbi_mem_system, 1 << 20);
    asbi_buf_init(&down, &asbi_mem_system, 1 << 20);
    for (int i = 0; i < 500; i++) {
        asbi_buf_fmt(&up, "%c\"k%d\":%d", i ? ',' : '{', i * 7919 % 500, i);
        asbi_buf_fmt(&down, "%c\"k%d\":%d", i ? ',' : '{',
                     (499 - i) * 7919 % 500, 499 - i);
    }
    asbi_buf_char(&up, '}');
    asbi_buf_char(&down, '}');
    CHECK(same_bodies(asbi_buf_cstr(&up), asbi_buf_cstr(&down)));
    asbi_buf_fini(&up);
    asbi_buf_fini(&down);
    close_doors();
}

static bool settles(const char *body, const char *url)
{
    struct request r = with_body(body);
    struct asbi_cache_key key;

    r.item.url = asbi_str_c(url);
    return key_of(&r, false, &key);
}

static void only_a_settled_answer_may_be_shared(void)
{
    open_doors();
    CHECK(settles("{\"messages\":[]}", ""));
    CHECK(settles("{\"temperature\":0,\"n\":1}", "/v1/chat/completions"));
    CHECK(settles("{\"temperature\":null}", "/v1/embeddings"));
    CHECK(!settles("{\"temperature\":0.2}", ""));
    CHECK(!settles("{\"temperature\":\"hot\"}", ""));
    CHECK(!settles("{\"n\":2}", ""));
    CHECK(!settles("{\"previous_response_id\":\"r\"}", "/v1/responses"));
    CHECK(!settles("{\"web_search_options\":{}}", ""));
    CHECK(!settles("{\"search_parameters\":{\"mode\":\"auto\"}}", ""));
    CHECK(!settles("{\"tools\":[{\"type\":\"web_search\"}]}", "/v1/responses"));
    CHECK(!settles("{\"tools\":[{\"type\":\"function\"},{\"type\":"
                   "\"web_search_20250305\",\"name\":\"w\"}]}",
                   "/v1/messages"));
    CHECK(!settles("{\"tools\":[{\"google_search\":{}}]}", ""));
    CHECK(settles("{\"tools\":[{\"type\":\"function\",\"function\":{}}]}", ""));
    CHECK(settles("{\"tools\":[{\"name\":\"f\",\"input_schema\":{}}]}", ""));
    CHECK(settles("{\"tools\":[{\"functionDeclarations\":[]}]}", ""));
    CHECK(settles("{\"tools\":[]}", ""));
    CHECK(settles("{\"generationConfig\":{\"temperature\":0,"
                  "\"candidateCount\":1}}",
                  ""));
    CHECK(!settles("{\"generationConfig\":{\"temperature\":1}}", ""));
    CHECK(!settles("{\"generationConfig\":{\"candidateCount\":2}}", ""));
    CHECK(!settles("{}", "/v1/images/generations"));
    CHECK(!settles("[]", ""));
    CHECK(!settles("{", ""));
    close_doors();
}

static int life_of_a_key(const struct asbi_mem *mem, void *arg)
{
    struct request r = with_body("{\"a\":{\"b\":\"\\u0078\"},\"c\":[1]}");
    struct asbi_cache_key scope = { { 0 } };
    struct asbi_buf b;

    (void)arg;
    asbi_buf_init(&b, mem, 1 << 20);
    (void)asbi_cache_put_item(&b, &scope, &r.item, json);
    int rc = asbi_buf_failed(&b) ? ASB_ENOMEM : ASB_OK;
    asbi_buf_fini(&b);
    return rc;
}

static void a_body_that_finds_no_memory_fails_its_buffer(void)
{
    open_doors();
    CHECK_INT(fault_sweep(life_of_a_key, NULL), >, 0);
    close_doors();
}

/* ---- records ---------------------------------------------------------- */

static struct asbi_cache_answer an_answer(void)
{
    return (struct asbi_cache_answer){
        .output = ASBI_STR("Ouvrez la porte"),
        .body = ASBI_STR("{\"id\":1}"),
        .output_is_json = true,
        .http_status = 200,
        .usage = { 31, 3, 12 },
        .cost_nano_usd = 11400,
    };
}

static void a_record_gives_back_what_was_put_in(void)
{
    struct asbi_cache_key key = { { 1, 2, 3 } };
    struct asbi_cache_answer in = an_answer(), out;
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 4096);
    asbi_cache_record_write(&b, &key, &in);
    CHECK(asbi_cache_record_read(asbi_buf_view(&b), &key, &out));
    CHECK_STR(out.output, "Ouvrez la porte");
    CHECK_STR(out.body, "{\"id\":1}");
    CHECK(out.output_is_json);
    CHECK_INT(out.http_status, ==, 200);
    CHECK_INT(out.usage.input_tokens, ==, 31);
    CHECK_INT(out.usage.cached_tokens, ==, 3);
    CHECK_INT(out.usage.output_tokens, ==, 12);
    CHECK_INT(out.cost_nano_usd, ==, 11400);
    asbi_buf_fini(&b);
}

static void every_flipped_bit_and_every_cut_is_seen(void)
{
    struct asbi_cache_key key = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
    struct asbi_cache_answer in = an_answer(), out;
    struct asbi_buf b;

    asbi_buf_init(&b, &asbi_mem_system, 4096);
    asbi_cache_record_write(&b, &key, &in);
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        char was = b.data[bit / 8];

        b.data[bit / 8] = (char)(was ^ (1 << bit % 8));
        CHECK(!asbi_cache_record_read(asbi_buf_view(&b), &key, &out));
        b.data[bit / 8] = was;
    }
    for (size_t len = 0; len < b.len; len++) {
        char *cut = malloc(len ? len : 1); /* so that reading past it shows */

        memcpy(cut, b.data, len);
        CHECK(!asbi_cache_record_read(asbi_str_of(cut, len), &key, &out));
        free(cut);
    }
    CHECK(!asbi_cache_record_read(asbi_buf_view(&b), &other, &out));
    CHECK(asbi_cache_record_read(asbi_buf_view(&b), &key, &out));
    asbi_buf_fini(&b);
}

TEST_MAIN(CASE(the_same_request_has_the_same_key),
          CASE(any_one_change_is_another_key),
          CASE(no_text_reaches_into_the_next_field),
          CASE(every_bit_of_a_text_counts),
          CASE(form_and_names_of_the_user_do_not_count_in_a_body),
          CASE(everything_else_in_a_body_counts),
          CASE(many_members_are_sorted_whatever_their_order),
          CASE(only_a_settled_answer_may_be_shared),
          CASE(a_body_that_finds_no_memory_fails_its_buffer),
          CASE(a_record_gives_back_what_was_put_in),
          CASE(every_flipped_bit_and_every_cut_is_seen))
