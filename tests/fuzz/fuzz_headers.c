/*
 * fuzz_headers.c -- any headers of a download or of a shared cache: never a
 * fault, no redirect to what is no address, and nothing serves longer than it
 * may.
 *
 * The input is lines: "Name: value".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache_control.h"
#include "engine/fetch_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is)
{
    if (!is)
        abort();
}

static void follow(const struct asbi_fetch_head *head)
{
    struct asbi_buf out;

    asbi_buf_init(&out, &asbi_mem_system, 65536);
    if (asbi_fetch_redirect(ASBI_STR("https://h/a/b?c"), head->location, &out))
        expect(asbi_str_starts(asbi_buf_view(&out), ASBI_STR("https://")));
    asbi_buf_clear(&out);
    asbi_fetch_put_ending(head->type, asbi_str_c(head->location), &out);
    expect(out.len >= 2 && out.len < 16 && !memchr(out.data, '/', out.len));
    asbi_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_cache_control control = { .no_store = false };
    asbi_str rest = { (const char *)data, size };
    uint64_t fresh = 0, serves = 0;
    struct asbi_fetch_head head;

    asbi_fetch_head_begin(&head);
    while (rest.len) {
        asbi_str line = asbi_str_take_line(&rest);
        const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;

        if (!colon)
            continue;
        asbi_str name = asbi_str_of(line.at, (size_t)(colon - line.at));
        asbi_str value =
            asbi_str_trim(asbi_str_of(colon + 1, line.len - name.len - 1));
        asbi_fetch_head_add(&head, name, value);
        asbi_cache_control_read(&control, name, value);
    }
    asbi_cache_control_life(&control, 1000, 5000, &fresh, &serves);
    expect(fresh <= serves && serves <= 5000);
    follow(&head);
    return 0;
}
