/* SPDX-License-Identifier: Apache-2.0
 * A batch that was handed over, or is about to be. */
#include "client/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/failure.h"

static void give_block(tnm_batch *batch)
{
    if (batch->pool)
        pool_give(batch->pool, batch->block);
    pool_unref(batch->pool);
    batch->pool = NULL;
}

void tnm_batch_free(tnm_batch *batch)
{
    if (!batch)
        return;
    give_block(batch);
    free(batch->n_frames);
    body_clear(&batch->body);
    free(batch->server);
    free(batch);
}

uint64_t tnm_batch_number(const tnm_batch *batch)
{
    return batch->number;
}

const char *tnm_batch_server(const tnm_batch *batch)
{
    return batch->server;
}

uint64_t tnm_batch_n_samples(const tnm_batch *batch)
{
    return batch->blob.n_samples;
}

uint64_t tnm_batch_n_events(const tnm_batch *batch)
{
    return batch->blob.n_events;
}

uint32_t tnm_batch_n_labels(const tnm_batch *batch)
{
    return batch->blob.geometry.n_labels;
}

const uint8_t *tnm_batch_events(const tnm_batch *batch)
{
    return batch->blob.events;
}

const uint64_t *tnm_batch_offsets(const tnm_batch *batch)
{
    return batch->blob.offsets;
}

const uint8_t *tnm_batch_labels(const tnm_batch *batch)
{
    return batch->blob.labels;
}

const uint64_t *tnm_batch_indices(const tnm_batch *batch)
{
    return batch->blob.indices;
}

const int32_t *tnm_batch_sources(const tnm_batch *batch)
{
    return batch->blob.sources;
}

const uint64_t *tnm_batch_checksums(const tnm_batch *batch)
{
    return batch->blob.checksums;
}

const void *tnm_batch_blob(const tnm_batch *batch, size_t *ret_size)
{
    *ret_size = batch->body.size;
    return batch->body.bytes;
}

const void *tnm_batch_decoded(const tnm_batch *batch, size_t *ret_size)
{
    *ret_size = batch->decoded_size;
    return batch->decoded;
}

const int32_t *tnm_batch_n_frames(const tnm_batch *batch, uint32_t *ret_longest)
{
    *ret_longest = batch->longest;
    return batch->n_frames;
}

const int32_t *tnm_batch_counts(const tnm_batch *batch)
{
    return batch->counts;
}

const int16_t *tnm_batch_places(const tnm_batch *batch, uint64_t *ret_n_places)
{
    *ret_n_places = batch->n_places;
    return batch->places;
}

int tnm_batch_csr(const tnm_batch *batch, int32_t *crow, int32_t *col)
{
    uint64_t n_rows = batch->blob.n_samples * batch->longest;
    if (!batch->counts)
        return failure_set(-EINVAL, "the batch was not decoded to sparse frames");
    if (batch->n_places > INT32_MAX)
        return failure_set(-EINVAL, "%" PRIu64 " places are too many to be counted in 32 bits",
                           batch->n_places);
    crow[0] = 0;
    for (uint64_t i = 0; i < n_rows; i++)
        crow[i + 1] = crow[i] + batch->counts[i];
    for (uint64_t i = 0; i < batch->n_places; i++)
        col[i] = batch->places[i];
    return 0;
}

void batch_set_block(tnm_batch *batch, struct pool *pool, struct pool_block block)
{
    struct pool *referred = pool_ref(pool);
    give_block(batch);
    batch->pool = referred;
    batch->block = block;
    batch->decoded = block.bytes;
    batch->room = block.room;
}

void batch_set_lent(tnm_batch *batch, void *lent, size_t room)
{
    give_block(batch);
    batch->decoded = lent;
    batch->room = room;
}

/* ---- Of events of one's own ---- */

/* The parts of its body, widest first. */
static size_t lay_out(tnm_batch *batch, size_t n_samples, size_t n_events, size_t n_labels)
{
    struct blob *blob = &batch->blob;
    uint8_t *at = batch->body.bytes; /* NULL: for the size alone */
    size_t used = 0;
    const struct {
        const void **part;
        size_t size;
    } parts[] = {
        {(const void **)&blob->offsets, (n_samples + 1) * sizeof *blob->offsets},
        {(const void **)&blob->indices, n_samples * sizeof *blob->indices},
        {(const void **)&blob->checksums, n_samples * sizeof *blob->checksums},
        {(const void **)&blob->sources, n_samples * 2 * sizeof *blob->sources},
        {(const void **)&blob->labels, n_samples * n_labels},
        {(const void **)&blob->events, n_events * EVENT_BYTES},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (at)
            *parts[i].part = at + used;
        used += parts[i].size;
    }
    return used;
}

static int fill(tnm_batch *batch, const uint8_t *events, const uint64_t *offsets)
{
    struct blob *blob = &batch->blob;
    size_t size = lay_out(batch, blob->n_samples, blob->n_events, blob->geometry.n_labels);
    if (body_reserve(&batch->body, size) < 0)
        return failure_set(-ENOMEM, "no memory for a batch of %zu bytes", size);
    memset(batch->body.bytes, 0, size);
    batch->body.size = size;
    lay_out(batch, blob->n_samples, blob->n_events, blob->geometry.n_labels);
    memcpy((void *)blob->offsets, offsets, (blob->n_samples + 1) * sizeof *offsets);
    if (blob->n_events)
        memcpy((void *)blob->events, events, blob->n_events * EVENT_BYTES);
    for (uint64_t i = 0; i < blob->n_samples; i++)
        memcpy((void *)(blob->indices + i), &i, sizeof i);
    return 0;
}

static int check_own(const tnm_geometry *geometry, const uint64_t *offsets, size_t n_samples)
{
    const struct geometry own = {geometry->width, geometry->height, geometry->n_labels};
    if (!geometry_is_valid(&own))
        return failure_set(-EINVAL,
                           "a geometry of %u x %u pixels, %u labels; each has to be 1 to "
                           "%d",
                           own.width, own.height, own.n_labels, GEOMETRY_SIDE_MAX);
    if (n_samples > INT32_MAX || offsets[n_samples] > SIZE_MAX / EVENT_BYTES / 2)
        return failure_set(-EINVAL, "a batch of %zu samples, %" PRIu64 " events", n_samples,
                           offsets[n_samples]);
    for (size_t i = 0; i < n_samples; i++)
        if (offsets[i] > offsets[i + 1] || offsets[0] != 0)
            return failure_set(-EINVAL, "sample %zu lies at events %" PRIu64 " to %" PRIu64, i,
                               offsets[i], offsets[i + 1]);
    return 0;
}

int tnm_batch_of_events(const tnm_geometry *geometry, const uint8_t *events,
                        const uint64_t *offsets, size_t n_samples, tnm_batch **ret)
{
    struct error why;
    int r = check_own(geometry, offsets, n_samples);
    if (r < 0)
        return r;
    tnm_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return failure_set(-ENOMEM, "no memory for a batch");
    batch->blob = (struct blob){
        .geometry = {geometry->width, geometry->height, geometry->n_labels},
        .n_samples = n_samples,
        .n_events = offsets[n_samples],
    };
    r = fill(batch, events, offsets);
    if (r == 0 && blob_check_pixels(&batch->blob, &why) < 0)
        r = failure_keep(-EINVAL, &why);
    if (r < 0)
        tnm_batch_free(batch);
    else
        *ret = batch;
    return r;
}
