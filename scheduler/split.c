#include "scheduler/split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/error.h"

/* What Unicode calls white space, within [...]. */
#define SPACE                                                     \
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}" \
    "\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define IS_SPACE "[" SPACE "]"
#define NO_SPACE "[^" SPACE "]"
#define SIGN "[^" SPACE "\\p{L}\\p{N}]"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SHORT_FORM "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

static const char *const expressions[] = {
    [ASBI_SPLIT_CL100K] = "'(?i:[sdmt]|ll|ve|re)"
                          "|" BEFORE "+\\p{L}++"
                          "|\\p{N}{1,3}+"
                          "| ?" SIGN "++[\\r\\n]*+"
                          "|" IS_SPACE "++$"
                          "|" IS_SPACE "*[\\r\\n]"
                          "|" IS_SPACE "+(?!" NO_SPACE ")"
                          "|" IS_SPACE,
    [ASBI_SPLIT_O200K] = BEFORE UPPER "*" LOWER "+" SHORT_FORM "|" BEFORE UPPER
                                      "+" LOWER "*" SHORT_FORM "|\\p{N}{1,3}"
                                      "| ?" SIGN "+[\\r\\n/]*"
                                      "|" IS_SPACE "*[\\r\\n]+"
                                      "|" IS_SPACE "+(?!" NO_SPACE ")"
                                      "|" IS_SPACE "+",
};

struct asbi_split {
    const struct asbi_mem *mem;
    pcre2_general_context *memory;
    pcre2_code *code;
    pcre2_match_data *match;
};

static void *allocate(size_t size, void *mem)
{
    return asbi_alloc(mem, size ? size : 1);
}

static void release(void *block, void *mem)
{
    asbi_free(mem, block);
}

static int compile(struct asbi_split *s, enum asbi_split_kind kind)
{
    int error = 0;
    size_t at = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(s->memory);

    if (!context)
        return ASB_ENOMEM;
    s->code = pcre2_compile(
        (PCRE2_SPTR)expressions[kind], PCRE2_ZERO_TERMINATED,
        PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_ANCHORED, &error,
        &at, context);
    pcre2_compile_context_free(context);
    if (!s->code)
        return ASB_ENOMEM;
    /* Ten times as fast, where the system allows it. */
    (void)pcre2_jit_compile(s->code, PCRE2_JIT_COMPLETE);
    s->match = pcre2_match_data_create(1, s->memory);
    return s->match ? ASB_OK : ASB_ENOMEM;
}

int asbi_split_new(const struct asbi_mem *mem, enum asbi_split_kind kind,
                   struct asbi_split **out, struct asb_message *why)
{
    struct asbi_split *s = asbi_calloc(mem, 1, sizeof(*s));

    (void)why;
    *out = NULL;
    if (!s)
        return ASB_ENOMEM;
    s->mem = mem;
    s->memory =
        pcre2_general_context_create(allocate, release, (void *)(uintptr_t)mem);
    int rc = s->memory ? compile(s, kind) : ASB_ENOMEM;
    if (rc) {
        asbi_split_free(s);
        return rc;
    }
    *out = s;
    return ASB_OK;
}

void asbi_split_free(struct asbi_split *s)
{
    if (!s)
        return;
    pcre2_match_data_free(s->match);
    pcre2_code_free(s->code);
    pcre2_general_context_free(s->memory);
    asbi_free(s->mem, s);
}

size_t asbi_split_next(struct asbi_split *s, asbi_str text, size_t from)
{
    int found = pcre2_match(s->code, (PCRE2_SPTR)text.at, text.len, from,
                            PCRE2_NO_UTF_CHECK, s->match, NULL);

    if (found < 0)
        return 0;
    return pcre2_get_ovector_pointer(s->match)[1] - from;
}
