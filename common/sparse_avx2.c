/* SPDX-License-Identifier: Apache-2.0
 * Sparse frames with AVX2. */
#include "common/sparse.h"

#if CPU_X86
#include <immintrin.h>
#include <string.h>

#define LEVEL              __attribute__((target("avx2,popcnt")))
#define SPARSE_WRITE_LEVEL sparse_write_avx2
#define OP                 LEVEL __attribute__((always_inline)) static inline

enum { LANES = 16 };

typedef __m256i vector;

/* The lower half of each of eight places; of them, n. */
OP __m256i load_half(const uint32_t *places, int n)
{
    const __m256i number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i behind = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), number);
    __m256i v = _mm256_loadu_si256((const __m256i_u *)places);
    v = _mm256_or_si256(v, _mm256_xor_si256(behind, _mm256_set1_epi32(-1)));
    return _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
}

/* In whatever order: they are to be sorted. */
OP vector load(const uint32_t *places, uint32_t n)
{
    return _mm256_packus_epi32(load_half(places, (int)n),
                               load_half(places + LANES / 2, (int)n - LANES / 2));
}

OP vector lesser(vector v, vector w)
{
    return _mm256_min_epu16(v, w);
}

OP vector greater(vector v, vector w)
{
    return _mm256_max_epu16(v, w);
}

OP vector swap(vector v, int distance)
{
    const __m256i pairs = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    switch (distance) {
    case 1:
        return _mm256_shuffle_epi8(v, pairs);
    case 2:
        return _mm256_shuffle_epi32(v, _MM_SHUFFLE(2, 3, 0, 1));
    case 4:
        return _mm256_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2));
    default:
        return _mm256_permute4x64_epi64(v, _MM_SHUFFLE(1, 0, 3, 2));
    }
}

OP vector flip(vector v, int width)
{
    const __m256i fours = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, 7, 4, 5, 2, 3, 0, 1, 14, 15, 12, 13, 10, 11, 8, 9));
    const __m256i eights = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1));
    switch (width) {
    case 2:
        return swap(v, 1);
    case 4:
        return _mm256_shuffle_epi8(v, fours);
    case 8:
        return _mm256_shuffle_epi8(v, eights);
    default:
        return swap(_mm256_shuffle_epi8(v, eights), 8);
    }
}

struct lanes {
    char nothing;
};

OP struct lanes lanes_make(void)
{
    return (struct lanes){0};
}

OP vector order(const struct lanes *lanes, vector v, vector w, int distance)
{
    (void)lanes;
    vector low = lesser(v, w), high = greater(v, w);
    switch (distance) {
    case 1:
        return _mm256_blend_epi16(low, high, 0xaa);
    case 2:
        return _mm256_blend_epi16(low, high, 0xcc);
    case 4:
        return _mm256_blend_epi16(low, high, 0xf0);
    default:
        return _mm256_blend_epi32(low, high, 0xf0);
    }
}

/* The first n lanes; some more are written, unless there is no room. */
OP int16_t *store_first(vector v, uint32_t n, int16_t *at, const int16_t *end)
{
    if (end - at >= LANES) {
        _mm256_storeu_si256((__m256i_u *)at, v);
        return at + n;
    }
    int16_t lanes[LANES];
    _mm256_storeu_si256((__m256i_u *)lanes, v);
    memcpy(at, lanes, n * sizeof *at);
    return at + n;
}

OP int16_t *store(vector v, vector before, bool repeats, int16_t *at, const int16_t *end)
{
    /* Each lane's neighbour on the left. */
    vector left = _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 14);
    vector nowhere = _mm256_cmpeq_epi16(v, _mm256_set1_epi16(-1));
    vector again =
        _mm256_andnot_si256(_mm256_set1_epi16((int16_t)-repeats), _mm256_cmpeq_epi16(v, left));
    uint32_t keep = ~(uint32_t)_mm256_movemask_epi8(_mm256_or_si256(nowhere, again)); /* twice */
    if ((keep & (keep + 1)) == 0)
        return store_first(v, (uint32_t)__builtin_popcount(keep) / 2, at, end);
    int16_t lanes[LANES], kept[LANES + 1];
    uint32_t n = 0;
    _mm256_storeu_si256((__m256i_u *)lanes, v);
    for (uint32_t i = 0; i < LANES; i++) {
        kept[n] = lanes[i];
        n += keep >> 2 * i & 1;
    }
    memcpy(at, kept, n * sizeof *at);
    return at + n;
}

#include "common/sparse_network.h"
#endif
