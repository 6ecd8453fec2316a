/* SPDX-License-Identifier: Apache-2.0
 * Which samples a training batch holds: epoch orders and rank shares that need no state. */
#pragma once

#include <stdint.h>

/* RandomState([seed, epoch]).permutation(n) into ret[n]. */
void order_epoch(uint32_t seed, uint32_t epoch, uint32_t n, uint32_t *ret);

enum order_last {
    ORDER_SHORT, /* the last global batch holds what is left */
    ORDER_DROP,  /* what does not fill a global batch is left out */
    ORDER_PAD,   /* the last global batch is filled up from the beginning of the order */
};

/* Global batches of `size` ≥ 1 in an epoch of n samples. */
uint64_t order_n_batches(uint64_t n, uint64_t size, enum order_last last);

/* A rank's share of a global batch: positions first, first + step, …, `count` of them, modulo n. */
struct order_share {
    uint64_t first, step, count;
};

/* The share of rank `rank` of `world` in global batch k < order_n_batches(). */
struct order_share order_share(uint64_t n, uint64_t size, enum order_last last, uint64_t k,
                               uint32_t rank, uint32_t world);
