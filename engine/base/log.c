#include "engine/base/log.h"

#include <stdarg.h>
#include <stdio.h>

void asbi_log(const struct asbi_log *log, enum asb_log_level level,
              const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!log || !log->sink)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log->sink(level, line, log->arg);
}
