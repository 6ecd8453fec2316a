/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/fault.h"

/* What it is written as; the ending of a file says it too. */
enum output_format {
    OUTPUT_TEXT,
    OUTPUT_JSON,
    OUTPUT_BIN,
    OUTPUT_NPY,
    OUTPUT_SAFETENSORS,
    N_OUTPUT_FORMATS,
};

struct output {
    FILE *file;
    const char *path; /* NULL: standard output */
    char *temporary;
};

/* Errors: -EIO the file (why says what); -EINVAL binary data for a terminal. */
int output_open(const char *path, bool binary, struct output *ret, struct fault *why);

/* Put the file in place; after `r` < 0, or an error of its own, nothing is left of it. */
int output_close(struct output *output, int r, struct fault *why);

/* Has all that was written to standard output arrived? Errors: -EIO. */
int output_flush(struct fault *why);
