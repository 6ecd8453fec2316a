/* SPDX-License-Identifier: Apache-2.0
 * A batch that was handed over, or is about to be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/blob.h"
#include "client/body.h"
#include "client/pool.h"
#include "client/rule.h"
#include "client/twonmnist.h"
#include "common/event.h"

struct tnm_batch {
    struct body body;
    struct blob blob; /* points into the body */
    struct rule rule; /* of places that came instead of events */
    uint64_t number;
    char *server;
    void *decoded; /* in `block`, or lent */
    size_t decoded_size, room;
    int32_t *n_frames; /* of what was decoded to frames, [n_samples] */
    uint32_t longest;
    const int32_t *counts; /* of what was decoded to sparse ones */
    const int16_t *places;
    uint64_t n_places;
    struct pool *pool; /* to which the block goes back */
    struct pool_block block;
};

/* Memory to decode into: a block of the pool's, or lent. One that is there already goes back. */
void batch_set_block(tnm_batch *batch, struct pool *pool, struct pool_block block);
void batch_set_lent(tnm_batch *batch, void *lent, size_t room);

/* Lend the batch memory of at least `size` bytes, where there is some; or set some of the pool's.
 */
typedef void batch_lend(tnm_batch *batch, size_t size, void *user);

/* decoder.c: decode with `decoder` into the memory that was set, or else, or where it is too small,
 * into what `lend` (may be NULL) lends now that the size is known, or into a block of the pool's.
 * Errors, kept as the last error: -ENOMEM, and those of tnm_decode(). */
int batch_decode(tnm_batch *batch, const tnm_decoder *decoder, struct pool *pool, batch_lend *lend,
                 void *user);
