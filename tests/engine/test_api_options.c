#include "engine/api_options.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/support/check.h"

struct place {
    char dir[64];
    char file[96];
};

static void place_make(struct place *p, const char *name, const char *text)
{
    (void)snprintf(p->dir, sizeof(p->dir), "asb-options-XXXXXX");
    CHECK(mkdtemp(p->dir) != NULL);
    (void)snprintf(p->file, sizeof(p->file), "%s/%s", p->dir, name);
    FILE *f = fopen(p->file, "wb");
    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK_INT(fclose(f), ==, 0);
}

static void place_remove(struct place *p)
{
    CHECK_INT(unlink(p->file), ==, 0);
    CHECK_INT(rmdir(p->dir), ==, 0);
}

static void a_file_is_loaded(void)
{
    struct place p;
    struct asb_options *o = asb_options_new();
    struct asb_message why;

    place_make(&p, "c.yaml", "workers: 7\n");
    CHECK_INT(asb_options_load(o, p.file, &why), ==, ASB_OK);
    CHECK_BYTES(why.text, strlen(why.text), "");
    CHECK_INT(o->values.workers, ==, 7);
    asb_options_free(o);
    place_remove(&p);
}

static void a_fault_in_a_file_names_the_file(void)
{
    struct place p;
    struct asb_options *o = asb_options_new();
    struct asb_message why;
    char want[300];

    place_make(&p, "c.yaml", "\nworkrs: 7\n");
    CHECK_INT(asb_options_load(o, p.file, &why), ==, ASB_ECONFIG);
    (void)snprintf(want, sizeof(want),
                   "%s:2:1: workrs: no such key; did you mean workers?",
                   p.file);
    CHECK_BYTES(why.text, strlen(why.text), want);
    asb_options_free(o);
    place_remove(&p);
}

static void what_cannot_be_read_is_told(void)
{
    struct asb_options *o = asb_options_new();
    struct asb_message why;

    CHECK_INT(asb_options_load(o, "/nonexistent/c.yaml", &why), ==, ASB_EIO);
    CHECK_BYTES(why.text, strlen(why.text),
                "config: cannot open \"/nonexistent/c.yaml\": No such file or "
                "directory");
    CHECK_INT(asb_options_load(o, ".", &why), ==, ASB_EIO);
    CHECK_BYTES(why.text, strlen(why.text), "config: \".\" is a directory");
    CHECK_INT(asb_options_load(o, "/dev/zero", &why), ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text),
                "config: \"/dev/zero\" is larger than 1048576 bytes");
    CHECK_INT(asb_options_load(o, NULL, &why), ==, ASB_EINVAL);
    CHECK_INT(asb_options_load(NULL, "x", &why), ==, ASB_EINVAL);
    asb_options_free(o);
}

static void the_catalogue_is_read_when_it_is_named(void)
{
    struct place p;
    struct asb_options *o = asb_options_new();
    struct asbi_model m;

    place_make(&p, "m.yaml", "models: {mine: {input: 1, output: 2}}\n");
    CHECK_INT(asb_options_set(o, "provider", "openai", ASB_FROM_HOST, NULL), ==,
              ASB_OK);
    CHECK_INT(asb_options_set(o, "catalogue", p.file, ASB_FROM_HOST, NULL), ==,
              ASB_OK);
    asbi_catalogue_model(o, "mine", &m);
    CHECK(m.priced && !m.assumed);
    place_remove(&p);
    /* It is gone, and not read again for what else is set. */
    CHECK_INT(asb_options_set(o, "workers", "3", ASB_FROM_HOST, NULL), ==,
              ASB_OK);
    place_make(&p, "other.yaml", "models: {yours: {input: 1, output: 2}}\n");
    CHECK_INT(asb_options_set(o, "catalogue", p.file, ASB_FROM_HOST, NULL), ==,
              ASB_OK);
    asbi_catalogue_model(o, "mine", &m);
    CHECK(m.assumed);
    asbi_catalogue_model(o, "yours", &m);
    CHECK(!m.assumed);
    asb_options_free(o);
    place_remove(&p);
}

static void a_file_may_name_the_catalogue_and_beats_it(void)
{
    struct place m, c;
    struct asb_options *o = asb_options_new();
    struct asbi_model model;
    char text[300];

    place_make(&m, "m.yaml", "models: {mine: {input: 1, output: 2}}\n");
    (void)snprintf(text, sizeof(text),
                   "provider: openai\nmodels: {mine: {output: 3}}\n"
                   "catalogue: %s\n",
                   m.file);
    place_make(&c, "c.yaml", text);
    CHECK_INT(asb_options_load(o, c.file, NULL), ==, ASB_OK);
    asbi_catalogue_model(o, "mine", &model);
    CHECK_INT(model.input_price, ==, 1000000000);
    CHECK_INT(model.output_price, ==, 3000000000);
    asb_options_free(o);
    place_remove(&m);
    place_remove(&c);
}

static void a_catalogue_that_cannot_be_read_is_told(void)
{
    struct asb_options *o = asb_options_new();
    struct asb_message why;

    CHECK_INT(asb_options_set(o, "catalogue", "/nonexistent",
                              ASB_FROM_COMMAND_LINE, &why),
              ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text),
                "catalogue: cannot open \"/nonexistent\": No such file or "
                "directory");
    asb_options_free(o);
}

/* Variables are of this process, so each case runs on a clean slate. */
static void forget(void)
{
    CHECK_INT(unsetenv("ASYNCBATCH_WORKERS"), ==, 0);
    CHECK_INT(unsetenv("ASYNCBATCH_BATCH_ITEMS_MAX"), ==, 0);
    CHECK_INT(unsetenv("ASYNCBATCH_BUDGET"), ==, 0);
    CHECK_INT(unsetenv("ASYNCBATCH_API_KEY"), ==, 0);
    CHECK_INT(unsetenv("SMART_BATCHER_MAX_SIZE"), ==, 0);
    CHECK_INT(unsetenv("SMART_BATCHER_MAX_COST"), ==, 0);
}

static void the_environment_sets_options(void)
{
    struct asb_options *o = asb_options_new();
    struct asb_message why = { "stale" };
    enum asb_origin origin;

    forget();
    CHECK_INT(setenv("ASYNCBATCH_WORKERS", "5", 1), ==, 0);
    CHECK_INT(setenv("SMART_BATCHER_MAX_SIZE", "30", 1), ==, 0);
    CHECK_INT(setenv("SMART_BATCHER_MAX_COST", "500.0", 1), ==, 0);
    CHECK_INT(setenv("ASYNCBATCH_BUDGET", "", 1), ==, 0);
    CHECK_INT(asb_options_load_environment(o, &why), ==, ASB_OK);
    CHECK_BYTES(why.text, strlen(why.text), "");
    CHECK_INT(o->values.workers, ==, 5);
    CHECK_INT(o->values.batch_items_max, ==, 30);
    CHECK_INT(o->values.batch_cost_max, ==, 500000000000);
    CHECK(o->values.budget == INT64_MAX);
    CHECK(asb_options_get(o, "workers", &origin) != NULL);
    CHECK_INT(origin, ==, ASB_FROM_ENVIRONMENT);
    asb_options_free(o);
}

static void the_options_own_variable_beats_the_older_one(void)
{
    struct asb_options *o = asb_options_new();

    forget();
    CHECK_INT(setenv("SMART_BATCHER_MAX_SIZE", "30", 1), ==, 0);
    CHECK_INT(setenv("ASYNCBATCH_BATCH_ITEMS_MAX", "40", 1), ==, 0);
    CHECK_INT(asb_options_load_environment(o, NULL), ==, ASB_OK);
    CHECK_INT(o->values.batch_items_max, ==, 40);
    asb_options_free(o);
}

static void a_fault_in_the_environment_names_the_variable(void)
{
    struct asb_options *o = asb_options_new();
    struct asb_message why;

    forget();
    CHECK_INT(setenv("SMART_BATCHER_MAX_SIZE", "lots", 1), ==, 0);
    CHECK_INT(asb_options_load_environment(o, &why), ==, ASB_ECONFIG);
    CHECK_BYTES(why.text, strlen(why.text),
                "SMART_BATCHER_MAX_SIZE: \"lots\" is not allowed; use a whole "
                "number from 1 to 10000");
    CHECK_INT(unsetenv("SMART_BATCHER_MAX_SIZE"), ==, 0);
    CHECK_INT(setenv("ASYNCBATCH_API_KEY", "sk-Secret", 1), ==, 0);
    CHECK_INT(asb_options_load_environment(o, &why), ==, ASB_ECONFIG);
    CHECK(strncmp(why.text, "ASYNCBATCH_API_KEY: takes env:NAME", 34) == 0);
    CHECK(!strstr(why.text, "Secret"));
    asb_options_free(o);
}

static void an_empty_environment_changes_nothing(void)
{
    struct asb_options *o = asb_options_new();

    forget();
    CHECK_INT(asb_options_load_environment(o, NULL), ==, ASB_OK);
    CHECK_INT(o->values.workers, ==, 0);
    CHECK_INT(o->values.batch_items_max, ==, 100);
    CHECK_INT(asb_options_load_environment(NULL, NULL), ==, ASB_EINVAL);
    asb_options_free(o);
}

TEST_MAIN(CASE(a_file_is_loaded), CASE(a_fault_in_a_file_names_the_file),
          CASE(what_cannot_be_read_is_told),
          CASE(the_catalogue_is_read_when_it_is_named),
          CASE(a_file_may_name_the_catalogue_and_beats_it),
          CASE(a_catalogue_that_cannot_be_read_is_told),
          CASE(the_environment_sets_options),
          CASE(the_options_own_variable_beats_the_older_one),
          CASE(a_fault_in_the_environment_names_the_variable),
          CASE(an_empty_environment_changes_nothing))
