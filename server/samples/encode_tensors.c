/* SPDX-License-Identifier: Apache-2.0
 * A batch of tensors: dense frames, bits, voxel grids. */
#include <errno.h>

#include "common/crc32c.h"
#include "common/wire.h"
#include "server/samples/blob.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"

struct tensors {
    const struct tensor_row *row;
    uint32_t n_frames; /* of the longest sample */
    uint64_t one;      /* bytes of a sample */
    uint8_t *bytes;    /* NULL: the length alone is wanted */
};

static int add_tensors(struct blob *blob, const void *user, struct error *why)
{
    const struct tensors *tensors = user;
    size_t n = blob->batch->n;
    int r = 0;
    if (!tensors->bytes)
        return reply_borrow_unread(blob->reply, NULL, n * tensors->one, why);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = reply_borrow_known(blob->reply, tensors->bytes + i * tensors->one, tensors->one,
                               (uint32_t)blob->checksums[i], why);
    return r;
}

/* How long each is, and the longest. */
static int measure(struct blob *blob, struct tensors *tensors, struct error *why)
{
    tensors->n_frames = 0;
    for (size_t i = 0; i < blob->batch->n; i++) {
        struct cut cut;
        int r = blob_cut(blob, i, &cut, why);
        if (r < 0)
            return r;
        blob->n_frames[i] = (int32_t)cut.n_frames;
        if (cut.n_frames > tensors->n_frames)
            tensors->n_frames = cut.n_frames;
    }
    return 0;
}

static int size_of(const struct blob *blob, struct tensors *tensors, uint64_t *ret,
                   struct error *why)
{
    tensors->one = tensor_size(tensors->row, blob->form, tensors->n_frames);
    if (__builtin_mul_overflow(tensors->one, blob->batch->n, ret))
        return error_set(why, -E2BIG, "a batch of %zu samples is too long", blob->batch->n);
    return 0;
}

static int fill(struct blob *blob, struct tensors *tensors, void *scratch, struct error *why)
{
    for (size_t i = 0; i < blob->batch->n; i++) {
        uint8_t *out = tensors->bytes + i * tensors->one;
        struct cut cut;
        int r = blob_cut(blob, i, &cut, why);
        if (r < 0)
            return r;
        r = tensors->row->fill(blob->form, &cut, tensors->n_frames, scratch, out, why);
        if (r < 0)
            return blob_failed(blob, i, r, why);
        blob->checksums[i] = crc32c(0, out, tensors->one);
    }
    tally_add(TALLY_FRAMES, blob->batch->n);
    tally_add(TALLY_CHECKSUM_BYTES, blob->batch->n * tensors->one);
    return 0;
}

/* In memory of the reply. */
static int make(struct blob *blob, struct tensors *tensors, struct error *why)
{
    uint64_t size = 0, scratch_size;
    void *scratch = NULL, *bytes;
    int r = blob_take_room(blob, why);
    if (r == 0 && blob->keeps)
        r = measure(blob, tensors, why);
    if (r == 0)
        r = size_of(blob, tensors, &size, why);
    if (r < 0)
        return r;
    scratch_size = tensor_scratch_size(tensors->row, blob->form, tensors->n_frames);
    if (scratch_size)
        r = reply_alloc(blob->reply, scratch_size, &scratch, why);
    if (r == 0)
        r = reply_alloc(blob->reply, size, &bytes, why);
    if (r < 0)
        return r;
    tensors->bytes = bytes;
    return fill(blob, tensors, scratch, why);
}

static int check(struct blob *blob, struct tensors *tensors, struct error *why)
{
    uint64_t size = 0, room = blob_room_size(blob);
    if (reply_skips(blob->reply, cut_is_certain(blob->form, &tensors->n_frames)))
        return reply_check(blob->reply, room, why);
    int r = size_of(blob, tensors, &size, why);
    if (r < 0)
        return r;
    room += tensor_scratch_size(tensors->row, blob->form, tensors->n_frames);
    if (__builtin_add_overflow(room, size, &size))
        size = UINT64_MAX;
    return reply_check(blob->reply, size, why);
}

static struct tensor tensor_of(const struct blob *blob, const struct tensors *tensors)
{
    struct tensor tensor = {
        .name = tensors->row->name,
        .dtype = tensors->row->dtype,
        .n_dims = 1 + TENSOR_DIMS,
        .dims = {blob->batch->n},
    };
    tensor_dims(tensors->row, blob->form, tensors->n_frames, tensor.dims + 1);
    return tensor;
}

int encode_tensors(struct blob *blob, struct error *why)
{
    struct tensors tensors = {.row = tensor_row_of(blob->form, true)};
    blob->keeps = !cut_is_fixed(blob->form, &tensors.n_frames);
    int r = (blob->reply->head_only ? check : make)(blob, &tensors, why);
    if (r < 0 || blob->reply->unknown_length)
        return r;
    const struct tensor tensor = tensor_of(blob, &tensors);
    return blob_write(blob, &tensor, NULL, NULL, add_tensors, &tensors, why);
}
