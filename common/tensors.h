/* SPDX-License-Identifier: Apache-2.0
 * What the events of a sample become, once they are cut (slices.h): dense frames, the same without
 * its zeros, as bits, or a voxel grid. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/event.h"
#include "common/frames.h"
#include "common/geometry.h"
#include "common/slices.h"

struct tensor_shape {
    struct geometry geometry;
    uint32_t channels;           /* 2: OFF, ON; 1: polarities are merged */
    enum frames_overlap overlap; /* a place counts once, or each of its events */
};

/* Events outside the sensor are in none of the tensors.
 *
 * Dense: [T, C, height, width] or [C, height, width, T] of `values`, zeroed first; with FRAMES_SUM
 * counts stop at the largest of the type, and FRAMES_F32 at that of FRAMES_U16. T ≥ slices->n:
 * frames beyond it stay zero. */
size_t dense_size(const struct tensor_shape *shape, uint32_t t, enum frames_values values);
void dense_fill(const struct tensor_shape *shape, struct event_span events,
                const struct slices *slices, uint32_t t, enum frames_axes axes,
                enum frames_values values, void *out);

/* The same into the place of sample i in a tensor [T, n_samples, C, height, width] that is zero
 * there. n_samples · C · height · width is no more than 2^32 - 1. */
void dense_fill_among(const struct tensor_shape *shape, struct event_span events,
                      const struct slices *slices, enum frames_values values, uint64_t i,
                      uint64_t n_samples, void *out);

/* Sparse: for each frame, in order, the places (p · height + y) · width + x that are set, ascending
 * (with FRAMES_SUM as often as there are events), one behind the other; counts[t] of them in frame
 * t. `places` has room for sparse_most(). Returns how many there are. Only for shapes whose places
 * are numbers of 16 bits: sparse_fits(). */
enum { SPARSE_PLACES_MAX = INT16_MAX + 1 };
bool sparse_fits(const struct tensor_shape *shape);
uint64_t sparse_most(const struct slices *slices);
uint64_t sparse_fill(const struct tensor_shape *shape, struct event_span events,
                     const struct slices *slices, int16_t *places, int32_t *counts);

/* Bits: [ceil(T / 8), C, height, width], numpy.packbits(frames, axis=0, bitorder="big"). Frames
 * from slices->n on, and the bits behind the last, are zero. */
size_t bits_size(const struct tensor_shape *shape, uint32_t t);
void bits_fill(const struct tensor_shape *shape, struct event_span events,
               const struct slices *slices, uint32_t t, uint8_t *out);

/* Voxel grid [bins, 1, height, width] in binary64, sums in the order of the events: Tonic's
 * ToVoxelGrid. Errors: -EINVAL, where Tonic fails too: no event, or no time between the first and
 * the last (why says so). */
int voxel_fill(const struct geometry *geometry, struct event_span events, uint32_t bins,
               double *out, struct error *why);
