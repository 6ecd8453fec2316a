/* SPDX-License-Identifier: Apache-2.0
 * Merging with AVX2. */
#include "common/cpu.h"

#if CPU_X86
#include <immintrin.h>

#define LEVEL              __attribute__((target("avx2")))
#define MERGE_CHAINS_LEVEL merge_chains_avx2

struct ordered {
    __m256i low, high;
};

/* Keys are positive as signed numbers, the only ones AVX2 compares. */
LEVEL __attribute__((always_inline)) static inline struct ordered order_keys(__m256i a, __m256i b)
{
    __m256i greater = _mm256_cmpgt_epi64(a, b);
    return (struct ordered){.low = _mm256_blendv_epi8(a, b, greater),
                            .high = _mm256_blendv_epi8(b, a, greater)};
}

#include "common/merge_network.h"
#endif
