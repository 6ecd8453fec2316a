/* SPDX-License-Identifier: Apache-2.0
 * Merges keys four at a time: the body of merge_avx2.c and merge_avx512.c, each of which defines
 * LEVEL (its instructions), order_keys() and MERGE_CHAINS_LEVEL (the name to give) before.
 *
 * Each chain carries the four greatest keys seen so far. A step fetches the next four from the list
 * whose next key is smaller, sorts the eight by a bitonic network, hands out the lower four and
 * carries the upper four: any key not yet fetched is greater than what is handed out. Nothing
 * branches on a comparison.
 * Source: K. E. Batcher, Sorting Networks and Their Applications, 1968. */
#include "common/merge_chain.h"

#define LEVEL_INLINE LEVEL __attribute__((always_inline)) static inline

enum { BLOCK = 4 };

/* Two ascending registers into the lower and the upper four of all eight, ascending. From the
 * first exchange on, both halves go through the network side by side, one in each lane. */
LEVEL_INLINE struct ordered merge_registers(__m256i a, __m256i b)
{
    struct ordered v = order_keys(a, _mm256_permute4x64_epi64(b, _MM_SHUFFLE(0, 1, 2, 3)));
    v = order_keys(_mm256_permute2x128_si256(v.low, v.high, 0x20),
                   _mm256_permute2x128_si256(v.low, v.high, 0x31));
    v = order_keys(_mm256_unpacklo_epi64(v.low, v.high), _mm256_unpackhi_epi64(v.low, v.high));
    __m256i even = _mm256_unpacklo_epi64(v.low, v.high);
    __m256i odd = _mm256_unpackhi_epi64(v.low, v.high);
    return (struct ordered){.low = _mm256_permute2x128_si256(even, odd, 0x20),
                            .high = _mm256_permute2x128_si256(even, odd, 0x31)};
}

LEVEL_INLINE __m256i fetch(struct merge_chain *chain)
{
    return _mm256_loadu_si256((const __m256i_u *)merge_chain_next(chain, BLOCK));
}

LEVEL_INLINE void step(struct merge_chain *chain, __m256i *carried, uint64_t *out)
{
    struct ordered v = merge_registers(*carried, fetch(chain));
    _mm256_storeu_si256((__m256i_u *)out, v.low);
    *carried = v.high;
}

LEVEL void MERGE_CHAINS_LEVEL(const struct merge_chain chains[MERGE_CHAINS], size_t length,
                              uint64_t *out)
{
    struct merge_chain c0 = chains[0], c1 = chains[1], c2 = chains[2], c3 = chains[3];
    __m256i v0 = fetch(&c0), v1 = fetch(&c1), v2 = fetch(&c2), v3 = fetch(&c3);
    for (size_t i = 0; i < length; i += BLOCK) {
        step(&c0, &v0, out + i);
        step(&c1, &v1, out + length + i);
        step(&c2, &v2, out + 2 * length + i);
        step(&c3, &v3, out + 3 * length + i);
    }
}
