#include "scheduler/priority.h"

#include <math.h>

#include "engine/base/units.h"

/* Weights that change nothing. */
static const double usual_urgency = 0.4, usual_wait = 0.2;
/* Seconds that a whole point of cost or risk may put a batch back. */
static const double seconds_a_point = 20;

void asbi_priority_rules_init(struct asbi_priority_rules *rules)
{
    *rules = (struct asbi_priority_rules){
        .urgency = usual_urgency,
        .cost = 0.25,
        .wait = usual_wait,
        .risk = 0.15,
        .share = { [ASB_URGENT] = 0.5,
                   [ASB_NORMAL] = 0.4,
                   [ASB_BACKGROUND] = 0.1 },
        .target_ns = { [ASB_URGENT] = 10 * ASBI_SECOND,
                       [ASB_NORMAL] = 120 * ASBI_SECOND,
                       [ASB_BACKGROUND] = 1200 * ASBI_SECOND },
    };
}

/* ---- rules as text ---------------------------------------------------- */

/* The part before `mark`; *rest is what follows, or empty. */
static asbi_str cut(asbi_str *rest, char mark)
{
    asbi_str whole = *rest;
    const char *at = whole.len ? memchr(whole.at, mark, whole.len) : NULL;
    size_t len = at ? (size_t)(at - whole.at) : whole.len;

    *rest = at ? asbi_str_of(at + 1, whole.len - len - 1)
               : asbi_str_of(whole.at + whole.len, 0);
    return asbi_str_trim(asbi_str_of(whole.at, len));
}

static bool weight(asbi_str text, double *out)
{
    return asbi_parse_double(text, out) && *out >= 0 && *out <= 1000;
}

bool asbi_priority_parse_weights(struct asbi_priority_rules *rules,
                                 asbi_str text, asbi_str *at)
{
    const struct {
        asbi_str name;
        double *weight;
    } names[] = {
        { ASBI_STR("urgency"), &rules->urgency },
        { ASBI_STR("cost"), &rules->cost },
        { ASBI_STR("wait"), &rules->wait },
        { ASBI_STR("risk"), &rules->risk },
    };

    while (text.len) {
        asbi_str value = *at = cut(&text, ',');
        asbi_str name = cut(&value, '=');
        size_t i = 0;

        while (i < 4 && !asbi_str_eq(names[i].name, name))
            i++;
        if (i == 4 || !weight(asbi_str_trim(value), names[i].weight))
            return false;
    }
    return true;
}

static bool class_of(asbi_str name, enum asb_class *out)
{
    static const char *const names[ASBI_CLASSES] = {
        [ASB_NORMAL] = "normal",
        [ASB_URGENT] = "urgent",
        [ASB_BACKGROUND] = "background",
    };

    for (int i = 0; i < ASBI_CLASSES; i++) {
        *out = (enum asb_class)i;
        if (asbi_str_eq(asbi_str_c(names[i]), name))
            return true;
    }
    return false;
}

bool asbi_priority_parse_shares(struct asbi_priority_rules *rules,
                                asbi_str text, asbi_str *at)
{
    double sum = 0;

    while (text.len) {
        asbi_str value = *at = cut(&text, ',');
        asbi_str name = cut(&value, '=');
        enum asb_class c;

        if (!class_of(name, &c) ||
            !weight(asbi_str_trim(value), &rules->share[c]) ||
            rules->share[c] <= 0)
            return false;
    }
    for (size_t i = 0; i < ASBI_CLASSES; i++)
        sum += rules->share[i];
    for (size_t i = 0; i < ASBI_CLASSES; i++)
        rules->share[i] /= sum;
    return true;
}

bool asbi_priority_parse_targets(struct asbi_priority_rules *rules,
                                 asbi_str text, asbi_str *at)
{
    while (text.len) {
        asbi_str value = *at = cut(&text, ',');
        asbi_str name = cut(&value, '=');
        enum asb_class c;

        if (!class_of(name, &c) ||
            !asbi_parse_duration(asbi_str_trim(value), ASBI_SECOND,
                                 &rules->target_ns[c]) ||
            rules->target_ns[c] == 0)
            return false;
    }
    return true;
}

/* ---- the choice ------------------------------------------------------- */

void asbi_priority_init(struct asbi_priority *p,
                        const struct asbi_priority_rules *rules)
{
    *p = (struct asbi_priority){ .rules = *rules, .round = 1 };
}

uint64_t asbi_priority_due(const struct asbi_priority_rules *rules,
                           enum asb_class priority, uint64_t arrived_ns,
                           uint64_t deadline_ns)
{
    uint64_t due = asbi_add_ns(arrived_ns, rules->target_ns[priority]);

    return deadline_ns < due ? deadline_ns : due;
}

static double at_most_1(double x)
{
    return x > 1 ? 1 : x;
}

/* Seconds; the least goes first.  The weights scale what they are named for,
 * so that without urgency the order is that of arrival, and without waiting
 * that of the classes. */
static double key_of(const struct asbi_priority *p,
                     const struct asbi_contender *c)
{
    const struct asbi_priority_rules *r = &p->rules;
    uint64_t due =
        asbi_priority_due(r, c->priority, c->arrived_ns, c->deadline_ns);
    double allowed =
        due > c->arrived_ns ? (double)(due - c->arrived_ns) / 1e9 : 0;

    return r->wait / usual_wait * (double)c->arrived_ns / 1e9 +
           r->urgency / usual_urgency * (allowed - c->seconds) +
           seconds_a_point *
               (r->cost * at_most_1(c->cost - 1) + r->risk * c->risk);
}

static bool is_late(const struct asbi_priority *p,
                    const struct asbi_contender *c, uint64_t now_ns)
{
    uint64_t due = asbi_priority_due(&p->rules, c->priority, c->arrived_ns,
                                     c->deadline_ns);

    return (double)due < (double)now_ns + c->seconds * 1e9;
}

/* The least served of those who have been waiting since the last round. */
static void note_least(const struct asbi_account *a, uint64_t round,
                       double *least)
{
    if (a->round == round && a->served < *least)
        *least = a->served;
}

/* Who comes back has no claim on the time he did not wait. */
static void enter(struct asbi_account *a, uint64_t round, double least)
{
    if (a->round < round && isfinite(least) && a->served < least)
        a->served = least;
    a->round = round + 1;
}

/* Classes first, then the tenants, whose accounts are one for all classes. */
static void note_waiting(struct asbi_priority *p,
                         const struct asbi_contender *c, size_t n)
{
    double least_class = INFINITY, least_tenant = INFINITY;

    for (size_t i = 0; i < n; i++) {
        note_least(&p->classes[c[i].priority], p->round, &least_class);
        note_least(c[i].tenant, p->round, &least_tenant);
    }
    for (size_t i = 0; i < n; i++) {
        enter(&p->classes[c[i].priority], p->round, least_class);
        enter(c[i].tenant, p->round, least_tenant);
    }
    p->round++;
}

static const int rank[ASBI_CLASSES] = {
    [ASB_URGENT] = 0, [ASB_NORMAL] = 1, [ASB_BACKGROUND] = 2
};

static enum asb_class class_by_share(const struct asbi_priority *p,
                                     const struct asbi_contender *c, size_t n)
{
    enum asb_class best = c[0].priority;

    for (size_t i = 1; i < n; i++) {
        enum asb_class k = c[i].priority;
        double mine = p->classes[k].served, its = p->classes[best].served;

        if (mine < its || (mine <= its && rank[k] < rank[best]))
            best = k;
    }
    return best;
}

static enum asb_class class_by_deadline(const struct asbi_priority *p,
                                        const struct asbi_contender *c,
                                        size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++) {
        if (key_of(p, &c[i]) < key_of(p, &c[best]))
            best = i;
    }
    return c[best].priority;
}

static size_t pick_within(const struct asbi_priority *p,
                          const struct asbi_contender *c, size_t n,
                          enum asb_class priority)
{
    double least = INFINITY, best_key = INFINITY;
    size_t best = 0;

    for (size_t i = 0; i < n; i++) {
        if (c[i].priority == priority && c[i].tenant->served < least)
            least = c[i].tenant->served;
    }
    for (size_t i = 0; i < n; i++) {
        if (c[i].priority != priority ||
            c[i].tenant->served > least + p->largest)
            continue;
        double key = key_of(p, &c[i]);
        if (key < best_key) {
            best_key = key;
            best = i;
        }
    }
    return best;
}

size_t asbi_priority_pick(struct asbi_priority *p,
                          const struct asbi_contender *c, size_t n,
                          uint64_t now_ns)
{
    bool crowded = false;

    note_waiting(p, c, n);
    if (n == 1)
        return 0;
    for (size_t i = 0; i < n && !crowded; i++)
        crowded = is_late(p, &c[i], now_ns);
    return pick_within(p, c, n,
                       crowded ? class_by_share(p, c, n)
                               : class_by_deadline(p, c, n));
}

void asbi_priority_charge(struct asbi_priority *p,
                          const struct asbi_contender *c, double work)
{
    p->classes[c->priority].served += work / p->rules.share[c->priority];
    c->tenant->served += work;
    if (work > p->largest)
        p->largest = work;
}
