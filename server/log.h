/* SPDX-License-Identifier: Apache-2.0
 * Log lines on standard error; with the journal's priority prefix under systemd. Any thread.
 *
 * What files and clients say may stand in them: a line stays one line, and moves no cursor. */
#pragma once

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level most);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copy the text so that it is one printable line of UTF-8: control characters, what turns the
 * direction of writing, and bytes that are no UTF-8 become \xNN. Longer ones are cut at a whole
 * character. `size` > 0; returns the length. */
size_t log_clean(const char *text, char *ret, size_t size);
