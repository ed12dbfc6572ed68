/*
 * priority.h -- which closed batch goes next: classes with guaranteed shares,
 * virtual deadlines, tenants in turn.
 *
 * While nothing is late, the least virtual deadline goes first: arrival plus
 * the target of its class, which is linear ageing with a key that never changes
 * (Kleinrock's time-dependent priority with equal slopes).  In overload that
 * order makes everything late; so as soon as something is, classes are served
 * by their guaranteed shares (start-time fair queueing): an urgent class that
 * asks for less than its share is not touched by the overload, and none
 * starves.  Among the tenants of a class the one that was served least is next,
 * within one batch (virtual token counters, as in VTC).
 *
 * Pure: heads come in as an array, one for each group whose order is first come
 * first served, and the index of one goes out.
 */
#ifndef ASBI_SCHEDULER_PRIORITY_H
#define ASBI_SCHEDULER_PRIORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asyncbatch/asyncbatch.h>

#include "engine/base/str.h"

enum { ASBI_CLASSES = 3 }; /* indexed by enum asb_class */

struct asbi_priority_rules {
    /* What the four reasons weigh against each other; 0.4, 0.25, 0.2, 0.15. */
    double urgency, cost, wait, risk;
    double share[ASBI_CLASSES];       /* guaranteed; over 0, sum 1 */
    uint64_t target_ns[ASBI_CLASSES]; /* from arrival to answer */
};

/* Work that was done for someone, and since when he is waiting. */
struct asbi_account {
    double served;
    uint64_t round; /* the last in which he had something waiting */
};

struct asbi_priority {
    struct asbi_priority_rules rules;
    struct asbi_account classes[ASBI_CLASSES];
    uint64_t round;
    double largest; /* work of one batch so far */
};

/* The first batch of a group. */
struct asbi_contender {
    enum asb_class priority;
    struct asbi_account *tenant;
    uint64_t arrived_ns;
    uint64_t deadline_ns; /* the user's; ASBI_NEVER: none */
    double seconds;       /* that it will take */
    double cost;          /* over that of an ordinary batch: 1 is as dear */
    double risk;          /* of an answer that will not do, in [0, 1] */
};

void asbi_priority_rules_init(struct asbi_priority_rules *rules);

/**
 * "urgency=0.4,cost=0.25,wait=0.2,risk=0.15"; "urgent=0.5,normal=0.4,
 * background=0.1" (scaled to a sum of 1); "urgent=10s,normal=2m,
 * background=20m".  What is not named stays; an empty text changes nothing.
 * False at a mistake, with its place in *at.
 */
bool asbi_priority_parse_weights(struct asbi_priority_rules *rules,
                                 asbi_str text, asbi_str *at);
bool asbi_priority_parse_shares(struct asbi_priority_rules *rules,
                                asbi_str text, asbi_str *at);
bool asbi_priority_parse_targets(struct asbi_priority_rules *rules,
                                 asbi_str text, asbi_str *at);

void asbi_priority_init(struct asbi_priority *p,
                        const struct asbi_priority_rules *rules);

/* When an item should be answered: its deadline or its class's target. */
uint64_t asbi_priority_due(const struct asbi_priority_rules *rules,
                           enum asb_class priority, uint64_t arrived_ns,
                           uint64_t deadline_ns);

/* The index of the next of `n` > 0.  Notes who is waiting: to be called with
 * all that are. */
size_t asbi_priority_pick(struct asbi_priority *p,
                          const struct asbi_contender *c, size_t n,
                          uint64_t now_ns);

/* It was sent: `work` in any unit, the same for all. */
void asbi_priority_charge(struct asbi_priority *p,
                          const struct asbi_contender *c, double work);

#endif
