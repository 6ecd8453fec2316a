/* SPDX-License-Identifier: Apache-2.0
 * Merging with AVX-512's 64-bit minimum and maximum. Eight keys at a time instead of four were no
 * faster: the network is then a stage longer and its shuffles slower. */
#include "common/cpu.h"

#if CPU_X86
#include <immintrin.h>

#define LEVEL              __attribute__((target("avx2,avx512f,avx512vl")))
#define MERGE_CHAINS_LEVEL merge_chains_avx512

struct ordered {
    __m256i low, high;
};

LEVEL __attribute__((always_inline)) static inline struct ordered order_keys(__m256i a, __m256i b)
{
    return (struct ordered){.low = _mm256_min_epi64(a, b), .high = _mm256_max_epi64(a, b)};
}

#include "common/merge_network.h"
#endif
