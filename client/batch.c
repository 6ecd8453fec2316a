/* SPDX-License-Identifier: Apache-2.0
 * A batch that was handed over, or is about to be. */
#include "client/batch.h"

#include <errno.h>
#include <stdlib.h>

static void drop_decoded(tnm_batch *batch)
{
    if (!batch->decoded_is_lent)
        free(batch->decoded);
    batch->decoded = NULL;
    batch->decoded_size = 0;
    batch->decoded_is_lent = false;
    batch->decoder = NULL;
}

void tnm_batch_free(tnm_batch *batch)
{
    if (!batch)
        return;
    drop_decoded(batch);
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

const uint32_t *tnm_batch_checksums(const tnm_batch *batch)
{
    return batch->blob.checksums;
}

const void *tnm_batch_blob(const tnm_batch *batch, size_t *ret_size)
{
    *ret_size = batch->is_blob ? batch->body.size : 0;
    return batch->is_blob ? batch->body.bytes : NULL;
}

const void *tnm_batch_decoded(const tnm_batch *batch, size_t *ret_size)
{
    *ret_size = batch->decoded_size;
    return batch->decoded;
}

int batch_decode(tnm_batch *batch, const tnm_decoder *decoder, void *lent, size_t lent_size,
                 bool *ret_took_lent)
{
    size_t size = tnm_decoder_size(decoder, batch->blob.n_samples, batch->blob.n_events);
    bool takes = lent && size <= lent_size;
    void *out = lent;
    if (!takes && posix_memalign(&out, BODY_ALIGN, size ? size : 1) != 0)
        return -ENOMEM;
    drop_decoded(batch);
    batch->decoder = decoder;
    batch->decoded = out;
    batch->decoded_size = size;
    batch->decoded_is_lent = takes;
    *ret_took_lent = takes;
    return tnm_decode(decoder, batch, out, size);
}
