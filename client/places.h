/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from the places that are set in them. */
#pragma once

#include <stdint.h>

#include "common/frames.h"

/* Frames of a batch, borrowed: counts [n_samples][n_frames], and that many places of each frame,
 * one behind the other. */
struct places {
    const int16_t *places;
    const int32_t *counts;
    uint64_t n_samples, n_places;
    uint32_t n_frames;
};

/* How far values lie apart from one sample, frame and place to the next. */
struct places_strides {
    size_t sample, frame, place;
};

/* Set each place, in a tensor that is zero: to 1, or to how often it stands there, up to `most`. */
void places_set(const struct places *from, const struct places_strides *strides,
                enum frames_values values, void *out);
void places_count(const struct places *from, const struct places_strides *strides,
                  enum frames_values values, uint32_t most, void *out);
