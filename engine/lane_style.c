/*
 * lane_style.c -- how the calls of a lane ask, and what they leave out because
 * its server said that it does not know it.
 */
#include <string.h>

#include "adapters/media_shapes.h"
#include "engine/lane.h"

/* What the options ask for by name, instead of leaving it to us. */
static bool chose_form(const struct asbi_config *c)
{
    return strcmp(c->structured, "auto") != 0;
}

static void leave_out(struct asbi_lane *lane)
{
    struct asbi_call_style *s = &lane->style;
    bool newer = lane->provider.max_completion_tokens;
    bool no_newer = lane->lacks & ASBI_LACKS_MAX_COMPLETION_TOKENS;
    bool no_older = lane->lacks & ASBI_LACKS_MAX_TOKENS;

    s->structured = s->structured && !(lane->lacks & ASBI_LACKS_SCHEMA);
    s->json_mode = s->json_mode && !(lane->lacks & ASBI_LACKS_JSON_MODE);
    s->stream = s->stream && !(lane->lacks & ASBI_LACKS_STREAM);
    if (lane->lacks & ASBI_LACKS_TEMPERATURE)
        s->temperature = -1;
    s->max_completion_tokens = (newer && !no_newer) || no_older;
    s->no_limit = no_newer && no_older;
    s->no_system = lane->lacks & ASBI_LACKS_SYSTEM;
}

void asbi_lane_style_init(struct asbi_lane *lane)
{
    const struct asbi_config *c = lane->config;
    bool chosen = chose_form(c);

    lane->style = (struct asbi_call_style){
        .model = c->model,
        .stream = strcmp(c->stream, "on") == 0,
        .structured = chosen ? strcmp(c->structured, "schema") == 0
                             : lane->provider.structured,
        .json_mode = !chosen || strcmp(c->structured, "json") == 0,
        .temperature = c->temperature,
        .model_max_output = lane->model.max_output_tokens,
        .dimensions = c->dimensions,
        .media = asbi_media_shape_find(lane->provider.dialect),
    };
    leave_out(lane);
}

/* Which of its features the call used, of those that go by that name. */
static unsigned used(const struct asbi_call_style *asked, const char *feature)
{
    bool limited = asked->max_output_tokens && !asked->no_limit;

    if (strcmp(feature, "response_format") == 0)
        return asked->structured  ? ASBI_LACKS_SCHEMA
               : asked->json_mode ? ASBI_LACKS_JSON_MODE
                                  : 0;
    if (strcmp(feature, "stream") == 0 ||
        strcmp(feature, "stream_options") == 0)
        return asked->stream ? ASBI_LACKS_STREAM : 0;
    if (strcmp(feature, "temperature") == 0)
        return asked->temperature >= 0 ? ASBI_LACKS_TEMPERATURE : 0;
    if (strcmp(feature, "max_tokens") == 0)
        return limited && !asked->max_completion_tokens ? ASBI_LACKS_MAX_TOKENS
                                                        : 0;
    if (strcmp(feature, "max_completion_tokens") == 0)
        return limited && asked->max_completion_tokens
                   ? ASBI_LACKS_MAX_COMPLETION_TOKENS
                   : 0;
    if (strcmp(feature, "system") == 0)
        return asked->no_system ? 0 : ASBI_LACKS_SYSTEM;
    return 0;
}

bool asbi_lane_drop_feature(struct asbi_lane *lane,
                            const struct asbi_call_style *asked,
                            const char *feature)
{
    unsigned lacks = used(asked, feature);

    if (lacks & ~lane->lacks)
        asbi_log(lane->log, ASB_LOG_INFO,
                 "the server does not know %s; going on without it", feature);
    lane->lacks |= lacks;
    leave_out(lane);
    return lacks != 0;
}

void asbi_lane_recall_lacks(struct asbi_lane *lane, unsigned lacks)
{
    if (chose_form(lane->config))
        lacks &= ~(unsigned)(ASBI_LACKS_SCHEMA | ASBI_LACKS_JSON_MODE);
    lane->lacks |= lacks;
    leave_out(lane);
}
