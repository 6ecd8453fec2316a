/* SPDX-License-Identifier: Apache-2.0
 * How much memory all requests and answers under way may take together.
 *
 * Addresses share counters, picked by a hash: two that fall together have one share between them,
 * which errs on the safe side and needs no list that could grow or a lock. */
#include "server/samples/budget.h"

#include <stdatomic.h>

#include "server/samples/tally.h"

enum { SHARE_BITS = 12 };

static atomic_uint_fast64_t used_bytes;
static atomic_uint_fast64_t used_shares[1 << SHARE_BITS];
static uint64_t limit, share;

static atomic_uint_fast64_t *share_of(uint64_t address)
{
    /* Fibonacci hashing: the top bits of the product depend on all bits of the address. */
    return &used_shares[address * UINT64_C(0x9E3779B97F4A7C15) >> (64 - SHARE_BITS)];
}

void budget_set(uint64_t limit_bytes, uint64_t share_bytes)
{
    limit = limit_bytes;
    share = share_bytes;
}

static bool take(atomic_uint_fast64_t *used, uint64_t bytes, uint64_t most)
{
    uint_fast64_t now = atomic_load(used);
    do
        if (bytes > most || now > most - bytes)
            return false;
    while (!atomic_compare_exchange_weak(used, &now, now + bytes));
    return true;
}

static bool refuse(void)
{
    tally_add(TALLY_BUDGET_REFUSALS, 1);
    return false;
}

bool budget_claim(uint64_t address, uint64_t bytes)
{
    if (!take(share_of(address), bytes, share))
        return refuse();
    if (take(&used_bytes, bytes, limit))
        return true;
    atomic_fetch_sub(share_of(address), bytes);
    return refuse();
}

void budget_return(uint64_t address, uint64_t bytes)
{
    if (!bytes)
        return;
    atomic_fetch_sub(share_of(address), bytes);
    atomic_fetch_sub(&used_bytes, bytes);
}

uint64_t budget_used(void)
{
    return atomic_load(&used_bytes);
}
