/* SPDX-License-Identifier: Apache-2.0
 * Log lines: in the journal, with fields, where standard error goes there; else on standard error,
 * with the journal's priority prefix under systemd. Any thread.
 *
 * What files and clients say may stand in them: a line stays one line, and moves no cursor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "server/messages.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level most);

/* Find out where lines go; before there are threads, and after passed descriptors were taken. Until
 * then: to standard error. */
void log_open(void);
void log_close(void);

/* What a line is about, for programs; NULL: nothing of that. */
struct log_about {
    enum message message;
    const char *split, *revision, *address;
};

/* Where in the source it is written. */
struct log_place {
    const char *file;
    int line;
    const char *function;
};
#define LOG_HERE (&(const struct log_place){__FILE__, __LINE__, __func__})

void log_write(enum log_level level, const struct log_place *place, const struct log_about *about,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, LOG_HERE, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, LOG_HERE, NULL, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, LOG_HERE, NULL, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, LOG_HERE, NULL, __VA_ARGS__)

/* The same with what it is about: log_about(LOG_LEVEL_INFO, (.message = ..., .split = ...), ...).
 */
#define LOG_UNPACK(...) __VA_ARGS__
#define log_about(level, about, ...) \
    log_write(level, LOG_HERE, &(const struct log_about){LOG_UNPACK about}, __VA_ARGS__)

/* Give the journal a line of the access log. False: it does not take it. */
bool log_access(const char *line);

/* Copy the text so that it is one printable line of UTF-8: control characters, what turns the
 * direction of writing, and bytes that are no UTF-8 become \xNN. Longer ones are cut at a whole
 * character. `size` > 0; returns the length. */
size_t log_clean(const char *text, char *ret, size_t size);
