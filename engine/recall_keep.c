#include "engine/recall_keep.h"

#include "cache/record.h"
#include "engine/base/units.h"
#include "engine/recall_near.h"
#include "engine/recall_store.h"
#include "engine/refresh.h"

/* A refusal of content says nothing for long: filters change, and what is
 * refused by mistake is asked again. */
enum { REFUSAL_MS = 60000 };

const char asbi_refused_code[] = "content_filter";

void asbi_recall_remember(struct asb_engine *e, const struct asbi_item *item,
                          asbi_str record, const struct asbi_cache_key *key,
                          uint64_t expires_ms, bool of_this_run, bool lent)
{
    struct asbi_memory_note note = {
        .worth = of_this_run ? item->cost : item->saved,
        .expires_ms = expires_ms,
        .mark = of_this_run,
        .lent = lent,
    };

    if (e->recall.memory)
        asbi_memory_put(e->recall.memory, key, record, &note,
                        asbi_wall_ms(e->world));
}

/* ---- records ---------------------------------------------------------- */

/* Lives until the next one; no bytes without memory. */
static asbi_str record_of(struct asb_engine *e,
                          const struct asbi_cache_key *key,
                          const struct asbi_cache_answer *answer)
{
    struct asbi_buf *bytes = &e->recall.bytes;

    asbi_buf_clear(bytes);
    asbi_cache_record_write(bytes, key, answer);
    return asbi_buf_failed(bytes) ? asbi_str_of(NULL, 0) : asbi_buf_view(bytes);
}

static uint64_t life_ms(const struct asb_engine *e)
{
    return e->config->cache_ttl_ns / ASBI_MS + asbi_stale_ms(e);
}

bool asbi_recall_keep_answer(struct asb_engine *e, const struct asbi_item *item,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer,
                             bool of_this_run)
{
    asbi_str record = record_of(e, key, answer);
    uint64_t expires = asbi_wall_ms(e->world) + life_ms(e);

    if (!record.len)
        return false;
    asbi_recall_remember(e, item, record, key, expires, of_this_run, false);
    asbi_recall_save(e, key, record, expires);
    return true;
}

void asbi_recall_keep_beyond(struct asb_engine *e,
                             const struct asbi_cache_key *key,
                             const struct asbi_cache_answer *answer)
{
    asbi_str record = record_of(e, key, answer);

    if (record.len)
        asbi_recall_save(e, key, record, asbi_wall_ms(e->world) + life_ms(e));
}

/* Not to be asked anew while the run goes on that was told of it. */
static bool keep_in_memory(struct asb_engine *e, const struct asbi_item *item,
                           const struct asbi_cache_key *key,
                           const struct asbi_cache_answer *answer,
                           uint64_t for_ms, bool lent)
{
    asbi_str record = record_of(e, key, answer);

    if (!record.len || !e->recall.memory)
        return false;
    asbi_recall_remember(e, item, record, key, asbi_wall_ms(e->world) + for_ms,
                         true, lent);
    return true;
}

/* ---- what calls gave -------------------------------------------------- */

void asbi_recall_keep(struct asb_engine *e, const struct asbi_item *item)
{
    struct asbi_cache_answer answer = {
        .output = asbi_str_of(item->output, item->output_len),
        .body = asbi_str_of(item->raw_body, item->raw_body_len),
        .output_is_json = item->output_is_json,
        .http_status = item->http_status,
        .usage = item->usage,
        .cost_nano_usd = item->cost,
    };
    const struct asbi_cache_key *key = &item->seat.flight->key;

    if (item->of_this_run) {
        (void)keep_in_memory(e, item, key, &answer, life_ms(e), false);
        asbi_shelf_offer(&e->media.shelf, key, answer.output, item->cost);
    } else if (asbi_recall_keep_answer(e, item, key, &answer, true)) {
        asbi_recall_near_keep(e, item);
    }
}

void asbi_recall_keep_refusal(struct asb_engine *e,
                              const struct asbi_item *item)
{
    struct asbi_cache_answer answer = {
        .output = asbi_str_c(item->error_message),
        .refused = true,
    };

    (void)keep_in_memory(e, item, &item->seat.flight->key, &answer, REFUSAL_MS,
                         true);
}

/* ---- what is known without having been asked -------------------------- */

/* As a call would have been judged and billed. */
static bool judge(struct asb_engine *e, const struct asbi_item *item,
                  struct asbi_cache_answer *answer)
{
    struct asbi_verdict_on_item verdict = { .code = NULL };

    asbi_task_check(e->task, item->text, item->max_length, answer->output,
                    false, &answer->output, &verdict);
    answer->usage = (struct asb_usage){
        .input_tokens = (uint64_t)item->input_estimate,
        .output_tokens = asbi_lane_expect_output(e->lane, item->input_estimate)
    };
    return !verdict.code;
}

bool asbi_recall_learn(struct asb_engine *e, const struct asbi_item *item,
                       const struct asb_result *result,
                       enum asbi_known_from from)
{
    struct asbi_cache_key key;
    struct asbi_cache_answer answer = {
        .output = result->output,
        .output_is_json = result->output_is_json,
        .http_status = result->http_status,
        .usage = result->usage,
        .cost_nano_usd = result->cost_nano_usd,
    };

    if (from == ASBI_FROM_TABLE && !judge(e, item, &answer))
        return false;
    if (!asbi_recall_key_of(e, item, &key))
        return false;
    if (from == ASBI_FROM_TABLE)
        return asbi_recall_keep_answer(e, item, &key, &answer, false);
    return keep_in_memory(e, item, &key, &answer,
                          e->config->cache_ttl_ns / ASBI_MS, false);
}
