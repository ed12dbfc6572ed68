#include <stdio.h>

#include "engine/real/http_private.h"

/* What our own reason to stop means for the owner. */
static const struct {
    enum asbi_outcome outcome;
    const char *text;
} stops[] = {
    [ASBI_STOP_HEADERS] = { ASBI_TOO_LARGE,
                            "the head of the answer is over its limit" },
    [ASBI_STOP_BODY] = { ASBI_TOO_LARGE, "the answer is over its limit" },
    [ASBI_STOP_REFUSED] = { ASBI_REFUSED, "the answer was refused" },
    [ASBI_STOP_RESEND] = { ASBI_UNANSWERED,
                           "the connection ended before an answer came" },
};

static void say(struct asbi_exchange_end *end, enum asbi_outcome outcome,
                const char *text)
{
    end->outcome = outcome;
    end->text = text;
}

/* libcurl's own words when it has any. */
static const char *words(const struct asbi_http_slot *slot, CURLcode code)
{
    return slot->error[0] ? slot->error : curl_easy_strerror(code);
}

/* The request or a part of it went out and libcurl gave up. */
static void judge_sent(struct asbi_http_slot *slot, CURLcode code,
                       struct asbi_exchange_end *end)
{
    bool in_head = !slot->in_trailers;

    /* Also what libcurl says of a line longer than it ever takes. */
    if (code == CURLE_OUT_OF_MEMORY && in_head)
        say(end, ASBI_TOO_LARGE, stops[ASBI_STOP_HEADERS].text);
    else if (code == CURLE_OK)
        say(end, ASBI_CUT, "the head of the answer was cut short");
    else if (code == CURLE_UNSUPPORTED_PROTOCOL ||
             code == CURLE_WEIRD_SERVER_REPLY)
        say(end, ASBI_CUT, "the answer is not HTTP");
    else if (slot->header_bytes == 0)
        say(end, ASBI_UNANSWERED, words(slot, code));
    else
        say(end, ASBI_CUT, words(slot, code));
}

static void judge_curl(struct asbi_http_slot *slot, CURLcode code,
                       struct asbi_exchange_end *end)
{
    /* libcurl is content with a head that ends in the middle. */
    if (code == CURLE_OK && slot->in_trailers) {
        say(end, ASBI_COMPLETE, "");
    } else if (asbi_http_was_sent(slot)) {
        judge_sent(slot, code, end);
    } else {
        say(end, ASBI_NOT_SENT, words(slot, code));
        end->unreachable = !slot->sent && code != CURLE_OUT_OF_MEMORY &&
                           code != CURLE_ABORTED_BY_CALLBACK;
    }
}

static void judge_time(struct asbi_http_slot *slot,
                       struct asbi_exchange_end *end)
{
    bool sent = asbi_http_was_sent(slot);

    say(end, sent ? ASBI_TIMED_OUT : ASBI_NOT_SENT, slot->fault);
    end->unreachable = !slot->sent;
}

static void judge(struct asbi_http_slot *slot, CURLcode code,
                  struct asbi_exchange_end *end)
{
    switch (slot->stop) {
    case ASBI_STOP_NONE:
        judge_curl(slot, code, end);
        break;
    case ASBI_STOP_TIME:
        judge_time(slot, end);
        break;
    case ASBI_STOP_FAULT:
        say(end, asbi_http_was_sent(slot) ? ASBI_UNANSWERED : ASBI_NOT_SENT,
            slot->fault);
        end->unreachable = slot->unreachable;
        break;
    case ASBI_STOP_HEADERS:
    case ASBI_STOP_BODY:
    case ASBI_STOP_REFUSED:
    case ASBI_STOP_RESEND:
        say(end, stops[slot->stop].outcome, stops[slot->stop].text);
        break;
    }
}

/* Takes the slot out of libcurl or out of the queue it waits in. */
static void withdraw(struct asbi_http_slot *slot)
{
    if (slot->in_multi && slot->fd < 0) {
        (void)curl_multi_remove_handle(slot->multi->curl, slot->easy);
        slot->in_multi = false;
    }
    asbi_list_remove(&slot->wait.link);
}

void asbi_http_recycle(struct asbi_http_slot *slot)
{
    struct asbi_http *h = slot->http;

    withdraw(slot);
    asbi_http_talk_end(slot);
    if (slot->x)
        slot->x->slot = NULL;
    slot->x = NULL;
    slot->endpoint = NULL;
    asbi_http_keep(slot);
    if (asbi_http_busy(h) > 0)
        return;
    asbi_http_limits_rest(h);
    (void)event_del(&h->keeper);
}

/* Another address may do better where this one gave no connection. */
static bool tries_next(struct asbi_http_slot *slot, CURLcode code)
{
    if (slot->state != ASBI_SLOT_RUNNING || slot->sent ||
        slot->stop != ASBI_STOP_NONE ||
        (code != CURLE_COULDNT_CONNECT && code != CURLE_OPERATION_TIMEDOUT))
        return false;
    withdraw(slot);
    asbi_http_slot_enter(slot, ASBI_SLOT_NAMING);
    return asbi_http_route_next(slot);
}

/* That was libcurl's part: the connection stands. */
static bool is_open(const struct asbi_http_slot *slot, CURLcode code)
{
    return slot->state == ASBI_SLOT_RUNNING && slot->endpoint->direct &&
           code == CURLE_OK && slot->stop == ASBI_STOP_NONE;
}

/* Into `text` what will not last: the owner may start another call, on this
 * very slot.  It may be the proxy that cannot be reached. */
static void keep_text(const struct asbi_http_slot *slot,
                      struct asbi_exchange_end *end, char *text, size_t size)
{
    const char *via = end->unreachable ? slot->endpoint->via : NULL;

    if (!via && end->text != slot->error)
        return;
    (void)snprintf(text, size, "%s%s%s%s", via ? "by way of proxy " : "",
                   via ? via : "", via ? ": " : "", end->text);
    end->text = text;
}

void asbi_http_finish(struct asbi_http_slot *slot, CURLcode code)
{
    struct asbi_exchange *x = slot->x;
    char text[2 * CURL_ERROR_SIZE];

    if (!x) {
        asbi_http_recycle(slot);
        return;
    }
    if (tries_next(slot, code))
        return;
    if (is_open(slot, code)) {
        if (asbi_http_own(slot))
            asbi_http_slot_launch(slot);
        return;
    }
    struct asbi_exchange_end end = {
        .status = slot->status,
        .started_ns = slot->started_ns,
        .first_byte_ns = slot->first_byte_ns,
        .ended_ns = asbi_http_now(slot->http),
    };
    judge(slot, code, &end);
    keep_text(slot, &end, text, sizeof(text));
    asbi_http_recycle(slot);
    /* The watches do not count as events for EVLOOP_ONCE, the pump does: a
     * host that turns its loop by hand must see that something happened. */
    asbi_http_pump(slot->http);
    x->ops->on_end(x, &end);
}
