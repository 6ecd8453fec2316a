/* SPDX-License-Identifier: Apache-2.0
 * Text that a server sent, fit for a terminal: what could do more than be seen is replaced. */
#pragma once

#include <limits.h>
#include <stdio.h>

/* Write UTF-8 `text`, with "?" for each control character (C0, DEL, C1) and each one that turns the
 * direction of writing or breaks the line: `most` characters at the most (CLEAN_ALL: all), then
 * spaces up to `width` characters. */
enum { CLEAN_ALL = INT_MAX };
void clean_write(FILE *out, const char *text, int width, int most);

/* Write a JSON document with escapes (\u009b) for such characters: it says the same as before. */
void clean_write_json(FILE *out, const char *json);
