#include "adapters/task.h"

#include "tests/support/check.h"
#include "tests/support/fault_mem.h"

static struct asbi_task *task_of(const char *labels)
{
    struct asbi_task_material material = {
        .labels = asbi_str_c(labels),
        .instructions = ASBI_STR("Judge the tone."),
    };
    struct asb_message why = { "" };
    struct asbi_task *task;

    if (asbi_task_new(&asbi_mem_system, "classify", &material, &task, &why))
        check_fail(__FILE__, __LINE__, "no task: %s", why.text);
    return task;
}

static void labels_are_choices_in_their_order(void)
{
    struct asbi_task *task = task_of(" Positive, negative ,,neutral tone,");
    size_t count;
    const asbi_str *labels = asbi_task_choices(task, &count);
    asbi_str system = asbi_task_system(task);

    CHECK_INT(count, ==, 3);
    CHECK_STR(labels[0], "Positive");
    CHECK_STR(labels[1], "negative");
    CHECK_STR(labels[2], "neutral tone");
    CHECK(asbi_task_packs(task));
    char *text = malloc(system.len + 1);
    CHECK(text);
    memcpy(text, system.at, system.len);
    text[system.len] = '\0';
    CHECK(strstr(text, "- \"Positive\"\n- \"negative\"\n- \"neutral tone\"\n"));
    CHECK(strstr(text, "Judge the tone."));
    CHECK(strstr(text, "exactly once"));
    free(text);
    asbi_task_free(task);
}

static void an_answer_becomes_the_label_of_the_list(void)
{
    static const struct {
        const char *output;
        bool is_json;
        const char *label; /* NULL: refused with ... */
        const char *code;
    } rows[] = {
        { "Positive", false, "Positive", NULL },
        { " positive\n", false, "Positive", NULL },
        { "POSITIVE.", false, "Positive", NULL },
        { "\"negative\"", false, "negative", NULL },
        { "'Negative'.", false, "negative", NULL },
        { "5", true, "5", NULL },
        { "хорошо", false, "хорошо", NULL },
        { "v1.", false, "v1.", NULL },
        { "positive, negative", false, NULL, "unknown_label" },
        { "Label: Positive", false, NULL, "unknown_label" },
        { "pos", false, NULL, "unknown_label" },
        { "6", true, NULL, "unknown_label" },
        { "\"", false, NULL, "unknown_label" },
        { ".", false, NULL, "unknown_label" },
        { "", false, NULL, "empty_output" },
        { "  ", false, NULL, "empty_output" },
        { "[\"Positive\"]", true, NULL, "not_text" },
    };
    struct asbi_task *task = task_of("Positive,negative,5,хорошо,v1.");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asbi_verdict_on_item verdict;
        asbi_str accepted;

        asbi_task_check(task, ASBI_STR("some text"), 0,
                        asbi_str_c(rows[i].output), rows[i].is_json, &accepted,
                        &verdict);
        if (rows[i].label) {
            CHECK(!verdict.code);
            CHECK_STR(accepted, rows[i].label);
        } else {
            CHECK(verdict.code);
            CHECK_BYTES(verdict.code, strlen(verdict.code), rows[i].code);
            CHECK(verdict.message[0] && verdict.retryable);
        }
    }
    asbi_task_free(task);
}

static void a_list_that_cannot_be_chosen_from_is_refused(void)
{
    static const char *const rows[][2] = {
        { "", "at least two" },          { "one", "at least two" },
        { " , ,", "at least two" },      { "a,b,A", "\"A\" is given twice" },
        { "a,\xff", "not valid UTF-8" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asbi_task_material material = { .labels =
                                                   asbi_str_c(rows[i][0]) };
        struct asb_message why = { "" };
        struct asbi_task *task;

        CHECK_INT(
            asbi_task_new(&asbi_mem_system, "classify", &material, &task, &why),
            ==, ASB_ECONFIG);
        CHECK(!task);
        CHECK(strstr(why.text, rows[i][1]));
    }
}

static int life(const struct asbi_mem *mem, void *arg)
{
    struct asbi_task_material material = { .labels = ASBI_STR("a,b") };
    struct asbi_task *task;
    int rc = asbi_task_new(mem, "classify", &material, &task, NULL);

    (void)arg;
    asbi_task_free(task);
    return rc;
}

static void every_failed_allocation_is_survived(void)
{
    CHECK_INT(fault_sweep(life, NULL), >, 0);
}

TEST_MAIN(CASE(labels_are_choices_in_their_order),
          CASE(an_answer_becomes_the_label_of_the_list),
          CASE(a_list_that_cannot_be_chosen_from_is_refused),
          CASE(every_failed_allocation_is_survived))
