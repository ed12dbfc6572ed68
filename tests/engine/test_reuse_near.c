/* Items that are nearly alike: what is taken over, and what never. */
#include "engine/recall_near.h"

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/call.h"
#include "engine/sim/world.h"
#include "tests/support/check.h"
#include "tests/support/sim_run.h"

static const char *const heads[] = {
    "You have",
    "The server {host} answered after",
    "Downloaded",
};

static const char *const tails[] = {
    "new messages from {sender} in the folder {folder}, please read them "
    "before you go on a holiday.",
    "seconds, which is longer than the administrator of this network allows.",
    "of the packages of {mirror}, the rest of them will follow when the "
    "connection is there again.",
};

/* Numbers that no word around them minds. */
static const char *alike(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size, "%s %d %s", heads[i % 3],
                   125 + 20 * (int)(i / 3 % 4) + 100 * (int)(i / 12),
                   tails[i % 3]);
    return room;
}

static const char *edits(size_t i, char *room, size_t size)
{
    static const char *const words[] = { "please", "not", "never", "{x}",
                                         "{0}",    "%s",  "no",    "without" };
    int n = (int)(i / 24);

    (void)snprintf(room, size, "%s %d %s %s do it%s.", heads[i % 3],
                   i % 2 ? n + 1 : 7, tails[i % 3], words[i / 3 % 8],
                   i % 2 || n % 2 ? "" : " now");
    return room;
}

/* One at a time: what is answered is known for the next. */
static void play_one_by_one(struct sim_run *r, size_t items)
{
    r->items = items;
    sim_run_start(r);
    CHECK_INT(r->rc, ==, ASB_OK);
    for (size_t i = 1; i <= items; i++) {
        r->items = i;
        sim_run_play(r);
        r->engine->draining = false;
        CHECK(r->finished);
    }
    CHECK_INT(r->stats.items_near, ==, sim_run_from(r, ASB_NEAR));
}

static void run_level(const char *level, size_t items,
                      const char *(*text)(size_t, char *, size_t),
                      struct sim_run *r)
{
    sim_run_init(r, 3);
    r->text = text;
    sim_run_set(r, "reuse", level);
    play_one_by_one(r, items);
    CHECK_INT(r->stats.items_ok, ==, items);
}

/* The simulator translates word by word and keeps numbers, so what is made by
 * exchange must be what it would have said. */
static void numbers_are_exchanged_in_known_translations(void)
{
    struct sim_run near, asked;

    run_level("skeleton", 24, alike, &near);
    run_level("off", 24, alike, &asked);
    CHECK_INT(asked.served.items, ==, 24);
    CHECK_INT(near.served.items, ==, 3);
    CHECK_INT(near.stats.items_near, ==, 21);
    for (size_t i = 0; i < 24; i++) {
        CHECK(near.answers[i].output_hash == asked.answers[i].output_hash);
        if (near.answers[i].source != ASB_NEAR)
            continue;
        CHECK_INT(near.answers[i].cost, ==, 0);
        CHECK_INT(near.answers[i].saved, >, 0);
    }
    sim_run_end(&near);
    sim_run_end(&asked);
}

static void edits_of_numbers_marks_and_negations_are_all_asked(void)
{
    static const char *const levels[] = { "exact", "hint", "skeleton" };
    struct sim_run asked;

    run_level("off", 1008, edits, &asked);
    for (int i = 0; i < 3; i++) {
        struct sim_run r;

        run_level(levels[i], 1008, edits, &r);
        CHECK_INT(sim_run_from(&r, ASB_NEAR), <=, i == 2 ? 300 : 0);
        for (size_t k = 0; k < r.items; k++)
            CHECK(r.answers[k].output_hash == asked.answers[k].output_hash);
        sim_run_end(&r);
    }
    sim_run_end(&asked);
}

static const char *played(size_t i, char *room, size_t size)
{
    (void)snprintf(room, size,
                   "Are you sure you want to mark all selected items as %s?",
                   i % 2 ? "unplayed" : "played");
    return room;
}

static void played_is_never_unplayed(void)
{
    static const char *const levels[] = { "exact", "hint", "skeleton" };

    for (int i = 0; i < 3; i++) {
        struct sim_run r;

        run_level(levels[i], 2, played, &r);
        CHECK_INT(r.served.items, ==, 2);
        CHECK(r.answers[0].output_hash != r.answers[1].output_hash);
        sim_run_end(&r);
    }
}

/* ---- examples --------------------------------------------------------- */

struct seen {
    size_t examples, items;
};

static void on_send(void *arg, const struct asbi_call *call)
{
    struct seen *seen = arg;
    static const char begin[] = "\\\"example\\\":{\\\"text";
    size_t len = sizeof(begin) - 1;

    seen->items += call->count;
    for (size_t i = 0; i + len <= call->body.len; i++)
        seen->examples += memcmp(call->body.data + i, begin, len) == 0;
}

static struct seen count_examples(const char *level,
                                  const char *(*tenant)(size_t))
{
    struct seen seen = { 0 };
    struct sim_run r;

    sim_run_init(&r, 3);
    r.items = 40;
    r.text = edits;
    r.tenant = tenant;
    sim_run_set(&r, "reuse", level);
    sim_run_start(&r);
    CHECK_INT(r.rc, ==, ASB_OK);
    r.engine->watch.on_send = on_send;
    r.engine->watch.arg = &seen;
    for (r.items = 10; r.items <= 40; r.items += 10) {
        sim_run_play(&r);
        r.engine->draining = false;
    }
    CHECK_INT(r.stats.items_ok, ==, 40);
    sim_run_end(&r);
    return seen;
}

static const char *each_its_own(size_t i)
{
    static char name[8];

    (void)snprintf(name, sizeof(name), "t%zu", i);
    return name;
}

static void near_items_are_shown_as_examples(void)
{
    struct seen hinted = count_examples("hint", NULL);

    CHECK_INT(hinted.items, ==, 40);
    CHECK_INT(hinted.examples, >=, 20);
    CHECK_INT(count_examples("exact", NULL).examples, ==, 0);
}

static void one_tenants_texts_are_no_examples_for_another(void)
{
    CHECK_INT(count_examples("hint", each_its_own).examples, ==, 0);
}

/* ---- labels ----------------------------------------------------------- */

/* Texts that differ in nothing that matters: how they end, and blanks. */
static const char *reviews(size_t i, char *room, size_t size)
{
    static const char *const ends[] = { "", "!", ".", " ..." };

    (void)snprintf(room, size,
                   "I bought this%*s%s in the shop around the%*s corner and "
                   "would do so%*s again%s",
                   1 + (int)(i / 8 % 10), " ",
                   i % 8 < 4 ? "wonderful little machine" : "old red bicycle",
                   1 + (int)(i / 80 % 10), " ", 1 + (int)(i / 800 % 10), " ",
                   ends[i % 4]);
    return room;
}

/* Those for which the simulator draws the first of two labels. */
static const char *good_reviews(size_t i, char *room, size_t size)
{
    for (size_t n = 8 * i;; n++) {
        (void)reviews(n, room, size);
        if (asbi_hash64(room, strlen(room), 1) % 2 == 0)
            return room;
    }
}

static struct asbi_trial classify(const char *(*text)(size_t, char *, size_t),
                                  size_t *near)
{
    struct sim_run r;

    sim_run_init(&r, 3);
    r.text = text;
    r.labels = "good, bad";
    sim_run_set(&r, "task", "classify");
    sim_run_set(&r, "reuse", "verified");
    play_one_by_one(&r, 700);
    struct asbi_trial t = r.engine->recall.trial;
    *near = r.stats.items_near;
    CHECK_INT(r.stats.items_ok, ==, 700);
    CHECK_INT(r.served.items + r.stats.items_near + r.stats.items_duplicate, ==,
              700);
    sim_run_end(&r);
    return t;
}

static void labels_are_taken_over_while_samples_agree(void)
{
    size_t near;
    struct asbi_trial t = classify(good_reviews, &near);

    CHECK_INT(t.wrong, ==, 0);
    CHECK_INT(t.checked, >, 381);
    CHECK_INT(near, >, 200);
    CHECK_INT(t.checked, <, 500);
}

/* The simulator draws a label from each letter of a text: near ones say
 * nothing. */
static void labels_are_not_taken_over_while_samples_disagree(void)
{
    size_t near;
    struct asbi_trial t = classify(reviews, &near);

    CHECK_INT(near, ==, 0);
    CHECK_INT(t.wrong, >, 100);
    CHECK_INT(t.checked, >, 300);
}

static void levels_that_a_task_cannot_have_are_refused(void)
{
    static const char *const wrong[][2] = {
        { "skeleton", "classify" },
        { "verified", "translate" },
        { "hint", "raw" },
    };

    for (int i = 0; i < 3; i++) {
        struct sim_run r;

        sim_run_init(&r, 1);
        sim_run_set(&r, "reuse", wrong[i][0]);
        sim_run_set(&r, "task", wrong[i][1]);
        r.labels = "good, bad";
        sim_run_start(&r);
        CHECK_INT(r.rc, ==, ASB_ECONFIG);
        asbi_engine_destroy(r.engine);
        r.engine = NULL;
        sim_run_end(&r);
    }
}

static void prepare_edits(struct sim_run *r)
{
    sim_run_init(r, 7);
    r->items = 40;
    r->text = edits;
    sim_run_set(r, "reuse", "skeleton");
    sim_run_set(r, "near_memory", "64KiB");
}

static void every_failed_allocation_is_survived(void)
{
    sim_run_starve(prepare_edits, 40);
}

TEST_MAIN(CASE(numbers_are_exchanged_in_known_translations),
          CASE(edits_of_numbers_marks_and_negations_are_all_asked),
          CASE(played_is_never_unplayed),
          CASE(near_items_are_shown_as_examples),
          CASE(one_tenants_texts_are_no_examples_for_another),
          CASE(labels_are_taken_over_while_samples_agree),
          CASE(labels_are_not_taken_over_while_samples_disagree),
          CASE(levels_that_a_task_cannot_have_are_refused),
          CASE(every_failed_allocation_is_survived))
