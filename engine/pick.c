#include "engine/pick.h"

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/engine.h"

/* An output token takes about as long as four of input. */
static const double output_weight = 4;
/* An ordinary batch's cost follows this slowly. */
static const double cost_step = 0.05;
/* Each failed attempt makes another one likelier. */
static const double risk_of_attempt = 0.25;

static int bad_rule(const char *option, asbi_str at, struct asb_message *why)
{
    return asbi_fail(why, ASB_ECONFIG,
                     "%s: \"%.*s\" is no known name and value; see the default "
                     "for the form",
                     option, (int)(at.len < 60 ? at.len : 60), at.at);
}

int asbi_pick_read(struct asbi_priority_rules *rules,
                   const struct asbi_config *c, struct asb_message *why)
{
    asbi_str at = { "", 0 };

    asbi_priority_rules_init(rules);
    if (!asbi_priority_parse_weights(rules, asbi_str_c(c->priority_weights),
                                     &at))
        return bad_rule("priority_weights", at, why);
    if (!asbi_priority_parse_shares(rules, asbi_str_c(c->class_shares), &at))
        return bad_rule("class_shares", at, why);
    if (!asbi_priority_parse_targets(rules, asbi_str_c(c->class_targets), &at))
        return bad_rule("class_targets", at, why);
    return ASB_OK;
}

int asbi_pick_init(struct asbi_pick *pick, const struct asb_engine *e,
                   struct asb_message *why)
{
    struct asbi_priority_rules rules;

    *pick = (struct asbi_pick){ .mean_cost = 0 };
    int rc = asbi_pick_read(&rules, e->config, why);
    if (!rc)
        asbi_priority_init(&pick->priority, &rules);
    return rc;
}

int asbi_pick_set_rules(struct asbi_pick *pick, const struct asbi_config *c,
                        struct asb_message *why)
{
    struct asbi_priority_rules rules;
    int rc = asbi_pick_read(&rules, c, why);

    if (!rc)
        pick->priority.rules = rules;
    return rc;
}

void asbi_pick_fini(struct asbi_pick *pick, const struct asbi_mem *mem)
{
    asbi_free(mem, pick->heads);
    asbi_free(mem, pick->batches);
}

static bool reserve(struct asb_engine *e, size_t count)
{
    struct asbi_pick *p = &e->pick;
    size_t cap = count < 8 ? 8 : 2 * count;

    if (count <= p->cap)
        return true;
    void *heads = asbi_resize(&e->mem, p->heads, cap, sizeof(*p->heads));
    if (heads)
        p->heads = heads;
    void *batches = asbi_resize(&e->mem, p->batches, cap, sizeof(*p->batches));
    if (batches)
        p->batches = batches;
    if (heads && batches)
        p->cap = cap;
    return heads && batches;
}

/* Looked up once for each batch: a later loss of its most pressing item leaves
 * it a little too early. */
static uint64_t deadline_of(struct asbi_batch *b)
{
    if (b->deadline_ns)
        return b->deadline_ns;
    b->deadline_ns = ASBI_NEVER;
    ASBI_LIST_EACH (link, &b->parcels) {
        const struct asbi_item *item = asbi_item_of_link(link);

        if (item->deadline_ns < b->deadline_ns)
            b->deadline_ns = item->deadline_ns;
    }
    return b->deadline_ns;
}

static void describe(const struct asb_engine *e, struct asbi_batch *b,
                     struct asbi_contender *out)
{
    const struct asbi_item *first =
        asbi_item_of_link(asbi_list_first(&b->parcels));
    struct asbi_kind_entry *entry = b->kind->owner;
    double usual = e->pick.mean_cost;
    double risk = risk_of_attempt * first->attempts;

    *out = (struct asbi_contender){
        .priority = first->priority,
        .tenant = &entry->tenant->account,
        .arrived_ns = first->parcel.arrived_ns,
        .deadline_ns = deadline_of(b),
        .seconds = asbi_latency_p95(&e->lane->latency, b->load.input_tokens,
                                    b->load.output_tokens),
        .cost = usual > 0 ? (double)b->load.cost / usual : 1,
        .risk = risk < 1 ? risk : 1,
    };
}

/* All that is more urgent waits for the answer of what would be held back: it
 * began to when that was on the wire, which then had to go again. */
static bool others_only_follow(const struct asb_engine *e)
{
    size_t others = e->held_items - e->held_of[ASB_BACKGROUND], following = 0;

    if (others == 0 || others > e->recall.following.count)
        return false;
    ASBI_LIST_EACH (link, &e->recall.following) {
        const struct asbi_item *item =
            ASBI_OF(link, const struct asbi_item, link);

        following += item->priority != ASB_BACKGROUND;
    }
    return following == others;
}

bool asbi_pick_sheds(const struct asb_engine *e)
{
    bool others = e->held_items > e->held_of[ASB_BACKGROUND];

    return e->seen_urgent_or_normal && (others || !e->draining) &&
           asbi_budget_used_share(&e->purse.budget) >= e->config->budget_soft &&
           !others_only_follow(e);
}

/* A kind that may not be served now is left out. */
static void gather(struct asb_engine *e)
{
    struct asbi_pick *p = &e->pick;
    bool sheds = asbi_pick_sheds(e);

    p->count = 0;
    ASBI_LIST_EACH (it, &e->former.ready) {
        struct asbi_batch *b = asbi_kind_first(asbi_kind_of_ready(it));

        describe(e, b, &p->heads[p->count]);
        if (sheds && p->heads[p->count].priority == ASB_BACKGROUND) {
            asbi_alerts_shedding(&e->alerts);
            continue;
        }
        p->batches[p->count++] = b;
    }
}

static bool goes_again(const struct asbi_batch *b)
{
    const struct asbi_kind_entry *entry = b->kind->owner;

    return entry->again;
}

/* Of the chosen class and tenant what goes again is first: answers that are
 * there stand behind it in the order, and hold their memory. */
static size_t what_others_wait_for(const struct asbi_pick *p, size_t chosen)
{
    if (goes_again(p->batches[chosen]))
        return chosen;
    for (size_t i = 0; i < p->count; i++)
        if (goes_again(p->batches[i]) &&
            p->heads[i].priority == p->heads[chosen].priority &&
            p->heads[i].tenant == p->heads[chosen].tenant)
            return i;
    return chosen;
}

struct asbi_batch *asbi_pick_next(struct asb_engine *e, uint64_t now)
{
    struct asbi_pick *p = &e->pick;

    p->count = 0;
    if (asbi_list_empty(&e->former.ready))
        return NULL;
    if (!reserve(e, e->former.ready.count))
        return asbi_former_peek(&e->former, now);
    gather(e);
    if (p->count == 0)
        return NULL;
    p->chosen = what_others_wait_for(
        p, asbi_priority_pick(&p->priority, p->heads, p->count, now));
    return p->batches[p->chosen];
}

void asbi_pick_sent(struct asb_engine *e, const struct asbi_demand *demand)
{
    struct asbi_pick *p = &e->pick;
    double cost = (double)demand->worst_cost;

    if (p->count == 0)
        return; /* chosen without memory for a choice */
    asbi_priority_charge(&p->priority, &p->heads[p->chosen],
                         (double)demand->input_tokens +
                             output_weight * (double)demand->output_tokens);
    p->mean_cost += (p->mean_cost > 0 ? cost_step : 1) * (cost - p->mean_cost);
}

bool asbi_pick_is_late(const struct asb_engine *e, const struct asbi_item *item,
                       uint64_t now)
{
    return now > asbi_priority_due(&e->pick.priority.rules, item->priority,
                                   item->submitted_ns, item->deadline_ns);
}
