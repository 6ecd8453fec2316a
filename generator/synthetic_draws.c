/* SPDX-License-Identifier: Apache-2.0
 * A stream of random integers that belongs to one synthetic recording. */
#include "generator/synthetic_draws.h"

#include "common/philox.h"

enum { PIECES = 16, STREAM_SHIFT = 18 };

/* Keeps clear of the low indices, where fresh pairs draw with the same seed. */
static const uint64_t FIRST_INDEX = (uint64_t)1 << 63;

struct draws draws_start(uint64_t seed, uint64_t stream)
{
    return (struct draws){
        .seed = seed, .next = FIRST_INDEX | stream << STREAM_SHIFT, .n_used = PIECES};
}

uint32_t draws_u16(struct draws *draws)
{
    if (draws->n_used == PIECES) {
        philox4x64(draws->seed, draws->next++, draws->block);
        draws->n_used = 0;
    }
    uint64_t word = draws->block[draws->n_used / 4] >> 16 * (draws->n_used % 4);
    draws->n_used++;
    return (uint32_t)(word & 0xffff);
}

int32_t draws_between(struct draws *draws, int32_t low, int32_t high)
{
    uint32_t n = (uint32_t)(high - low) + 1;
    return low + (int32_t)((draws_u16(draws) * (uint64_t)n) >> 16);
}

int32_t draws_bell(struct draws *draws, int32_t spread)
{
    /* The sum of four uniform pieces: standard deviation 65536 × sqrt(4 / 12). */
    static const int32_t MEAN = 131070, DEVIATION = 37837;
    int32_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (int32_t)draws_u16(draws);
    return (int32_t)((int64_t)(sum - MEAN) * spread / DEVIATION);
}
