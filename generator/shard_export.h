/* SPDX-License-Identifier: Apache-2.0
 * Writes a split as WebDataset shards, byte for byte those that the daemon answers with. */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/split.h"

/* Write the shards of `split`, which is served as `name`, into the open folder. Returns how many.
 * Errors name shard and sample: -EBADMSG a sample is not what its checksum says; those of the disk;
 * -EINTR stopped; -ENOMEM. */
int shard_export(const struct split *split, const char *name, uint64_t per_shard, int folder,
                 uint64_t *ret_n, struct error *why);
