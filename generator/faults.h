/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with a source, all of it at once: a line for each fault, up to a number. */
#pragma once

#include <stdint.h>

#include "common/error.h"

enum { FAULTS_MAX_SHOWN = 100 };

struct faults {
    uint64_t n;
};

/* Print it on stdout, and count it. Cleans the text: names in an archive are anybody's. */
void faults_add(struct faults *faults, struct error *fault);

/* Where `faults` is not NULL and `code` tells of the source, not of this run (as -ENOMEM, -EINTR
 * do): add the fault, and return 0. Otherwise `code`. */
int faults_take(struct faults *faults, int code, struct error *why);

/* Say how many were not printed. */
void faults_end(const struct faults *faults);
