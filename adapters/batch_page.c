/* Pages of the list in which a batch is looked for. */
#include "adapters/batch_api.h"

#include "adapters/encode.h"

void asbi_batch_put_page(const char *key, const struct asbi_batch_ref *ref,
                         struct asbi_buf *path)
{
    if (!ref->page[0])
        return;
    asbi_buf_c(path, key);
    asbi_put_percent(asbi_str_c(ref->page), path);
}

void asbi_batch_keep_page(asbi_str next, struct asbi_batch_ref *ref)
{
    bool fits = next.len < sizeof(ref->page);

    asbi_remote_copy(fits ? next : ASBI_STR(""), ref->page, sizeof(ref->page));
}
