/* SPDX-License-Identifier: Apache-2.0
 * What standard output can show. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct style {
    bool is_terminal;     /* one that obeys: not a dumb one */
    bool has_colours;     /* and the user wants them: no NO_COLOR (no-color.org) */
    bool has_all_colours; /* 24 bits of them, as COLORTERM says */
    bool has_unicode;
    int columns, rows;           /* 80 and 24 where nobody knows */
    int cell_width, cell_height; /* pixels of the terminal; 0 where nobody knows */
};

/* That of a file; colours are for terminals alone. */
struct style style_of(FILE *file);

/* `text` between the start and the end of an SGR sequence ("1": bold), where there are colours. */
void style_write(FILE *out, const struct style *style, const char *sgr, const char *text);

/* "1,234,567". */
enum { STYLE_NUMBER_SIZE = 32 };
const char *style_number(int64_t number, char ret[STYLE_NUMBER_SIZE]);

/* "14.2 MB". */
const char *style_bytes(int64_t bytes, char ret[STYLE_NUMBER_SIZE]);
