/* SPDX-License-Identifier: Apache-2.0
 * Which samples a training batch holds: epoch orders and rank shares that need no state. */
#include "common/order.h"

#include "common/mt19937.h"

void order_epoch(uint32_t seed, uint32_t epoch, uint32_t n, uint32_t *ret)
{
    struct mt19937 mt;
    mt19937_init_by_array(&mt, (const uint32_t[]){seed, epoch}, 2);
    mt19937_permutation(&mt, n, ret);
}

uint64_t order_n_batches(uint64_t n, uint64_t size, enum order_last last)
{
    return n / size + (last != ORDER_DROP && n % size != 0);
}

struct order_share order_share(uint64_t n, uint64_t size, enum order_last last, uint64_t k,
                               uint32_t rank, uint32_t world)
{
    uint64_t global = size;
    if (last == ORDER_SHORT && n - k * size < size)
        global = n - k * size;
    return (struct order_share){
        .first = k * size + rank,
        .step = world,
        .count = global > rank ? (global - rank + world - 1) / world : 0,
    };
}
