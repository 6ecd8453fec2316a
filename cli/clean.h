/* SPDX-License-Identifier: Apache-2.0
 * Text of others, fit for a terminal: what could do more than be seen is replaced. */
#pragma once

#include <limits.h>
#include <stdio.h>

/* Put "?" in place of each control character (C0, DEL, C1), each one that turns the direction of
 * writing or breaks the line, and each byte that is no UTF-8. In place; it never grows. */
void clean_line(char *text);

/* Write such a text: `most` characters at the most (CLEAN_ALL: all), then spaces up to `width`
 * characters. */
enum { CLEAN_ALL = INT_MAX };
void clean_write(FILE *out, const char *text, int width, int most);

/* Write such a text in lines of up to `columns` characters, broken between words; those behind the
 * first begin with `indent` spaces. The first has room for `columns` - `indent`. No newline ends
 * it. */
void clean_write_wrapped(FILE *out, const char *text, int indent, int columns);

/* Write a JSON document with escapes (\u009b) for such characters: it says the same as before. */
void clean_write_json(FILE *out, const char *json);
