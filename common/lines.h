/* SPDX-License-Identifier: Apache-2.0
 * Text files of lines, where a fault is told with its file and line. */
#pragma once

#include "common/error.h"

/* Takes a line, which it may change. 0, or a negative errno with a reason. */
typedef int lines_taker(void *user, char *line, struct error *why);

/* Hand over each line in turn, with its line feed if it has one, until one is refused.
 * Errors: those of fopen() and getline(); -EINVAL a NUL byte; the taker's, with file and line in
 * front. */
int lines_read(const char *path, lines_taker *take, void *user, struct error *why);
