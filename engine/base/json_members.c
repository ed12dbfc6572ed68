#include "engine/base/json_members.h"

#include "engine/base/json.h"

void asbi_member_u64(struct asbi_buf *out, const char *key, uint64_t n)
{
    asbi_json_put_key(out, key);
    asbi_buf_u64(out, n);
}

void asbi_member_text(struct asbi_buf *out, const char *key, asbi_str text)
{
    asbi_json_put_key(out, key);
    asbi_json_put_string(out, text);
}

void asbi_member_usd(struct asbi_buf *out, const char *key, int64_t nano_usd)
{
    asbi_json_put_key(out, key);
    asbi_json_put_usd(out, nano_usd);
}

void asbi_member_rounded(struct asbi_buf *out, const char *key, double x)
{
    double scaled = x * 1000 + (x < 0 ? -0.5 : 0.5);

    asbi_json_put_key(out, key);
    if (scaled > -1e15 && scaled < 1e15)
        x = (double)(int64_t)scaled / 1000;
    asbi_json_put_double(out, x);
}

void asbi_member_ratio(struct asbi_buf *out, const char *key, double part,
                       double whole)
{
    asbi_member_rounded(out, key, whole > 0 ? part / whole : 0);
}

void asbi_member_known(struct asbi_buf *out, const char *key, double x)
{
    if (x >= 0) {
        asbi_member_rounded(out, key, x);
        return;
    }
    asbi_json_put_key(out, key);
    asbi_buf_c(out, "null");
}
