/* SPDX-License-Identifier: Apache-2.0
 * A batch that was handed over, or is about to be. */
#include "client/batch.h"

#include <errno.h>
#include <stdlib.h>

#include "client/failure.h"

void tnm_batch_free(tnm_batch *batch)
{
    if (!batch)
        return;
    if (batch->pool)
        pool_give(batch->pool, batch->block);
    pool_unref(batch->pool);
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

void batch_set_block(tnm_batch *batch, struct pool *pool, struct pool_block block)
{
    batch->pool = pool_ref(pool);
    batch->block = block;
    batch->decoded = block.bytes;
}

void batch_set_lent(tnm_batch *batch, void *lent)
{
    batch->decoded = lent;
}

int batch_decode(tnm_batch *batch, const tnm_decoder *decoder, struct pool *pool)
{
    size_t size = tnm_decoder_size(decoder, batch->blob.n_samples, batch->blob.n_events);
    struct pool_block block;
    if (!batch->decoded) {
        if (pool_take(pool, size, &block) < 0)
            return failure_set(-ENOMEM, "no memory for a batch of %zu bytes", size);
        batch_set_block(batch, pool, block);
    }
    batch->decoded_size = size;
    return tnm_decode(decoder, batch, batch->decoded, size);
}
