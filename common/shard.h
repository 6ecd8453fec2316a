/* SPDX-License-Identifier: Apache-2.0
 * Shards: a split as tar archives of so many samples each, for readers that follow WebDataset's
 * conventions.
 *
 * A sample is members with one name up to the first dot, its key: its bytes (`.bin`, `.npy`, …),
 * `.cls` in a source split (its digit), `.json` (what is known of it). What stands around the
 * samples' bytes is made here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/geometry.h"
#include "common/ustar.h"

enum {
    SHARD_PER_DEFAULT = 1000, /* samples in a shard */
    SHARD_NAME_SIZE = 96,
    SHARD_JSON_MAX = 512,
    /* most bytes that stand before a sample's, and behind them */
    SHARD_BEFORE = USTAR_BLOCK,
    SHARD_AFTER_MAX = USTAR_BLOCK + 2 * USTAR_BLOCK + USTAR_BLOCK + SHARD_JSON_MAX,
};

/* How all samples of a split's shards are written. */
struct shard_rule {
    const char *split;    /* its name, of WIRE_NAME_MAX letters, digits, - and _ */
    const char *revision; /* WIRE_REVISION_MAX digits */
    const char *ending;   /* of the samples' bytes: "bin", "npy", "frames.npy" */
    bool has_class;       /* of a source split */
};

/* "2nmnist-train-000003.tar", without the ending. */
void shard_name(const char *split, uint64_t shard, char ret[SHARD_NAME_SIZE]);

/* How many shards there are; and the samples of one: [first, first + n). */
uint64_t shard_count(uint64_t n_samples, uint64_t per_shard);
struct shard_range {
    uint64_t first, n;
};
struct shard_range shard_range(uint64_t shard, uint64_t n_samples, uint64_t per_shard);

/* What stands before the `size` bytes of sample `index`, and behind them. Return the size.
 * Errors: -EFBIG the bytes are more than a member can have. */
int shard_before(const struct shard_rule *rule, uint64_t index, uint64_t size,
                 uint8_t ret[SHARD_BEFORE]);
size_t shard_after(const struct shard_rule *rule, uint64_t index, uint64_t size,
                   const uint8_t labels[N_DIGITS], const int32_t sources[2],
                   uint8_t ret[SHARD_AFTER_MAX]);
