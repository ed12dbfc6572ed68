/*
 * judgement.h -- what the end of an exchange means for its items, its lane and
 * its bill.  Shared by verdicts.c, which finds it, and judge.c, which acts.
 */
#ifndef ASBI_JUDGEMENT_H
#define ASBI_JUDGEMENT_H

#include "engine/call.h"

/* What happens to items that this call gave no answer for. */
enum asbi_fate {
    ASBI_FATE_RETRY,      /* counts as an attempt; wait, then queue again */
    ASBI_FATE_SEND_AGAIN, /* the batch as it is, when the lane opens again */
    ASBI_FATE_BISECT,     /* the batch in two halves; a lone item fails */
    ASBI_FATE_FAIL,
};

enum { ASBI_JUDGEMENT_WORDS = 256, ASBI_JUDGEMENT_MESSAGE = 320 };

struct asbi_judgement {
    enum asbi_fate fate;
    /* For items that end here; put together only for those. */
    const char *code, *text;
    asbi_str detail;
    char words[ASBI_JUDGEMENT_WORDS]; /* the provider's, fit to be shown */
    bool retryable;
    bool unknown; /* may have been paid for without an answer */
    bool waits;   /* retries wait for back-off */
    uint64_t retry_after_ns;
    struct asbi_settlement settlement;
    int64_t cost;
    struct asb_usage usage;
    bool has_usage;
};

/* Sets code and message for items that end here.  Code and text are static,
 * the detail is borrowed until the call is judged. */
void asbi_judgement_say(struct asbi_judgement *j, const char *code,
                        const char *text, asbi_str detail);

/* "text: detail"; a long detail is cut. */
void asbi_judgement_message(const struct asbi_judgement *j,
                            char out[ASBI_JUDGEMENT_MESSAGE]);

/* Fills in all but the bill; blocks or halts the lane where that follows. */
void asbi_judgement_find(struct asbi_call *call,
                         const struct asbi_exchange_end *end,
                         const struct asbi_reply *reply, uint64_t now,
                         struct asbi_judgement *j);

#endif
