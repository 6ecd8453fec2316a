/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/fault.h"

struct output {
    FILE *file;
    char *path;      /* NULL: standard output */
    char *temporary; /* what is to be put at `path`; NULL: it was opened itself */
    sigset_t blocked_before;
};

/* Open what `path` names: NULL or "-" is standard output; a device or a FIFO is written to;
 * anything else appears, or is replaced, when it is whole. Until output_close() signals that end
 * the program have to wait, for a file. Errors: -EIO the file (why says what); -EINVAL binary data
 * for a terminal; -ENOMEM. */
int output_open(const char *path, bool binary, struct output *ret, struct fault *why);

/* Put the file in place; after `r` < 0, or an error of its own, nothing is left of it. */
int output_close(struct output *output, int r, struct fault *why);

/* Has all that was written to standard output arrived? Errors: -EIO. */
int output_flush(struct fault *why);
