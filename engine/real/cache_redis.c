#include "engine/real/cache_redis.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"

enum {
    EXPIRY_BYTES = 8,
    MAX_COMMANDS = 65536, /* on their way at once */
    MAX_RECORD = 8 << 20,
    HEX_BYTES = 2 * ASBI_CACHE_KEY_BYTES,
    /* Without any reply for so many budgets the server is gone. */
    BUDGETS = 4,
};

#define FIRST_WAIT (250 * ASBI_MS)
#define LONGEST_WAIT (30 * ASBI_SECOND)

static const char prefix[] = "asyncbatch:1:";
static const char channel[] = "asyncbatch:purge";

/* A command whose reply is to come. */
struct command {
    struct asbi_link link;
    struct asbi_link wait;  /* while there is a look-up */
    struct asbi_look *look; /* NULL: of a write, or nobody waits any more */
    uint64_t sent_ns;
    bool writes;
};

struct cache_redis {
    struct asbi_remote remote; /* first: what the engine sees */
    const struct asbi_parts *parts;
    uint64_t budget_ns;
    struct asbi_redis_link *link, *news; /* commands; the subscription */
    struct asbi_list commands;           /* sent, oldest first */
    struct asbi_list looks;              /* those that somebody waits for */
    struct asbi_list spare;
    struct asbi_list waiting; /* look-ups, for the first connection */
    size_t writes;            /* of `commands` */
    struct asbi_buf value;

    bool tried;           /* the first connection was made or given up */
    bool was_well, heard; /* told so; a reply came since it is up */
    bool news_lost;       /* messages may have been missed */
    bool refused;         /* a command, which was told of */
    uint64_t down_until_ns, wait_ns;
};

static struct cache_redis *redis_of(struct asbi_remote *r)
{
    return (struct cache_redis *)(void *)r;
}

static const struct cache_redis *const_redis_of(const struct asbi_remote *r)
{
    return (const struct cache_redis *)(const void *)r;
}

/* ---- ends ------------------------------------------------------------- */

static void end_look(struct cache_redis *c, struct asbi_look *look,
                     asbi_str record, uint64_t expires_ms)
{
    look->at = NULL;
    look->place = NULL;
    c->remote.on_end(c->remote.arg, &c->remote, look, record, expires_ms);
}

static void miss(struct cache_redis *c, struct asbi_look *look)
{
    end_look(c, look, asbi_str_of(NULL, 0), 0);
}

static struct command *first_command(const struct cache_redis *c)
{
    struct asbi_link *link = asbi_list_first(&c->commands);

    return link ? ASBI_OF(link, struct command, link) : NULL;
}

/* Nobody waits for it any more; who did, or NULL. */
static struct asbi_look *let_go(struct command *command)
{
    struct asbi_look *look = command->look;

    asbi_list_remove(&command->wait);
    command->look = NULL;
    return look;
}

/* Takes the oldest command off; its look-up, or NULL. */
static struct asbi_look *pop_command(struct cache_redis *c)
{
    struct command *first = first_command(c);
    struct asbi_look *look = let_go(first);

    asbi_list_remove(&first->link);
    c->writes -= first->writes;
    asbi_list_append(&c->spare, &first->link);
    return look;
}

/* Nobody waits for anything any more. */
static void give_up_all(struct cache_redis *c)
{
    struct asbi_link *link;
    bool wrote = c->writes > 0;

    while (c->commands.count) {
        struct asbi_look *look = pop_command(c);

        if (look)
            miss(c, look);
    }
    while ((link = asbi_list_pop(&c->waiting)))
        miss(c, ASBI_OF(link, struct asbi_look, link));
    if (wrote)
        c->remote.on_rest(c->remote.arg);
}

static void tell_health(struct cache_redis *c, bool well, const char *why)
{
    if (well != c->was_well || !c->tried)
        c->remote.on_health(c->remote.arg, &c->remote, well, why);
    c->was_well = well;
}

/* Closed; the next try is later than the one before, unless it did answer. */
static void trip(struct cache_redis *c, const char *why)
{
    asbi_redis_link_stop(c->link);
    c->wait_ns = c->heard ? FIRST_WAIT : c->wait_ns * 2;
    c->wait_ns = c->wait_ns < LONGEST_WAIT ? c->wait_ns : LONGEST_WAIT;
    c->down_until_ns = asbi_clock_now(c->parts->clock) + c->wait_ns;
    c->heard = false;
    tell_health(c, false, why);
    c->tried = true;
    give_up_all(c);
}

/* ---- commands --------------------------------------------------------- */

struct name {
    char text[sizeof(prefix) - 1 + HEX_BYTES];
};

static asbi_str name_of(const struct asbi_cache_key *key, struct name *name)
{
    static const char digits[] = "0123456789abcdef";
    char *at = name->text + sizeof(prefix) - 1;

    memcpy(name->text, prefix, sizeof(prefix) - 1);
    for (size_t i = 0; i < sizeof(key->bytes); i++) {
        *at++ = digits[key->bytes[i] >> 4];
        *at++ = digits[key->bytes[i] & 15];
    }
    return asbi_str_of(name->text, sizeof(name->text));
}

static struct command *command_new(struct cache_redis *c)
{
    struct asbi_link *link = asbi_list_pop(&c->spare);

    if (link)
        return ASBI_OF(link, struct command, link);
    return asbi_calloc(c->parts->mem, 1, sizeof(struct command));
}

/* False: no room or memory, and nothing was sent. */
static bool send_command(struct cache_redis *c, const asbi_str *words,
                         size_t count, struct asbi_look *look, uint64_t now)
{
    struct command *command = NULL;

    if (c->commands.count >= MAX_COMMANDS || !(command = command_new(c)))
        return false;
    *command = (struct command){ .look = look,
                                 .sent_ns = now,
                                 .writes = look == NULL };
    if (!asbi_redis_link_send(c->link, words, count)) {
        asbi_list_append(&c->spare, &command->link);
        return false;
    }
    if (look)
        look->place = command;
    c->writes += command->writes;
    asbi_list_append(&c->commands, &command->link);
    return true;
}

static bool send_get(struct cache_redis *c, struct asbi_look *look,
                     uint64_t now)
{
    struct name name;
    asbi_str words[] = { ASBI_STR("GET"), name_of(look->key, &name) };

    if (!send_command(c, words, 2, look, now))
        return false;
    struct command *command = look->place;
    asbi_list_append(&c->looks, &command->wait);
    return true;
}

/* ---- replies ---------------------------------------------------------- */

static uint64_t read_expiry(asbi_str value)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < EXPIRY_BYTES; i++)
        n |= (uint64_t)(unsigned char)value.at[i] << (8 * i);
    return n;
}

/* Its keys are spread over nodes, and hiredis knows only the one. */
static bool is_of_cluster(asbi_str error)
{
    return asbi_str_starts(error, ASBI_STR("MOVED ")) ||
           asbi_str_starts(error, ASBI_STR("ASK ")) ||
           asbi_str_starts(error, ASBI_STR("CLUSTERDOWN "));
}

static void on_error(struct cache_redis *c, asbi_str error)
{
    if (is_of_cluster(error)) {
        trip(c, "it is a node of a Redis Cluster, of which no other is asked: "
                "name a single server, or a proxy before the cluster");
        asbi_redis_link_stop(c->news);
        c->down_until_ns = ASBI_NEVER;
        return;
    }
    if (!c->refused)
        c->remote.on_health(c->remote.arg, &c->remote, true,
                            "refuses commands: see whether it is full or a "
                            "replica, and what its user may do");
    c->refused = true;
}

static void on_reply(void *arg, const struct asbi_redis_reply *reply)
{
    struct cache_redis *c = arg;
    asbi_str value = reply->text;

    if (!first_command(c))
        return; /* not ours to answer */
    bool wrote = c->writes > 0;
    struct asbi_look *look = pop_command(c);
    c->heard = c->heard || reply->kind != ASBI_REDIS_ERROR;
    if (look && reply->kind == ASBI_REDIS_TEXT && value.len > EXPIRY_BYTES)
        end_look(c, look,
                 asbi_str_of(value.at + EXPIRY_BYTES, value.len - EXPIRY_BYTES),
                 read_expiry(value));
    else if (look)
        miss(c, look);
    if (wrote && c->writes == 0)
        c->remote.on_rest(c->remote.arg);
    if (reply->kind == ASBI_REDIS_ERROR)
        on_error(c, reply->text);
}

static void on_up(void *arg)
{
    struct cache_redis *c = arg;
    uint64_t now = asbi_clock_now(c->parts->clock);
    struct asbi_link *link;

    tell_health(c, true, "");
    c->tried = true;
    asbi_redis_link_start(c->news);
    while ((link = asbi_list_pop(&c->waiting))) {
        struct asbi_look *look = ASBI_OF(link, struct asbi_look, link);

        if (!send_get(c, look, now))
            miss(c, look);
    }
    asbi_redis_link_flush(c->link);
}

static void on_down(void *arg, const char *why)
{
    trip(arg, why);
}

static const struct asbi_redis_link_ops link_ops = { on_up, on_reply, on_down };

/* ---- news of what no longer holds ------------------------------------- */

static bool read_digit(char c, unsigned *n)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    if (!at)
        return false;
    *n = (unsigned)(at - digits);
    return true;
}

static bool read_key(asbi_str text, struct asbi_cache_key *key)
{
    unsigned high, low;

    if (asbi_str_starts(text, asbi_str_of(prefix, sizeof(prefix) - 1)))
        text = asbi_str_of(text.at + sizeof(prefix) - 1,
                           text.len - (sizeof(prefix) - 1));
    if (text.len != HEX_BYTES)
        return false;
    for (size_t i = 0; i < sizeof(key->bytes); i++) {
        if (!read_digit(text.at[2 * i], &high) ||
            !read_digit(text.at[2 * i + 1], &low))
            return false;
        key->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static void on_news_up(void *arg)
{
    struct cache_redis *c = arg;
    asbi_str words[] = { ASBI_STR("SUBSCRIBE"),
                         asbi_str_of(channel, sizeof(channel) - 1) };

    (void)asbi_redis_link_send(c->news, words, 2);
    asbi_redis_link_flush(c->news);
    if (c->news_lost)
        c->remote.on_purge(c->remote.arg, NULL);
    c->news_lost = false;
}

static void on_news(void *arg, const struct asbi_redis_reply *reply)
{
    struct cache_redis *c = arg;
    struct asbi_cache_key key;

    if (reply->kind != ASBI_REDIS_MESSAGE)
        return;
    if (asbi_str_eq(reply->text, ASBI_STR("*")))
        c->remote.on_purge(c->remote.arg, NULL);
    else if (read_key(reply->text, &key))
        c->remote.on_purge(c->remote.arg, &key);
}

/* Tried again when the commands' connection is made again. */
static void on_news_down(void *arg, const char *why)
{
    struct cache_redis *c = arg;

    (void)why;
    c->news_lost = true;
    if (asbi_redis_link_is_up(c->link))
        trip(c, "its news have ended");
}

static const struct asbi_redis_link_ops news_ops = { on_news_up, on_news,
                                                     on_news_down };

/* ---- what the engine asks --------------------------------------------- */

/* The oldest reply is overdue: more would only wait behind it. */
static bool is_late(const struct cache_redis *c, uint64_t now)
{
    const struct command *first = first_command(c);

    return first && now - first->sent_ns >= c->budget_ns &&
           now > first->sent_ns;
}

static bool redis_ask(struct asbi_remote *r, struct asbi_look *look,
                      uint64_t now)
{
    struct cache_redis *c = redis_of(r);

    if (!asbi_redis_link_is_up(c->link)) {
        if (now < c->down_until_ns)
            return false;
        asbi_redis_link_start(c->link); /* which may fail at once */
        if (c->tried)
            return false;
        look->asked_ns = now;
        asbi_list_append(&c->waiting, &look->link);
    } else if (is_late(c, now) || !send_get(c, look, now)) {
        return false;
    }
    look->asked_ns = now;
    look->at = r;
    return true;
}

static void redis_forget(struct asbi_remote *r, struct asbi_look *look)
{
    struct command *command = look->place;

    (void)r;
    if (command)
        (void)let_go(command);
    asbi_list_remove(&look->link);
    look->place = NULL;
    look->at = NULL;
}

static void put_value(struct asbi_buf *out,
                      const struct asbi_store_entry *entry)
{
    asbi_buf_clear(out);
    for (unsigned i = 0; i < EXPIRY_BYTES; i++)
        asbi_buf_char(out, (char)(entry->expires_ms >> (8 * i)));
    asbi_buf_str(out, entry->record);
}

static void redis_keep(struct asbi_remote *r,
                       const struct asbi_store_entry *entry, uint64_t now_ms,
                       uint64_t now)
{
    struct cache_redis *c = redis_of(r);
    struct name name;
    char ttl[24];

    if (!asbi_redis_link_is_up(c->link) || entry->expires_ms <= now_ms)
        return;
    int n = snprintf(ttl, sizeof(ttl), "%llu",
                     (unsigned long long)(entry->expires_ms - now_ms));
    put_value(&c->value, entry);
    asbi_str words[] = { ASBI_STR("SET"), name_of(&entry->key, &name),
                         asbi_buf_view(&c->value), ASBI_STR("PX"),
                         asbi_str_of(ttl, (size_t)n) };
    if (!asbi_buf_failed(&c->value))
        (void)send_command(c, words, 5, NULL, now);
}

static struct command *first_look(const struct cache_redis *c)
{
    struct asbi_link *link = asbi_list_first(&c->looks);

    return link ? ASBI_OF(link, struct command, wait) : NULL;
}

/* Look-ups over their budget are answered; their replies come later, or not. */
static void give_up_late(struct cache_redis *c, uint64_t now)
{
    struct command *command;

    while ((command = first_look(c)) && now >= command->sent_ns &&
           now - command->sent_ns >= c->budget_ns)
        miss(c, let_go(command));
}

static void redis_turn(struct asbi_remote *r, uint64_t now)
{
    struct cache_redis *c = redis_of(r);

    asbi_redis_link_flush(c->link);
    if (!is_late(c, now))
        return;
    give_up_late(c, now);
    const struct command *first = first_command(c);
    if (first && now - first->sent_ns >= BUDGETS * c->budget_ns)
        trip(c, "it does not answer in time");
}

static uint64_t redis_due(const struct asbi_remote *r)
{
    const struct cache_redis *c = const_redis_of(r);
    const struct command *first = first_command(c), *look = first_look(c);

    if (!first) /* those who wait for the connection have its own timer */
        return c->waiting.count ? asbi_clock_now(c->parts->clock) + ASBI_SECOND
                                : ASBI_NEVER;
    uint64_t gone = asbi_add_ns(first->sent_ns, BUDGETS * c->budget_ns);
    uint64_t late = look ? asbi_add_ns(look->sent_ns, c->budget_ns) : gone;
    return late < gone ? late : gone;
}

static bool redis_busy(const struct asbi_remote *r)
{
    return const_redis_of(r)->writes > 0;
}

static void redis_free(struct asbi_remote *r)
{
    struct cache_redis *c = redis_of(r);
    struct asbi_link *link;

    asbi_redis_link_free(c->link);
    asbi_redis_link_free(c->news);
    while ((link = asbi_list_pop(&c->commands)) ||
           (link = asbi_list_pop(&c->spare)))
        asbi_free(c->parts->mem, ASBI_OF(link, struct command, link));
    asbi_buf_fini(&c->value);
    asbi_free(c->parts->mem, c);
}

static const struct asbi_remote_ops ops = {
    .ask = redis_ask,
    .forget = redis_forget,
    .keep = redis_keep,
    .turn = redis_turn,
    .due = redis_due,
    .busy = redis_busy,
    .free = redis_free,
};

int asbi_cache_redis_new(const struct asbi_parts *parts,
                         const struct asbi_cache_redis_options *options,
                         struct asbi_remote **out, struct asb_message *why)
{
    struct cache_redis *c = asbi_calloc(parts->mem, 1, sizeof(*c));

    *out = NULL;
    if (!c)
        return ASB_ENOMEM;
    c->remote.ops = &ops;
    c->remote.name = "redis";
    c->parts = parts;
    c->budget_ns = options->budget_ns;
    c->wait_ns = FIRST_WAIT / 2;
    asbi_list_init(&c->commands);
    asbi_list_init(&c->looks);
    asbi_list_init(&c->spare);
    asbi_list_init(&c->waiting);
    asbi_buf_init(&c->value, parts->mem, MAX_RECORD);
    int rc = asbi_redis_link_new(parts, &options->place, &link_ops, c, &c->link,
                                 why);
    if (!rc)
        rc = asbi_redis_link_new(parts, &options->place, &news_ops, c, &c->news,
                                 why);
    if (rc) {
        redis_free(&c->remote);
        return rc;
    }
    *out = &c->remote;
    return ASB_OK;
}
