/*
 * fuzz_cache_record.c -- any bytes as an answer from the cache: never a fault,
 * and what is read lies within them; and what is written is read as it was, but
 * not when a byte of it is another.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cache/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The check value keeps out damage, not a fuzzer that watches it compared. */
static void any_bytes(asbi_str record, const struct asbi_cache_key *key)
{
    struct asbi_cache_answer answer;

    if (asbi_cache_record_read(record, key, &answer) &&
        (answer.output.at < record.at ||
         answer.body.at != answer.output.at + answer.output.len ||
         answer.body.at + answer.body.len != record.at + record.len))
        abort();
}

static void round_trip(asbi_str text, const struct asbi_cache_key *key,
                       size_t where)
{
    struct asbi_cache_answer answer = { .output = text,
                                        .body = asbi_str_of(text.at, where),
                                        .output_is_json = where & 1,
                                        .http_status = 200 };
    struct asbi_cache_answer back;
    struct asbi_buf record;

    asbi_buf_init(&record, &asbi_mem_system, 1 << 22);
    asbi_cache_record_write(&record, key, &answer);
    if (asbi_buf_failed(&record))
        abort();
    if (!asbi_cache_record_read(asbi_buf_view(&record), key, &back) ||
        !asbi_str_eq(back.output, answer.output) ||
        !asbi_str_eq(back.body, answer.body))
        abort();
    record.data[where % record.len] ^= 1;
    if (asbi_cache_record_read(asbi_buf_view(&record), key, &back))
        abort();
    asbi_buf_fini(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asbi_cache_key key = { { 0 } };
    asbi_str text = asbi_str_of((const char *)data, size);

    if (!size)
        return 0;
    any_bytes(text, &key);
    key.bytes[0] = data[0];
    round_trip(text, &key, data[size - 1] % size);
    return 0;
}
