/* SPDX-License-Identifier: Apache-2.0
 * Values of dense tensors, and how events are counted in them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/frames.h"

/* out[places[i]] becomes 1, or one more while it is below `most`; PLACE_NOWHERE is passed over. */
typedef void counting(const uint32_t *places, size_t n, uint32_t most, void *out);
counting *counting_of(enum frames_overlap overlap, enum frames_values values);

/* Bit places[i] is set, the highest of a byte first. */
counting counting_bits;
