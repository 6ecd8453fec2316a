/* SPDX-License-Identifier: Apache-2.0
 * Log lines, on standard error or in the journal. */
#include "server/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/journal.h"
#include "server/metrics.h"

enum { LINE_MAX_BYTES = 2048, CHARACTER_MAX_BYTES = 4, FIELD_SIZE = 256 };

#define IDENTIFIER "twonmnistd"

static const struct {
    const char *word;
    const char *journal; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error: ", "<3>"},
    [LOG_LEVEL_WARNING] = {"warning: ", "<4>"},
    [LOG_LEVEL_INFO] = {"", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug: ", "<7>"},
};

static const char *const message_ids[] = {[MESSAGE_NONE] = NULL,
#define LOG_ID(message, id, help) [MESSAGE_##message] = id,
                                          MESSAGES(LOG_ID)
#undef LOG_ID
};

static _Atomic int most_level = LOG_LEVEL_INFO;
static bool to_journal;

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

/* Builds name a file by its way from there. */
static const char *file_name(const char *path)
{
    while (strncmp(path, "../", 3) == 0)
        path += 3;
    return path;
}

static bool send_line(enum log_level level, const struct log_place *place,
                      const struct log_about *about, const char *text)
{
    char priority[] = {levels[level].journal[1], '\0'}, line[16], fields[3][FIELD_SIZE];
    const char *const values[] = {about->split, about->revision, about->address};
    snprintf(line, sizeof line, "%d", place->line);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i])
            log_clean(values[i], fields[i], FIELD_SIZE);
    const struct journal_field all[] = {
        {"MESSAGE", text},
        {"PRIORITY", priority},
        {"SYSLOG_IDENTIFIER", IDENTIFIER},
        {"MESSAGE_ID", message_ids[about->message]},
        {"CODE_FILE", file_name(place->file)},
        {"CODE_LINE", line},
        {"CODE_FUNC", place->function},
        {"SPLIT", about->split ? fields[0] : NULL},
        {"REVISION", about->revision ? fields[1] : NULL},
        {"ADDRESS", about->address ? fields[2] : NULL},
    };
    return journal_send(all, sizeof all / sizeof *all);
}

bool log_access(const char *line)
{
    const struct journal_field fields[] = {
        {"MESSAGE", line},
        {"PRIORITY", "6"},
        {"SYSLOG_IDENTIFIER", IDENTIFIER},
        {"MESSAGE_ID", message_ids[MESSAGE_ACCESS]},
    };
    return journal_send(fields, sizeof fields / sizeof *fields);
}

void log_open(void)
{
    journal_open(JOURNAL_SOCKET);
    to_journal = journal_has_stderr();
}

void log_close(void)
{
    to_journal = false;
    journal_close();
}

/* To standard error in one piece, so that lines of several threads do not mix. */
void log_write(enum log_level level, const struct log_place *place, const struct log_about *about,
               const char *format, ...)
{
    static const struct log_about nothing = {0};
    if ((int)level > atomic_load(&most_level))
        return;
    tally_add(METRICS_LOGGED_ERROR + level, 1);
    /* A character that vsnprintf() cuts lies behind where the line is cut. */
    char text[LINE_MAX_BYTES + CHARACTER_MAX_BYTES], clean[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_clean(text, clean, sizeof clean);
    if (to_journal && send_line(level, place, about ? about : &nothing, clean))
        return;
    if (getenv("JOURNAL_STREAM"))
        fprintf(stderr, "%s%s\n", levels[level].journal, clean);
    else
        fprintf(stderr, IDENTIFIER ": %s%s\n", levels[level].word, clean);
}
