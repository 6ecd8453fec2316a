/* SPDX-License-Identifier: Apache-2.0
 * The access log: a line for each request that has ended. Loops leave lines in a buffer, which a
 * thread of its own writes; when that comes to a stop and the buffer is full, lines are dropped,
 * counted, and that is said. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "server/access_line.h"
#include "server/settings.h"

/* Whether the settings say where the lines go, and how they look. Opens nothing. Errors: -EINVAL
 * they do not. */
int access_log_check(const struct settings *settings, struct error *why);

/* Begin to write lines, unless the settings say off. Once, after the signals are blocked, which
 * the thread is not to take. Errors: access_log_check(); -ENOMEM; those of open() and
 * pthread_create(). */
int access_log_open(const struct settings *settings, struct error *why);

/* Whether lines are written: a request need not be told where they are not. Any thread. */
bool access_log_is_open(void);

/* Leave a line, without waiting for anything; any thread. */
void access_log_add(const struct access *access);

/* Open the file anew, for whoever has renamed it (logrotate); any thread. Lines that were left
 * before may go to either. */
void access_log_reopen(void);

/* Write what was left, as far as that takes no more than a second, and end. */
void access_log_close(void);
