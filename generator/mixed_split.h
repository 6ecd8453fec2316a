/* SPDX-License-Identifier: Apache-2.0
 * Writes 2NMNIST splits, mixed from a source split by a plan. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/mixer.h"
#include "generator/listing.h"

struct mixed_split {
    enum part part;
    uint32_t plan_seed;
    enum mix_order order;
    unsigned n_threads;
    const char *label;
};

/* Mix the source split at `source_path` into `path`. Errors: those of split_open(), of the disk;
 * -EINTR stopped; -ENOMEM. */
int mixed_split_write(const struct mixed_split *how, const char *source_path, const char *path,
                      struct error *why);
