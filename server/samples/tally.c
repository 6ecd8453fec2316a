/* SPDX-License-Identifier: Apache-2.0
 * What is counted, by each thread for itself. */
#include "server/samples/tally.h"

#include <stddef.h>
#include <sys/mman.h>

_Thread_local struct tally_cells *tally_own;

static struct tally_cells spare;
static struct tally_cells *_Atomic all = &spare;

/* Whole pages: no line of the cache is shared with another thread's, and what a thread never counts
 * takes no memory. */
struct tally_cells *tally_make_own(void)
{
    struct tally_cells *own =
        mmap(NULL, sizeof *own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own == MAP_FAILED)
        return &spare;
    own->next = atomic_load(&all);
    while (!atomic_compare_exchange_weak(&all, &own->next, own))
        continue;
    return tally_own = own;
}

uint64_t tally_sum(unsigned cell)
{
    uint64_t sum = 0;
    for (const struct tally_cells *cells = atomic_load(&all); cells; cells = cells->next)
        sum += atomic_load_explicit(&cells->cells[cell], memory_order_relaxed);
    return sum;
}

uint64_t tally_level(unsigned came, unsigned went)
{
    uint64_t n_went = tally_sum(went), n_came = tally_sum(came);
    return n_came > n_went ? n_came - n_went : 0;
}
