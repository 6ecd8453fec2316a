/* SPDX-License-Identifier: Apache-2.0
 * A batch that was handed over, or is about to be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/blob.h"
#include "client/body.h"
#include "client/pool.h"
#include "client/twonmnist.h"
#include "common/event.h"

struct tnm_batch {
    struct body body;
    struct blob blob; /* points into the body */
    uint64_t number;
    char *server;
    void *decoded; /* in `block`, or lent */
    size_t decoded_size;
    struct pool *pool; /* to which the block goes back */
    struct pool_block block;
};

/* Memory to decode into: a block of the pool's, or lent. */
void batch_set_block(tnm_batch *batch, struct pool *pool, struct pool_block block);
void batch_set_lent(tnm_batch *batch, void *lent);

/* Decode with `decoder` into the memory that was set, or else into a block of the pool's. Errors:
 * -ENOMEM, and those of tnm_decode(); both are kept as the last error. */
int batch_decode(tnm_batch *batch, const tnm_decoder *decoder, struct pool *pool);
