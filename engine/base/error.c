#include "engine/base/error.h"

#include <stdarg.h>
#include <stdio.h>

int asbi_fail(struct asb_message *why, int code, const char *format, ...)
{
    va_list args;

    if (!why)
        return code;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return code;
}
