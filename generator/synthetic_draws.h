/* SPDX-License-Identifier: Apache-2.0
 * A stream of random integers that belongs to one synthetic recording. */
#pragma once

#include <stdint.h>

struct draws {
    uint64_t seed, next; /* Philox key, and index of the next block */
    uint64_t block[4];
    unsigned n_used; /* 16-bit pieces of the block */
};

/* `stream` < 2^44 says which of the seed's streams; each has 2^18 blocks, far more than a recording
 * takes. */
struct draws draws_start(uint64_t seed, uint64_t stream);

/* Uniform in 0..65535. */
uint32_t draws_u16(struct draws *draws);

/* Uniform in low..high, both ends included; high - low < 65536. */
int32_t draws_between(struct draws *draws, int32_t low, int32_t high);

/* Bell-shaped around 0 with standard deviation `spread` < 2^15, never beyond 3.46 × spread. */
int32_t draws_bell(struct draws *draws, int32_t spread);
