/*
 * fuzz_stored.c -- a journal or a cache file in which any bytes are others: it
 * is refused or read, never a fault, and what is read of a cache is either
 * whole or not used.
 *
 * The first byte chooses the file; then, three bytes each, where and what.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/record.h"
#include "engine/job_identity.h"
#include "engine/real/cache_sqlite.h"
#include "engine/real/journal_sqlite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 40, FILE_MAX = 1 << 17 };

static char folder[64], path[96];
static char sound[2][FILE_MAX]; /* the files as they were written */
static size_t sound_len[2];

/* ---- sound ones ------------------------------------------------------- */

static void fill_journal(struct asbi_journal *j)
{
    struct asbi_journal_answer a = {
        .round = 1,
        .place = ASBI_NO_ROW,
        .result = { .size = sizeof(a.result),
                    .ok = true,
                    .output = ASBI_STR("an answer"),
                    .request_id = ASBI_STR("req_1") },
    };
    uint64_t row, number;

    for (row = 0; row < ROWS; row++) {
        a.seq = a.key = row;
        a.result.ok = row % 3;
        a.result.error_code = a.result.ok ? NULL : "refused";
        if (asbi_journal_intent(j, 5, &row, 1, &number) ||
            asbi_journal_answer(j, &a))
            abort();
        if (row % 2)
            asbi_journal_end(j, number, 3, 3);
    }
    if (asbi_journal_commit(j, 0))
        abort();
}

static void make_journal(void)
{
    const struct asbi_identity who = {
        .count = 1, .entries = { { .name = "model", .value = "m" } }
    };
    struct asbi_journal_file file;
    struct asbi_journal j;
    struct asb_message why;

    if (asbi_journal_sqlite_open(&asbi_mem_system, path, &file, &why) ||
        asbi_journal_sqlite_begin(file.store, &who, &file.state, &why))
        abort();
    asbi_journal_init(&j, &asbi_mem_system, file.store, &file.state);
    fill_journal(&j);
    asbi_journal_fini(&j);
    file.store->ops->free(file.store);
}

static void make_cache(void)
{
    const struct asbi_cache_file_options o = { .path = path, .now_ms = 1 };
    struct asbi_cache_answer answer = { .output = ASBI_STR("an answer") };
    struct asbi_cache_file *f;
    struct asb_message why;
    struct asbi_buf record;

    if (asbi_cache_file_open(&asbi_mem_system, &o, &f, &why))
        abort();
    struct asbi_store *store = asbi_cache_file_store(f);
    asbi_buf_init(&record, &asbi_mem_system, 1 << 16);
    for (unsigned char i = 0; i < ROWS; i++) {
        struct asbi_store_entry e = { .key = { { i } }, .expires_ms = 1000 };

        asbi_buf_clear(&record);
        asbi_cache_record_write(&record, &e.key, &answer);
        e.record = asbi_buf_view(&record);
        if (store->ops->put(store, &e, 1))
            abort();
    }
    asbi_buf_fini(&record);
    store->ops->free(store);
}

static void keep(unsigned which)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        abort();
    sound_len[which] = fread(sound[which], 1, FILE_MAX, f);
    (void)fclose(f);
    (void)unlink(path);
}

static void clean(void)
{
    char name[112];

    (void)unlink(path);
    (void)snprintf(name, sizeof(name), "%s-wal", path);
    (void)unlink(name);
    (void)snprintf(name, sizeof(name), "%s-shm", path);
    (void)unlink(name);
}

static void remove_folder(void)
{
    clean();
    (void)rmdir(folder);
}

static void make_sound(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/asb-fuzz-XXXXXX");
    if (!mkdtemp(folder) || atexit(remove_folder))
        abort();
    (void)snprintf(path, sizeof(path), "%s/f", folder);
    make_journal();
    keep(0);
    make_cache();
    keep(1);
}

/* ---- harmed ones ------------------------------------------------------ */

static void write_harmed(unsigned which, const uint8_t *data, size_t size)
{
    static char bytes[FILE_MAX];
    FILE *f = fopen(path, "wb");

    if (!f)
        abort();
    memcpy(bytes, sound[which], sound_len[which]);
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % sound_len[which];

        bytes[at] = (char)data[i + 2];
    }
    (void)fwrite(bytes, 1, sound_len[which], f);
    (void)fclose(f);
}

static int on_open_call(void *arg, const struct asbi_journal_call *call)
{
    uint64_t *sum = arg;

    for (size_t i = 0; i < call->count; i++)
        *sum += call->rows[i];
    return ASB_OK;
}

static void look(const struct asbi_journal_answer *a, uint64_t *sum)
{
    for (size_t i = 0; i < a->result.output.len; i++)
        *sum += (unsigned char)a->result.output.at[i];
    *sum += a->result.error_code ? strlen(a->result.error_code) : 0;
}

static void tell(void *arg, const char *name, const char *value)
{
    uint64_t *sum = arg;

    *sum += strlen(name) + strlen(value);
}

static void read_journal(void)
{
    struct asbi_journal_file file;
    struct asbi_journal_count count;
    struct asbi_journal_answer a;
    struct asb_message why = { .text = "" };
    uint64_t sum = 0;

    if (asbi_journal_sqlite_open(&asbi_mem_system, path, &file, &why)) {
        if (!why.text[0])
            abort();
        return;
    }
    struct asbi_journal_store *s = file.store;
    if (!file.fresh)
        (void)asbi_journal_sqlite_identity(s, tell, &sum, &why);
    for (uint64_t row = 0; row < ROWS; row++) {
        if (s->ops->find(s, row, &a, &why) == ASB_OK)
            look(&a, &sum);
    }
    (void)s->ops->each_open(s, on_open_call, &sum, &why);
    (void)s->ops->count(s, false, 7, &count, &why);
    s->ops->free(s);
}

static int on_entry(void *arg, const struct asbi_store_entry *entry)
{
    struct asbi_cache_answer answer;

    (void)arg;
    if (asbi_cache_record_read(entry->record, &entry->key, &answer) &&
        !asbi_str_eq(answer.output, ASBI_STR("an answer")))
        abort();
    return 0;
}

static void read_cache(void)
{
    const struct asbi_cache_file_options o = { .path = path, .now_ms = 1 };
    struct asbi_cache_file *f;
    struct asb_message why = { .text = "" };

    if (asbi_cache_file_open(&asbi_mem_system, &o, &f, &why)) {
        if (!why.text[0])
            abort();
        return;
    }
    (void)asbi_cache_file_each(f, on_entry, NULL);
    struct asbi_store *store = asbi_cache_file_store(f);
    store->ops->free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!folder[0])
        make_sound();
    if (size < 4)
        return 0;
    write_harmed(data[0] & 1, data + 1, size - 1);
    if (data[0] & 1)
        read_cache();
    else
        read_journal();
    clean();
    return 0;
}
