/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"

struct cli_output {
    FILE *file;
    const char *path; /* NULL: standard output */
    char *temporary;
};

/* Errors: -EIO the file (why says what); -EINVAL binary data for a terminal. */
int cli_output_open(const char *path, bool binary, struct cli_output *ret, struct error *why);

/* Put the file in place; after `r` < 0, or an error of its own, nothing is left of it. */
int cli_output_close(struct cli_output *output, int r, struct error *why);
