/* SPDX-License-Identifier: Apache-2.0
 * What an answer is written as; the ending of a file says it too. */
#pragma once

#include <stdbool.h>

#include "cli/fault.h"

enum output_format {
    OUTPUT_TEXT,
    OUTPUT_JSON,
    OUTPUT_BIN,
    OUTPUT_NPY,
    OUTPUT_SAFETENSORS,
    OUTPUT_PNG,
    N_OUTPUT_FORMATS,
};

#define FORMAT_BIT(format) (1u << (format))

enum { FORMAT_NOT_GIVEN = -1 };

extern const struct format_row {
    const char *ending; /* of a file, without the dot */
    const char *help;
    bool is_binary;
} format_rows[N_OUTPUT_FORMATS];

/* Their names, as --format takes them; NULL behind the last. */
extern const char *const format_names[N_OUTPUT_FORMATS + 1];

/* Which of the `formats` of command `name` the file at `path` (NULL: standard output) is to have:
 * the one that was `given` (or FORMAT_NOT_GIVEN), else what its ending says, else the lowest.
 * Errors: -EINVAL the command does not have it, or the ending is another's; why says what it can
 * be. */
int format_choose(const char *name, unsigned formats, const char *path, int given, int *ret,
                  struct fault *why);
