/*
 * fuzz_rows.c -- any bytes as a file of items in any format: never a fault, and
 * the same rows whatever the pieces and the pauses.
 *
 * The first byte chooses format and options, the second the size of the pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/row_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_rows(struct row_log *log, const struct asbi_reader_options *o,
                     asbi_str input, size_t piece, bool pause)
{
    log->pause = pause;
    return row_log_read(log, &asbi_mem_system, o, input, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct row_log whole = { .rows = 0 }, pieces = { .rows = 0 };

    if (size < 2)
        return 0;
    struct asbi_reader_options o =
        row_log_options((enum asbi_format)((data[0] & 3) % 3));
    o.wants_fields = data[0] & 4;
    if (data[0] & 8)
        o.id_column = "key";
    asbi_str input = asbi_str_of((const char *)data + 2, size - 2);
    int rc = read_rows(&whole, &o, input, 0, false);
    if (read_rows(&pieces, &o, input, 1 + data[1] % 31, data[0] & 16) != rc ||
        !asbi_str_eq(asbi_buf_view(&whole.text), asbi_buf_view(&pieces.text)))
        abort();
    row_log_fini(&whole);
    row_log_fini(&pieces);
    return 0;
}
