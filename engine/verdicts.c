/*
 * verdicts.c -- what the end of an exchange means.
 *
 * Trouble of the provider puts the batch back or makes its items wait, a
 * refusal of its content halves it, and what makes the provider useless halts
 * the lane.
 */
#include "engine/judgement.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/hush.h"

enum {
    /* Unreachable, throttled or failing this often in a row, with nothing
     * good between, means the provider is unusable for now. */
    MAX_UNREACHABLES_AT_START = 4,
    MAX_NOT_FOUNDS_AT_START = 20,
    MAX_UNREACHABLES = 60, /* a quarter of an hour */
    MAX_THROTTLES = 12,
    MAX_BREAKER_OPENINGS = 4,
};

void asbi_judgement_say(struct asbi_judgement *j, const char *code,
                        const char *text, asbi_str detail)
{
    j->code = code;
    j->text = text;
    j->detail = detail;
}

void asbi_judgement_message(const struct asbi_judgement *j,
                            char out[ASBI_JUDGEMENT_MESSAGE])
{
    asbi_str detail = j->detail;

    (void)snprintf(out, ASBI_JUDGEMENT_MESSAGE, "%s%s%.*s", j->text,
                   detail.len ? ": " : "",
                   (int)(detail.len < 240 ? detail.len : 240),
                   detail.len ? detail.at : "");
}

/* ---- what an end means ------------------------------------------------ */

/* One wait for each episode: the calls that fail together count once. */
static bool new_episode(const struct asbi_lane *lane, uint64_t now)
{
    return now >= lane->blocked_until_ns;
}

static double unit(struct asbi_call *call)
{
    return asbi_rng_unit(&call->engine->rng);
}

static void judge_not_sent(struct asbi_call *call,
                           const struct asbi_exchange_end *end, uint64_t now,
                           struct asbi_judgement *j)
{
    struct asbi_lane *lane = call->lane;
    unsigned most =
        lane->ever_answered ? MAX_UNREACHABLES : MAX_UNREACHABLES_AT_START;

    j->fate = ASBI_FATE_SEND_AGAIN;
    j->settlement.outcome = ASBI_LIMITER_TROUBLE;
    j->settlement.breaker_silent = true; /* the block below is enough */
    asbi_judgement_say(j, "unreachable", "the provider cannot be reached",
                       asbi_str_c(end->text));
    if (!new_episode(lane, now))
        return;
    lane->unreachables++;
    asbi_lane_block(lane, now + asbi_retry_wait(&asbi_retry_default,
                                                lane->unreachables, ASBI_NEVER,
                                                unit(call)));
    if (lane->unreachables >= most)
        asbi_lane_halt(lane, ASB_HALT_PROVIDER,
                       "%s cannot be reached (%s); check the address and the "
                       "network, then run the same command again",
                       lane->base_url, end->text);
}

/* A line of a batch that was not worked off is no call, nor a failed one. */
static void judge_not_worked_off(const struct asbi_call *call,
                                 struct asbi_judgement *j)
{
    call->engine->stats.calls--;
    j->fate = ASBI_FATE_SEND_AGAIN;
    j->settlement.outcome = ASBI_LIMITER_OK;
    asbi_judgement_say(j, "stopped", "the batch it was in was not worked off",
                       asbi_str_of("", 0));
}

/* A job may have been begun: only a provider that knows the submission again
 * is sent it again. */
static void judge_submission(const struct asbi_call *call,
                             const struct asbi_exchange_end *end,
                             struct asbi_judgement *j)
{
    j->fate = call->once[0] ? ASBI_FATE_RETRY : ASBI_FATE_FAIL;
    /* The next run can go on where this one was stopped. */
    j->retryable = call->once[0] && call->engine->stopped;
    asbi_judgement_say(j, "outcome_unknown",
                       "nobody knows whether the job was begun, and paid for",
                       asbi_str_c(end->text));
}

static void judge_unknown(struct asbi_call *call,
                          const struct asbi_exchange_end *end,
                          struct asbi_judgement *j)
{
    static const char *const codes[] = {
        [ASBI_COMPLETE] = "complete",
        [ASBI_NOT_SENT] = "unreachable",
        [ASBI_UNANSWERED] = "no_answer",
        [ASBI_CUT] = "answer_cut",
        [ASBI_TIMED_OUT] = "timeout",
        [ASBI_TOO_LARGE] = "answer_too_large",
        [ASBI_REFUSED] = "answer_malformed",
    };

    j->unknown = j->settlement.unknown = true;
    j->waits = true;
    j->retryable = true;
    j->fate =
        call->engine->config->retry_unknown ? ASBI_FATE_RETRY : ASBI_FATE_FAIL;
    j->settlement.outcome = ASBI_LIMITER_TROUBLE;
    asbi_judgement_say(j, codes[end->outcome],
                       "the call ended without a whole answer and may "
                       "have been paid for",
                       asbi_str_c(end->text));
    if (call->way == ASBI_JOB)
        judge_submission(call, end, j);
    /* What fitted is kept, and the call is billed: all of it was done. */
    if (end->outcome == ASBI_TOO_LARGE && call->way == ASBI_ARRAY &&
        call->count > 1) {
        asbi_lane_shrink_arrays(call->lane, call->count);
        j->unknown = j->settlement.unknown = j->waits = false;
        j->settlement.outcome = ASBI_LIMITER_NEUTRAL;
        j->settlement.breaker_ok = true;
    }
}

static void judge_throttled(struct asbi_call *call,
                            const struct asbi_reply *reply, uint64_t now,
                            struct asbi_judgement *j)
{
    struct asbi_lane *lane = call->lane;
    bool first = new_episode(lane, now);
    uint64_t wait;

    call->engine->stats.calls_429++;
    j->fate = ASBI_FATE_SEND_AGAIN;
    j->settlement.breaker_silent = true;
    j->settlement.outcome = ASBI_LIMITER_THROTTLED;
    lane->throttles += first;
    wait = asbi_retry_wait(&asbi_retry_default, lane->throttles,
                           reply->retry_after_ns, unit(call));
    asbi_judgement_say(j, "rate_limited", "the provider refuses for now",
                       reply->message);
    if (wait == ASBI_NEVER) {
        asbi_lane_halt(lane, ASB_HALT_PROVIDER,
                       "the provider asks to wait %.0f minutes; run the same "
                       "command again then",
                       (double)reply->retry_after_ns / 6e10);
        return;
    }
    j->settlement.cooldown_ns = wait;
    if (first)
        asbi_bucket_surprised(&lane->requests, now);
    asbi_lane_block(lane, now + wait);
    if (lane->throttles >= MAX_THROTTLES)
        asbi_lane_halt(lane, ASB_HALT_PROVIDER,
                       "the provider answers 429 to everything; run the same "
                       "command again later");
}

static void judge_trouble(struct asbi_call *call,
                          const struct asbi_reply *reply,
                          struct asbi_judgement *j)
{
    j->fate = reply->should_retry == 0 ? ASBI_FATE_FAIL : ASBI_FATE_RETRY;
    j->waits = true;
    j->retryable = true;
    j->retry_after_ns = reply->retry_after_ns;
    j->settlement.outcome = ASBI_LIMITER_TROUBLE;
    asbi_judgement_say(j, "server_error", "the provider failed",
                       reply->message);
    if (call->lane->breaker.times_opened >= MAX_BREAKER_OPENINGS)
        asbi_lane_halt(call->lane, ASB_HALT_PROVIDER,
                       "the provider fails most calls (status %d); run the "
                       "same command again later",
                       reply->status);
}

/* A body names its own model and address: one bad line must not stop all.
 * Whether it is the line or the lane is seen when others have been answered, so
 * it waits for that, once. */
static bool may_be_the_body(const struct asbi_call *call)
{
    const struct asbi_item *item = call->entries[0].item;

    return !call->packed && !call->native && item &&
           item->payload == ASB_BODY && item->attempts == 0 &&
           call->engine->config->max_attempts > 1 &&
           ++call->lane->not_founds <= MAX_NOT_FOUNDS_AT_START;
}

static void judge_halting(struct asbi_call *call,
                          const struct asbi_reply *reply,
                          struct asbi_judgement *j)
{
    struct asbi_lane *lane = call->lane;
    asbi_str m = reply->message;
    int len = (int)(m.len < 120 ? m.len : 120);
    char remedy[160];

    j->fate = ASBI_FATE_FAIL;
    j->settlement.breaker_silent = true;
    j->settlement.outcome = ASBI_LIMITER_NEUTRAL;
    if (reply->verdict == ASBI_SPENDING_CAP) {
        asbi_judgement_say(j, "spending_limit", "the provider's spending limit",
                           m);
        j->retryable = true;
        asbi_lane_halt(lane, ASB_HALT_BUDGET,
                       "the provider's spending limit is reached (%.*s); raise "
                       "it there, then run the same command again",
                       len, len ? m.at : "");
    } else if (reply->verdict == ASBI_NO_CREDENTIALS) {
        asbi_judgement_say(j, "no_credentials", "the provider refuses the key",
                           m);
        asbi_lane_halt(lane, ASB_HALT_PROVIDER,
                       "the provider refuses the credentials (status %d); %s "
                       "and run the same command again",
                       reply->status,
                       asbi_lane_key_remedy(lane, remedy, sizeof(remedy)));
    } else {
        asbi_judgement_say(j, "not_found",
                           "the provider does not know this model or address",
                           m);
        if (!lane->ever_answered && may_be_the_body(call)) {
            j->fate = ASBI_FATE_RETRY;
            j->waits = j->retryable = true;
            return;
        }
        if (call->packed || !lane->ever_answered)
            asbi_lane_halt(lane, ASB_HALT_PROVIDER,
                           "%s does not know the model or path (%.*s); check "
                           "--model and --base-url",
                           lane->base_url, len, len ? m.at : "");
    }
    if (lane->halt && !asbi_routes_over(call->engine))
        j->fate = ASBI_FATE_SEND_AGAIN;
}

static void judge_refused(struct asbi_call *call,
                          const struct asbi_reply *reply,
                          struct asbi_judgement *j)
{
    bool filtered = reply->verdict == ASBI_FILTERED;

    j->fate = call->count > 1 ? ASBI_FATE_BISECT : ASBI_FATE_FAIL;
    j->settlement.breaker_ok = true;
    j->settlement.outcome = ASBI_LIMITER_NEUTRAL;
    asbi_judgement_say(j,
                       filtered      ? "content_filter"
                       : reply->code ? reply->code
                                     : "refused",
                       filtered
                           ? "the provider's content filter refuses this item"
                           : "the provider refuses this request",
                       reply->message);
}

static void judge_unsupported(struct asbi_call *call,
                              const struct asbi_reply *reply,
                              struct asbi_judgement *j)
{
    judge_refused(call, reply, j);
    if (asbi_lane_drop_feature(call->lane, &call->asked, reply->feature))
        j->fate = ASBI_FATE_SEND_AGAIN;
}

static void judge_answered(struct asbi_call *call,
                           const struct asbi_reply *reply,
                           struct asbi_judgement *j)
{
    j->fate = ASBI_FATE_RETRY;
    j->retryable = true;
    j->settlement.breaker_ok = true;
    j->settlement.outcome = ASBI_LIMITER_OK;
    call->lane->ever_answered = true;
    call->lane->throttles = call->lane->unreachables = 0;
    if (reply->verdict == ASBI_GARBLED) {
        j->waits = true;
        j->settlement.outcome = ASBI_LIMITER_NEUTRAL;
        asbi_judgement_say(j, "answer_malformed",
                           "the answer is not what was asked for",
                           reply->message);
    } else if (reply->verdict == ASBI_TRUNCATED) {
        asbi_judgement_say(
            j, "answer_truncated",
            "the answer stopped at the output limit before this item",
            reply->message);
    } else {
        asbi_judgement_say(j, "missing_from_answer",
                           "the answer left this item out", asbi_str_of("", 0));
    }
}

/* A gateway that waited in vain: the provider may have begun the job. */
static bool is_given_up(const struct asbi_call *call,
                        const struct asbi_exchange_end *end)
{
    return call->way == ASBI_JOB && (end->status == 504 || end->status == 524);
}

static void judge_reply(struct asbi_call *call, const struct asbi_reply *reply,
                        uint64_t now, struct asbi_judgement *j)
{
    switch (reply->verdict) {
    case ASBI_ACCEPTED:
    case ASBI_TRUNCATED:
    case ASBI_GARBLED:
        judge_answered(call, reply, j);
        break;
    case ASBI_RATE_LIMITED:
        judge_throttled(call, reply, now, j);
        break;
    case ASBI_OVERLOADED:
        judge_trouble(call, reply, j);
        break;
    case ASBI_FILTERED:
    case ASBI_BAD_REQUEST:
        judge_refused(call, reply, j);
        break;
    case ASBI_UNSUPPORTED:
        judge_unsupported(call, reply, j);
        break;
    case ASBI_SPENDING_CAP:
    case ASBI_NO_CREDENTIALS:
    case ASBI_NO_SUCH_MODEL:
        judge_halting(call, reply, j);
        break;
    }
}

static asbi_str quote(const struct asbi_call *call, asbi_str message,
                      char words[ASBI_JUDGEMENT_WORDS])
{
    size_t len =
        message.len < ASBI_JUDGEMENT_WORDS ? message.len : ASBI_JUDGEMENT_WORDS;

    if (!len)
        return message;
    memcpy(words, message.at, len);
    asbi_hush_call(call, words, len);
    return asbi_str_of(words, len);
}

void asbi_judgement_find(struct asbi_call *call,
                         const struct asbi_exchange_end *end,
                         const struct asbi_reply *reply, uint64_t now,
                         struct asbi_judgement *j)
{
    struct asbi_reply told = *reply;

    *j = (struct asbi_judgement){ .retry_after_ns = ASBI_NEVER };
    told.message = quote(call, reply->message, j->words);
    if (end->outcome == ASBI_NOT_SENT && call->native)
        judge_not_worked_off(call, j);
    else if (end->outcome == ASBI_NOT_SENT)
        judge_not_sent(call, end, now, j);
    else if (end->outcome != ASBI_COMPLETE || is_given_up(call, end))
        judge_unknown(call, end, j);
    else
        judge_reply(call, &told, now, j);
}
