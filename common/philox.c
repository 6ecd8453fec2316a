/* SPDX-License-Identifier: Apache-2.0
 * Philox4x64-10, a random number generator that is a pure function of a key and a counter. */
#include "common/philox.h"

enum { ROUNDS = 10 };

static const uint64_t MULTIPLIER_0 = 0xD2E7470EE14C6C93u, MULTIPLIER_1 = 0xCA5A826395121157u;
static const uint64_t WEYL_0 = 0x9E3779B97F4A7C15u, WEYL_1 = 0xBB67AE8584CAA73Bu;

void philox4x64(uint64_t seed, uint64_t index, uint64_t ret[4])
{
    /* NumPy counts up before it draws the first block. */
    uint64_t c0 = index + 1, c1 = c0 == 0, c2 = 0, c3 = 0;
    uint64_t k0 = seed, k1 = 0;
    for (int round = 0; round < ROUNDS; round++, k0 += WEYL_0, k1 += WEYL_1) {
        unsigned __int128 p0 = (unsigned __int128)MULTIPLIER_0 * c0;
        unsigned __int128 p1 = (unsigned __int128)MULTIPLIER_1 * c2;
        c0 = (uint64_t)(p1 >> 64) ^ c1 ^ k0;
        c2 = (uint64_t)(p0 >> 64) ^ c3 ^ k1;
        c1 = (uint64_t)p1;
        c3 = (uint64_t)p0;
    }
    ret[0] = c0;
    ret[1] = c1;
    ret[2] = c2;
    ret[3] = c3;
}
