/* SPDX-License-Identifier: Apache-2.0
 * The table at the end: what was written. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { SUMMARY_MAX = 4 };

struct summary {
    struct summary_row {
        const char *name;
        uint64_t n_samples, n_pairs, n_events, size_bytes;
        double seconds;
    } rows[SUMMARY_MAX];
    size_t n_rows;
};

/* Count the split at `path`, which took `seconds` to write. Keeps `name`. Errors: those of
 * split_open(). */
int summary_add(struct summary *summary, const char *name, const char *path, double seconds,
                struct error *why);

/* Print it on stdout. */
void summary_print(const struct summary *summary);
