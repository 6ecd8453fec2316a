/* SPDX-License-Identifier: Apache-2.0
 * Fresh pairs: an endless set of two-digit mixtures, each a pure function of (seed, index). */
#include "common/pairs.h"

#include <errno.h>
#include <inttypes.h>

#include "common/digits.h"
#include "common/philox.h"

int pairs_init(struct pairs *ret, const uint8_t *labels, uint64_t n, struct error *why)
{
    struct pairs table = {.n = n};
    for (uint64_t i = 0; i < n; i++) {
        int digit = digits_only(labels + i * N_DIGITS);
        if (digit < 0)
            return error_set(why, -EINVAL, "recording %" PRIu64 " does not show exactly one digit",
                             i);
        if (table.count[digit] == 0)
            table.first[digit] = i;
        if (table.first[digit] + table.count[digit] != i)
            return error_set(why, -EINVAL, "recording %" PRIu64 ": digit %d is not kept together",
                             i, digit);
        table.count[digit]++;
    }
    for (int d = 0; d < N_DIGITS; d++)
        if (table.count[d] == n)
            return error_set(why, -EINVAL, "pairs need recordings of two digits at least");
    *ret = table;
    return 0;
}

static uint64_t scale(uint64_t random, uint64_t n)
{
    return (uint64_t)((unsigned __int128)random * n >> 64);
}

void pairs_draw(const struct pairs *pairs, uint64_t seed, uint64_t index, uint32_t ret[2])
{
    uint64_t random[4];
    philox4x64(seed, index, random);
    uint64_t a = scale(random[0], pairs->n);
    int digit = 0;
    while (a - pairs->first[digit] >= pairs->count[digit])
        digit++;
    uint64_t b = scale(random[1], pairs->n - pairs->count[digit]);
    if (b >= pairs->first[digit])
        b += pairs->count[digit];
    ret[0] = (uint32_t)a;
    ret[1] = (uint32_t)b;
}
