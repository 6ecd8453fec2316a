/* SPDX-License-Identifier: Apache-2.0
 * Opening streams: of an epoch, of a part of a split, of fresh pairs. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/failure.h"
#include "client/stream.h"
#include "common/crc32c.h"
#include "common/order.h"

void stream_set_order(tnm_stream *stream, uint64_t seed, uint32_t epoch)
{
    stream->seed = seed;
    stream->epoch = epoch;
    if (stream->kind == CURSOR_LIST)
        return;
    order_epoch((uint32_t)seed, epoch, (uint32_t)stream->n_order, stream->order);
    for (uint64_t i = 0; stream->part && i < stream->n_order; i++)
        stream->order[i] = stream->part[stream->order[i]];
}

static void make_alarm(void *user)
{
    tnm_stream *stream = user;
    loop_alarm_new(stream->split->client->loop, stream_go_on, stream, &stream->alarm);
}

static void ring(void *user)
{
    tnm_stream *stream = user;
    loop_alarm_ring(stream->alarm);
}

static int new_stream(tnm_split *split, const struct wish_share *share, unsigned depth,
                      tnm_stream **ret)
{
    int r = split_check(split);
    if (r == 0)
        r = wish_check_share(share);
    if (r < 0)
        return r;
    if (depth < 1 || depth > TNM_MAX_DEPTH)
        return failure_set(-EINVAL, "a depth of %u; 1 to %d are possible", depth, TNM_MAX_DEPTH);
    tnm_stream *stream = calloc(1, sizeof *stream + depth * sizeof stream->slots[0]);
    if (!stream)
        return failure_set(-ENOMEM, "no memory for a stream");
    stream->split = split_ref(split);
    stream->form = split_form(split);
    stream->share = *share;
    stream->step = 1;
    stream->depth = depth;
    for (unsigned i = 0; i < depth; i++)
        stream->slots[i].stream = stream;
    stream->most_blocks = STREAM_BLOCKS;
    loop_call(stream->split->client->loop, make_alarm, stream);
    if (!stream->alarm || pool_new(STREAM_BLOCKS, depth + STREAM_BLOCKS, &stream->pool) < 0) {
        tnm_stream_close(stream);
        return failure_set(-ENOMEM, "no memory for a stream");
    }
    pool_tell(stream->pool, ring, stream);
    *ret = stream;
    return 0;
}

/* Room for an order of n samples. */
static int set_n(tnm_stream *stream, uint64_t n)
{
    stream->n_order = n;
    stream->n_batches = order_n_batches(
        n, stream->share.size, stream->share.last == TNM_LAST_DROP ? ORDER_DROP : ORDER_SHORT);
    stream->order = calloc(n, sizeof *stream->order);
    return stream->order ? 0 : failure_set(-ENOMEM, "no memory for an order of %" PRIu64, n);
}

/* Hand over what is ready for its first batch; close it where `r` says that it is not. */
static int begin(tnm_stream *stream, int r, uint32_t seed, uint32_t epoch, tnm_stream **ret)
{
    if (r < 0) {
        tnm_stream_close(stream);
        return r;
    }
    stream_set_order(stream, seed, epoch);
    *ret = stream;
    return 0;
}

int tnm_epoch_open(tnm_split *split, uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank,
                   uint32_t world, int last, unsigned depth, tnm_stream **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world, .last = last};
    tnm_stream *stream;
    int r = new_stream(split, &share, depth, &stream);
    if (r < 0)
        return r;
    stream->kind = CURSOR_EPOCH;
    r = set_n(stream, split->n_samples);
    return begin(stream, r, seed, epoch, ret);
}

static int check_part(const tnm_split *split, const uint64_t *indices, size_t n_indices,
                      int shuffle)
{
    int r = split_check(split);
    if (r < 0)
        return r;
    if (shuffle != TNM_AS_GIVEN && shuffle != TNM_SHUFFLED)
        return failure_set(-EINVAL, "shuffle is %d; it is %d or %d", shuffle, TNM_AS_GIVEN,
                           TNM_SHUFFLED);
    if (indices && (n_indices < 1 || n_indices > INT32_MAX))
        return failure_set(-EINVAL, "a part of %zu samples; 1 to %d are possible", n_indices,
                           INT32_MAX);
    for (size_t i = 0; indices && i < n_indices; i++)
        if (indices[i] >= split->n_samples)
            return failure_set(-ENOENT, "there is no sample %" PRIu64 "; split %s has %" PRIu64,
                               indices[i], split->name, split->n_samples);
    return 0;
}

/* Keep the part; and list it as the order, which it is where nothing is shuffled. */
static int set_part(tnm_stream *stream, const uint64_t *indices, size_t n_indices)
{
    int r = set_n(stream, indices ? n_indices : stream->split->n_samples);
    if (r < 0)
        return r;
    for (uint64_t i = 0; i < stream->n_order; i++)
        stream->order[i] = (uint32_t)(indices ? indices[i] : i);
    size_t size = stream->n_order * sizeof *stream->order;
    stream->part_key = stream->n_order << 32 | crc32c(0, stream->order, size);
    if (stream->kind == CURSOR_LIST)
        return 0;
    stream->part = malloc(size);
    if (!stream->part)
        return failure_set(-ENOMEM, "no memory for a part of %" PRIu64, stream->n_order);
    memcpy(stream->part, stream->order, size);
    return 0;
}

int tnm_part_open(tnm_split *split, const uint64_t *indices, size_t n_indices, int shuffle,
                  uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank, uint32_t world,
                  int last, unsigned depth, tnm_stream **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world, .last = last};
    tnm_stream *stream;
    int r = check_part(split, indices, n_indices, shuffle);
    if (r == 0 && !indices && shuffle == TNM_SHUFFLED)
        return tnm_epoch_open(split, seed, epoch, size, rank, world, last, depth, ret);
    if (r == 0)
        r = new_stream(split, &share, depth, &stream);
    if (r < 0)
        return r;
    stream->kind = shuffle == TNM_SHUFFLED ? CURSOR_PART : CURSOR_LIST;
    r = set_part(stream, indices, n_indices);
    return begin(stream, r, seed, epoch, ret);
}

int tnm_view_epoch_open(tnm_view *view, uint32_t seed, uint32_t epoch, uint64_t size, uint32_t rank,
                        uint32_t world, int last, unsigned depth, tnm_stream **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world, .last = last};
    tnm_stream *stream;
    int r = view_usable(view);
    if (r == 0)
        r = new_stream(view->split, &share, depth, &stream);
    if (r < 0)
        return r;
    stream->kind = CURSOR_VIEW;
    stream->view = view_ref(view);
    r = set_part(stream, view->positions, view->n);
    return begin(stream, r, seed, epoch, ret);
}

int tnm_pairs_open(tnm_split *source, uint64_t seed, uint64_t start, uint64_t size, uint32_t rank,
                   uint32_t world, unsigned depth, tnm_stream **ret)
{
    const struct wish_share share = {.size = size, .rank = rank, .world = world};
    tnm_stream *stream;
    int r = new_stream(source, &share, depth, &stream);
    if (r < 0)
        return r;
    if (!source->is_source)
        r = failure_set(-EINVAL, "%s is no source split", source->name);
    else if (start % size != 0)
        r = failure_set(-EINVAL, "start %" PRIu64 " is no multiple of size %" PRIu64, start, size);
    if (r < 0) {
        tnm_stream_close(stream);
        return r;
    }
    stream->kind = CURSOR_PAIRS;
    stream->seed = seed;
    stream->n_batches = UINT64_MAX / size;
    stream->next = stream->started = start / size;
    *ret = stream;
    return 0;
}
