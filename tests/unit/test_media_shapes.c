#include "tests/support/media_rig.h"

#define ROW                                                    \
    "{\"prompt\":\"a cat\",\"engine\":\"e-1\",\"resolution\":" \
    "\"1280x720\",\"duration\":8,\"style_params\":{\"seed\":7}"
#define ROW_VIDEO ROW "}"
#define ROW_REFERENCE ROW ",\"reference_images\":[\"https://i/1.png\"]}"
#define ROW_IMAGE ROW ",\"content_type\":\"image\"}"

static void openai_speaks_of_videos(void)
{
    struct media_rig r = media_rig_new("openai");

    media_submit(&r, ROW_VIDEO, "/videos",
                 "{\"model\":\"e-1\",\"prompt\":\"a cat\",\"seconds\":\"8\","
                 "\"size\":\"1280x720\",\"seed\":7}");
    const struct asbi_media_status *s = media_answer(
        &r, "{\"id\":\"video_1\",\"object\":\"video\",\"status\":\"queued\","
            "\"progress\":0,\"error\":null}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_QUEUED);
    media_address(&r, "/videos", "/videos/video_1");
    s = media_answer(&r, "{\"id\":\"video_1\",\"status\":\"completed\","
                         "\"expires_at\":1700000000}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_DONE);
    CHECK_INT(s->expires_s, ==, 1700000000);
    s = media_answer(&r,
                     "{\"id\":\"video_1\",\"status\":\"failed\",\"error\":"
                     "{\"code\":\"moderation_blocked\",\"message\":\"no\"}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    CHECK_STR(s->message, "no");
    s = media_answer(&r,
                     "{\"status\":\"failed\",\"error\":{\"code\":\"oops\"}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FAILED);
    CHECK(media_has_header(&r, "k", "Authorization: Bearer k"));
    media_rig_free(&r);
}

static void runway_speaks_of_tasks(void)
{
    struct media_rig r = media_rig_new("runway");

    media_submit(&r, ROW_VIDEO, "/text_to_video",
                 "{\"model\":\"e-1\",\"promptText\":\"a cat\",\"ratio\":"
                 "\"1280:720\",\"duration\":8,\"seed\":7}");
    media_submit(&r, ROW_REFERENCE, "/image_to_video",
                 "{\"model\":\"e-1\",\"promptText\":\"a cat\",\"ratio\":"
                 "\"1280:720\",\"promptImage\":\"https://i/1.png\","
                 "\"duration\":8,\"seed\":7}");
    media_submit(&r, ROW_IMAGE, "/text_to_image",
                 "{\"model\":\"e-1\",\"promptText\":\"a cat\",\"ratio\":"
                 "\"1280:720\",\"seed\":7}");
    (void)media_answer(&r, "{\"id\":\"17f2-a\"}");
    media_address(&r, "/text_to_video", "/tasks/17f2-a");
    CHECK_INT(
        media_answer(&r, "{\"id\":\"1\",\"status\":\"THROTTLED\"}")->state, ==,
        ASBI_MEDIA_THROTTLED);
    const struct asbi_media_status *s =
        media_answer(&r, "{\"id\":\"1\",\"status\":\"SUCCEEDED\",\"output\":["
                         "\"https://h/a.mp4?_jwt=1\"]}");
    CHECK_INT(s->asset_count, ==, 1);
    CHECK_STR(s->assets[0], "https://h/a.mp4?_jwt=1");
    s = media_answer(&r, "{\"status\":\"FAILED\",\"failure\":\"An error\","
                         "\"failureCode\":\"SAFETY.INPUT.TEXT\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    s = media_answer(&r, "{\"status\":\"FAILED\",\"failure\":\"An error\","
                         "\"failureCode\":\"INTERNAL.BAD_OUTPUT.CODE01\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FAILED);
    CHECK(media_has_header(&r, "k", "X-Runway-Version: 2024-11-06"));
    media_rig_free(&r);
}

static void luma_dreams(void)
{
    struct media_rig r = media_rig_new("luma");

    media_submit(&r, ROW_REFERENCE, "/generations/video",
                 "{\"model\":\"e-1\",\"prompt\":\"a cat\",\"aspect_ratio\":"
                 "\"16:9\",\"resolution\":\"720p\",\"duration\":\"8s\","
                 "\"keyframes\":{\"frame0\":{\"type\":\"image\",\"url\":"
                 "\"https://i/1.png\"}},\"seed\":7}");
    media_submit(&r, ROW_IMAGE, "/generations/image",
                 "{\"model\":\"e-1\",\"prompt\":\"a cat\",\"aspect_ratio\":"
                 "\"16:9\",\"seed\":7}");
    CHECK_INT(media_answer(&r, "{\"id\":\"g1\",\"state\":\"dreaming\"}")->state,
              ==, ASBI_MEDIA_RUNNING);
    media_address(&r, "/generations/video", "/generations/g1");
    const char *done = "{\"id\":\"g1\",\"state\":\"completed\",\"assets\":{"
                       "\"video\":\"https://s/v.mp4\",\"image\":"
                       "\"https://s/i.jpg\",\"progress_video\":"
                       "\"https://s/p.mp4\"}}";
    const struct asbi_media_status *s = media_answer(&r, done);
    CHECK_INT(s->asset_count, ==, 1);
    CHECK_STR(s->assets[0], "https://s/v.mp4");
    CHECK_STR(media_answer_of(&r, ASBI_MEDIA_IMAGE, done)->assets[0],
              "https://s/i.jpg");
    s = media_answer(&r, "{\"state\":\"failed\",\"failure_reason\":"
                         "\"frame moderation failed\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    media_rig_free(&r);
}

static void kling_refuses_with_status_200(void)
{
    struct media_rig r = media_rig_new("kling");

    media_submit(&r, ROW_REFERENCE, "/v1/videos/image2video",
                 "{\"model_name\":\"e-1\",\"prompt\":\"a cat\",\"image\":"
                 "\"https://i/1.png\",\"aspect_ratio\":\"16:9\",\"duration\":"
                 "\"8\",\"seed\":7}");
    const struct asbi_media_status *s = media_answer(
        &r, "{\"code\":0,\"message\":\"SUCCEED\",\"data\":{\"task_id\":\"t9\","
            "\"task_status\":\"submitted\"}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_QUEUED);
    CHECK_INT(s->code.len, ==, 0);
    media_address(&r, "/v1/videos/image2video", "/v1/videos/image2video/t9");
    s = media_answer(&r, "{\"code\":1301,\"message\":\"content security\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    s = media_answer(&r, "{\"code\":1102,\"message\":\"balance not enough\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FAILED);
    CHECK_STR(s->message, "balance not enough");
    s = media_answer(&r,
                     "{\"code\":0,\"data\":{\"task_id\":\"t9\","
                     "\"task_status\":\"succeed\",\"task_result\":{"
                     "\"videos\":[{\"id\":\"v\",\"url\":\"https://k/v.mp4\","
                     "\"duration\":\"8\"}]}}}");
    CHECK_STR(s->assets[0], "https://k/v.mp4");
    media_rig_free(&r);
}

/* Reckoned with `openssl dgst -sha256 -hmac sk` over the first two parts. */
static void kling_signs_a_token(void)
{
    struct media_rig r = media_rig_new("kling");

    r.shape->sign(ASBI_STR("ak:sk"), 1700000000, &r.body);
    CHECK_STR(asbi_buf_view(&r.body),
              "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
              "eyJpc3MiOiJhayIsImV4cCI6MTcwMDAwMTgwMCwibmJmIjoxNjk5OTk5OTk1fQ."
              "mgn0T3D3XT4hbNxAtEsJsDH8-Kpgvs6l8t89iZ9EkEg");
    asbi_buf_clear(&r.body);
    r.shape->sign(ASBI_STR("token"), 1, &r.body);
    CHECK_STR(asbi_buf_view(&r.body), "Authorization: Bearer token");
    CHECK(!media_has_header(&r, "ak:sk", "Authorization: Bearer ak:sk"));
    media_rig_free(&r);
}

static void veo_is_a_long_running_operation(void)
{
    struct media_rig r = media_rig_new("veo");

    media_submit(&r, ROW_VIDEO, "/models/e-1:predictLongRunning",
                 "{\"instances\":[{\"prompt\":\"a cat\"}],\"parameters\":{"
                 "\"aspectRatio\":\"16:9\",\"durationSeconds\":8,"
                 "\"resolution\":\"720p\",\"seed\":7}}");
    media_submit(
        &r,
        "{\"prompt\":\"x\",\"engine\":\"e\",\"reference_images\":["
        "\"data:image/png;base64,AAAA\"]}",
        "/models/e:predictLongRunning",
        "{\"instances\":[{\"prompt\":\"x\",\"image\":{"
        "\"bytesBase64Encoded\":\"AAAA\",\"mimeType\":\"image/png\"}}],"
        "\"parameters\":{}}");
    const struct asbi_media_status *s =
        media_answer(&r, "{\"name\":\"models/e-1/operations/abc\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_RUNNING);
    media_address(&r, "/models/e-1:predictLongRunning",
                  "/models/e-1/operations/abc");
    s = media_answer(&r, "{\"name\":\"o\",\"done\":true,\"response\":{"
                         "\"generateVideoResponse\":{\"generatedSamples\":[{"
                         "\"video\":{\"uri\":\"https://g/f:download?alt=media\""
                         "}}]}}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_DONE);
    CHECK_STR(s->assets[0], "https://g/f:download?alt=media");
    s = media_answer(&r,
                     "{\"done\":true,\"response\":{\"generateVideoResponse\""
                     ":{\"raiMediaFilteredCount\":1,"
                     "\"raiMediaFilteredReasons\":[\"unsafe\"]}}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    CHECK_STR(s->message, "unsafe");
    s = media_answer(&r, "{\"done\":true,\"error\":{\"code\":13,\"message\":"
                         "\"boom\"}}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FAILED);
    CHECK(media_has_header(&r, "k", "x-goog-api-key: k"));
    media_rig_free(&r);
}

static void replicate_predicts(void)
{
    struct media_rig r = media_rig_new("replicate");

    media_submit(&r,
                 "{\"prompt\":\"x\",\"engine\":\"owner/name\",\"duration\":5}",
                 "/models/owner/name/predictions",
                 "{\"input\":{\"prompt\":\"x\",\"duration\":5}}");
    media_submit(&r, "{\"prompt\":\"x\",\"engine\":\"owner/name:5c7d\"}",
                 "/predictions",
                 "{\"version\":\"5c7d\",\"input\":{\"prompt\":\"x\"}}");
    (void)media_answer(&r, "{\"id\":\"p1\",\"status\":\"starting\",\"urls\":{"
                           "\"get\":\"https://api.replicate.com/v1/predictions/"
                           "p1\",\"cancel\":\"https://x/cancel\"}}");
    media_address(&r, "/predictions",
                  "https://api.replicate.com/v1/predictions/p1");
    const struct asbi_media_status *s = media_answer(
        &r, "{\"id\":\"p1\",\"status\":\"succeeded\",\"input\":{\"image\":"
            "\"https://in/1\"},\"output\":\"https://r/o.mp4\"}");
    CHECK_INT(s->asset_count, ==, 1);
    CHECK_STR(s->assets[0], "https://r/o.mp4");
    s = media_answer(&r, "{\"status\":\"succeeded\",\"output\":["
                         "\"https://r/1.png\",\"https://r/2.png\"]}");
    CHECK_INT(s->asset_count, ==, 2);
    s = media_answer(&r, "{\"status\":\"failed\",\"error\":\"NSFW content "
                         "detected\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    media_rig_free(&r);
}

static void fal_keeps_state_and_result_apart(void)
{
    struct media_rig r = media_rig_new("fal");

    media_submit(&r, "{\"prompt\":\"x\",\"engine\":\"fal-ai/app/v1\"}",
                 "/fal-ai/app/v1", "{\"prompt\":\"x\"}");
    const struct asbi_media_status *s = media_answer(
        &r, "{\"status\":\"IN_QUEUE\",\"request_id\":\"r1\",\"response_url\":"
            "\"https://queue.fal.run/fal-ai/app/requests/r1\",\"status_url\":"
            "\"https://queue.fal.run/fal-ai/app/requests/r1/status\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_QUEUED);
    media_address(&r, "/fal-ai/app/v1",
                  "https://queue.fal.run/fal-ai/app/requests/r1");
    CHECK(r.shape->result_apart);
    s = media_answer(&r, "{\"video\":{\"url\":\"https://f/v.mp4\","
                         "\"content_type\":\"video/mp4\"},\"prompt\":"
                         "\"https://not/this\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_DONE);
    CHECK_INT(s->asset_count, ==, 1);
    CHECK_STR(s->assets[0], "https://f/v.mp4");
    s = media_answer(&r, "{\"detail\":[{\"msg\":\"flagged\",\"type\":"
                         "\"content_policy_violation\"}]}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FILTERED);
    s = media_answer(&r, "{\"detail\":\"Internal error\"}");
    CHECK_INT(s->state, ==, ASBI_MEDIA_FAILED);
    CHECK(media_has_header(&r, "k", "Authorization: Key k"));
    media_rig_free(&r);
}

/* ---- whatever is sent ------------------------------------------------- */

static void the_style_stands_before_what_is_ours(void)
{
    struct media_rig r = media_rig_new("openai");

    media_submit(&r,
                 "{\"prompt\":\"x\",\"engine\":\"m\",\"duration\":4,"
                 "\"style_params\":{\"seconds\":\"12\",\"a\\\"b\":null}}",
                 "/videos",
                 "{\"model\":\"m\",\"prompt\":\"x\",\"seconds\":\"12\","
                 "\"a\\\"b\":null}");
    media_rig_free(&r);
}

static void an_id_names_no_other_place(void)
{
    static const char *const ids[] = {
        "../keys", "/etc", "a b",       "a?x=1", "a#b",
        "a%2fb",   "",     "x\\u0000y", "a\\nb",
    };
    struct media_rig r = media_rig_new("runway");
    char answer[100];

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        (void)snprintf(answer, sizeof(answer), "{\"id\":\"%s\"}", ids[i]);
        (void)media_answer(&r, answer);
        asbi_buf_clear(&r.address);
        CHECK(!asbi_media_put_address(r.shape, &r.status, ASBI_STR("/p"),
                                      &r.address));
    }
    media_rig_free(&r);
}

static void only_addresses_are_artefacts(void)
{
    struct media_rig r = media_rig_new("runway");
    const struct asbi_media_status *s = media_answer(
        &r, "{\"status\":\"SUCCEEDED\",\"output\":[\"file:///etc/passwd\","
            "\"javascript:x\",\"https://h/a b\",\"https://h/a\\nX: y\",7,null,"
            "{\"logs\":\"https://h/log\"},\"http://h/1\",\"https://h/2\","
            "\"https://h/3\",\"https://h/4\",\"https://h/5\",\"https://h/6\","
            "\"https://h/7\",\"https://h/8\",\"https://h/9\"]}");

    CHECK_INT(s->asset_count, ==, ASBI_MEDIA_ASSETS);
    CHECK_STR(s->assets[0], "http://h/1");
    media_rig_free(&r);
}

static void anything_may_stand_in_an_answer(void)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"id\":{},\"status\":[],\"output\":{},\"error\":7,\"data\":1}",
        "{\"id\":1,\"status\":1,\"state\":{},\"assets\":[],\"done\":true}",
        "{\"data\":{\"task_id\":[],\"task_result\":{\"videos\":{}}},\"code\":{}"
        "}",
        "{\"detail\":[]}",
        "{\"detail\":[7]}",
        "{\"done\":true,\"response\":{\"generateVideoResponse\":[]}}",
        "{\"done\":true,\"response\":{\"generateVideoResponse\":{"
        "\"raiMediaFilteredCount\":9,\"raiMediaFilteredReasons\":7}}}",
        "{\"expires_at\":\"soon\",\"status\":\"completed\"}",
        "{\"expires_at\":-1e300,\"urls\":{\"get\":7}}",
    };

    for (size_t shape = 0; asbi_media_shape_at(shape); shape++) {
        struct media_rig r = media_rig_new(asbi_media_shape_at(shape)->name);

        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
            const struct asbi_media_status *s = media_answer(&r, answers[i]);

            CHECK_INT(s->asset_count, ==, 0);
            asbi_buf_clear(&r.address);
            (void)asbi_media_put_address(r.shape, s, ASBI_STR("/p"),
                                         &r.address);
        }
        media_rig_free(&r);
    }
}

static void every_shape_is_whole(void)
{
    for (size_t i = 0; asbi_media_shape_at(i); i++) {
        const struct asbi_media_shape *s = asbi_media_shape_at(i);

        CHECK(asbi_media_shape_find(s->name) == s);
        CHECK(asbi_dialect_find(s->name) != NULL);
        CHECK(s->videos && s->headers && s->submit && s->id && s->poll);
        CHECK(s->address && s->address[0]);
        CHECK(s->content || s->video || s->look);
        CHECK(s->words || s->look);
        CHECK(!s->cancel_method == !s->cancel);
        CHECK(!s->list == !s->list_items);
    }
    CHECK(asbi_media_shape_find("none") == NULL);
}

TEST_MAIN(CASE(openai_speaks_of_videos), CASE(runway_speaks_of_tasks),
          CASE(luma_dreams), CASE(kling_refuses_with_status_200),
          CASE(kling_signs_a_token), CASE(veo_is_a_long_running_operation),
          CASE(replicate_predicts), CASE(fal_keeps_state_and_result_apart),
          CASE(the_style_stands_before_what_is_ours),
          CASE(an_id_names_no_other_place), CASE(only_addresses_are_artefacts),
          CASE(anything_may_stand_in_an_answer), CASE(every_shape_is_whole))
