/* SPDX-License-Identifier: Apache-2.0
 * How much memory all answers in the making may take together. */
#include "server/samples/budget.h"

#include <stdatomic.h>

static atomic_uint_fast64_t left_bytes;

void budget_set(uint64_t limit_bytes)
{
    atomic_store(&left_bytes, limit_bytes);
}

bool budget_claim(uint64_t bytes)
{
    uint_fast64_t left = atomic_load(&left_bytes);
    do
        if (bytes > left)
            return false;
    while (!atomic_compare_exchange_weak(&left_bytes, &left, left - bytes));
    return true;
}

void budget_return(uint64_t bytes)
{
    if (bytes)
        atomic_fetch_add(&left_bytes, bytes);
}
