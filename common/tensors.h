/* SPDX-License-Identifier: Apache-2.0
 * What the events of a sample become, once they are cut (slices.h): dense frames, the same without
 * its zeros, as bits, or a voxel grid. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/event.h"
#include "common/frames.h"
#include "common/geometry.h"
#include "common/slices.h"

struct tensor_shape {
    struct geometry geometry;
    uint32_t channels;          /* 2: OFF, ON; 1: polarities are merged */
    enum frames_overlap overlap; /* a place counts once, or each of its events */
};

/* Dense: [T, C, height, width] or [C, height, width, T] of `values`, zeroed first; events past the
 * range of the type saturate. T ≥ slices->n: frames beyond it stay zero. */
size_t dense_size(const struct tensor_shape *shape, uint32_t t, enum frames_values values);
void dense_fill(const struct tensor_shape *shape, struct event_span events,
                const struct slices *slices, uint32_t t, enum frames_axes axes,
                enum frames_values values, void *out);

/* Sparse: for each frame, in order, the places (p · height + y) · width + x that are set, ascending
 * (with FRAMES_SUM as often as there are events), one behind the other; counts[t] of them in frame t.
 * `places` has room for sparse_most(). Returns how many there are. */
uint64_t sparse_most(const struct slices *slices);
uint64_t sparse_fill(const struct tensor_shape *shape, struct event_span events,
                     const struct slices *slices, int16_t *places, int32_t *counts);

/* Bits: [ceil(T / 8), C, height, width], numpy.packbits(frames, axis=0, bitorder="big"). */
size_t bits_size(const struct tensor_shape *shape, uint32_t t);
void bits_fill(const struct tensor_shape *shape, struct event_span events,
               const struct slices *slices, uint32_t t, uint8_t *out);

/* Voxel grid [bins, 1, height, width] in binary64, sums in the order of the events: Tonic's
 * ToVoxelGrid. */
void voxel_fill(const struct geometry *geometry, struct event_span events, uint32_t bins,
                double *out);
