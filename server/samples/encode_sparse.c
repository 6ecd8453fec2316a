/* SPDX-License-Identifier: Apache-2.0
 * A batch of sparse frames: how many places are set in each, and which. */
#include <errno.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/tensors.h"
#include "common/wire.h"
#include "server/samples/blob.h"
#include "server/samples/encode.h"
#include "server/samples/tally.h"

struct sparse {
    struct tensor_shape shape;
    uint32_t n_frames; /* of the longest sample */
    uint64_t most;     /* places */
    int16_t *places;
    int32_t *counts;
    uint64_t n_places;
};

static uint64_t n_places_of(const struct sparse *sparse, size_t i)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < sparse->n_frames; t++)
        n += (uint64_t)sparse->counts[i * sparse->n_frames + t];
    return n;
}

static int add_places(struct blob *blob, const void *user, struct error *why)
{
    const struct sparse *sparse = user;
    const int16_t *at = sparse->places;
    int r = 0;
    for (size_t i = 0; r == 0 && i < blob->batch->n; i++) {
        uint64_t n = n_places_of(sparse, i);
        r = reply_borrow_known(blob->reply, at, n * sizeof *at, (uint32_t)blob->checksums[i], why);
        at += n;
    }
    return r;
}

/* Before memory is taken: how many frames and places there can be. */
static int measure(struct blob *blob, struct sparse *sparse, struct error *why)
{
    sparse->n_frames = 0;
    sparse->most = 0;
    for (size_t i = 0; i < blob->batch->n; i++) {
        struct cut cut;
        int r = blob_cut(blob, i, &cut, why);
        if (r < 0)
            return r;
        if (blob->has_n_frames)
            blob->n_frames[i] = (int32_t)cut.n_frames;
        if (cut.n_frames > sparse->n_frames)
            sparse->n_frames = cut.n_frames;
        sparse->most += sparse_most(cut.slices);
    }
    return 0;
}

static int fill(struct blob *blob, struct sparse *sparse, struct error *why)
{
    for (size_t i = 0; i < blob->batch->n; i++) {
        int32_t *counts = sparse->counts + i * sparse->n_frames;
        int16_t *places = sparse->places + sparse->n_places;
        struct cut cut;
        int r = blob_cut(blob, i, &cut, why);
        if (r < 0)
            return r;
        memset(counts + cut.n_frames, 0, (sparse->n_frames - cut.n_frames) * sizeof *counts);
        uint64_t n = sparse_fill(&sparse->shape, cut.events, cut.slices, places, counts);
        blob->checksums[i] = crc32c(0, places, n * sizeof *places);
        sparse->n_places += n;
    }
    tally_add(TALLY_FRAMES, blob->batch->n);
    tally_add(TALLY_CHECKSUM_BYTES, sparse->n_places * sizeof *sparse->places);
    return 0;
}

static int make(struct blob *blob, struct sparse *sparse, struct error *why)
{
    void *counts, *places;
    uint64_t n;
    int r = blob_take_room(blob, why);
    if (r == 0 && blob->keeps)
        r = measure(blob, sparse, why);
    if (r < 0)
        return r;
    if (__builtin_mul_overflow(blob->batch->n, sparse->n_frames * sizeof(int32_t), &n) ||
        sparse->most > UINT64_MAX / sizeof(int16_t))
        return error_set(why, -E2BIG, "a batch of %zu samples is too long", blob->batch->n);
    r = reply_alloc(blob->reply, n, &counts, why);
    if (r == 0)
        r = reply_alloc(blob->reply, sparse->most * sizeof(int16_t), &places, why);
    if (r < 0)
        return r;
    sparse->counts = counts;
    sparse->places = places;
    return fill(blob, sparse, why);
}

int encode_sparse(struct blob *blob, struct error *why)
{
    struct sparse sparse = {.shape = form_shape(blob->form), .most = blob->all_events};
    bool fixed = cut_is_fixed(blob->form, &sparse.n_frames);
    blob->keeps = !fixed || cut_overlaps(blob->form);
    if (reply_skips(blob->reply, false))
        return reply_check(blob->reply, blob_room_size(blob), why);
    int r = make(blob, &sparse, why);
    if (r < 0)
        return r;
    const struct tensor places = {
        .name = WIRE_PLACES, .dtype = TENSOR_I16, .n_dims = 1, .dims = {sparse.n_places}};
    const struct tensor counts = {.name = WIRE_COUNTS,
                                  .dtype = TENSOR_I32,
                                  .n_dims = 2,
                                  .dims = {blob->batch->n, sparse.n_frames}};
    return blob_write(blob, &places, &counts, sparse.counts, add_places, &sparse, why);
}
