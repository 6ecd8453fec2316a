/* SPDX-License-Identifier: Apache-2.0
 * Drops events that are equal to an earlier one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/key.h"

/* When each place (pixel and polarity) was last seen: a time, counted on from call to call so that
 * nothing has to be wiped in between. All zero at the start; one thread at a time. */
struct distinct {
    uint32_t passed;
    uint32_t last[KEY_PLACE + 1];
};

/* Keep the first of equal events among n keys in order of time, in place. Returns how many. */
size_t distinct_keys(struct distinct *distinct, uint64_t *keys, size_t n);

/* The same, packed into `out` (room for n events): quicker where few events share a time.
 * keys[-1] and keys[-2] are read, whatever they are. */
size_t distinct_pack(struct distinct *distinct, const uint64_t *keys, size_t n, uint8_t *out);
