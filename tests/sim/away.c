#include "tests/sim/away.h"

#include <inttypes.h>
#include <string.h>

#include "engine/base/json.h"

static void on_video(void *arg, asbi_str line)
{
    struct asbi_json *json = asbi_json_new(&asbi_mem_system, 1 << 16);
    struct away *a = arg;
    uint64_t seconds = 0;

    if (!json || asbi_json_parse(json, line.at, line.len)) {
        witness_say(a->witness, "the provider tells of a video in no JSON");
        asbi_json_free(json);
        return;
    }
    const struct asbi_json_node *root = asbi_json_root(json);
    const struct asbi_json_node *deleted =
        asbi_json_get(json, root, ASBI_STR("deleted"));
    bool good = asbi_str_eq(
        asbi_json_text(json, asbi_json_get(json, root, ASBI_STR("fate"))),
        ASBI_STR("good"));
    (void)asbi_json_u64(asbi_json_get(json, root, ASBI_STR("seconds")),
                        &seconds);
    if (seconds == 0 || seconds > SCENARIO_ITEMS)
        witness_say(a->witness, "a video of %" PRIu64 " seconds is of no row",
                    seconds);
    else if (good && deleted->type == ASBI_JSON_FALSE) {
        char *id = a->ids[seconds - 1];

        if (id[0])
            witness_say(a->witness,
                        "the video of row %" PRIu64 " is made twice",
                        seconds - 1);
        a->made++;
        (void)asbi_str_copy(
            asbi_json_text(json, asbi_json_get(json, root, ASBI_STR("id"))), id,
            sizeof(a->ids[0]));
    }
    asbi_json_free(json);
}

void away_listen(struct away *a, struct witness *w, struct scenario *s)
{
    *a = (struct away){ .witness = w };
    s->provider.keep = on_video;
    s->provider.keep_arg = a;
}

void away_check(struct away *a, size_t row, asbi_str job)
{
    if (!asbi_str_eq(job, asbi_str_c(a->ids[row])))
        witness_say(a->witness, "row %zu has another's video: %.*s", row,
                    (int)(job.len < 60 ? job.len : 60), job.at);
}

static bool ends_with(const char *url, const char *end)
{
    size_t len = strlen(url), most = strlen(end);

    return len >= most && strcmp(url + len - most, end) == 0;
}

bool away_is_errand(const struct asbi_exchange *x)
{
    const char *url = x->endpoint->url;

    return strcmp(x->endpoint->method, "POST") != 0 ||
           ends_with(url, "/files") || ends_with(url, "/batches") ||
           ends_with(url, "/cancel");
}
