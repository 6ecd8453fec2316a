/* SPDX-License-Identifier: Apache-2.0
 * Log lines on standard error; with the journal's priority prefix under systemd. */
#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 2048 };

static const struct {
    const char *word;
    const char *journal; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error: ", "<3>"},
    [LOG_LEVEL_WARNING] = {"warning: ", "<4>"},
    [LOG_LEVEL_INFO] = {"", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug: ", "<7>"},
};

static _Atomic int most_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level most)
{
    atomic_store(&most_level, (int)most);
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
                                                             const char *format, va_list args)
{
    if ((int)level > atomic_load(&most_level))
        return;
    char text[LINE_MAX_BYTES];
    vsnprintf(text, sizeof text, format, args);
    if (getenv("JOURNAL_STREAM"))
        fprintf(stderr, "%s%s\n", levels[level].journal, text);
    else
        fprintf(stderr, "twonmnistd: %s%s\n", levels[level].word, text);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void log_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_WARNING, format, args);
    va_end(args);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_debug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}
