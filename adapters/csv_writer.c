/*
 * csv_writer.c -- the input's rows with the answer in them; for other inputs
 * a table of its own.
 */
#include "adapters/csv_columns.h"
#include "adapters/format_impl.h"

void asbi_csv_write_header(asbi_str reader_header, struct asbi_buf *out)
{
    if (reader_header.len)
        asbi_buf_str(out, reader_header);
    else
        asbi_buf_c(out, "string_id,target_text,asb_status,asb_error\n");
}

static void put_target(const struct asb_result *result, struct asbi_buf *out)
{
    if (result->ok)
        asbi_csv_put(out, result->output);
}

/* "code: message" */
static void put_error(const struct asb_result *result, struct asbi_buf *out)
{
    struct asbi_buf text;

    if (result->ok)
        return;
    asbi_buf_init(&text, out->mem, result->error_message.len + 200);
    asbi_buf_c(&text, asbi_error_word(result));
    if (result->error_message.len)
        asbi_buf_c(&text, ": ");
    asbi_buf_str(&text, result->error_message);
    asbi_csv_put(out, asbi_buf_view(&text));
    out->failed = out->failed || asbi_buf_failed(&text);
    asbi_buf_fini(&text);
}

static void put_own(const struct asb_result *result, struct asbi_buf *out)
{
    asbi_csv_put(out, result->id);
    asbi_buf_char(out, ',');
    put_target(result, out);
    asbi_buf_char(out, ',');
    asbi_buf_c(out, asbi_status_word(result));
    asbi_buf_char(out, ',');
    put_error(result, out);
}

/* Bytes before the next marker. */
static size_t literal(asbi_str s)
{
    size_t n = 0;

    while (n < s.len && (unsigned char)s.at[n] < 0xfd)
        n++;
    return n;
}

static void put_original(asbi_str original, const struct asb_result *result,
                         struct asbi_buf *out)
{
    while (original.len) {
        size_t n = literal(original);

        asbi_buf_add(out, original.at, n);
        if (n == original.len)
            return;
        switch (original.at[n]) {
        case ASBI_CSV_PUT_TARGET:
            put_target(result, out);
            break;
        case ASBI_CSV_PUT_STATUS:
            asbi_buf_c(out, asbi_status_word(result));
            break;
        default:
            put_error(result, out);
            break;
        }
        original.at += n + 1;
        original.len -= n + 1;
    }
}

void asbi_csv_write_row(const struct asbi_row_memo *memo,
                        const struct asb_result *result, struct asbi_buf *out)
{
    if (memo->original.len)
        put_original(memo->original, result, out);
    else
        put_own(result, out);
    asbi_buf_char(out, '\n');
}
