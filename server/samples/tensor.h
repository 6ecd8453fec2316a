/* SPDX-License-Identifier: Apache-2.0
 * The tensor that a sample is, in all forms in which it has a shape: dense frames, bits, voxel
 * grids. One row for each. */
#pragma once

#include <stdint.h>

#include "common/safetensors.h"
#include "server/samples/cut.h"

enum { TENSOR_DIMS = 4 };

/* Fill in T ≥ cut->n_frames frames; those that the sample has not are zero. Errors: -EINVAL. */
typedef int tensor_filler(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                          void *out, struct error *why);

struct tensor_row {
    const char *name;        /* of the tensor, in a batch */
    const char *descr;       /* of a value, in NumPy's file; NULL: only in a batch */
    enum tensor_dtype dtype; /* and in a batch */
    uint32_t value_bytes;
    uint32_t scratch_bytes; /* for each value */
    uint32_t channels;      /* 0: those of the form */
    uint32_t packed;        /* frames that share a value */
    tensor_filler *fill;
};

/* Of a single sample, or in a batch. */
const struct tensor_row *tensor_row_of(const struct form *form, bool in_batch);

/* Its shape with T frames, outermost first; and the bytes that it and its scratch take. */
void tensor_dims(const struct tensor_row *row, const struct form *form, uint32_t t,
                 uint64_t ret[TENSOR_DIMS]);
uint64_t tensor_size(const struct tensor_row *row, const struct form *form, uint32_t t);
uint64_t tensor_scratch_size(const struct tensor_row *row, const struct form *form, uint32_t t);
