#include "adapters/task.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asbi_task *task_of(const struct asbi_mem *mem, const char *name,
                                 const char *instructions)
{
    struct asbi_task_material material = {
        .instructions = asbi_str_c(instructions),
    };
    struct asbi_task *task;

    return asbi_task_new(mem, name, &material, &task, NULL) ? NULL : task;
}

struct rendered {
    const char *template, *text, *fields;
    const char *prompt; /* NULL: refused with ... */
    const char *code, *message;
};

static void try_render(const struct rendered *r)
{
    struct asbi_task *task = task_of(&asbi_mem_system, "prompt", r->template);
    struct asbi_verdict_on_item verdict;
    struct asbi_buf out;

    CHECK(task);
    asbi_buf_init(&out, &asbi_mem_system, 4096);
    asbi_buf_c(&out, ">");
    bool ok = asbi_task_render(task, asbi_str_c(r->text), asbi_str_c(r->fields),
                               &out, &verdict);
    if (ok != !r->code)
        check_fail(r->template, 0, "rendered %d: %s", ok, verdict.message);
    if (ok) {
        CHECK(!asbi_buf_failed(&out));
        CHECK(!verdict.code);
        CHECK_BYTES(out.data + 1, out.len - 1, r->prompt);
    } else {
        CHECK_BYTES(verdict.code, strlen(verdict.code), r->code);
        CHECK_BYTES(verdict.message, strlen(verdict.message), r->message);
        CHECK(!verdict.retryable);
        CHECK_BYTES(out.data, out.len, ">"); /* nothing half done */
    }
    asbi_buf_fini(&out);
    asbi_task_free(task);
}

#define LACKS "the item lacks a field of the template: "
static void a_template_is_filled_in_from_fields(void)
{
    static const struct rendered rows[] = {
        { "Say {{a}} to {{b}}.", NULL, "{\"a\":\"hi\",\"b\":\"Bob\"}",
          "Say hi to Bob.", NULL, NULL },
        { "{{a}}{{a}}", NULL, "{\"a\":\"x\"}", "xx", NULL, NULL },
        { "{{ a }}", NULL, "{\"a\":\"x\\n\\u706b\"}", "x\n火", NULL, NULL },
        { "n={{n}} ok={{ok}} l={{l}} o={{o}}", NULL,
          "{\"n\":1.50,\"ok\":true,\"l\":[1, 2],\"o\":{\"k\":null}}",
          "n=1.50 ok=true l=[1, 2] o={\"k\":null}", NULL, NULL },
        { "Text: {{text}}", "火", NULL, "Text: 火", NULL, NULL },
        { "Text: {{text}}", "火", "{\"text\":\"水\"}", "Text: 水", NULL, NULL },
        { "{{имя}}", NULL, "{\"имя\":\"Аня\"}", "Аня", NULL, NULL },
        { "{{a}}", NULL, "{\"a\":\"{{b}}\"}", "{{b}}", NULL, NULL },
        { "{{a}}", NULL, "{\"a\":\"\"}", "", NULL, NULL },
        { "{ {a} {{ }} {{a b}} {{x", "t", NULL, "t", NULL, NULL },
        { "{{{a}}}", NULL, "{\"a\":\"x\"}", "{x}", NULL, NULL },
        { "", "t", NULL, "t", NULL, NULL },
        { "Summarise.", "t", "not even json", "t", NULL, NULL },
        { "{{a}} {{b}}", NULL, "{\"a\":\"x\"}", NULL, "missing_field",
          LACKS "b" },
        { "{{a}}", NULL, "{\"a\":null}", NULL, "missing_field", LACKS "a" },
        { "{{a}}", "t", NULL, NULL, "missing_field", LACKS "a" },
        { "{{text}}", NULL, NULL, NULL, "missing_field", LACKS "text" },
        { "{{a}}", NULL, "[1]", NULL, "malformed_fields",
          "the item's fields are not one JSON object" },
        { "{{a}}", NULL, "{\"a\":", NULL, "malformed_fields",
          "the item's fields are not one JSON object" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        try_render(&rows[i]);
}

static bool says(struct asbi_task *task, const char *what)
{
    asbi_str s = asbi_task_system(task);

    for (size_t i = 0; i + strlen(what) <= s.len; i++) {
        if (memcmp(s.at + i, what, strlen(what)) == 0)
            return true;
    }
    return false;
}

static void instructions_without_fields_are_said_once(void)
{
    struct asbi_task *plain =
        task_of(&asbi_mem_system, "prompt", "Summarise in a sentence.");
    struct asbi_task *template =
        task_of(&asbi_mem_system, "prompt", "Summarise {{text}}.");
    size_t count;

    CHECK(plain && template);
    CHECK(says(plain, "\"\"\"\nSummarise in a sentence.\n\"\"\""));
    CHECK(!says(template, "Summarise"));
    CHECK(says(template, "Answer each one separately"));
    CHECK(says(template, "exactly once"));
    CHECK(asbi_task_packs(plain) && asbi_task_packs(template));
    CHECK(!asbi_task_choices(plain, &count) && count == 0);
    asbi_task_free(plain);
    asbi_task_free(template);
}

static void check_answer(const char *name, asbi_str output, bool is_json,
                         uint32_t max_length, const char *code)
{
    struct asbi_task *task = task_of(&asbi_mem_system, name, "");
    struct asbi_verdict_on_item verdict;
    asbi_str accepted;

    CHECK(task);
    asbi_task_check(task, ASBI_STR("{x} 火"), max_length, output, is_json,
                    &accepted, &verdict);
    if (code) {
        CHECK(verdict.code);
        CHECK_BYTES(verdict.code, strlen(verdict.code), code);
    } else {
        CHECK(!verdict.code);
        CHECK_INT(accepted.len, ==, output.len);
    }
    asbi_task_free(task);
}

static void a_prompt_takes_any_answer_but_none(void)
{
    check_answer("prompt", ASBI_STR("no placeholder here"), false, 0, NULL);
    check_answer("prompt", ASBI_STR("{\"a\":[1]}"), true, 0, NULL);
    check_answer("prompt", ASBI_STR(" \n"), false, 0, "empty_output");
    check_answer("prompt", ASBI_STR(""), false, 0, "empty_output");
    check_answer("prompt", ASBI_STR("12345"), false, 4, "too_long");
    check_answer("prompt", ASBI_STR("火火火火"), false, 4, NULL);
}

static void raw_takes_everything_and_says_nothing(void)
{
    struct asbi_task *task = task_of(&asbi_mem_system, "raw", "ignored");

    CHECK(task);
    CHECK(!asbi_task_packs(task));
    CHECK_INT(asbi_task_system(task).len, ==, 0);
    asbi_task_free(task);
    check_answer("raw", ASBI_STR(""), false, 0, NULL);
    check_answer("raw", ASBI_STR("a\0b"), false, 1, NULL);
    check_answer("raw", ASBI_STR("[]"), true, 0, NULL);
}

static void a_template_of_too_many_fields_is_refused(void)
{
    struct asbi_task_material material = { .labels = { NULL, 0 } };
    struct asb_message why = { "" };
    struct asbi_task *task;
    struct asbi_buf text;

    asbi_buf_init(&text, &asbi_mem_system, 65536);
    for (int i = 0; i < 255; i++)
        asbi_buf_c(&text, "{{a}} ");
    material.instructions = asbi_buf_view(&text);
    CHECK_INT(asbi_task_new(&asbi_mem_system, "prompt", &material, &task, &why),
              ==, ASB_OK);
    asbi_task_free(task);
    asbi_buf_c(&text, "{{a}}");
    material.instructions = asbi_buf_view(&text);
    CHECK_INT(asbi_task_new(&asbi_mem_system, "prompt", &material, &task, &why),
              ==, ASB_ECONFIG);
    CHECK(strstr(why.text, "over 255 fields"));
    asbi_buf_fini(&text);
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_task *task = task_of(mem, "prompt", "{{a}} and {{b}}");
    struct asbi_verdict_on_item verdict;
    struct asbi_buf out;

    (void)arg;
    if (!task)
        return ASB_ENOMEM;
    asbi_buf_init(&out, mem, 4096);
    CHECK(asbi_task_render(task, ASBI_STR(""),
                           ASBI_STR("{\"a\":\"x\\n\",\"b\":\"\\u706b\"}"), &out,
                           &verdict));
    int rc = asbi_buf_failed(&out) ? ASB_ENOMEM : ASB_OK;
    if (!rc)
        CHECK_BYTES(out.data, out.len, "x\n and 火");
    asbi_buf_fini(&out);
    asbi_task_free(task);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(a_template_is_filled_in_from_fields),
          CASE(instructions_without_fields_are_said_once),
          CASE(a_prompt_takes_any_answer_but_none),
          CASE(raw_takes_everything_and_says_nothing),
          CASE(a_template_of_too_many_fields_is_refused),
          CASE(every_failed_allocation_is_survived))
