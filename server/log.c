/* SPDX-License-Identifier: Apache-2.0
 * Log lines on standard error; with the journal's priority prefix under systemd. */
#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/metrics.h"

enum { LINE_MAX_BYTES = 2048, CHARACTER_MAX_BYTES = 4 };

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

/* Length of the character of UTF-8 (RFC 3629) at `text`, 0 where there is none. */
static size_t read_character(const unsigned char *text, uint32_t *ret)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 1; n <= sizeof forms / sizeof *forms; n++) {
        if ((text[0] & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        uint32_t character = text[0] & (unsigned char)~forms[n - 1].mask;
        for (size_t i = 1; i < n; i++) {
            if ((text[i] & 0xc0) != 0x80)
                return 0;
            character = character << 6 | (text[i] & 0x3f);
        }
        bool valid = character >= forms[n - 1].least && character <= 0x10ffff &&
                     (character < 0xd800 || character > 0xdfff);
        *ret = character;
        return valid ? n : 0;
    }
    return 0;
}

/* Controls of ASCII and ISO 8859, ends of lines and paragraphs, marks that turn the direction. */
static bool is_harmful(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},
                  {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

static size_t printable_length(const char *text)
{
    uint32_t character;
    size_t n = read_character((const unsigned char *)text, &character);
    return n && !is_harmful(character) ? n : 0;
}

size_t log_clean(const char *text, char *ret, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    while (*text) {
        size_t n = printable_length(text);
        char escaped[] = {'\\', 'x', digits[(unsigned char)*text >> 4], digits[*text & 15]};
        size_t n_out = n ? n : sizeof escaped;
        if (used + n_out >= size)
            break;
        memcpy(ret + used, n ? text : escaped, n_out);
        used += n_out;
        text += n ? n : 1;
    }
    ret[used] = '\0';
    return used;
}

/* In one piece, so that lines of several threads do not mix. */
__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
                                                             const char *format, va_list args)
{
    if ((int)level > atomic_load(&most_level))
        return;
    tally_add(METRICS_LOGGED_ERROR + level, 1);
    /* A character that vsnprintf() cuts lies behind where the line is cut. */
    char text[LINE_MAX_BYTES + CHARACTER_MAX_BYTES], clean[LINE_MAX_BYTES];
    vsnprintf(text, sizeof text, format, args);
    log_clean(text, clean, sizeof clean);
    if (getenv("JOURNAL_STREAM"))
        fprintf(stderr, "%s%s\n", levels[level].journal, clean);
    else
        fprintf(stderr, "twonmnistd: %s%s\n", levels[level].word, clean);
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
