/* SPDX-License-Identifier: Apache-2.0
 * The tensor that a sample is. */
#include "server/samples/tensor.h"

#include "common/tensors.h"
#include "common/wire.h"

static int fill_plain(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                      void *out, struct error *why)
{
    (void)t, (void)scratch, (void)why;
    frames_fill(&form->frames, cut->events, out);
    return 0;
}

static int fill_dense(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                      void *out, struct error *why)
{
    const struct tensor_shape shape = form_shape(form);
    (void)scratch, (void)why;
    dense_fill(&shape, cut->events, cut->slices, t, form->frames.axes, form->frames.values, out);
    return 0;
}

static int fill_bits(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                     void *out, struct error *why)
{
    const struct tensor_shape shape = form_shape(form);
    (void)scratch, (void)why;
    bits_fill(&shape, cut->events, cut->slices, t, out);
    return 0;
}

static int fill_voxel(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                      void *out, struct error *why)
{
    (void)scratch;
    return voxel_fill(&form->frames.geometry, cut->events, t, out, why);
}

static int fill_voxel_f32(const struct form *form, const struct cut *cut, uint32_t t, void *scratch,
                          void *out, struct error *why)
{
    const struct geometry *geometry = &form->frames.geometry;
    const double *wide = scratch;
    float *narrow = out;
    int r = voxel_fill(geometry, cut->events, t, scratch, why);
    for (size_t i = 0, n = (size_t)t * geometry->height * geometry->width; r == 0 && i < n; i++)
        narrow[i] = (float)wide[i];
    return r;
}

/* clang-format off */
enum { PLAIN, DENSE_U8, DENSE_U16, BITS, VOXEL, VOXEL_F32 };
static const struct tensor_row rows[] = {
    /*              in a batch                  in a file                  bytes, scratch, channels, packed */
    [PLAIN]     = {WIRE_FRAMES, "'|u1'", TENSOR_U8,    1, 0, 0, 1, fill_plain},
    [DENSE_U8]  = {WIRE_FRAMES, "'|u1'", TENSOR_U8,    1, 0, 0, 1, fill_dense},
    [DENSE_U16] = {WIRE_FRAMES, "'<u2'", TENSOR_U16,   2, 0, 0, 1, fill_dense},
    [BITS]      = {WIRE_BITS,   "'|u1'", TENSOR_U8,    1, 0, 0, 8, fill_bits},
    [VOXEL]     = {WIRE_FRAMES, "'<f8'", TENSOR_OTHER, 8, 0, 1, 1, fill_voxel},
    [VOXEL_F32] = {WIRE_FRAMES, NULL,    TENSOR_F32,   4, 8, 1, 1, fill_voxel_f32},
};
/* clang-format on */

const struct tensor_row *tensor_row_of(const struct form *form, bool in_batch)
{
    if (form->is_voxel)
        return &rows[in_batch ? VOXEL_F32 : VOXEL];
    if (form->as == FORM_BITS)
        return &rows[BITS];
    if (form_is_plain_frames(form))
        return &rows[PLAIN];
    return &rows[form->frames.values == FRAMES_U16 ? DENSE_U16 : DENSE_U8];
}

void tensor_dims(const struct tensor_row *row, const struct form *form, uint32_t t,
                 uint64_t ret[TENSOR_DIMS])
{
    const struct tensor_shape shape = form_shape(form);
    bool time_last = row->packed == 1 && !form->is_voxel && form->frames.axes == FRAMES_CHWT;
    uint64_t *chw = time_last ? ret : ret + 1;
    ret[time_last ? TENSOR_DIMS - 1 : 0] = (t + row->packed - 1) / row->packed;
    chw[0] = row->channels ? row->channels : shape.channels;
    chw[1] = shape.geometry.height;
    chw[2] = shape.geometry.width;
}

/* No more than FRAMES_BINS_MAX frames of GEOMETRY_SIDE_MAX squared places. */
static uint64_t n_values(const struct tensor_row *row, const struct form *form, uint32_t t)
{
    uint64_t dims[TENSOR_DIMS];
    tensor_dims(row, form, t, dims);
    return dims[0] * dims[1] * dims[2] * dims[3];
}

uint64_t tensor_size(const struct tensor_row *row, const struct form *form, uint32_t t)
{
    return n_values(row, form, t) * row->value_bytes;
}

uint64_t tensor_scratch_size(const struct tensor_row *row, const struct form *form, uint32_t t)
{
    return n_values(row, form, t) * row->scratch_bytes;
}
