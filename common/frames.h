/* SPDX-License-Identifier: Apache-2.0
 * Dense frames from events. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"

enum frames_binning {
    FRAMES_ROUND, /* bin = t / timestep, half to even: as lava-dl */
    FRAMES_FLOOR, /* bin = floor(t / timestep), from time 0 */
};

enum frames_overlap {
    FRAMES_OR,  /* 1 where there was an event */
    FRAMES_SUM, /* how many, up to the largest value: 255, or 65,535 of FRAMES_U16 */
};

enum frames_axes {
    FRAMES_TCHW, /* [bins, 2, height, width] */
    FRAMES_CHWT, /* [2, height, width, bins] */
};

enum frames_values {
    FRAMES_U8,
    FRAMES_F32,
    FRAMES_U16,
};

struct frames_rule {
    struct geometry geometry; /* width and height, 1 to 256 */
    uint32_t timestep_us;
    uint32_t bins;
    enum frames_binning binning;
    enum frames_overlap overlap;
    enum frames_axes axes;
    enum frames_values values;
};

enum { FRAMES_TIMESTEP_MAX_US = 1000000, FRAMES_BINS_MAX = 4096, FRAMES_DIMS = 4 };

/* Bytes of a value. */
size_t frames_value_size(enum frames_values values);

/* Bytes of one sample's tensor. */
size_t frames_size(const struct frames_rule *rule);

/* The tensor's shape, outermost first. */
void frames_shape(const struct frames_rule *rule, uint64_t ret[FRAMES_DIMS]);

/* Fill `out` (frames_size() bytes, aligned for its values) from packed events; channel 1 is ON.
 * Events past the last bin or outside the sensor are dropped. timestep_us, bins ≥ 1. */
void frames_fill(const struct frames_rule *rule, struct event_span events, void *out);

/* The same into the place of sample i in a tensor [bins, n_samples, 2, height, width] that is zero
 * there, whatever the rule's axes. n_samples · 2 · height · width is no more than 2^32 - 1. */
void frames_fill_among(const struct frames_rule *rule, struct event_span events, uint64_t i,
                       uint64_t n_samples, void *out);
