/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits, mixed from a source split by a plan. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "common/plan.h"
#include "generator/buffer.h"
#include "generator/listing.h"

struct mixed_split {
    enum part part;
    uint32_t plan_seed;
    enum mix_order order;
    unsigned n_threads;
    const char *label;

    /* Get sample `i` of the part, which is `row` of the plan, where it is mixed already; on any
     * thread. NULL: it is mixed here. */
    int (*take_mixed)(const void *user, enum part part, uint64_t i, const struct plan_row *row,
                      struct buffer *out, struct error *why);
    const void *user;
};

/* Mix the source split at `source_path` into `path`. Errors: those of split_open(), of the disk,
 * of take_mixed(); -EINTR stopped; -ENOMEM. */
int mixed_split_write(const struct mixed_split *how, const char *source_path, const char *path,
                      struct error *why);
